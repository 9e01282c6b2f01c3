#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which transport is used by itself and when asked for, and what is said of it; the kernel's switch is on.

Usage: drive_transport.py
"""
import os
import resource
import sys
import time

import ferrotest as ft

BY_RING = "requests come by io_uring"
BY_DEVICE = "requests come by /dev/fuse: "

CASES = [
    # (name, environment, options, what the line must have)
    ("workers", {}, [], BY_RING),
    ("auto", {"FERROFUSE_TRANSPORT": "auto"}, [], BY_RING),
    ("one thread", {}, ["-s"], BY_DEVICE + "one thread serves"),
    ("one thread, asked for", {}, ["-s", "-o", "io_uring"], BY_RING),
    ("one thread, by environment", {"FERROFUSE_TRANSPORT": "uring"}, ["-s"], BY_RING),
    ("refused by option", {}, ["-o", "no_io_uring"], BY_DEVICE + "io_uring is refused"),
    ("refused by environment", {"FERROFUSE_TRANSPORT": "dev"}, ["-o", "io_uring"],
     BY_DEVICE + "io_uring is refused"),
    ("auto_unmount", {}, ["-o", "auto_unmount"], BY_DEVICE + "with auto_unmount"),
    ("auto_unmount, asked for", {}, ["-o", "auto_unmount,io_uring"], BY_DEVICE + "with auto_unmount"),
    # As valgrind says it; the loader finds nothing there and goes on.
    ("valgrind", {"LD_PRELOAD": "/nowhere/vgpreload_core.so"}, [], BY_DEVICE + "under valgrind"),
    ("clone_fd", {}, ["-o", "clone_fd"], BY_DEVICE + "clone_fd"),
    ("one worker", {}, ["-o", "max_threads=1"], BY_DEVICE + "max_threads"),
    ("depth", {}, ["-o", "io_uring_q_depth=3"], BY_RING),
    # Too few for rings, enough for the filesystem. Statistics have some too, if they are there earlier.
    ("no descriptors", {"FT_NOFILE": "9", "FERROFUSE_STATS": "off"}, [], BY_DEVICE),
]


def main():
    failed = 0
    os.environ.pop("FERROFUSE_TRANSPORT", None)
    for name, env, options, want in CASES:
        source = os.path.join(ft.TMP, "source")
        os.makedirs(source, exist_ok=True)
        environment = {"FERROFUSE_LOG": "info"} | env
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        if count := env.get("FT_NOFILE"):
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(count), limits[1]))
        try:
            daemon = ft.Daemon("passthrough_hl", "-o", f"source={source}", *options, env=environment)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        with open(daemon.path("f"), "w") as f:
            f.write(name)
        with open(os.path.join(source, "f")) as f:
            if f.read() != name:
                ft.die(f"{name}: wrong data")
        # The rings' threads are all there only some time after the first of them serves.
        until = time.monotonic() + 20
        while "requests come by" not in daemon.log() and time.monotonic() < until:
            time.sleep(0.005)
        lines = [line for line in daemon.log().splitlines() if "requests come by" in line]
        good = len(lines) == 1 and want in lines[0]
        ft.say(name, "as it should be" if good else f"FAIL {daemon.log()}")
        failed += not good
        daemon.unmount()
        daemon.wait(20)
    sys.exit(1 if failed else 0)


main()
