#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A file system of nodes for one version of the interface, served by one kind of loop.

    drive_nodes2.py VERSION LOOP [options]
"""
import os
import signal
import sys
import time

from ferrotest import attempt, die, say
from ferrotest2 import Daemon2, messages

version, loop = int(sys.argv[1]), sys.argv[2]
big = bytes(i % 251 for i in range(1 << 20))


def start():
    return Daemon2(f"nodes{version}", *sys.argv[3:], env={"FT_LOOP": loop})


daemon = start()
p = daemon.path


def read_log():
    with open(p("log")) as f:
        return f.read().splitlines()


def command(word, answer=True):
    """Gives a command, and shows the new line in the log."""
    before = len(read_log())
    fd = os.open(p("command"), os.O_WRONLY)
    os.write(fd, word.encode())
    os.close(fd)
    if not answer:
        return
    for _ in range(3000):
        lines = [line for line in read_log()[before:] if line.split()[0] in (word, "unknown")]
        if lines:
            say(f"command {word}", lines)
            return
        time.sleep(0.01)
    die(f"no answer to {word}")


def hello():
    with open(p("hello"), "rb") as f:
        return f.read()


say("names", sorted(os.listdir(p())))
say("hello", hello())
say("big", open(p("big"), "rb").read() == big)
fd = os.open(p("big"), os.O_RDONLY | os.O_DIRECT)
say("big direct", attempt(lambda: len(os.pread(fd, 1 << 17, 1 << 16))))
os.close(fd)
say("missing", attempt(os.stat, p("missing")))
say("chmod", attempt(os.chmod, p("hello"), 0o600))
say("mkdir", attempt(os.mkdir, p("dir")))
st = os.statvfs(p())
say("statfs", f"{st.f_bsize} {st.f_blocks} {st.f_bfree} {st.f_namemax}")
say("getxattr", attempt(os.getxattr, p("hello"), "user.caller"))
say("no xattr", attempt(os.getxattr, p("hello"), "user.other"))
say("listxattr", attempt(os.listxattr, p("hello")))
command("what")
command("lookups")
if version >= 29:
    say("cached", hello())
    command("set other text", answer=False)
    say("still cached", hello())
    command("inval_inode")
    say("new", hello())
    command("store")
    say("stored", hello()[:6])
    before = len(read_log())
    command("retrieve")
    for _ in range(3000):
        got = [line for line in read_log()[before:] if line.startswith("retrieved")]
        if got:
            break
        time.sleep(0.01)
    say("retrieved", got)
    command("inval_nothing")
    command("inval_unknown")
    command("inval_null")
    os.stat(p("hello"))
    command("inval_entry")
    os.stat(p("hello"))
    command("lookups")
    command("delete")
    say("after delete", attempt(os.stat, p("hello")) != "ENOENT")
say("log", [line for line in read_log() if line.split()[0] in
            ("init", "userdata", "proto_major", "proto_minor", "setattr")])
daemon.unmount()
say("exit status", daemon.wait(60))
messages(daemon.log())

# Ended by a signal: noticed at once or, by loops that only look between requests, at the next one.
daemon = start()
p = daemon.path
say("hello", hello())
daemon.signal(signal.SIGTERM)
for _ in range(600):
    if daemon.proc.poll() is not None:
        break
    attempt(os.stat, daemon.path("missing"))
    time.sleep(0.1)
say("after SIGTERM", daemon.wait(1))
