#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""File systems of paths that are not served by fuse_main(), and stacked modules."""
import os
import subprocess
import sys

from ferrotest import BIN, LIBDIR, TMP, attempt, die, say
from ferrotest2 import Daemon2, messages, own, source_tree


class Loop(Daemon2):
    """The daemon takes the way it is to be served in before the mount point."""

    def __init__(self, way, *options):
        self.way = way
        script = os.path.join(TMP, f"loops2-{way}")
        with open(script, "w") as f:
            f.write(f'#!/bin/sh\nexec "{BIN}/loops2" {way} "$@"\n')
        os.chmod(script, 0o755)
        super().__init__(script, *options)


if own():
    # fuse_loop_mt_proc() of libfuse 2.9 crashes, as does every loop of it over a session that is not
    # of fuse_lowlevel_new(): asked for of the library under test alone.
    daemon = Loop("proc")
    got = open(daemon.path("file"), "rb").read()
    daemon.unmount()
    status = daemon.wait(60)
    if got != b"setup" or status != 0 or "processed some" not in daemon.log():
        die(f"fuse_loop_mt_proc: read {got}, exit status {status}, {daemon.log()}")

for way, options in {
    "setup": ["-s"], "mt": [], "cmd": ["-s"], "new": ["-s"],
    "remember": ["-s", "-o", "remember=30"], "module": ["-s", "-o", "modules=own"],
}.items():
    daemon = Loop(way, *options)
    say(f"{way} stat", attempt(lambda: os.stat(daemon.path("file")).st_size))
    say(f"{way} none", attempt(os.stat, daemon.path("none")))
    say(f"{way} read", open(daemon.path("file"), "rb").read())
    daemon.unmount()
    say(f"{way} exit status", daemon.wait(60))
    messages(daemon.log())

for way in "setup", "mt":
    daemon = Loop(way, *(["-s"] if way == "setup" else []))
    say(f"{way} ends itself", open(daemon.path("exit"), "rb").read())
    for _ in range(600):
        if daemon.proc.poll() is not None:
            break
        attempt(os.stat, daemon.path("none"))
    say(f"{way} exit status", daemon.wait(60))
    messages(daemon.log())

# Modules: the library's own, one of ours, and both.
source = source_tree()
os.mkdir(os.path.join(source, "sub"))
for name in "file", "sub/deep":
    with open(os.path.join(source, name), "w") as f:
        f.write(f"text of {name}\n")
Daemon2.extra_libdir = BIN
for options in (
    "modules=subdir,subdir=/sub", "modules=subdir,subdir=/sub,rellinks",
    "modules=iconv,from_code=ISO-8859-1", "modules=ferrotest2", "modules=ferrotest2,shout",
    "modules=ferrotest2:subdir,subdir=/sub,shout",
):
    daemon = Daemon2("paths29", "-s", "-o", options, env={"FT_SOURCE": source})
    say(options, sorted(os.listdir(daemon.path())))
    for name in sorted(os.listdir(daemon.path())):
        say(f"  {name}", attempt(lambda: open(daemon.path(name)).read()))
    daemon.unmount()
    status = daemon.wait(60)
    if "ferrotest2" not in options:
        say("exit status", status)
    elif own() and status != 0:  # libfuse 2.9 fails an assertion there now and then
        die(f"{options}: exit status {status}; {daemon.log()}")
    messages(daemon.log())
environment = dict(os.environ, FT_SOURCE=source, LD_LIBRARY_PATH=f"{LIBDIR}:{BIN}" if LIBDIR else BIN)
for options in "modules=missing", "modules=subdir", "modules=subdir,subdir=/sub,nonsense":
    mnt = os.path.join(TMP, "other")
    os.makedirs(mnt, exist_ok=True)
    r = subprocess.run([os.path.join(BIN, "paths29"), mnt, "-f", "-o", options], env=environment,
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    say(options, r.returncode)
    say("says something", bool(r.stderr))
sys.exit(0)
