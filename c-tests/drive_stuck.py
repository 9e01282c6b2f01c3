#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Handlers that never return: other paths are served, and the end does not wait for them."""
import os
import signal
import subprocess
import sys
import time

import ferrotest as ft

CLIENT = """
import os, sys
try:
    os.lstat(sys.argv[1])
except OSError as e:
    print(os.strerror(e.errno))
"""


def client(path):
    return subprocess.Popen([sys.executable, "-c", CLIENT, path], stdout=subprocess.PIPE, text=True)


def in_handlers(daemon, number):
    """Waits until so many threads of the daemon stand in pause()."""
    for _ in range(500):
        standing = 0
        for task in os.listdir(f"/proc/{daemon.pid}/task"):
            with open(f"/proc/{daemon.pid}/task/{task}/syscall") as f:
                standing += f.read().startswith("34 ")  # pause on x86-64
        if standing == number:
            return
        time.sleep(0.01)
    ft.die(f"{standing} handlers are stuck, not {number}")


def round_of(name, end, status):
    source = os.path.join(ft.TMP, "source")
    for d in "dir", "free":
        os.makedirs(os.path.join(source, d), exist_ok=True)
    daemon = ft.Daemon("passthrough_hl", "-o", f"source={source},attr_timeout=0,entry_timeout=0",
                       env={"FERROFUSE_EXIT_WAIT": "1"})
    clients = [client(daemon.path(p)) for p in ("a.stuck", "dir/b.stuck")]
    in_handlers(daemon, len(clients))
    # Look-ups in the same directories go on; for changes there the kernel itself waits for the look-up.
    for at in "", "dir":
        ft.say(f"{name}: beside it", ft.attempt(os.lstat, daemon.path(at, "nothing")))
    path = daemon.path("free", "file")
    with open(path, "w") as f:
        f.write("data")
    os.rename(path, path + ".new")
    os.unlink(path + ".new")
    # One that is hidden until the end.
    hidden = open(daemon.path("free", "hidden"), "w")
    os.unlink(hidden.name)
    started = time.monotonic()
    end(daemon)
    ft.say(f"{name}: exit status", daemon.wait(6))
    took = time.monotonic() - started
    if not 0.9 < took < 4:
        ft.die(f"{name}: ended after {took:.1f} s, not after the second it was given")
    for c in clients:
        ft.say(f"{name}: client", c.communicate(timeout=5)[0].strip())
    try:
        hidden.close()
    except OSError:
        pass
    ft.say(f"{name}: mounted", os.path.ismount(daemon.mnt))
    ft.say(f"{name}: left behind", sorted(os.listdir(os.path.join(source, "free"))))
    ft.say(f"{name}: report", " ".join(daemon.report()))
    named = [line for line in daemon.log().splitlines() if "does not return" in line]
    ft.say(f"{name}: messages", [line.split("(")[0] for line in named])
    if ft.LIBDIR and status is not None and daemon.proc.returncode != status:
        ft.die(f"{name}: exit status {daemon.proc.returncode}, not {status}")


round_of("SIGTERM", lambda d: d.signal(signal.SIGTERM), 8)
round_of("abort", lambda d: d.abort(), None)
