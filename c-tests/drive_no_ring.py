#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The kernel lets nobody wait in a ring any more: the loop ends with that error, and no client waits for ever."""
import signal
import subprocess
import sys

import ferrotest as ft

PATIENCE = 30


def round_of(name, *options):
    daemon = ft.Daemon("exits_ll", *options, env={"FT_BEFORE": "", "FERROFUSE_TRANSPORT": "uring"})
    with open(daemon.path("data"), "rb") as f:
        ft.say(f"{name}: read", len(f.read()))
    client = subprocess.Popen(["stat", daemon.path("do.no-ring")], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    status = daemon.wait(PATIENCE)
    report = " ".join(daemon.report())
    ft.say(f"{name}: exit status", status)
    ft.say(f"{name}: report", report)
    good = status is not None and "loop=-12" in report
    try:
        client.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        ft.say(f"{name}: the client hangs")
        good = False
        client.send_signal(signal.SIGKILL)
    if not good:
        ft.note(daemon.log())
    return good


sys.exit(0 if all([round_of("workers"), round_of("one thread", "-s")]) else 1)
