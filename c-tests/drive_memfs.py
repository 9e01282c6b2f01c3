#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The memory filesystem: buffer replies, long directories, context, ioctl, poll, interrupts.

Usage: drive_memfs.py [daemon options]
"""
import ctypes
import fcntl
import hashlib
import os
import select
import signal
import struct
import sys
import threading
import time

import ferrotest as ft
from ferrotest import attempt, say


def command(daemon, text):
    """Gives the control file a command; its result."""
    fd = os.open(daemon.path("ctl"), os.O_RDWR)
    try:
        os.write(fd, text.encode())
        return os.pread(fd, 4000, 0).decode()
    finally:
        os.close(fd)


def files(daemon):
    path = daemon.path("file")
    data = bytes(i * 7 & 255 for i in range(400_000))
    with open(path, "wb") as f:
        say("write", f.write(data))
    with open(path, "rb") as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        say("read", hashlib.sha256(f.read()).hexdigest() == hashlib.sha256(data).hexdigest())
    fd = os.open(path, os.O_RDWR | os.O_DIRECT)
    for off, n in (0, 1), (1, 2), (3, 5), (399_990, 100), (400_000, 10), (0, 131072), (5000, 70_001):
        buf = bytearray(n)
        got = attempt(os.preadv, fd, [buf], off)
        say(f"direct {off}+{n}", (got, got == "EINVAL" or bytes(buf[:got]) == data[off:off + got]))
    os.close(fd)
    say("truncate", attempt(os.truncate, path, 3))
    say("stat", (os.stat(path).st_size, oct(os.stat(path).st_mode), os.stat(path).st_nlink))
    say("chmod", attempt(os.chmod, path, 0o600))
    say("mode", oct(os.stat(path).st_mode))
    # What the filesystem leaves out.
    say("symlink", attempt(os.symlink, "x", daemon.path("s")))
    say("rename", attempt(os.rename, path, daemon.path("y")))
    say("link", attempt(os.link, path, daemon.path("y")))
    say("setxattr", attempt(os.setxattr, path, "user.x", b"v"))
    say("listxattr", attempt(os.listxattr, path))
    say("access", os.access(path, os.W_OK))
    vfs = os.statvfs(daemon.mnt)
    say("statvfs", (vfs.f_bsize, vfs.f_namemax, vfs.f_blocks))
    fd = os.open(path, os.O_RDWR)
    say("fsync", attempt(os.fsync, fd))
    say("fallocate", ft.sys_call(ft.libc.fallocate, fd, 0, ctypes.c_long(0), ctypes.c_long(10)))
    say("seek data", attempt(os.lseek, fd, 0, os.SEEK_DATA))
    # The kernel keeps locks by itself when the filesystem has none.
    say("flock", attempt(fcntl.flock, fd, fcntl.LOCK_EX))
    say("lockf", attempt(fcntl.lockf, fd, fcntl.LOCK_EX))
    os.close(fd)
    say("open dir for writing", attempt(os.open, daemon.mnt, os.O_RDWR))
    say("unlink", attempt(os.unlink, path))
    say("unlink again", attempt(os.unlink, path))


def directories(daemon):
    say("mkdir", attempt(os.mkdir, daemon.path("many")))
    say("fill", command(daemon, "fill 10000"))
    names = os.listdir(daemon.path("many"))
    say("names", (len(names), len(set(names)), hashlib.sha256("".join(names).encode()).hexdigest()[:16]))
    say("stat of all", sum(e.stat().st_size + 1 for e in os.scandir(daemon.path("many"))))
    fd = os.open(daemon.path("many"), os.O_RDONLY)
    say("again by fd", len(os.listdir(fd)))
    os.lseek(fd, 0, os.SEEK_SET)
    say("after rewind", len(os.listdir(fd)))
    say("fsync", attempt(os.fsync, fd))
    os.close(fd)
    for i in range(0, 10000, 2):
        os.unlink(daemon.path("many", f"entry-{i:06}"))
    left = os.listdir(daemon.path("many"))
    say("half left", (len(left), left[0], left[-1]))
    say("rmdir not empty", attempt(os.rmdir, daemon.path("many")))


def context(daemon):
    def ask(uid, gid, groups, umask=0o022):
        def work():
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            os.umask(umask)
            with open(daemon.path("ctx")) as f:
                text = f.read()
            return text.replace(f"pid={os.getpid()} ", "pid=mine ").replace("\n", " | ")
        return ft.run_child(work)

    say("root", ask(0, 0, [0, 5, 10]))
    say("no groups", ask(0, 7, []))
    say("many groups", ask(0, 0, list(range(100, 140)))[:100])
    for umask in 0o077, 0o002:
        def make(umask=umask):
            os.umask(umask)
            fd = os.open(daemon.path(f"made-{umask:o}"), os.O_CREAT | os.O_WRONLY, 0o666)
            return oct(os.fstat(fd).st_mode)
        say(f"create with umask {umask:03o}", ft.run_child(make))
        say("context", ask(0, 0, []))
    say("mkdir", ft.run_child(lambda: (os.umask(0o027), os.mkdir(daemon.path("d27")))[1]))
    say("context", ask(0, 0, []))
    say("mknod", ft.run_child(lambda: (os.umask(0o007), os.mknod(daemon.path("fifo7"), 0o10666))[1]))
    say("context", ask(0, 0, []))
    # Others than the mounting user are kept out by the kernel without allow_other.
    say("another user", ask(1000, 1000, []))


IOC_INFO, IOC_ADD, IOC_TAG, IOC_VALUE = 0x80084601, 0xC0084602, 0x40044603, 0x4604


def ioctls(daemon):
    def call(fd, cmd, data):
        try:
            return fcntl.ioctl(fd, cmd, data)
        except OSError as e:
            return ft.err_name(e.errno)

    for name in "ctx", ".":
        fd = os.open(daemon.path(name), os.O_RDONLY)
        info = call(fd, IOC_INFO, bytes(8))
        ino, is_dir = struct.unpack("II", info)
        say(f"{name} info", (ino == os.fstat(fd).st_ino, is_dir))
        say(f"{name} add", struct.unpack("II", call(fd, IOC_ADD, struct.pack("II", 6, 7))))
        pair = bytearray(struct.pack("II", 100, 200))
        say(f"{name} add result", call(fd, IOC_ADD, pair))
        say(f"{name} add in place", struct.unpack("II", pair))
        value = ctypes.c_uint32(41)
        say(f"{name} tag", ft.sys_call(ft.libc.ioctl, fd, ctypes.c_ulong(IOC_TAG), ctypes.byref(value)))
        value.value = 43
        say(f"{name} previous tag", ft.sys_call(ft.libc.ioctl, fd, ctypes.c_ulong(IOC_TAG), ctypes.byref(value)))
        say(f"{name} value", call(fd, IOC_VALUE, 0x1234))
        say(f"{name} unknown", call(fd, 0x46FF, 0))
        say(f"{name} bad address", ft.sys_call(ft.libc.ioctl, fd, ctypes.c_ulong(IOC_ADD), ctypes.c_void_p(8)))
        os.close(fd)


def polls(daemon):
    fd = os.open(daemon.path("pollfile"), os.O_RDONLY)
    other = os.open(daemon.path("ctx"), os.O_RDONLY)
    p = select.poll()
    p.register(fd, select.POLLIN)
    say("not ready", p.poll(100))
    q = select.poll()
    q.register(other, select.POLLIN | select.POLLOUT)
    say("plain file", [mask for _, mask in q.poll(100)])
    result = []
    t = threading.Thread(target=lambda: result.append([mask for _, mask in p.poll(10_000)]))
    t.start()
    time.sleep(0.1)
    started = time.monotonic()
    say("wake", command(daemon, "poll"))
    t.join()
    say("woken", (result, time.monotonic() - started < 9))
    say("ready", [mask for _, mask in p.poll(0)])
    say("read", os.read(fd, 100))
    e = select.epoll()
    attempt(e.register, fd, select.EPOLLIN)
    say("epoll", [mask for _, mask in e.poll(1)])
    e.close()
    os.close(fd)
    os.close(other)


def interrupts(daemon):
    """A read that blocks must end with EINTR when its reader gets a signal."""
    def sleep_in(name, signo):
        pid = os.fork()
        if pid == 0:
            signal.alarm(25)
            signal.signal(signo, lambda *_: None)
            signal.siginterrupt(signo, True)
            fd = os.open(daemon.path(name), os.O_RDONLY)
            buf = ctypes.create_string_buffer(10)
            ctypes.set_errno(0)
            n = ft.libc.read(fd, buf, 10)
            os._exit(ctypes.get_errno() if n < 0 else 200)
        # Until it stands in read(), which is number 0 on x86-64.
        for _ in range(6000):
            with open(f"/proc/{pid}/syscall") as f:
                if f.read().startswith("0 "):
                    return pid
            time.sleep(0.01)
        ft.die(f"{name}: the reader does not read")

    def settle(pid):
        started = time.monotonic()
        _, status = os.waitpid(pid, 0)
        quick = time.monotonic() - started < 10
        what = ft.err_name(os.WEXITSTATUS(status)) if os.WIFEXITED(status) else \
            f"signal {os.WTERMSIG(status)}"
        return what, "quick" if quick else "late"

    for name in "sleep", "sleep_poll":
        pid = sleep_in(name, signal.SIGUSR1)
        os.kill(pid, signal.SIGUSR1)
        say(f"{name} interrupted", settle(pid))
        pid = sleep_in(name, signal.SIGUSR1)
        os.kill(pid, signal.SIGKILL)
        say(f"{name} killed", settle(pid))
    pids = [sleep_in(n, signal.SIGUSR1) for n in ("sleep", "sleep_poll") * 3]
    for pid in pids:
        os.kill(pid, signal.SIGUSR1)
    say("six at once", [settle(pid) for pid in pids])
    with open(daemon.path("ctx")) as f:
        say("still serves", "uid=0" in f.read())


def main():
    os.umask(0o022)
    daemon = ft.Daemon("memfs_ll", *sys.argv[1:])
    for part in files, directories, context, ioctls, polls, interrupts:
        say("== " + part.__name__)
        part(daemon)
    daemon.finish()


main()
