#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""An ordinary user mounts by a helper that takes its time, and meanwhile there are signals: the mount is made, and
the daemon serves, or ends if that was asked for.

Usage: drive_slow_helper.py PROGRAM [daemon options]
"""
import os
import shutil
import signal
import subprocess
import sys
import time

import ferrotest as ft
from ferrotest import say

NOBODY = 65534
CLONE_NEWNS, MS_BIND, MS_PRIVATE_REC = 0x20000, 1 << 12, (1 << 18) | (1 << 14)
PATIENCE = 30
MNT = os.path.join(ft.TMP, "mnt")
CALLED = os.path.join(ft.TMP, "called")
SETPRIV = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]


def bind(source, target):
    if ft.libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None) != 0:
        ft.die(f"mount on {target}")


def slow_down():
    """Here and in what is started from here the helper says that it was called, and waits."""
    if ft.libc.unshare(CLONE_NEWNS) != 0 or ft.libc.mount(b"none", b"/", None, MS_PRIVATE_REC, None) != 0:
        ft.die("no mount namespace of its own")
    helper = os.path.realpath(shutil.which("fusermount3"))
    real, slow = os.path.join(ft.TMP, "real"), os.path.join(ft.TMP, "slow")
    with open(real, "w"):
        pass
    with open(slow, "w") as f:
        f.write(f'#!/bin/sh\n[ "$1" = -u ] || {{ echo >> {CALLED}; sleep 0.5; }}\nexec {real} "$@"\n')
    os.chmod(slow, 0o755)
    bind(helper, real)
    bind(slow, helper)


def start(options, before):
    with open(CALLED, "w"):
        os.chmod(CALLED, 0o666)
    environment = dict(os.environ, LD_LIBRARY_PATH=ft.LIBDIR, FT_BEFORE=before)
    command = [*SETPRIV, os.path.join(ft.BIN, sys.argv[1]), MNT, "-f", *sys.argv[2:], *options]
    return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            ft.die(f"not in time: {what}")
        time.sleep(0.005)


def mounted():
    return ft.mounted_device(MNT) is not None


def ended(name, daemon):
    try:
        out, err = daemon.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        daemon.kill()
        ft.die(f"{name}: does not end; {daemon.communicate()}")
    ft.note(err)
    say(f"{name}: ended", f"{daemon.returncode} {out.split()}")
    # With auto_unmount it is the helper that unmounts.
    until(f"{name}: unmounted", lambda: not mounted())


def main():
    for path in os.path.dirname(os.path.dirname(ft.BIN)), os.path.dirname(ft.BIN), ft.TMP:
        os.chmod(path, 0o755)
    os.chown(MNT, NOBODY, NOBODY)
    if ft.LIBDIR and subprocess.run([*SETPRIV, "test", "-r", ft.LIBDIR]).returncode != 0:
        print("the library is where that user can't read it", file=sys.stderr)
        sys.exit(77)
    slow_down()
    for options in [], ["-o", "auto_unmount"]:
        shown = " ".join(options)
        daemon = start(options, "signals")
        until("mounted", mounted)
        # Its user's alone.
        read = subprocess.run([*SETPRIV, "cat", os.path.join(MNT, "data")], capture_output=True, timeout=PATIENCE)
        say(f"signals {shown}: read", len(read.stdout))
        daemon.send_signal(signal.SIGTERM)
        ended(f"signals {shown}", daemon)
        daemon = start(options, "")
        until("the helper is called", lambda: os.path.getsize(CALLED) > 0)
        daemon.send_signal(signal.SIGTERM)
        ended(f"SIGTERM {shown}", daemon)


main()
