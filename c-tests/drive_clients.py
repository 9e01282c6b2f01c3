#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Filesystems that Debian built, as they are.

Usage: drive_clients.py squashfuse | overlayfs | qemu
"""
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import time

import ferrotest as ft
from ferrotest import say


class Client:
    """A program in the foreground that serves `mnt`; its process must map the library."""
    library = ft.Daemon.library

    def __init__(self, command, mnt, is_served):
        self.mnt = mnt
        env = dict(os.environ)
        if ft.LIBDIR:
            env["LD_LIBRARY_PATH"] = ft.LIBDIR
        self.errors = open(os.path.join(ft.TMP, "client.err"), "w+b")
        self.proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.errors,
                                     stderr=self.errors, env=env)
        self.pid, self.program = self.proc.pid, os.path.basename(command[0])
        deadline = time.monotonic() + 60
        while not is_served():
            if self.proc.poll() is not None or time.monotonic() > deadline:
                self.errors.seek(0)
                ft.die(f"{self.program}: not served: {self.errors.read().decode()}")
            time.sleep(0.01)
        ft.Daemon.prove_library(self)

    def end(self, how):
        how()
        try:
            say("status", self.proc.wait(30))
        except subprocess.TimeoutExpired:
            self.proc.kill()
            ft.die(f"{self.program} does not end")


def tree(root):
    os.makedirs(f"{root}/dir/sub")
    for n, size in enumerate((0, 1, 4095, 4096, 4097, 131_072, 3_000_001)):
        with open(f"{root}/dir/file{n}", "wb") as f:
            f.write(random.Random(n).randbytes(size))
    os.symlink("../file3", f"{root}/dir/sub/link")
    for path, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(path, name), (1e9, 1e9), follow_symlinks=False)


def show(root):
    """Everything that does not depend on the run."""
    for path, dirs, names in os.walk(root):
        dirs.sort()
        for name in sorted(dirs + names):
            full = os.path.join(path, name)
            st = os.lstat(full)
            extra = ""
            if os.path.islink(full):
                extra = os.readlink(full)
            elif os.path.isfile(full):
                with open(full, "rb") as f:
                    extra = hashlib.sha256(f.read()).hexdigest()
            size = "" if os.path.isdir(full) else st.st_size
            say(os.path.relpath(full, root), f"{st.st_mode:o} {size} {extra}")


def mounted(mnt):
    return lambda: os.path.ismount(mnt)


def unmount(mnt):
    return lambda: subprocess.run(["umount", mnt], check=True)


def squashfuse(base, mnt):
    tree(f"{base}/tree")
    subprocess.run(["mksquashfs", f"{base}/tree", f"{base}/image", "-quiet", "-no-progress"],
                   check=True, stdout=subprocess.DEVNULL)
    client = Client(["/usr/bin/squashfuse_ll", "-f", f"{base}/image", mnt], mnt, mounted(mnt))
    show(mnt)
    say("write", ft.attempt(open, f"{mnt}/new", "w"))
    client.end(unmount(mnt))


def overlayfs(base, mnt):
    for part in "upper", "work":
        os.mkdir(f"{base}/{part}")
    tree(f"{base}/lower")
    dirs = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
    client = Client(["/usr/bin/fuse-overlayfs", "-f", "-o", dirs, mnt], mnt, mounted(mnt))
    with open(f"{mnt}/dir/file6", "r+b") as f:
        f.seek(2_999_999)
        f.write(b"new bytes past the end")
    os.unlink(f"{mnt}/dir/file1")
    os.rename(f"{mnt}/dir/file2", f"{mnt}/dir/moved")
    os.mkdir(f"{mnt}/made")
    with open(f"{mnt}/made/large", "wb") as f:
        f.write(random.Random(1).randbytes(5_000_000))
    os.link(f"{mnt}/made/large", f"{mnt}/made/hard")
    show(mnt)
    client.end(unmount(mnt))
    say("below")
    show(f"{base}/lower")


class Qmp:
    """qemu-storage-daemon's control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw")
        json.loads(self.lines.readline())
        self.run("qmp_capabilities")

    def run(self, command):
        self.lines.write(json.dumps({"execute": command}) + "\n")
        self.lines.flush()
        while "return" not in (answer := json.loads(self.lines.readline())):
            if "error" in answer:
                ft.die(f"{command}: {answer}")


def qemu(base, mnt):
    """A disk image exported as a file, mounted over that very file."""
    size = 16 << 20
    image, export = f"{base}/disk", f"{base}/export"
    data = bytearray(random.Random(7).randbytes(size))
    for path in image, export:
        with open(path, "wb") as f:
            f.write(data if path == image else b"")
    client = Client(
        ["/usr/bin/qemu-storage-daemon",
         "--blockdev", f"driver=file,node-name=disk,filename={image}",
         "--export", f"type=fuse,id=e,node-name=disk,mountpoint={export},writable=on",
         "--chardev", f"socket,id=c,path={base}/qmp,server=on,wait=off", "--monitor", "chardev=c"],
        export, lambda: os.path.exists(f"{base}/qmp") and os.stat(export).st_size == size)
    fd = os.open(export, os.O_RDWR)
    checksum = lambda: hashlib.sha256(os.pread(fd, size // 2, 0) + os.pread(fd, size // 2, size // 2))
    say("read", checksum().hexdigest() == hashlib.sha256(data).hexdigest())
    for at, length in (0, 512), (1_000_001, 77_777), (4 << 20, 2 << 20), (size - 5, 5):
        piece = random.Random(at).randbytes(length)
        data[at:at + length] = piece
        say(f"write of {length} at {at}", os.pwrite(fd, piece, at))
    os.fsync(fd)
    say("beyond the end", len(os.pread(fd, 4096, size)))
    say("read back", checksum().hexdigest() == hashlib.sha256(data).hexdigest())
    os.close(fd)
    client.end(lambda: Qmp(f"{base}/qmp").run("quit"))
    say("mounted", os.path.ismount(export))
    with open(image, "rb") as f:
        say("image", f.read() == data)


here, mountpoint = os.path.join(ft.TMP, "base"), os.path.join(ft.TMP, "mnt")
os.mkdir(here)
{"squashfuse": squashfuse, "overlayfs": overlayfs, "qemu": qemu}[sys.argv[1]](here, mountpoint)
