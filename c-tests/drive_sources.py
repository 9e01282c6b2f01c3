#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""File data from sources that don't splice well, and through pipes that stay small.

Usage: drive_sources.py refusing | block | pipes
"""
import ctypes
import fcntl
import hashlib
import os
import random
import stat
import subprocess
import sys
import tempfile
import time

import ferrotest as ft
from ferrotest import say

NOBODY = 65534


def content(size):
    return random.Random(size).randbytes(size)


def refusing():
    """Files of /proc without splice_read: splice gives EINVAL, read gives the data."""
    sleeper = subprocess.Popen(["sleep", "1000"], env={"FILL": "x" * 30_000})
    try:
        source = f"/proc/{sleeper.pid}"
        while b"FILL" not in open(f"{source}/environ", "rb").read():
            time.sleep(0.01)
        fd, (r, w) = os.open(f"{source}/environ", os.O_RDONLY), os.pipe()
        say("the source splices", ft.attempt(os.splice, fd, w, 4096, offset_src=0))
        os.close(fd)
        daemon = ft.Daemon("passthrough_ll", "-o", f"source={source},direct_io")
        for name in "environ", "cmdline", "auxv":
            with open(f"{source}/{name}", "rb", buffering=0) as f:
                want = b"".join(iter(lambda: f.read(1 << 16), b""))
            for step in 100, 4096, 10_000, 131_072:
                with open(daemon.path(name), "rb", buffering=0) as f:
                    got = b"".join(iter(lambda: f.read(step), b""))
                say(f"{name} by {step}", "equal" if got == want and want else f"FAIL {len(got)}")
        # Nothing is mapped there: the source's own error.
        fd = os.open(daemon.path("mem"), os.O_RDONLY)
        say("mem at 0", ft.attempt(os.pread, fd, 4096, 0))
        os.close(fd)
        daemon.finish()
    finally:
        sleeper.kill()
        sleeper.wait()


def block():
    """A block device behind the file: data read spliced from it, and written to it."""
    image = os.path.join(ft.TMP, "image")
    data = content(8 << 20)
    with open(image, "wb") as f:
        f.write(data)
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
    if made.returncode != 0:
        print(f"no loop device: {made.stderr.strip()}", file=sys.stderr)
        sys.exit(77)
    device = made.stdout.strip()
    try:
        say("source", "block device" if stat.S_ISBLK(os.stat(device).st_mode) else "FAIL")
        daemon = ft.Daemon("onefile_ll", "-o", f"path={device}")
        fd = os.open(daemon.path("file"), os.O_RDWR)
        good = all(os.pread(fd, size, at) == data[at:at + size]
                   for size in (1, 100, 4096, 65_536, 1 << 20)
                   for at in (0, 1, 511, 4096, 5_000_000, (8 << 20) - 1000, 8 << 20))
        say("reads", "equal" if good else "FAIL")
        fresh = content((8 << 20) - 1)[:8 << 20] + b"!"
        for at in range(0, 8 << 20, 1 << 20):
            os.pwrite(fd, fresh[at:at + (1 << 20)], at)
        os.fsync(fd)
        say("read again", "equal" if os.pread(fd, 1 << 20, 1 << 20) == fresh[1 << 20:2 << 20]
            else "FAIL")
        os.close(fd)
        daemon.finish()
        subprocess.run(["blockdev", "--flushbufs", device], check=True)
        with open(device, "rb") as f:
            say("on the device", "equal" if f.read() == fresh else "FAIL")
    finally:
        subprocess.run(["losetup", "--detach", device])


def slots(pid):
    """Capacity in pages of each pipe that a process keeps."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("pipe:"):
                pipe = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK)
                found[os.fstat(pipe).st_ino] = fcntl.fcntl(pipe, 1032) // 4096  # F_GETPIPE_SZ
                os.close(pipe)
        except OSError:
            pass
    return list(found.values())


def as_nobody(work):
    """work() in a child of that user."""
    def child():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return work()
    return ft.run_child(child)


def pipes():
    """The daemon belongs to a user who is over fs.pipe-user-pages-soft: new pipes have a page or
    two and can't grow."""
    here = tempfile.mkdtemp(prefix="ferrofuse-pipes.")
    try:
        for path in here, os.path.dirname(os.path.dirname(ft.BIN)), os.path.dirname(ft.BIN), ft.TMP:
            os.chmod(path, 0o755)
        source, mnt = os.path.join(here, "source"), os.path.join(here, "mnt")
        for path in source, mnt:
            os.mkdir(path)
            os.chown(path, NOBODY, NOBODY)
        data = content(3_000_001)
        with open(os.path.join(source, "f"), "wb") as f:
            f.write(data)
        os.chown(os.path.join(source, "f"), NOBODY, NOBODY)
        if ft.LIBDIR and as_nobody(lambda: os.access(ft.LIBDIR, os.R_OK | os.X_OK)) != "True":
            print("the library is where that user can't read it", file=sys.stderr)
            sys.exit(77)
        exhausted(source, mnt, data)
    finally:
        subprocess.run(["rm", "-rf", here])


HOLD = """
import fcntl, os, resource, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept, size = [], 0
while True:
    r, w = os.pipe()
    size = fcntl.fcntl(w, 1032)
    kept += r, w
    if size <= 2 * 4096 or len(kept) > 3000:
        break
print(size // 4096, flush=True)
time.sleep(1000)
"""


def exhausted(source, mnt, data):
    nobody = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
              "--bounding-set=-all", "--inh-caps=-all"]
    holder = subprocess.Popen([*nobody, sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    try:
        left = int(holder.stdout.readline())
        if left > 2:
            print(f"a new pipe still has {left} pages", file=sys.stderr)
            sys.exit(77)
        os.environ["FT_WRAPPER"] = " ".join(nobody[:-2])
        # Asked for by name, splicing is tried for every read.
        daemon = ft.Daemon("passthrough_ll", "-o", f"source={source},direct_io",
                           mountpoint=mnt)
        path = os.path.join(mnt, "f")

        def work():
            fd = os.open(path, os.O_RDWR)
            for size in 1, 100, 4096, 8192, 20_000, 65_536, 131_072, 1 << 20:
                for at in 0, 1, 4095, 1_000_000, len(data) - 5_000, len(data):
                    if os.pread(fd, size, at) != data[at:at + size]:
                        return f"FAIL read of {size} at {at}"
                piece = data[size:2 * size]
                if os.pwrite(fd, piece, size) != len(piece):
                    return f"FAIL write of {size}"
            return hashlib.sha256(os.pread(fd, 1 << 20, 0)).hexdigest()
        say("bytes", as_nobody(work))
        if ft.LIBDIR:
            small = slots(daemon.pid)
            ft.note(f"pipes of the daemon: {small} pages")
            forced = os.environ.get("FERROFUSE_SPLICE") == "always"
            if any(size > 2 for size in small) or (forced and not small):
                ft.die(f"pipes of {small} pages: not what this test is about")
        daemon.finish()
    finally:
        holder.kill()
        holder.wait()


ctypes.CDLL(None).umask(0o022)
{"refusing": refusing, "block": block, "pipes": pipes}[sys.argv[1]]()
