#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a path-based filesystem says with -d: one line for each operation, as libfuse words it.

Usage: drive_debug.py 2 | 3
  the library's generation

The lines of single requests are left out, and numbers that are each library's own are masked.
"""
import fcntl
import os
import re
import struct
import sys

import ferrotest as ft
from ferrotest2 import Daemon2

WORDS = ("access", "bmap", "chmod", "chown", "copy_file_range", "create", "fallocate", "fgetattr", "flush", "fsync",
         "fsyncdir", "ftruncate", "getattr", "getxattr", "ioctl", "link", "listxattr", "lock", "lseek", "mkdir",
         "mknod", "open", "opendir", "poll", "read", "readdir", "readdirplus", "readlink", "release", "release+flush",
         "releasedir", "removexattr", "rename", "rmdir", "setxattr", "statfs", "symlink", "truncate", "unlink",
         "utimens", "write", "writepage", "LOOKUP", "NODEID:")
LINE = re.compile(r"^( {3})?(%s)(\[| |$)" % "|".join(map(re.escape, WORDS)))
MASKS = (
    (re.compile(r"\[\d+\]"), "[fh]"),
    (re.compile(r"ph: 0x[0-9a-f]+|ph: wanted"), "ph: given"),
    # Where times come from a clock.
    (re.compile(r"\b\d{10}\.\d{9}\b"), "now"),
    (re.compile(r"pid: \d+"), "pid: some"),
    (re.compile(r"(\.fuse_hidden)[0-9a-f]+"), r"\1*"),
)


def on_file(path, *calls):
    fd = os.open(path, os.O_RDWR)
    for call in calls:
        ft.attempt(call, fd)
    os.close(fd)


def steps(d):
    j = lambda *parts: os.path.join(d, *parts)

    def write_and_read():
        fd = os.open(j("f"), os.O_RDWR | os.O_CREAT, 0o640)
        os.write(fd, b"text" * 100)
        os.fsync(fd)
        os.close(fd)
        fd = os.open(j("f"), os.O_RDONLY)
        os.read(fd, 10)
        os.close(fd)
    yield "missing", lambda: os.lstat(j("missing"))
    yield "create, write, read", write_and_read
    yield "statfs", lambda: os.statvfs(d)
    yield "mkdir", lambda: os.mkdir(j("dir"), 0o751)
    yield "symlink", lambda: os.symlink("f", j("s"))
    yield "readlink", lambda: os.readlink(j("s"))
    yield "link", lambda: os.link(j("f"), j("dir", "g"))
    yield "mknod", lambda: os.mknod(j("fifo"), 0o10644)
    yield "rename", lambda: os.rename(j("fifo"), j("dir", "fifo"))
    yield "chmod", lambda: os.chmod(j("f"), 0o600)
    yield "chown", lambda: os.chown(j("f"), 7, -1)
    yield "truncate", lambda: os.truncate(j("f"), 10)
    yield "utimens", lambda: os.utime(j("f"), ns=(1_000_000_001, 2_000_000_002))
    yield "utimens, now", lambda: os.utime(j("f"))
    yield "on a file", lambda: on_file(
        j("f"), lambda fd: os.fchmod(fd, 0o640), lambda fd: os.fchown(fd, -1, 8), lambda fd: os.ftruncate(fd, 20),
        os.fdatasync, lambda fd: os.utime(fd, ns=(0, 5)), lambda fd: os.lseek(fd, 0, os.SEEK_DATA),
        lambda fd: os.posix_fallocate(fd, 0, 100))
    yield "set an attribute", lambda: os.setxattr(j("f"), "user.a", b"value", os.XATTR_CREATE)
    yield "get an attribute", lambda: os.getxattr(j("f"), "user.a")
    yield "list attributes", lambda: os.listxattr(j("f"))
    yield "remove an attribute", lambda: os.removexattr(j("f"), "user.a")
    yield "access", lambda: os.access(j("f"), os.R_OK | os.X_OK)
    yield "list", lambda: os.listdir(j("dir"))
    yield "sync a directory", lambda: sync_directory(j("dir"))
    yield "lock", lambda: on_file(j("f"), lambda fd: fcntl.fcntl(
        fd, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 10, 20, 0)))
    yield "flock", lambda: on_file(j("f"), lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
    yield "remove an open file", lambda: on_file(j("f"), lambda fd: os.unlink(j("f")))
    yield "unlink", lambda: os.unlink(j("s"))
    yield "rmdir, not empty", lambda: os.rmdir(j("dir"))


def sync_directory(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def main():
    os.umask(0o022)
    source = os.path.join(ft.TMP, "source")
    os.mkdir(source)
    # Time-outs that do not end in between, and one thread: the same requests in the same order every time.
    options = "attr_timeout=600,entry_timeout=600"
    if sys.argv[1] == "2":
        daemon = Daemon2("paths29", "-d", "-s", "-o", options, env={"FT_SOURCE": source})
    else:
        daemon = ft.Daemon("passthrough_hl", "-d", "-s", "-o", f"source={source},{options}")
    seen = 0

    def said():
        """What it has said since. A request that comes last tells that it has said all: RELEASE is not waited for."""
        nonlocal seen
        marker = f"/marker{seen}"
        ft.attempt(os.lstat, daemon.path(marker[1:]))
        text = daemon.log()[seen:]
        seen += len(text)
        for line in text.splitlines():
            if LINE.match(line) and marker not in line:
                for mask, by in MASKS:
                    line = mask.sub(by, line)
                yield line
    list(said())
    for name, step in steps(daemon.mnt):
        result = ft.attempt(step)
        ft.say(name, result if isinstance(result, str) else "")
        for line in said():
            ft.say("    " + line)
    daemon.unmount()
    ft.say("status", daemon.wait(60))


main()
