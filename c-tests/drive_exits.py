#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Daemons in trouble: each serves as far as it can, and ends in time, `destroy` called once.

Usage: drive_exits.py PROGRAM [daemon options]
"""
import os
import signal
import subprocess
import sys
import time

import ferrotest as ft
from ferrotest import attempt, say
from ferrotest2 import Daemon2, own

# Seconds for what takes milliseconds: a hang is looked for, not slowness. do.child stays longer than that.
PATIENCE = 30
SIZE = 256 * 1024
DATA = bytes((i * 7 + i // 4096) % 256 for i in range(SIZE))
PROGRAM, OPTIONS = sys.argv[1], sys.argv[2:]
# Reads all, in pieces; says what came of it.
READ = """
import os, sys
path, size = sys.argv[1], int(sys.argv[2])
def read():
    fd = os.open(path, os.O_RDONLY)
    try:
        return b"".join(os.pread(fd, 65536, at) for at in range(0, size, 65536))
    finally:
        os.close(fd)
try:
    data = read()
    ok = data == bytes((i * 7 + i // 4096) % 256 for i in range(size))
    print("data" if ok else f"WRONG {len(data)} bytes")
except OSError as e:
    print(os.strerror(e.errno))
"""


# Opens and closes without end, which leaves RELEASEs on their way; until that fails.
OPEN = """
import os, sys
try:
    while True:
        os.close(os.open(sys.argv[1], os.O_RDONLY))
except OSError:
    print("ended")
"""


class Client:
    """A process of its own, which may hang."""

    def __init__(self, daemon, name, size=SIZE, program=READ):
        self.proc = subprocess.Popen([sys.executable, "-c", program, daemon.path(name), str(size)],
                                     stdout=subprocess.PIPE, text=True)

    def result(self):
        try:
            return self.proc.communicate(timeout=PATIENCE)[0].strip()
        except subprocess.TimeoutExpired:
            with open(f"/proc/{self.proc.pid}/stack", errors="replace") as f:
                ft.note(f.read())
            return "HANGS"


def start(before="", env=None):
    kind = Daemon2 if PROGRAM.endswith("2") else ft.Daemon
    return kind(PROGRAM, *OPTIONS, env={"FT_BEFORE": before, "FERROFUSE_EXIT_WAIT": "20"} | (env or {}))


def tell(daemon, what):
    """Has the daemon do it. What becomes of the look-up is another matter."""
    attempt(os.stat, daemon.path("do." + what))


def reads(daemon, count):
    """Whether the data is right, each time."""
    seen = set()
    for _ in range(count):
        fd = os.open(daemon.path("data"), os.O_RDONLY)
        data = b"".join(os.pread(fd, 65536, at) for at in range(0, SIZE, 65536))
        os.close(fd)
        seen.add("data" if data == DATA else "WRONG")
    return " ".join(sorted(seen))


def ended(name, daemon, asks=False, aborts=False):
    """The daemon ends in time. `asks`: the system's library has to be asked something for that; `aborts`: it
    may be killed by itself, see `run`."""
    until = time.monotonic() + PATIENCE
    while daemon.proc.poll() is None and time.monotonic() < until:
        if asks and not own():
            attempt(os.stat, daemon.path("x"))
        time.sleep(0.005)
    if daemon.proc.poll() is None:
        try:
            with open(f"/proc/{daemon.pid}/status") as f:
                ft.note(f.read())
            ft.die(f"{name}: does not end; {daemon.log()}")
        finally:
            daemon.clean()
    report = [word for word in daemon.report() if word != "mounted"]
    # The system's library returns this now and then, see `ends` in `run`.
    aborted = ("loop=-103", "loop=-1") if "abort" in name or "umount" in name else ("loop=-103",)
    report = ["loop=0" if word in aborted and not own() else word for word in report]
    if PROGRAM == "exits2" and not own():
        # Known as well.
        report = [word for word in report if word not in ("inherited", "/dev/fuse")]
    how = f"{daemon.proc.returncode} {' '.join(report)}"
    if not aborts:
        say(f"{name}: ended", f"{how}, mounted: {ft.mounted_device(daemon.mnt) is not None}")
    elif own() and daemon.proc.returncode != 0:
        ft.die(f"{name}: ended: {how}; {daemon.log()}")
    daemon.clean()


ENDS = {
    "SIGTERM": lambda d: d.signal(signal.SIGTERM),
    "abort": lambda d: d.abort(),
    "umount": lambda d: d.unmount(),
    "umount -l": lambda d: subprocess.run(["umount", "-l", d.mnt], check=True),
}


def at_the_end(what, ends, count):
    """The trouble, then data, then each kind of end."""
    for name in ends:
        daemon = start()
        tell(daemon, what)
        say(f"{what}: read", reads(daemon, count))
        ENDS[name](daemon)
        ended(f"{what}, {name}", daemon, asks=True)


def plain_ends():
    for name, end in ENDS.items():
        daemon = start()
        slow = Client(daemon, "slow", 1) if name != "umount" else None
        if slow:
            time.sleep(0.15)
        end(daemon)
        ended(name, daemon)
        if slow and slow.result() == "HANGS":
            ft.die(f"{name}: the reader hangs")
    for what in "exit", "exit-soon":
        daemon = start()
        tell(daemon, what)
        ended(what, daemon, asks=True)
    daemon = start()
    slow = Client(daemon, "slow", 1)
    time.sleep(0.15)
    daemon.signal(signal.SIGKILL)
    ended("SIGKILL", daemon)
    say("SIGKILL: reader", slow.result() != "HANGS")


def by_itself(**variables):
    """One that ends without being told; what it says."""
    environment = os.environ | variables
    if own():
        environment["LD_LIBRARY_PATH"] = ft.LIBDIR
    mnt = os.path.join(ft.TMP, "mnt")
    r = subprocess.run([os.path.join(ft.BIN, PROGRAM), mnt, "-f", *OPTIONS], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, env=environment, timeout=PATIENCE)
    return f"{r.returncode} {r.stdout.split()}, mounted: {ft.mounted_device(mnt) is not None}"


def before_the_loop():
    """What comes before the loop, or before the mount, counts."""
    say("SIGTERM before the mount", by_itself(FT_BEFORE="term"))
    for what in "signals", "forks":
        daemon = start(what)
        say(f"{what} before the mount: read", reads(daemon, 5))
        daemon.unmount()
        ended(f"{what} before the mount", daemon)
    say("exit by init", by_itself(FT_INIT="exit"))
    # The system's library loses a signal that comes while it sets handlers.
    if own():
        at_each_handler()


def at_each_handler():
    """SIGTERM as soon as the kernel has been told of each handler, until the mount is there."""
    trace, mnt = os.path.join(ft.TMP, "trace"), os.path.join(ft.TMP, "mnt")

    def traced(n):
        inject = ["-e", f"inject=rt_sigaction:signal=TERM:when={n}"] if n else []
        command = ["strace", "-o", trace, "-e", "trace=rt_sigaction", *inject]
        return subprocess.Popen([*command, os.path.join(ft.BIN, PROGRAM), mnt, "-f", *OPTIONS],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                env=os.environ | {"LD_LIBRARY_PATH": ft.LIBDIR})

    proc = traced(None)
    if proc.stdout.readline() != "mounted\n":
        ft.die(f"not mounted under strace: {proc.wait()}")
    with open(trace) as f:
        calls = sum("rt_sigaction" in line for line in f)
    subprocess.run(["umount", mnt], check=True)
    proc.communicate(timeout=PATIENCE)
    for n in range(1, calls + 1):
        proc = traced(n)
        try:
            proc.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            proc.kill()
            ft.die(f"SIGTERM at handler {n} of {calls}: does not end")
        if proc.returncode not in (0, -signal.SIGTERM) or ft.mounted_device(mnt) is not None:
            ft.die(f"SIGTERM at handler {n} of {calls}: {proc.returncode}")
    if calls < len(("HUP", "INT", "TERM", "PIPE")):
        ft.die(f"{calls} handlers seen")


def busy_with_child():
    """What is on its way at the end does not wait for a child that has inherited the session's descriptors."""
    for name in "SIGTERM", "abort", "umount -l":
        daemon = start()
        tell(daemon, "child")
        clients = [Client(daemon, "data", program=OPEN) for _ in range(3)]
        time.sleep(0.3)
        ENDS[name](daemon)
        ended(f"child and clients, {name}", daemon, asks=True)
        for client in clients:
            client.proc.kill()  # where the child has the device, one may wait as long as that lives


def inheritance():
    daemon = start()
    say("exec: read", reads(daemon, 3))
    tell(daemon, "exec")
    until = time.monotonic() + PATIENCE
    while "executed" not in daemon.report() and time.monotonic() < until:
        time.sleep(0.005)
    daemon.unmount()
    ended("exec", daemon)


def becomes_another():
    daemon = start()
    clients = [Client(daemon, name, 1) for name in ("slow", "do.become")]
    for client in clients:
        if client.result() == "HANGS":
            ft.die(f"become: a client hangs; {daemon.log()}")
    ended("become", daemon)


def limits():
    daemon = start()
    tell(daemon, "no-threads")
    clients = [Client(daemon, "slow", 65536) for _ in range(3)]
    say("no-threads: clients", [client.result() for client in clients])
    say("no-threads: read", reads(daemon, 3))
    daemon.signal(signal.SIGTERM)
    ended("no-threads", daemon)
    for name, end in ENDS.items():
        daemon = start()
        tell(daemon, "no-files")
        say("no-files: read", reads(daemon, 3))
        end(daemon)
        ended(f"no-files, {name}", daemon, aborts=True)
    daemon = start()
    tell(daemon, "no-memory")
    client = Client(daemon, "data").result()
    ft.note(f"no-memory: {client}")
    if client == "HANGS" or "WRONG" in client:
        ft.die(f"no-memory: the reader says {client}")
    daemon.signal(signal.SIGTERM)
    ended("no-memory", daemon, aborts=True)


def limits_from_the_beginning():
    if own() or "-s" in OPTIONS:
        # The calling thread serves.
        daemon = start("no-threads")
        if (read := reads(daemon, 3)) != "data":
            ft.die(f"no-threads before the mount: {read}")
        daemon.unmount()
        ended("no-threads before the mount", daemon, aborts=True)
    else:
        ft.note(by_itself(FT_BEFORE="no-threads"))
    say("no-files before the mount", by_itself(FT_BEFORE="no-files"))
    seen = by_itself(FT_BEFORE="no-memory")
    ft.note(seen)
    if own() and not seen.endswith("False"):
        ft.die(f"no-memory before the mount: {seen}")


def closed():
    for what in "close", "null":
        daemon = start()
        client = subprocess.Popen(["stat", daemon.path("do." + what)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            client.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            ft.die(f"{what}: the client hangs; {daemon.log()}")
        # Whoever reads meanwhile keeps the connection; the next one finds it gone.
        ended(what, daemon, asks=True)


def main():
    plain_ends()
    before_the_loop()
    at_the_end("signals", ("SIGTERM",), 20)
    at_the_end("forks", ("SIGTERM", "abort"), 20)
    at_the_end("child", ENDS, 2)
    busy_with_child()
    inheritance()
    becomes_another()
    limits()
    limits_from_the_beginning()
    closed()


main()
