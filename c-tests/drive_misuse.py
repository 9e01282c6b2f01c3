#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Misuse: with FERROFUSE_CHECK=1 each kind is reported, without it none is, and nothing else changes."""
import os
import re
import subprocess
import sys
import time

import ferrotest as ft


WANTED = [
    r"fuse_reply_err: LOOKUP \(unique \d+\) was answered before, by fuse_reply_err$",
    r"fuse_reply_err: was given a number that never was a request$",
    r"fuse_reply_buf: is no answer to LOOKUP \(unique \d+\)$",
    r"fuse_lowlevel_notify_inval_entry: .* LOOKUP \(unique \d+\)",
    r"fuse_session_destroy: LOOKUP \(unique \d+\) was never answered, for \d+\.\d s$",
]


def round_of(check, options):
    environment = {"FERROFUSE_CHECK": "1" if check else "", "FERROFUSE_LOG": "error"}
    daemon = ft.Daemon("misuse_ll", *options, env=environment)
    for name in "twice", "garbage", "wrong", "inside", "node":
        ft.say(f"{name}", ft.attempt(lambda path=daemon.path(name): os.stat(path).st_ino))
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
    wanted = WANTED if check else []
    for pattern in wanted:
        if sum(bool(re.search(pattern, line)) for line in reports) != 1:
            ft.die(f"not reported once: {pattern}")
    if len(reports) != len(wanted):
        ft.die(f"{len(reports)} reports, not {len(wanted)}")


def main():
    options = sys.argv[1:]
    for check in True, False:
        ft.say(f"== FERROFUSE_CHECK={int(check)}")
        round_of(check, options)


main()
