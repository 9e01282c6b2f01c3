#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The memory of large requests is given back when none have come for a while, and the filesystem still
works afterwards.

Usage: drive_idle.py [daemon options]
"""
import os
import sys
import time

import ferrotest as ft

SIZE = 1 << 20
CLIENTS = 4
# The library waits 5 s.
PATIENCE = 40


def resident(daemon):
    """KiB of memory of its own."""
    with open(f"/proc/{daemon.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


def work(daemon):
    """Large requests on every processor, several at a time."""
    pids = []
    for n in range(CLIENTS * os.cpu_count()):
        if (pid := os.fork()) == 0:
            os.sched_setaffinity(0, {n % os.cpu_count()})
            fd = os.open(daemon.path(f"f{n}"), os.O_RDWR | os.O_CREAT)
            data = bytes([n]) * SIZE
            for _ in range(5):
                os.pwrite(fd, data, 0)
                if os.pread(fd, SIZE, 0) != data:
                    os._exit(1)
            os._exit(0)
        pids.append(pid)
    if any(os.waitpid(pid, 0)[1] for pid in pids):
        ft.die("wrong data")


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    daemon = ft.Daemon("passthrough_ll", "-o", f"source={source},direct_io", *sys.argv[1:])
    fresh = resident(daemon)
    work(daemon)
    worked = resident(daemon)
    until = time.monotonic() + PATIENCE
    while (idle := resident(daemon)) > fresh + 1024 and time.monotonic() < until:
        time.sleep(0.1)
    ft.note(f"resident: {fresh} KiB fresh, {worked} KiB after work, {idle} KiB after idling")
    if worked < fresh + 2 * SIZE // 1024:
        ft.die(f"no memory was used: {fresh} KiB, then {worked} KiB")
    ft.say("given back", "all" if idle <= fresh + 1024 else f"FAIL {idle} KiB stay, {fresh} KiB at first")
    work(daemon)
    daemon.finish()
    sys.exit(0 if idle <= fresh + 1024 else 1)


main()
