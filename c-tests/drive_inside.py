#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Notifications from inside handlers: every one returns, and takes effect.

Each step is one that hangs in the kernel if the notification is sent where it
comes up. It is asked of a client of its own, so that this driver can say so.

Usage: drive_inside.py PROGRAM [daemon options]
"""
import os
import subprocess
import sys
import time

import ferrotest as ft
import ferrotest2

LIMIT = 20  # seconds, for what takes milliseconds


def client(code, *arguments):
    """What a separate process prints; it may hang."""
    p = subprocess.Popen([sys.executable, "-c", "import os, sys\n" + code, *arguments],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = p.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        with open(f"/proc/{p.pid}/stack", errors="replace") as f:
            ft.note(f.read())
        return "hangs"
    if err:
        ft.note(err)
    return out.strip()


def main():
    program, *options = sys.argv[1:]
    daemon = (ferrotest2.Daemon2 if program.endswith("2") else ft.Daemon)(program, *options)

    def lines(text):
        with open(daemon.out) as f:
            return f.read().splitlines().count(text)

    def stat(name):
        return client("try: os.stat(sys.argv[1]); print('there')\n"
                      "except OSError as e: print(os.strerror(e.errno))", daemon.path(name))

    def looked_up_again(name):
        """Whether the kernel asks for the name again, sooner or later."""
        before = lines("lookup " + os.path.basename(name))
        for _ in range(LIMIT * 50):
            if stat(name) == "hangs":
                return "hangs"
            if lines("lookup " + os.path.basename(name)) > before:
                return "yes"
            time.sleep(0.02)
        return "never"

    for name in "f", "g", "e", "d", "d/x":
        ft.say("cached " + name, stat(name))
    for command, about in (("do-inval", "f"), ("do-expire", "e"), ("do-delete", "g"),
                           ("do-subdir", "d/x"), ("do-thread", "f"), ("do-forty", "f"),
                           ("do-fork", "f")):
        ft.say(command, stat(command))
        ft.say(f"{about} is looked up again", looked_up_again(about))
    ft.say("mkdir", client("try: os.mkdir(sys.argv[1])\n"
                           "except OSError as e: print(os.strerror(e.errno))", daemon.path("new")))
    ft.say("f is looked up again", looked_up_again("f"))
    read = "fd = os.open(sys.argv[1], os.O_RDONLY); print(os.pread(fd, 4096, 0)[:8])"
    ft.say("read", client(read, daemon.path("r")) in ("b'ffffffff'", "b'SSSSSSSS'"))
    for _ in range(LIMIT * 50):
        again = client(read, daemon.path("r"))
        if "SSSS" in again or again == "hangs":
            break
        time.sleep(0.02)
    ft.say("read again", again)
    # Written in this process: the pages stay dirty while the other one looks up.
    fd = os.open(daemon.path("w"), os.O_RDWR)
    os.pread(fd, 10, 0)
    os.pwrite(fd, b"DIRTY", 0)
    ft.say("do-dirty", stat("do-dirty"))
    os.close(fd)
    ft.say("written", client(read, daemon.path("w")))
    with open(daemon.out) as f:
        bad = [line for line in f if line.startswith(("do-", "read-", "mkdir"))
               and not line.endswith(" 0\n")]
    # Not cached any more is what the kernel says where it was asked in time.
    ft.say("failed", [line for line in bad if not line.endswith(" -2\n")])
    daemon.unmount()
    ft.say("exit status", daemon.wait(max(ft.BOUND, 10)))


main()
