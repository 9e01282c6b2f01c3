#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requests of 2 MiB where fs.fuse.max_pages_limit allows them and the filesystem asks.

The system's library ends when a filesystem asks for more than 1 MiB; there the filesystem does
not, and the sizes are not compared.
"""
import mmap
import os
import sys

import ferrotest as ft
from ferrotest import say

LIMIT = "/proc/sys/fs/fuse/max_pages_limit"
SIZE = 2 << 20
WANTED = SIZE if ft.LIBDIR else SIZE // 2


def main():
    try:
        with open(LIMIT) as f:
            before = f.read().strip()
        with open(LIMIT, "w") as f:
            f.write("512")
    except OSError as e:
        print(f"{LIMIT}: {e.strerror}", file=sys.stderr)
        sys.exit(77)
    try:
        source = os.path.join(ft.TMP, "source")
        data = os.urandom(2 * SIZE)
        with open(source, "wb") as f:
            f.write(data)
        daemon = ft.Daemon("onefile_ll", "-s", "-o", f"path={source},max_write={WANTED}")
        fd = os.open(daemon.path("file"), os.O_RDWR)
        # On a page boundary: a request has so many pages, not bytes.
        memory = mmap.mmap(-1, SIZE)
        os.preadv(fd, [memory], 4096)
        say("read", "equal" if memory[:] == data[4096:4096 + SIZE] else "FAIL")
        memory[:] = data[SIZE:]
        say("write", os.pwritev(fd, [memory], 0))
        os.close(fd)
        daemon.unmount()
        say("status", daemon.wait())
        with open(source, "rb") as f:
            say("written", "equal" if f.read(SIZE) == data[SIZE:] else "FAIL")
    finally:
        with open(LIMIT, "w") as f:
            f.write(before)
    if f"read={WANTED}" not in daemon.report() or f"write={WANTED}" not in daemon.report():
        ft.die(f"not {WANTED} bytes in one request: {daemon.report()}")


main()
