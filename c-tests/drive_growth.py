#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A daemon's memory must not grow with the number of requests it has served.

Usage: drive_growth.py [daemon options]
  FT_ROUNDS  rounds of each of the two measured parts (default 30)
"""
import os
import sys

import ferrotest as ft
from ferrotest import say

ROUNDS = int(os.environ.get("FT_ROUNDS", "30"))
ALLOWED_KIB = int(os.environ.get("FT_ALLOWED_KIB", "512"))


def resident(daemon):
    with open(f"/proc/{daemon.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def requests(daemon, rounds):
    """Every kind of reply: entries, attributes, errors, buffers, data, directories."""
    for i in range(rounds):
        d = daemon.path(f"dir{i % 3}")
        os.mkdir(d)
        for j in range(40):
            path = os.path.join(d, f"file{j}")
            fd = os.open(path, os.O_CREAT | os.O_RDWR)
            os.write(fd, b"x" * 20_000)
            os.pread(fd, 5_000, 0)
            os.setxattr(fd, "user.x", b"value")
            os.close(fd)
            ft.attempt(os.getxattr, path, "user.none")
            ft.attempt(os.stat, path + ".none")
        for entry in os.scandir(d):
            entry.stat()
            os.unlink(entry.path)
        os.rmdir(d)


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    daemon = ft.Daemon("passthrough_ll", "-o", f"source={source},timeout=0", *sys.argv[1:])
    requests(daemon, ROUNDS)
    before = resident(daemon)
    requests(daemon, ROUNDS * 3)
    grown = resident(daemon) - before
    ft.note(f"resident: {before} KiB, {grown:+} KiB after three times as many requests")
    say("grown", "little" if grown <= ALLOWED_KIB else f"FAIL {grown} KiB")
    daemon.finish()
    sys.exit(0 if grown <= ALLOWED_KIB else 1)


main()
