#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A filesystem that goes into the background, and what a failed start says.

Usage: drive_background.py
"""
import os
import subprocess
import time

import ferrotest as ft
from ferrotest import say


def environment():
    env = dict(os.environ)
    if ft.LIBDIR:
        env["LD_LIBRARY_PATH"] = ft.LIBDIR
    return env


def start(*args):
    """Runs hello_ll to its exit; status and what it said, paths taken out."""
    r = subprocess.run([os.path.join(ft.BIN, "hello_ll"), *args], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, env=environment(), timeout=60, cwd=ft.TMP)
    return r.returncode, (r.stdout + r.stderr).replace(ft.TMP, "TMP").strip()


def server_of(mountpoint):
    """The process in the background: the one that was started with this mountpoint."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if os.fsencode(mountpoint) in f.read().split(b"\0") and int(pid) != os.getpid():
                    return int(pid)
        except OSError:
            pass
    ft.die("no process in the background")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[0] != "Z"


def background(name, *args, end):
    mnt = os.path.join(ft.TMP, name)
    os.mkdir(mnt)
    say(f"{name}: start", start(mnt, *args))
    # The parent may only come back when the mount serves.
    with open(os.path.join(mnt, "hello"), "rb") as f:
        say(f"{name}: read", f.read())
    pid = server_of(mnt)
    with open(f"/proc/{pid}/maps") as maps:
        mapped = {line.split()[-1] for line in maps if "libfuse3.so" in line}
    ours = bool(ft.LIBDIR) and all(
        os.path.realpath(p).startswith(os.path.realpath(ft.LIBDIR) + "/") for p in mapped)
    if not mapped or ours != bool(ft.LIBDIR):
        ft.die(f"{name} runs on {mapped}")
    say(f"{name}: directory", os.readlink(f"/proc/{pid}/cwd"))
    say(f"{name}: streams", [os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)])
    say(f"{name}: own session", os.getsid(pid) == pid)
    end(pid, mnt)
    started = time.monotonic()
    while alive(pid) and time.monotonic() - started < ft.BOUND:
        time.sleep(0.005)
    say(f"{name}: ended", not alive(pid))
    say(f"{name}: still mounted", os.path.ismount(mnt))


def main():
    background("unmounted", end=lambda pid, mnt: subprocess.run(["umount", mnt], check=True))
    background("single", "-s", end=lambda pid, mnt: os.kill(pid, 15))
    background("terminated", end=lambda pid, mnt: os.kill(pid, 15))
    say("no such mountpoint", start(os.path.join(ft.TMP, "nowhere")))
    os.mkdir(os.path.join(ft.TMP, "free"))
    say("unknown option", start(os.path.join(ft.TMP, "free"), "-o", "no_such_option"))
    say("two mountpoints", start(os.path.join(ft.TMP, "free"), os.path.join(ft.TMP, "free")))
    say("no mountpoint", start())
    say("nothing mounted", os.path.ismount(os.path.join(ft.TMP, "free")))
    # A file can be a mountpoint as well, if the root is one; this root is a directory.
    file = os.path.join(ft.TMP, "file")
    with open(file, "w"):
        pass
    say("below a file", start(os.path.join(file, "x")))
    say("a file as mountpoint", start(file)[0])
    subprocess.run(["umount", "-l", file], stderr=subprocess.DEVNULL, check=False)


main()
