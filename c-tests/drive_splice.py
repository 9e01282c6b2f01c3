#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""FERROFUSE_SPLICE=always really splices, =never really does not; seen by strace.

Only for the library under test: the variable is its own.
"""
import os
import signal
import subprocess
import sys
import time

import ferrotest as ft
from ferrotest import say


def calls(mode):
    """splice-family calls of the daemon while it serves reads and writes."""
    source = os.path.join(ft.TMP, f"source-{mode}")
    os.makedirs(source)
    with open(os.path.join(source, "f"), "wb") as f:
        f.write(os.urandom(300_000))
    daemon = ft.Daemon("passthrough_ll", "-o", f"source={source},direct_io",
                       mountpoint=os.path.join(ft.TMP, f"mnt-{mode}"),
                       env={"FERROFUSE_SPLICE": mode})
    trace = os.path.join(ft.TMP, f"trace-{mode}")
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=splice,vmsplice,tee", "-o", trace,
                               "-p", str(daemon.pid)], stderr=subprocess.PIPE)
    for _ in range(200):
        with open(f"/proc/{daemon.pid}/status") as f:
            if f"TracerPid:\t{tracer.pid}\n" in f.read():
                break
        if tracer.poll() is not None:
            print(f"strace can't attach: {tracer.stderr.read().decode()}", file=sys.stderr)
            sys.exit(77)
        time.sleep(0.01)
    fd = os.open(daemon.path("f"), os.O_RDWR)
    with open(os.path.join(source, "f"), "rb") as f:
        content = f.read()
    good = all(os.pread(fd, n, off) == content[off:off + n] for n in (100, 4096, 65536, 131072)
               for off in (0, 1, 4096, 250_000))
    for n in 100, 4096, 65536, 131072:
        good = good and os.pwrite(fd, content[:n], 0) == n
    os.close(fd)
    time.sleep(0.1)
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    daemon.unmount()
    daemon.wait()
    with open(trace) as f:
        lines = [line for line in f if "splice(" in line and "= -1" not in line]
    ft.note(f"{mode}: {len(lines)} calls")
    if not good:
        ft.die(f"{mode}: wrong data")
    return len(lines)


always, never = calls("always"), calls("never")
say("always", "splices" if always >= 16 else f"FAIL only {always} calls")
say("never", "does not" if never == 0 else f"FAIL {never} calls")
sys.exit(0 if always >= 16 and never == 0 else 1)
