#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""An ordinary user mounts where fusermount3 is neither in PATH nor where the library looks by itself: an error, a
message that names it, and nothing left.

Usage: drive_no_helper.py no_helper|no_helper2
"""
import os
import subprocess
import sys

import ferrotest as ft
from ferrotest import say

NOBODY = 65534
CLONE_NEWNS, MS_BIND, MS_PRIVATE_REC = 0x20000, 1 << 12, (1 << 18) | (1 << 14)
HELPERS = "fusermount", "fusermount3"
HOMES = {os.path.realpath(path) for path in
         ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")}


def mount(source, target, kind, flags=0):
    if ft.libc.mount(os.fsencode(source), os.fsencode(target), kind, flags, None) != 0:
        ft.die(f"mount on {target}")


def hide():
    """Here and in what is started from here there is no helper; the other programs stay where they are."""
    if ft.libc.unshare(CLONE_NEWNS) != 0 or ft.libc.mount(b"none", b"/", None, MS_PRIVATE_REC, None) != 0:
        ft.die("no mount namespace of its own")
    for number, home in enumerate(sorted(HOMES)):
        if not any(os.path.lexists(os.path.join(home, name)) for name in HELPERS):
            continue
        real, shown = (os.path.join(ft.TMP, f"{what}{number}") for what in ("real", "shown"))
        os.mkdir(real)
        os.mkdir(shown)
        mount(home, real, None, MS_BIND)
        for name in os.listdir(real):
            if name not in HELPERS:
                os.symlink(os.path.join(real, name), os.path.join(shown, name))
        mount(shown, home, None, MS_BIND)


def main():
    program = sys.argv[1]
    setpriv = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    for path in os.path.dirname(os.path.dirname(ft.BIN)), os.path.dirname(ft.BIN), ft.TMP:
        os.chmod(path, 0o755)
    mnt = os.path.join(ft.TMP, "mnt")
    os.chown(mnt, NOBODY, NOBODY)
    # Elsewhere may be folders that this user can't look into, which is another error.
    environment = dict(os.environ, LD_LIBRARY_PATH=ft.LIBDIR, PATH=":".join(sorted(HOMES)))
    if ft.LIBDIR and subprocess.run([*setpriv, "test", "-r", ft.LIBDIR]).returncode != 0:
        print("the library is where that user can't read it", file=sys.stderr)
        sys.exit(77)
    hide()
    for options in [], ["-o", "auto_unmount"], ["-o", "allow_other,subtype=x"]:
        r = subprocess.run([*setpriv, os.path.join(ft.BIN, program), mnt, *options], env=environment, text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        name = " ".join(options) or "no options"
        say(f"{name}: exit status", r.returncode)
        for line in r.stdout.splitlines():
            if " left: " not in line or "auto_unmount" not in options:
                say(f"{name}: {line}")
            elif ft.LIBDIR and not line.endswith((" 0", " none")):
                # Not compared: see KNOWN in `run`.
                ft.die(f"{name}: {line}")
        named = [line for line in r.stderr.splitlines() if "fusermount" in line and os.strerror(2) in line]
        ft.note(r.stderr)
        say(f"{name}: the helper is named", bool(named))
        say(f"{name}: mounted", ft.mounted_device(mnt) is not None)


main()
