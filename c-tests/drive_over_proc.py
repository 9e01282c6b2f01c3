#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A filesystem that hides /proc, and answers nothing of what is asked there, serves and ends like any other:
the threads that keep its workers on their client's processor need the kernel's /proc.

Usage: drive_over_proc.py [daemon options]
"""
import os
import signal
import sys
import threading
import time

import ferrotest as ft

PATIENCE = 20  # seconds: a hang is looked for, not slowness
CLONE_NEWNS, MS_BIND, MS_PRIVATE_REC, MNT_DETACH = 0x20000, 1 << 12, (1 << 18) | (1 << 14), 2
HOME = os.sched_getaffinity(0)
failed = []
PROC = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)


def placed(daemon):
    """Whether a worker is."""
    tasks = os.open(f"{daemon.pid}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=PROC)
    try:
        return any(os.sched_getscheduler(int(thread)) == os.SCHED_IDLE and
                   len(os.sched_getaffinity(int(thread))) == 1 for thread in os.listdir(tasks))
    except ProcessLookupError:
        return False
    finally:
        os.close(tasks)


def stacks(daemon):
    """Where its threads stand in the kernel."""
    def read(name):
        with open(os.open(name, os.O_RDONLY, dir_fd=PROC), errors="replace") as f:
            return f.read()
    try:
        tasks = os.listdir(os.open(f"{daemon.pid}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=PROC))
        return "\n".join(read(f"{daemon.pid}/task/{task}/stack") for task in tasks)
    except OSError as e:
        return str(e)


def becomes_placed(daemon):
    until = time.monotonic() + PATIENCE
    while not placed(daemon):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class Load:
    """Attributes asked for without a pause."""

    def __init__(self, daemon):
        self.asked = 0
        self.thread = threading.Thread(target=self.run, args=(daemon.path("fork"),))

    def run(self, path):
        try:
            while True:
                os.stat(path)
                self.asked += 1
        except OSError:
            pass  # it has ended

    def goes_on(self):
        before = self.asked
        time.sleep(0.5)
        return self.asked > before


def cover(daemon):
    if ft.libc.mount(os.fsencode(daemon.mnt), b"/proc", None, MS_BIND, None) != 0:
        ft.die("can't mount over /proc")


def check(what, seen, wanted):
    ft.say(what, seen)
    if seen != wanted:
        failed.append(what)


def round_of(name, early):
    daemon = ft.Daemon("placed_ll", *sys.argv[1:], env={"FERROFUSE_PLACEMENT": "always", "PLACED_HOLDS": "1"})
    load = Load(daemon)
    if early:
        cover(daemon)
    load.thread.start()
    if not early:
        check(f"{name}: placed", becomes_placed(daemon), True)
        cover(daemon)
    check(f"{name}: serves", load.goes_on(), True)
    check(f"{name}: placed then", placed(daemon) if early else becomes_placed(daemon), not early)
    daemon.signal(signal.SIGTERM)
    status = daemon.wait(PATIENCE)
    check(f"{name}: exit status", status, 0)
    if status is None:
        ft.note(f"{daemon.log()}\n{stacks(daemon)}")
        # A thread that waits for its own process can't be killed: nobody but this sees the mount.
        daemon.abort()
        daemon.wait(20)
    load.thread.join()
    ft.libc.umount2(b"/proc", MNT_DETACH)
    check(f"{name}: mounted", ft.mounted_device(daemon.mnt) is not None, False)
    ft.say(f"{name}: report", " ".join(daemon.report()))


def main():
    if len(HOME) < 2:
        ft.die("one processor: nothing to be placed on")
    # Nobody else's /proc is hidden.
    if ft.libc.unshare(CLONE_NEWNS) != 0 or ft.libc.mount(b"none", b"/", None, MS_PRIVATE_REC, None) != 0:
        ft.die("no mount namespace of its own")
    round_of("hidden from the beginning", True)
    round_of("hidden while workers are placed", False)
    sys.exit(1 if failed else 0)


main()
