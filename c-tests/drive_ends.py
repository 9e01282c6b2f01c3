#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every way a session ends: what the loop returns, and that it ends in time.

Usage: drive_ends.py [daemon options]

FT_NEEDS_REQUEST: names of endings, separated by commas, which the library under
test is known to notice only at the next request (the table is in `run`). Such an
ending must really not come by itself, and must come after one request.
"""
import os
import signal
import subprocess
import sys
import threading
import time

import ferrotest as ft
from ferrotest import attempt, say

NEEDS_REQUEST = set(filter(None, os.environ.get("FT_NEEDS_REQUEST", "").split(",")))
# What ends because the kernel ends the connection; see the row "abort" there.
ABORTS = ("abort", "abort under load", "abort in a handler", "unmount", "lazy unmount")


def read(daemon, name="hello"):
    """One open, read, close; the bytes, or the errno name."""
    def work():
        fd = os.open(daemon.path(name), os.O_RDONLY)
        try:
            return os.pread(fd, 100, 0)
        finally:
            os.close(fd)
    return attempt(work)


class Load:
    """Readers that never pause, until the filesystem is gone."""

    def __init__(self, daemon, count=3):
        self.threads = [threading.Thread(target=self.run, args=(daemon,)) for _ in range(count)]
        self.reads = 0
        for t in self.threads:
            t.start()
        while self.reads < 50:
            time.sleep(0.005)

    def run(self, daemon):
        while isinstance(read(daemon), bytes):
            self.reads += 1

    def stop(self):
        for t in self.threads:
            t.join(20)
        return "stopped" if not any(t.is_alive() for t in self.threads) else "stuck"


def ending(name, trigger, *options, load=False, before=None):
    daemon = ft.Daemon("hello_ll", *sys.argv[1:], *options)
    say(f"{name}: first read", read(daemon))
    readers = Load(daemon) if load else None
    if before:
        before(daemon)
    started = time.monotonic()
    trigger(daemon)
    status = daemon.wait(1 if name in NEEDS_REQUEST else ft.BOUND)
    if name in NEEDS_REQUEST:
        if status is not None:
            ft.die(f"{name}: ended by itself, take it off the table of known differences")
        ft.note(f"{name}: needs a request to end, as known")
        attempt(os.stat, daemon.path("hello"))
        status = daemon.wait(ft.BOUND)
    took = time.monotonic() - started
    if status is None:
        try:
            ft.die(f"{name}: does not end within {ft.BOUND} s")
        finally:
            daemon.clean()
    ft.note(f"{name}: ended after {took * 1000:.0f} ms")
    report = " ".join(daemon.report())
    if name in ABORTS and not ft.LIBDIR and "loop=-103" in report:
        ft.note(f"{name}: the loop returned ECONNABORTED, as known")
        report = report.replace("loop=-103", "loop=0")
    say(f"{name}: status", f"{status} {report}")
    if readers:
        say(f"{name}: readers", readers.stop())
    say(f"{name}: still mounted", os.path.ismount(daemon.mnt))
    daemon.clean()


def sender(signo):
    return lambda daemon: daemon.signal(signo)


def lazy_unmount_with_open_file(daemon):
    fd = os.open(daemon.path("hello"), os.O_RDONLY)
    subprocess.run(["umount", "-l", daemon.mnt], check=True)
    time.sleep(0.1)
    say("lazy unmount: still served", (daemon.proc.poll(), os.pread(fd, 5, 0)))
    os.close(fd)


class Slow:
    """A read whose handler is at work while the session ends."""

    def __init__(self):
        self.result = None

    def start(self, daemon):
        def work():
            self.result = read(daemon, "slow")
        self.thread = threading.Thread(target=work)
        self.thread.start()
        time.sleep(0.1)

    def show(self, name):
        self.thread.join(10)
        say(f"{name}: the slow reader", "ended" if not self.thread.is_alive() else "stuck")


def twice(calm):
    """The loop can be entered again after an end by fuse_session_exit().

    Calm: no request arrives between the loops. Else the close that follows the read
    at once falls into the switch, and a worker that is told to stop must not take
    that request with it (there, libfuse cancels a thread that may hold one)."""
    daemon = ft.Daemon("hello_ll", *sys.argv[1:], "-o", "loops=2")
    fd = os.open(daemon.path("exit_handler"), os.O_RDONLY)
    facts = [os.pread(fd, 100, 0)]
    if calm:
        while "loop=0" not in daemon.report():
            time.sleep(0.01)
        time.sleep(0.1)
    os.close(fd)
    facts.append(read(daemon))
    daemon.unmount()
    facts.append(daemon.wait())
    facts.append([line for line in daemon.report() if line.startswith("loop=")])
    daemon.clean()
    return facts


def main():
    ending("unmount", lambda d: d.unmount())
    for signo in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        ending(signal.Signals(signo).name, sender(signo))
    ending("abort", lambda d: d.abort())
    ending("exit_handler", lambda d: read(d, "exit_handler"))
    ending("exit_thread", lambda d: read(d, "exit_thread"))
    ending("exit_signal", sender(signal.SIGUSR1))
    ending("lazy unmount", lazy_unmount_with_open_file)
    ending("SIGPIPE is ignored", lambda d: (d.signal(signal.SIGPIPE), time.sleep(0.1),
                                            say("after SIGPIPE", read(d)), d.unmount()))
    ending("SIGTERM under load", sender(signal.SIGTERM), load=True)
    ending("abort under load", lambda d: d.abort(), load=True)
    ending("exit_handler under load", lambda d: read(d, "exit_handler"), load=True)
    for name, trigger in ("SIGTERM in a handler", sender(signal.SIGTERM)), \
            ("abort in a handler", lambda d: d.abort()):
        slow = Slow()
        ending(name, trigger, before=slow.start)
        slow.show(name)
    facts = twice(calm=True)
    say("twice", facts)
    # Not on the system's library, see the table in `run`.
    for _ in range(10 if ft.LIBDIR else 0):
        if (racy := twice(calm=False)) != facts:
            ft.die(f"twice, with requests in between: {racy}")


main()
