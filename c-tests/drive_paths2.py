#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A file system of paths for one version of the interface: what programs see and what is called.

    drive_paths2.py VERSION [NAME=VALUE...] [options]

NAME=VALUE goes to the environment of the daemon, see c-tests/fuse2/paths2.h.
"""
import array
import errno
import fcntl
import os
import select
import stat
import subprocess
import sys
import time

from ferrotest import TMP, attempt, die, say
from ferrotest2 import Daemon2, source_tree, traced

version = int(sys.argv[1])
settings = dict(a.split("=", 1) for a in sys.argv[2:] if a.startswith("FT_"))
options = [a for a in sys.argv[2:] if not a.startswith("FT_")]
trace = os.path.join(TMP, "trace")
source = source_tree()
with open(os.path.join(source, "there"), "w") as f:
    f.write("there from the start\n")
os.mkdir(os.path.join(source, "full"))
for i in range(300):
    os.close(os.open(os.path.join(source, "full", f"entry-{i:03}"), os.O_CREAT))

daemon = Daemon2(f"paths{version}", "-s", *options,
                 env={"FT_SOURCE": source, "FT_TRACE": trace, **settings})
p = daemon.path


def shown(path):
    st = os.lstat(path)
    return f"{stat.filemode(st.st_mode)} {st.st_nlink} {st.st_size if not stat.S_ISDIR(st.st_mode) else '-'}"


def names():
    say("root", sorted(os.listdir(p())))
    say("full", len(os.listdir(p("full"))))
    say("there", open(p("there")).read().strip())
    say("no such", attempt(os.stat, p("missing")))
    say("mkdir", attempt(os.mkdir, p("dir"), 0o750))
    say("mkdir again", attempt(os.mkdir, p("dir")))
    say("symlink", attempt(os.symlink, "target", p("link")))
    say("readlink", os.readlink(p("link")))
    say("mkfifo", attempt(os.mkfifo, p("fifo"), 0o640))
    say("mknod", attempt(os.mknod, p("node"), stat.S_IFREG | 0o604))
    say("link", attempt(os.link, p("node"), p("dir/other")))
    say("rename", attempt(os.rename, p("dir/other"), p("renamed")))
    say("rename away", attempt(os.rename, p("missing"), p("renamed")))
    for name in "dir", "link", "fifo", "node", "renamed":
        say(name, shown(p(name)))
    say("chmod", attempt(os.chmod, p("node"), 0o4711))
    say("chown", attempt(os.chown, p("node"), 12, 34))
    st = os.stat(p("node"))
    say("node", f"{oct(st.st_mode)} {st.st_uid} {st.st_gid}")
    say("rmdir full", attempt(os.rmdir, p("full")))
    say("rmdir", attempt(os.rmdir, p("dir")))
    say("unlink", attempt(os.unlink, p("renamed")))
    say("unlink dir", attempt(os.unlink, p("full")))


def times():
    for name, ns in (("both", (1_111_111_111_222_333_444, 1_222_222_222_333_444_555)),):
        say(f"utime {name}", attempt(os.utime, p("node"), ns=ns))
        st = os.stat(p("node"))
        say("times", f"{st.st_atime_ns} {st.st_mtime_ns}")
    for what in ["-a", "-m", ""]:
        os.utime(p("node"), ns=(10**18, 2 * 10**18))
        r = subprocess.run(["touch", "-c", *what.split(), p("node")])
        st = os.stat(p("node"))
        kept = [st.st_atime_ns == 10**18, st.st_mtime_ns == 2 * 10**18]
        near = [abs(t - time.time()) < 600 for t in (st.st_atime, st.st_mtime)]
        say(f"touch {what}", f"{r.returncode} kept {kept} now {near}")


def data():
    fd = os.open(p("data"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    say("write", os.pwrite(fd, b"0123456789" * 1000, 0))
    say("read", os.pread(fd, 10, 5005))
    say("past the end", os.pread(fd, 10, 10**6))
    say("ftruncate", attempt(os.ftruncate, fd, 4000))
    say("fstat", os.fstat(fd).st_size)
    say("fsync", attempt(os.fsync, fd))
    say("fdatasync", attempt(os.fdatasync, fd))
    os.close(fd)
    say("truncate", attempt(os.truncate, p("data"), 100))
    say("size", os.stat(p("data")).st_size)
    fd = os.open(p("data"), os.O_WRONLY | os.O_APPEND)
    say("append", os.write(fd, b"end"))
    os.close(fd)
    fd = os.open(p("data"), os.O_WRONLY | os.O_TRUNC)
    say("truncated by open", os.fstat(fd).st_size)
    os.close(fd)
    large = os.urandom(3 << 20)
    for name in "direct", "keep", "cached":
        with open(p(name), "wb", buffering=0) as f:
            for at in range(0, len(large), 1 << 20):
                f.write(large[at:at + (1 << 20)])
        with open(p(name), "rb", buffering=0) as f:
            got = b"".join(iter(lambda: f.read(1 << 17), b""))
        below = open(os.path.join(source, name), "rb").read()
        say(name, f"{got == large} {below == large}")
        os.unlink(p(name))


def removed_while_open():
    fd = os.open(p("gone"), os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"still here")
    say("unlink open", attempt(os.unlink, p("gone")))
    say("listed", [n for n in os.listdir(p()) if "hidden" not in n and n == "gone"])
    say("fstat gone", attempt(lambda: os.fstat(fd).st_nlink))
    say("read gone", attempt(os.pread, fd, 10, 0))
    say("write gone", attempt(os.pwrite, fd, b"more", 10))
    say("ftruncate gone", attempt(os.ftruncate, fd, 3))
    say("fchmod gone", attempt(os.fchmod, fd, 0o640))
    say("fsync gone", attempt(os.fsync, fd))
    say("close gone", attempt(os.close, fd))
    for _ in range(400):
        left = [n for n in os.listdir(source) if "hidden" in n]
        if not left or "hard_remove" in " ".join(options):
            break
        time.sleep(0.05)
    say("left", len(left))


def the_rest():
    st = os.statvfs(p())
    say("statfs", f"{st.f_bsize} {st.f_frsize} {st.f_blocks} {st.f_bfree} {st.f_bavail} "
                  f"{st.f_files} {st.f_ffree} {st.f_namemax}")
    say("setxattr", attempt(os.setxattr, p("node"), "user.a", b"value"))
    say("getxattr", attempt(os.getxattr, p("node"), "user.a"))
    say("listxattr", attempt(os.listxattr, p("node")))
    say("removexattr", attempt(os.removexattr, p("node"), "user.a"))
    say("getxattr removed", attempt(os.getxattr, p("node"), "user.a"))
    fd = os.open(p(), os.O_RDONLY)
    say("fsyncdir", attempt(os.fsync, fd))
    os.close(fd)
    fd = os.open(p("node"), os.O_RDWR)
    say("lock", attempt(fcntl.lockf, fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
    say("unlock", attempt(fcntl.lockf, fd, fcntl.LOCK_UN))
    say("flock", attempt(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
    say("fallocate", attempt(os.posix_fallocate, fd, 0, 5000) if version >= 29 else "not there")
    number = array.array("i", [0])
    get, put = 0x80044501, 0x40044502
    got = attempt(fcntl.ioctl, fd, get, number)
    say("ioctl get", got)
    if got == 5:
        say("number", number[0])
    say("ioctl set", attempt(fcntl.ioctl, fd, put, array.array("i", [17])))
    say("ioctl none", attempt(fcntl.ioctl, fd, 0x80044509, number))
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLOUT)
    say("poll", [event for _, event in poll.poll(10000)])
    os.close(fd)


names()
times()
data()
removed_while_open()
the_rest()
if "nopath" not in settings.get("FT_FLAGS", "") and os.listdir(source) == []:
    die("the source is empty")
daemon.unmount()
say("exit status", daemon.wait(60))
# libfuse 2.9 has `release` and `fsync` of interface 1.1 one slot off, and calls one for the other.
traced(trace, skip=("fsync",) if version == 11 else ())
