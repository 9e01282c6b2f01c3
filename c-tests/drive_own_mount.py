#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A filesystem whose handlers use its own mount: it shows a directory in which it is mounted itself.

Usage: drive_own_mount.py DEPTH [daemon options]
  DEPTH  how often a path goes through the mount again
"""
import os
import signal
import sys

import ferrotest as ft

DEPTH = int(sys.argv[1])
CLIENTS = 3
FILES = 20


def client(root, number):
    """0 if all went well; each step asks the daemon, whose handler asks it again, and so on."""
    signal.alarm(50)
    for n in range(FILES):
        path = os.path.join(root, f"f{number}.{n}")
        with open(path, "wb") as f:
            f.write(b"x" * 10_000)
        with open(path, "rb") as f:
            if f.read() != b"x" * 10_000:
                return 1
        if os.stat(path).st_size != 10_000:
            return 2
        os.unlink(path)
        if os.path.exists(path):
            return 3
    return 0


def main():
    source = os.path.join(ft.TMP, "source")
    mountpoint = os.path.join(source, "mnt")
    os.makedirs(mountpoint)
    daemon = ft.Daemon("passthrough_hl", "-o", f"source={source}", *sys.argv[2:], mountpoint=mountpoint)
    root = os.path.join(mountpoint, *["mnt"] * DEPTH)
    pids = []
    for number in range(CLIENTS):
        if (pid := os.fork()) == 0:
            try:
                os._exit(client(root, number))
            except OSError as e:
                ft.note(f"client {number}: {e}")
                os._exit(4)
        pids.append(pid)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    ft.say("clients", "all served" if not any(ends) else f"FAIL {ends}")
    daemon.abort()  # the mount is busy with itself
    ft.libc.umount2(os.fsencode(mountpoint), 2)
    ft.say("ended", daemon.wait(20) is not None)
    sys.exit(1 if any(ends) else 0)


main()
