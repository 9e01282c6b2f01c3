#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Misuse: with FERROFUSE_CHECK=1 each kind is reported, without it none is, and nothing else changes.

Usage: drive_misuse.py PROGRAM [daemon options]
"""
import os
import re
import subprocess
import sys
import time

import ferrotest as ft
from ferrotest2 import Daemon2

REQUEST = r"[A-Z]+ \(unique \d+\)"
# What is reported, and how often: exactly, or at least (None).
WANTED = [
    # Twice, and once more later, when its place may be another request's.
    (r"fuse_reply_err: (LOOKUP \(unique \d+\) was answered before, by fuse_reply_err"
     rf"|the request was answered and freed long before; its place was {REQUEST})$", 2),
    (r"fuse_reply_err: was given a number that never was a request$", 1),
    # `wrong` and `raw`.
    (r"fuse_reply_buf: is no answer to LOOKUP \(unique \d+\)$", 2),
    (r"fuse_lowlevel_notify_inval_entry: .* LOOKUP \(unique \d+\)", 1),
    (r"[A-Z]+: unique \d+ names node 3, which no answer gave$", None),
    (r"FORGET: unique \d+ forgets 1 look-ups of node 3, of which 0 were answered$", 1),
    (r"fuse_reply_err: LOOKUP \(unique 4\) belongs to another session than the one whose handler "
     r"answers it$", 1),
    (r"fuse_lowlevel_notify_poll: was given a poll handle that was destroyed before, or never was one$", 1),
    (r"fuse_pollhandle_destroy: was given a poll handle that was destroyed before, or never was one$", 1),
    (r"fuse_session_destroy: LOOKUP \(unique \d+\) was never answered, for \d+\.\d s$", 1),
    (r"fuse_reply_err: LOOKUP \(unique \d+\) was answered before, by the session's end$", 1),
]


def round_of(check, program, options):
    environment = {"FERROFUSE_CHECK": "1" if check else "", "FERROFUSE_LOG": "error"}
    daemon = (Daemon2 if program.endswith("2") else ft.Daemon)(program, *options, env=environment)
    for name in "twice", "garbage", "wrong", "inside", "node", "raw", "raw", "old", "foreign", "polled":
        ft.say(f"{name}", ft.attempt(lambda path=daemon.path(name): os.stat(path).st_ino))
    if check:
        # The kernel lets go of the node in its own time.
        deadline = time.monotonic() + 20
        while "FORGET" not in daemon.log() and time.monotonic() < deadline:
            time.sleep(0.005)
    never = subprocess.Popen(["stat", daemon.path("never")], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Not before the kernel has sent it.
    waiting = os.path.join(daemon.connection(), "waiting")
    for _ in range(2000):
        with open(waiting) as f:
            if int(f.read()) > 0:
                break
        time.sleep(0.01)
    time.sleep(0.2)
    daemon.signal(15)
    ft.say("exit status", daemon.wait(60))
    ft.libc.umount2(os.fsencode(daemon.mnt), 2)
    never.wait(60)
    ft.say("said", " ".join(w for w in daemon.report() if not w.startswith("loop")))
    reports = [line for line in daemon.log().splitlines() if "check:" in line]
    for line in reports:
        ft.say("report", line)
    for pattern, count in WANTED if check else []:
        found = [line for line in reports if re.search(pattern, line)]
        if len(found) != count and (count or not found):
            ft.die(f"{len(found)} times, not {count or 'at least once'}: {pattern}")
        reports = [line for line in reports if line not in found]
    if reports:
        ft.die(f"reported as well: {reports}")


def main():
    program, *options = sys.argv[1:]
    for check in True, False:
        ft.say(f"== FERROFUSE_CHECK={int(check)}")
        round_of(check, program, options)


main()
