#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""How fuse_main() of libfuse 2 ends: exit statuses, help, version, refused options, signals."""
import os
import re
import signal
import subprocess
import sys
import time

from ferrotest import BIN, LIBDIR, TMP, attempt, mounted_device, say
from ferrotest2 import Daemon2, source_tree

source = source_tree()
with open(os.path.join(source, "file"), "w") as f:
    f.write("text\n")
environment = dict(os.environ, FT_SOURCE=source)
if LIBDIR:
    environment["LD_LIBRARY_PATH"] = LIBDIR
mnt = os.path.join(TMP, "mnt")


def run(*args, version=29):
    return subprocess.run([os.path.join(BIN, f"paths{version}"), *args], env=environment, cwd=TMP,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def shown(text):
    return text.replace(BIN, "BIN").replace(TMP, "TMP").strip()


def option_names(text):
    """The options that a help text names; the wording is each library's own."""
    return sorted(set(re.findall(r"^ +(-[a-zA-Z]|--[a-z]+|-o [a-z_]+)", text, re.M)))


for args in ("-h",), ("--help",), ("-ho",), ("-V",), ("--version",):
    r = run(*args)
    say(" ".join(args), r.returncode)
    say("  on stdout", bool(r.stdout.strip()))
    say("  on stderr", bool(r.stderr.strip()))
    say("  usage", "usage:" in (r.stdout + r.stderr).lower())
    say("  options", option_names(r.stdout + r.stderr))
    say("  version", re.findall(r"FUSE library version: [\d.]+", r.stdout + r.stderr))

# What is mounted there is another's: libfuse 2.9 unmounts it when it is asked for help (see KNOWN).
for args in ("-h", mnt), (mnt, "-V"):
    os.makedirs(mnt, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "other", mnt], check=True)
    r = run(*args)
    if os.path.ismount(mnt) or LIBDIR:
        subprocess.run(["umount", mnt], check=True)
    say(f"over a mount {args.index(mnt)}", r.returncode)

for args in ((), ("-f",), (mnt, "extra"), (mnt, "-o", "nonsense"), (mnt, "--nonsense"),
             (os.path.join(TMP, "missing"),), (mnt, "-o", "max_write=text"),
             (os.path.join(source, "file"), "-o", "modules=missing"),
             (mnt, "-o", "uid=text"), (mnt, "-x"), ("-o",)):
    r = run(*args)
    say("run " + shown(" ".join(args)), r.returncode)
    say("  on stdout", bool(r.stdout.strip()))
    say("  on stderr", bool(r.stderr.strip()))
    say("  mounted", mounted_device(mnt) is not None)
    if mounted_device(mnt) is not None:
        subprocess.run(["umount", mnt])

# Every version of the interface, and every way to end.
for version in 11, 21, 22, 25, 26, 29:
    for name in "TERM", "INT", "HUP":
        daemon = Daemon2(f"paths{version}", "-s", env={"FT_SOURCE": source})
        # The handlers are there once a request is answered, not when the mount is.
        os.stat(daemon.path("file"))
        daemon.signal(getattr(signal, "SIG" + name))
        for _ in range(600):
            if daemon.proc.poll() is not None:
                break
            attempt(os.stat, daemon.path("missing"))
            time.sleep(0.02)
        say(f"{version} {name}", f"{daemon.wait(1)} mounted {mounted_device(daemon.mnt) is not None}")

# In the background: the parent ends once it is mounted.
for version in 22, 25, 29:
    r = run(mnt, version=version)
    say(f"{version} background", f"{r.returncode} mounted {mounted_device(mnt) is not None}")
    say("  reads", attempt(lambda: open(os.path.join(mnt, "file")).read()))
    subprocess.run(["umount", mnt], check=True)

# Options that change what is seen.
for options in ("use_ino", "readdir_ino", "uid=77,gid=88,umask=027", "hard_remove",
                "big_writes", "nonempty", "allow_other,default_permissions", "ro", "direct_io",
                "kernel_cache", "auto_cache,ac_attr_timeout=3", "atomic_o_trunc", "sync_read",
                "async_read", "max_read=8192", "max_write=8192", "max_readahead=0",
                "max_background=3,congestion_threshold=2", "no_remote_lock", "no_remote_posix_lock",
                "no_remote_flock", "negative_timeout=5", "intr,intr_signal=12", "noforget",
                "remember=10", "nopath", "fsname=name", "subtype=sub", "fsname=n,subtype=s",
                "splice_write", "splice_read", "no_splice_write,no_splice_read,no_splice_move",
                "attr_timeout=0.5,entry_timeout=0.5", "nosuid,nodev,noexec,noatime"):
    inner = os.path.join(TMP, "option")
    daemon = Daemon2("paths29", "-s", "-o", options, mountpoint=inner, env={"FT_SOURCE": source})
    st = os.stat(daemon.path("file"))
    same = st.st_ino == os.stat(os.path.join(source, "file")).st_ino
    with open("/proc/self/mountinfo") as f:
        line = next(x for x in f if f" {inner} " in x).split()
    kind, name, rest = line[line.index("-") + 1:]
    flags = ",".join(o for o in line[5].split(",") if o != "relatime")
    rest = ",".join(o for o in rest.split(",") if o not in ("rw", "ro"))
    say(f"-o {options}", f"{st.st_uid == os.getuid()} {st.st_uid if 'uid' in options else ''} "
        f"{oct(st.st_mode) if 'umask' in options else ''} same inode {same} {kind} {name} {flags} {rest}")
    say("  write", attempt(lambda: open(daemon.path("new"), "w").write("x" * 20000)))
    say("  unlink", attempt(os.unlink, daemon.path("new")))
    daemon.unmount()
    say("  exit status", daemon.wait(60))
sys.exit(0)
