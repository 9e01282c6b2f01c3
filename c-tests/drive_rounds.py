#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many ends under load: nothing hangs, no process stays, the kernel has nothing to say.

Usage: drive_rounds.py ROUNDS [daemon options]
  Each round mounts, loads the filesystem with readers and writers, and ends it in each way: kill -9,
  abort, umount -l, SIGTERM, fusermount3 -u (again and again until it is not busy).
"""
import os
import signal
import subprocess
import sys
import threading
import time

import ferrotest as ft

ROUNDS = int(sys.argv[1])
# Far above what is ever needed: a hang, not slowness, is looked for.
PATIENCE = 30


class Load:
    """Clients that work until the filesystem is gone."""

    def __init__(self, daemon, count=4):
        self.done = 0
        self.stop = False
        self.threads = [threading.Thread(target=self.run, args=(daemon, n), daemon=True)
                        for n in range(count)]
        for t in self.threads:
            t.start()
        until = time.monotonic() + PATIENCE
        while self.done < 20 and time.monotonic() < until:
            time.sleep(0.002)

    def run(self, daemon, number):
        path = daemon.path(f"file{number}")
        data = b"x" * 100_000
        while not self.stop:
            try:
                fd = os.open(path, os.O_CREAT | os.O_RDWR)
                try:
                    os.pwrite(fd, data, 0)
                    os.pread(fd, 1000, 5000)
                    os.fstat(fd)
                finally:
                    os.close(fd)
                os.listdir(daemon.mnt)
                os.unlink(path)
            except OSError:
                if not os.path.ismount(daemon.mnt):
                    return
                if daemon.proc.poll() is not None:
                    return
            self.done += 1

    def join(self):
        self.stop = True
        for t in self.threads:
            t.join(PATIENCE)
        return not any(t.is_alive() for t in self.threads)


def lazily(daemon, load):
    subprocess.run(["umount", "-l", daemon.mnt], check=True)


def by_helper(daemon, load):
    load.stop = True
    for _ in range(500):
        if subprocess.run(["fusermount3", "-u", daemon.mnt], stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.01)
    ft.die("fusermount3 -u never succeeded")


ENDS = {
    "kill -9": lambda d, load: d.signal(signal.SIGKILL),
    "abort": lambda d, load: d.abort(),
    "umount -l": lazily,
    "SIGTERM": lambda d, load: d.signal(signal.SIGTERM),
    "fusermount3 -u": by_helper,
}


def kernel_complaints():
    """Without the times: of a connection that is stuck since earlier it says the same without end."""
    r = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace")
    words = ("WARNING:", "BUG:", "blocked for more than", "Oops", "ring=", "entry teardown")
    return [line.partition("] ")[2] for line in r.stdout.splitlines() if any(w in line for w in words)]


def one(name, end):
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source, exist_ok=True)
    daemon = ft.Daemon("passthrough_hl", "-o", f"source={source}", *sys.argv[2:])
    load = Load(daemon)
    end(daemon, load)
    if daemon.wait(PATIENCE) is None:
        ft.die(f"{name}: the daemon does not end")
    if os.path.ismount(daemon.mnt):
        # After a kill the dead mount stays; its requests fail.
        ft.libc.umount2(os.fsencode(daemon.mnt), 2)
    if not load.join():
        ft.die(f"{name}: a client hangs")
    daemon.clean()
    for path in (daemon.out, daemon.err):
        os.unlink(path)


def main():
    before = kernel_complaints()
    for _ in range(ROUNDS):
        for name, end in ENDS.items():
            one(name, end)
    news = [line for line in kernel_complaints() if line not in before]
    if news:
        ft.die("the kernel says: " + news[0])
    ft.say("rounds", "all ended")


main()
