#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which operations of a path-based filesystem are called, and with what.

Usage: drive_trace.py [daemon options, trace among them]

The daemon is single-threaded, so what it says after a step is the same every time. Names
that the library makes up, and the inode numbers in them, are masked.
"""
import array
import fcntl
import os
import re
import select
import stat
import struct
import sys

import ferrotest as ft
from ferrotest import attempt


def ioctl_number(direction, number):
    return direction << 30 | 4 << 16 | ord("F") << 8 | number


def ioctl(path, number, value=0):
    with open(path, "rb") as f:
        data = array.array("i", [value])
        result = fcntl.ioctl(f, number, data, True)
        return result, data[0]


def lock(path, command, kind, start, length):
    fd = os.open(path, os.O_RDWR)
    try:
        answer = fcntl.fcntl(fd, command, struct.pack("hhqqi4x", kind, 0, start, length, 0))
        return struct.unpack("hhqqi", answer[:28])[:4]
    finally:
        os.close(fd)


def poll(path):
    fd = os.open(path, os.O_RDONLY)
    p = select.poll()
    p.register(fd, select.POLLIN | select.POLLPRI)
    events = [e for _, e in p.poll(1000)]
    os.close(fd)
    return events


def as_user(uid, gid, mask, call):
    def work():
        os.umask(mask)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return attempt(call)
    return ft.run_child(work)


def put(path, data):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.write(fd, data)
    os.close(fd)


def get(path, size=100):
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.pread(fd, size, 0)
    finally:
        os.close(fd)


def open_calls(path, call, flags=os.O_RDWR):
    fd = os.open(path, flags)
    try:
        return attempt(call, fd)
    finally:
        os.close(fd)


def removed(path, call):
    """call(fd) on a file that has lost its name meanwhile."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.write(fd, b"data")
    os.unlink(path)
    try:
        return attempt(call, fd)
    finally:
        os.close(fd)


def removed_dir(path):
    os.mkdir(path)
    fd = os.open(path, os.O_RDONLY)
    os.rmdir(path)
    result = attempt(os.listdir, fd), attempt(os.fsync, fd)
    os.close(fd)
    return result


def replaced(path, over):
    put(path, b"new")
    fd = os.open(over, os.O_RDWR | os.O_CREAT, 0o644)
    os.write(fd, b"old")
    os.rename(path, over)
    try:
        return [attempt(call) for call in (lambda: os.pread(fd, 10, 0), lambda: get(over),
                                           lambda: os.fstat(fd).st_nlink)]
    finally:
        os.close(fd)


def rename2(old, new, flags):
    return ft.sys_call(ft.libc.renameat2, -100, os.fsencode(old), -100, os.fsencode(new), flags)


def steps(d):
    j = lambda *p: os.path.join(d, *p)
    yield "missing", lambda: attempt(os.lstat, j("missing"))
    yield "missing again", lambda: attempt(os.lstat, j("missing"))
    yield "mkdir", lambda: os.mkdir(j("dir"), 0o750)
    yield "put", lambda: put(j("f"), b"0123456789")
    yield "put again", lambda: put(j("f"), b"abcdefghij")
    yield "get", lambda: get(j("f"))
    yield "create by a user", lambda: as_user(1000, 1001, 0o027, lambda: put(j("pub", "own"), b"x"))
    yield "mkdir by a user", lambda: as_user(1000, 1001, 0o077, lambda: os.mkdir(j("pub", "sub")))
    yield "mknod by a user", lambda: as_user(
        1000, 1001, 0o002, lambda: os.mknod(j("pub", "fifo"), stat.S_IFIFO | 0o666))
    yield "owner", lambda: [(s.st_uid, s.st_gid, oct(s.st_mode)) for s in
                            (os.lstat(j("pub", n)) for n in ("own", "sub", "fifo"))]
    yield "mknod of a file", lambda: os.mknod(j("reg"), 0o640)
    yield "mknod of a device", lambda: os.mknod(j("null"), stat.S_IFCHR | 0o600, os.makedev(1, 300))
    yield "symlink", lambda: os.symlink("target", j("link"))
    yield "readlink", lambda: os.readlink(j("link"))
    yield "link", lambda: os.link(j("f"), j("f2"))
    yield "rename", lambda: os.rename(j("f2"), j("dir", "f3"))
    yield "exchange", lambda: rename2(j("f"), j("dir", "f3"), 2)
    yield "noreplace", lambda: rename2(j("f"), j("dir", "f3"), 1)
    yield "get by the new name", lambda: get(j("dir", "f3"))
    yield "chmod", lambda: os.chmod(j("f"), 0o600)
    yield "chown", lambda: os.chown(j("f"), 5, -1)
    yield "chown of a setuid file", lambda: (os.chmod(j("reg"), 0o4755), os.chown(j("reg"), 1, 1))[1]
    yield "truncate", lambda: os.truncate(j("f"), 5)
    yield "utime", lambda: os.utime(j("f"), ns=(1, 2))
    yield "utime now", lambda: os.utime(j("f"))
    yield "fchmod", lambda: open_calls(j("f"), lambda fd: os.fchmod(fd, 0o644))
    yield "fchown", lambda: open_calls(j("f"), lambda fd: os.fchown(fd, 1, 2))
    yield "ftruncate", lambda: open_calls(j("f"), lambda fd: os.ftruncate(fd, 3))
    yield "futimens", lambda: open_calls(j("f"), lambda fd: os.utime(fd, ns=(1, 2)))
    yield "fstat", lambda: open_calls(j("f"), lambda fd: os.fstat(fd).st_size)
    yield "fsync", lambda: open_calls(j("f"), os.fsync)
    yield "fdatasync", lambda: open_calls(j("f"), os.fdatasync)
    yield "fallocate", lambda: open_calls(j("f"), lambda fd: os.posix_fallocate(fd, 0, 9000))
    yield "seek to data", lambda: open_calls(j("f"), lambda fd: os.lseek(fd, 0, os.SEEK_DATA))
    yield "seek to a hole", lambda: open_calls(j("f"), lambda fd: os.lseek(fd, 10, os.SEEK_HOLE))
    yield "append", lambda: open_calls(j("f"), lambda fd: os.write(fd, b"x"), os.O_WRONLY | os.O_APPEND)
    yield "two descriptors", lambda: open_calls(j("f"), lambda fd: os.close(os.dup(fd)))
    yield "copy", lambda: open_calls(j("f"), lambda a: open_calls(
        j("dir", "f3"), lambda b: os.copy_file_range(b, a, 10, 0, 100)))
    yield "access", lambda: os.access(j("f"), os.R_OK)
    yield "statvfs", lambda: os.statvfs(d).f_namemax
    yield "setxattr", lambda: attempt(os.setxattr, j("f"), "user.a", b"value")
    yield "getxattr", lambda: attempt(os.getxattr, j("f"), "user.a")
    yield "getxattr missing", lambda: attempt(os.getxattr, j("f"), "user.b")
    yield "listxattr", lambda: [n for n in os.listxattr(j("f")) if n.startswith("user")]
    yield "removexattr", lambda: attempt(os.removexattr, j("f"), "user.a")
    yield "list", lambda: sorted(os.listdir(d))
    yield "list a part", lambda: sorted(os.listdir(j("dir")))
    yield "fsync of a directory", lambda: open_calls(j("dir"), os.fsync, os.O_RDONLY)
    yield "fchmod of a directory", lambda: open_calls(j("dir"), lambda fd: os.fchmod(fd, 0o700), os.O_RDONLY)
    yield "flock", lambda: open_calls(j("f"), lambda fd: fcntl.flock(fd, fcntl.LOCK_EX))
    yield "flock, not waiting", lambda: open_calls(
        j("f"), lambda fd: fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB))
    yield "lock", lambda: lock(j("f"), fcntl.F_SETLK, fcntl.F_WRLCK, 10, 20)
    yield "lock to the end", lambda: lock(j("f"), fcntl.F_SETLKW, fcntl.F_RDLCK, 5, 0)
    yield "unlock", lambda: lock(j("f"), fcntl.F_SETLK, fcntl.F_UNLCK, 0, 0)
    yield "test a lock", lambda: lock(j("f"), fcntl.F_GETLK, fcntl.F_WRLCK, 0, 1)
    yield "ioctl out", lambda: ioctl(j("f"), ioctl_number(2, 1))
    yield "ioctl in and out", lambda: ioctl(j("f"), ioctl_number(3, 2), 21)
    yield "ioctl in", lambda: ioctl(j("f"), ioctl_number(1, 3), 7)
    yield "ioctl unknown", lambda: attempt(ioctl, j("f"), ioctl_number(2, 9))
    yield "poll", lambda: poll(j("f"))
    yield "removed: read", lambda: removed(j("gone"), lambda fd: os.pread(fd, 10, 0))
    yield "removed: stat", lambda: removed(j("gone"), lambda fd: os.fstat(fd).st_nlink)
    yield "removed: write", lambda: removed(j("gone"), lambda fd: os.pwrite(fd, b"x", 100))
    yield "removed: chmod", lambda: removed(j("gone"), lambda fd: os.fchmod(fd, 0o600))
    yield "removed: truncate", lambda: removed(j("gone"), lambda fd: os.ftruncate(fd, 1))
    yield "removed: sync", lambda: removed(j("gone"), os.fsync)
    yield "removed: xattr", lambda: removed(j("gone"), lambda fd: os.getxattr(fd, "user.x"))
    yield "removed directory", lambda: removed_dir(j("gone"))
    yield "replaced", lambda: replaced(j("new"), j("old"))
    yield "remove", lambda: (os.unlink(j("f")), os.rmdir(j("pub", "sub")))[0]
    yield "rmdir, not empty", lambda: attempt(os.rmdir, j("dir"))
    yield "dot dot", lambda: os.stat(j("dir", "..")).st_ino == os.stat(d).st_ino
    yield "long name", lambda: attempt(os.lstat, j("n" * 256))


# A kernel that knows COPY_FILE_RANGE_64 asks once more, by the older request, where it was told ENOSYS: the
# filesystem hears of both if the library knows both.
AGAIN = re.compile(r"^copy_file_range .* = -38$")
MASK = re.compile(r"(\.fuse_hidden)[0-9a-f]+")


def main():
    os.umask(0o022)
    source = os.path.join(ft.TMP, "source")
    os.makedirs(os.path.join(source, "d", "pub"))
    os.chmod(os.path.join(source, "d", "pub"), 0o777)
    for name in ft.TMP, source, os.path.join(source, "d"):
        os.chmod(name, 0o755)
    daemon = ft.Daemon("passthrough_hl", *sys.argv[1:],
                       "-o", f"source={source},allow_other,attr_timeout=60,entry_timeout=60")
    seen = 0
    def flush():
        """What the daemon has said since; a request that comes last tells that it has said all."""
        nonlocal seen
        ft.sys_call(ft.libc.ioctl, marker, ioctl_number(2, 1), ctypes_int)
        with open(daemon.out) as f:
            text = f.read()
        lines = text[seen:].splitlines()
        seen = len(text)
        return [MASK.sub(r"\1*", line) for line in lines if "/marker 80044601" not in line]
    import ctypes
    ctypes_int = ctypes.byref(ctypes.c_int())
    with open(os.path.join(source, "marker"), "w"):
        pass
    marker = os.open(daemon.path("marker"), os.O_RDONLY)
    flush()
    for name, step in steps(daemon.path("d")):
        ft.say(name, attempt(step))
        before = None
        for line in flush():
            if line != before or not AGAIN.search(line):
                ft.say("    " + line)
            before = line
    os.close(marker)
    daemon.unmount()
    ft.say("status", daemon.wait())
    left = sorted(n for _, _, names in os.walk(source) for n in names)
    ft.say("left", [n for n in left if n.startswith(".fuse_hidden")])
    with open(daemon.out) as f:
        ft.say("end", " ".join(f.read()[seen:].split()))


main()
