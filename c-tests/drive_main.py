#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""fuse_main(): what it prints, and how it ends."""
import os
import signal
import subprocess
import time

import ferrotest as ft

PROGRAM = os.path.join(ft.BIN, "passthrough_hl")
MNT = os.path.join(ft.TMP, "mnt")
MISSING = os.path.join(ft.TMP, "missing")
# Words of one system only, and the line of KNOWN in `run`.
IGNORED = ("Ignoring invalid max threads value", "setlocale: ")


def run(*args, env=None):
    environment = os.environ | {"LC_ALL": "C.UTF-8"} | (env or {})
    if ft.LIBDIR:
        environment["LD_LIBRARY_PATH"] = ft.LIBDIR
    r = subprocess.run([PROGRAM, *args], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, env=environment, timeout=60)
    for what, text in ("out", r.stdout), ("err", r.stderr):
        for line in text.replace(ft.TMP, "TMP").replace(ft.BIN, "BIN").splitlines():
            if not line.startswith(IGNORED):
                ft.say(f"    {what}", line)
    return r.returncode


def ended(name, how, *options):
    """A daemon in the foreground that is ended: its exit status, and what it says."""
    daemon = ft.Daemon("passthrough_hl", *options)
    how(daemon)
    ft.say(name, daemon.wait(30))
    ft.say("    out", " ".join(daemon.report()))
    ft.say("    mounted", os.path.ismount(MNT))
    if os.path.ismount(MNT):
        daemon.unmount()


def background(name, *options):
    """In the background: the shell gets the status before that of the daemon is known."""
    ft.say(name, run(MNT, "-o", "source=/", *options))
    ft.say("    mounted", os.path.ismount(MNT))
    ft.say("    usr", os.path.isdir(os.path.join(MNT, "usr")))
    device = os.stat(MNT).st_dev
    subprocess.run(["umount", MNT], check=True)
    for _ in range(100):
        if not os.path.exists(f"/sys/fs/fuse/connections/{os.minor(device)}"):
            break
        time.sleep(0.05)


def main():
    os.makedirs(MNT, exist_ok=True)
    empty = os.path.join(ft.TMP, "file")
    with open(empty, "w"):
        pass
    for args in (
            [], ["-h"], ["--help"], ["-V"], ["--version"], ["-h", "-V"], ["-h", MNT],
            ["-h", "-o", "modules=nosuchmodule"], ["-h", "-o", "attr_timeout=x"],
            [MISSING], [MNT, "second"], ["-o"], ["-x", MNT], ["--nonsense", MNT],
            ["-o", "nonsense", MNT], ["-o", "a,b=c,nonsense=1", MNT],
            *(["-o", o, MNT] for o in (
                "use_ino", "nullpath_ok", "intr", "nonempty", "large_read", "big_writes",
                "attr_timeout=abc", "entry_timeout=", "umask=9", "uid=x", "remember=x", "remember=",
                "max_threads=x", "modules=", "modules=nosuchmodule", "modules=subdir",
                "modules=iconv,from_code=KLINGON", "modules=iconv,to_code=KLINGON",
                "modules=subdir:nosuchmodule,subdir=/", "max_read=x", "fd=7", "rootmode=1",
                "user_id=1", "subdir=/x", "from_code=UTF-8")),
            ["-f", "/dev/fd/9"]):
        shown = " ".join(args).replace(ft.TMP, "TMP")
        ft.say(f"with '{shown}'")
        ft.say("    status", run(*args))
    ft.say("help in German", run("-h", env={"LC_ALL": "de_DE.ISO-8859-1"}))

    ended("unmounted", lambda d: d.unmount())
    ended("unmounted, one thread", lambda d: d.unmount(), "-s")
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        ended(number.name, lambda d: d.signal(number))
        ended(f"{number.name}, one thread", lambda d: d.signal(number), "-s")
    ended("clone_fd", lambda d: d.unmount(), "-o", "clone_fd,max_threads=2,max_idle_threads=1")
    for options in (
            "conn", "conn,umask=027,uid=5,gid=6", "conn,attr_timeout=2,entry_timeout=0.5,negative_timeout=3",
            "conn,attr_timeout=2,ac_attr_timeout=9", "conn,noforget", "conn,remember=100",
            "conn,kernel_cache,auto_cache,no_rofd_flush", "conn,auto_cache,noauto_cache",
            "conn,interruptible", "conn,lock", "conn,plain", "conn,modules=subdir,subdir=/"):
        ended(options, lambda d: d.unmount(), "-o", options)
    background("background")
    background("background, one thread", "-s")
    background("background, a module", "-o", "modules=subdir:iconv,subdir=/")


main()
