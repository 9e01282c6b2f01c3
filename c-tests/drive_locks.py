#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks between two processes on the passthrough filesystem, against a plain directory.

Usage: drive_locks.py [--hl] [daemon options]
"""
import fcntl
import os
import signal
import struct
import sys
import time

import ferrotest as ft
from ferrotest import attempt

F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK = 37, 38, 36
FLOCK = "hhqqi4x"


def flock_struct(kind, start, length):
    return struct.pack(FLOCK, kind, os.SEEK_SET, start, length, 0)


def record(fd, command, kind, start=0, length=0):
    """fcntl's answer; for GETLK the type, start and length found."""
    try:
        answer = fcntl.fcntl(fd, command, flock_struct(kind, start, length))
    except OSError as e:
        return ft.err_name(e.errno)
    if command not in (fcntl.F_GETLK, F_OFD_GETLK):
        return "ok"
    kind, _, start, length, _ = struct.unpack(FLOCK, answer)
    names = {fcntl.F_RDLCK: "read", fcntl.F_WRLCK: "write", fcntl.F_UNLCK: "free"}
    return "free" if kind == fcntl.F_UNLCK else (names[kind], start, length)


def child(path, call):
    """call(fd) in another process that opened the file itself."""
    def work():
        fd = os.open(path, os.O_RDWR)
        return call(fd)
    return ft.run_child(work)


def records(d):
    path = os.path.join(d, "f")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield "write lock", record(fd, fcntl.F_SETLK, fcntl.F_WRLCK, 10, 10)
    yield "own view", record(fd, fcntl.F_GETLK, fcntl.F_WRLCK, 0, 100)
    yield "other sees", child(path, lambda c: record(c, fcntl.F_GETLK, fcntl.F_WRLCK, 0, 100))
    yield "other, beside it", child(path, lambda c: record(c, fcntl.F_GETLK, fcntl.F_WRLCK, 20, 5))
    yield "other write", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 15, 1))
    yield "other read", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_RDLCK, 19, 1))
    yield "other elsewhere", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 100, 5))
    yield "downgrade", record(fd, fcntl.F_SETLK, fcntl.F_RDLCK, 10, 10)
    yield "other reads too", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_RDLCK, 10, 10))
    yield "other can't write", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 10, 10))
    yield "unlock the middle", record(fd, fcntl.F_SETLK, fcntl.F_UNLCK, 14, 2)
    yield "other in the gap", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 14, 2))
    yield "other beyond it", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 14, 3))
    yield "to the end", record(fd, fcntl.F_SETLK, fcntl.F_WRLCK, 1000, 0)
    yield "other far out", child(path, lambda c: record(c, fcntl.F_GETLK, fcntl.F_RDLCK, 1 << 40, 1))
    os.close(fd)
    yield "close releases", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK, 0, 0))


def duplicates_close(d):
    """Closing any descriptor of the file drops the process's record locks."""
    path = os.path.join(d, "f")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield "lock", record(fd, fcntl.F_SETLK, fcntl.F_WRLCK)
    os.close(os.dup(fd))
    yield "after close of a duplicate", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK))
    os.close(fd)


def flocks(d):
    path = os.path.join(d, "f")
    a = os.open(path, os.O_RDWR | os.O_CREAT)
    b = os.open(path, os.O_RDWR)
    yield "shared", attempt(fcntl.flock, a, fcntl.LOCK_SH)
    yield "shared twice", attempt(fcntl.flock, b, fcntl.LOCK_SH | fcntl.LOCK_NB)
    yield "upgrade", attempt(fcntl.flock, b, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield "unlock", attempt(fcntl.flock, a, fcntl.LOCK_UN)
    yield "upgrade alone", attempt(fcntl.flock, b, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield "other process", child(path, lambda c: attempt(fcntl.flock, c, fcntl.LOCK_SH | fcntl.LOCK_NB))
    dup = os.dup(b)
    os.close(b)
    yield "a duplicate keeps it", attempt(fcntl.flock, a, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(dup)
    yield "last close releases", released(lambda: attempt(fcntl.flock, a, fcntl.LOCK_EX | fcntl.LOCK_NB))
    os.close(a)


def released(call):
    """FUSE releases after close(2) has returned: not at once, but soon."""
    for _ in range(1500):
        if (result := call()) == "ok":
            return result
        time.sleep(0.02)
    return result


def waiting(d, lock, unlock):
    """A waiter gets the lock when the holder gives it up, not before."""
    path = os.path.join(d, "f")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield "hold", lock(fd)
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        c = os.open(path, os.O_RDWR)
        os.write(w, b"asks,")
        os.write(w, str(lock(c)).encode())
        os._exit(0)
    os.close(w)
    first = os.read(r, 5)
    time.sleep(0.1)
    os.set_blocking(r, False)
    yield "while held", first + (attempt_read(r) or b"nothing yet")
    os.set_blocking(r, True)
    yield "give up", unlock(fd)
    yield "then", os.read(r, 20)
    os.waitpid(pid, 0)
    os.close(r)
    os.close(fd)


def attempt_read(fd):
    try:
        return os.read(fd, 20)
    except BlockingIOError:
        return b""


def waiting_record(d):
    yield from waiting(d, lambda fd: record(fd, fcntl.F_SETLKW, fcntl.F_WRLCK),
                       lambda fd: record(fd, fcntl.F_SETLK, fcntl.F_UNLCK))


def waiting_flock(d):
    yield from waiting(d, lambda fd: attempt(fcntl.flock, fd, fcntl.LOCK_EX),
                       lambda fd: attempt(fcntl.flock, fd, fcntl.LOCK_UN))


def interrupted(d):
    """A signal ends the wait with EINTR, and the lock is not taken afterwards."""
    path = os.path.join(d, "f")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield "hold", record(fd, fcntl.F_SETLK, fcntl.F_WRLCK)

    def wait_for_it(c):
        def stop(_signo, _frame):
            raise InterruptedError(4, "stopped")
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        return record(c, fcntl.F_SETLKW, fcntl.F_WRLCK)

    yield "wait", child(path, wait_for_it)
    yield "unlock", record(fd, fcntl.F_SETLK, fcntl.F_UNLCK)
    yield "free", child(path, lambda c: record(c, fcntl.F_SETLK, fcntl.F_WRLCK))
    os.close(fd)


SCENARIOS = (records, duplicates_close, flocks, waiting_record, waiting_flock, interrupted)


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    daemon = ft.passthrough(source)
    bad = 0
    for scenario in SCENARIOS:
        native = os.path.join(ft.TMP, "native", scenario.__name__)
        os.makedirs(native)
        os.mkdir(daemon.path(scenario.__name__))
        bad += ft.compare(scenario, native, daemon.path(scenario.__name__))
    daemon.finish()
    sys.exit(1 if bad else 0)


main()
