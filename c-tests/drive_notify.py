#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Notifications: what the kernel has cached changes only when the daemon says so.

The memory filesystem gives all entries and attributes a validity of 1000 s and
keeps file contents cached, so each step shows whether its notification worked.

Usage: drive_notify.py [daemon options]
"""
import os
import sys

import ferrotest as ft
from ferrotest import attempt, say


def main():
    daemon = ft.Daemon("memfs_ll", *sys.argv[1:])

    def command(text):
        fd = os.open(daemon.path("ctl"), os.O_RDWR)
        try:
            os.write(fd, text.encode())
            return os.pread(fd, 4000, 0).decode()
        finally:
            os.close(fd)

    def put(name, text):
        with open(daemon.path(name), "w") as f:
            f.write(text)

    def get(name):
        """Reads with no fstat, which would have the attributes fetched again: every
        read makes the cached access time, and only that, invalid."""
        fd = os.open(daemon.path(name), os.O_RDONLY)
        try:
            return os.pread(fd, 10000, 0).decode()
        finally:
            os.close(fd)

    def cached_size(name):
        fd = os.open(daemon.path(name), os.O_RDONLY)
        try:
            return os.lseek(fd, 0, os.SEEK_END)
        finally:
            os.close(fd)

    say("== inval_inode")
    put("f", "old-content")
    os.stat(daemon.path("f"))
    say("cached", get("f"))
    say("changed below", command("set f NEW-content-longer"))
    say("still cached", get("f"))
    say("size still cached", cached_size("f"))
    say("attributes only", command("inval_inode f -1 0"))
    say("new size", cached_size("f"))
    say("with data", command("inval_inode f 0 0"))
    say("new content", get("f"))
    say("a range", command("inval_inode f 0 4"))
    say("unknown inode", command("inval_inode nobody 0 0"))

    say("== inval_entry")
    put("g", "g")
    os.stat(daemon.path("g"))
    say("hidden below", command("hide g"))
    say("still there", attempt(lambda: os.stat(daemon.path("g")).st_size))
    say("invalidate", command("inval_entry g"))
    say("gone", attempt(os.stat, daemon.path("g")))
    say("uncached name", command("inval_entry never-looked-up"))
    say("empty name", command("inval_entry"))

    say("== expire_entry")
    put("e", "e")
    os.stat(daemon.path("e"))
    say("expire", command("expire_entry e"))
    say("name still works", os.stat(daemon.path("e")).st_size)

    say("== delete")
    put("d", "d")
    fd = os.open(daemon.path("d"), os.O_RDONLY)
    say("delete", command("delete d"))
    say("gone", attempt(os.stat, daemon.path("d")))
    say("open file lives", os.read(fd, 10))
    os.close(fd)
    say("again", command("delete d"))
    os.mkdir(daemon.path("dir"))
    say("a directory", command("delete dir"))
    say("gone too", attempt(os.stat, daemon.path("dir")))

    say("== store")
    put("s", "0123456789")
    fd = os.open(daemon.path("s"), os.O_RDWR)
    say("before", os.pread(fd, 20, 0))
    say("store", command("store s 2 STORED"))
    say("from the cache", os.pread(fd, 20, 0))
    say("beyond the end", command("store s 8 TAIL"))
    say("grown", os.pread(fd, 20, 0))
    say("unknown inode", command("store nobody 0 x"))
    say("drop it", command("inval_inode s 0 0"))
    say("memory again", os.pread(fd, 20, 0))
    os.close(fd)

    say("== retrieve")
    put("r", "retrieve these bytes")
    fd = os.open(daemon.path("r"), os.O_RDONLY)
    os.pread(fd, 100, 0)
    say("whole", command("retrieve r 0 20"))
    say("part", command("retrieve r 9 5"))
    say("over the end", command("retrieve r 15 4096"))
    say("after the end", command("retrieve r 100 10"))
    command("inval_inode r 0 0")
    say("not cached", command("retrieve r 0 20"))
    say("unknown inode", command("retrieve nobody 0 1"))
    os.close(fd)

    say("== under load")
    put("l", "x" * 5000)
    ok = 0
    for i in range(200):
        command(f"set l value-{i}")
        ok += command("inval_inode l 0 0") == "inval_inode: 0"
        ok += get("l") == f"value-{i}"
    say("rounds", ok)
    daemon.finish()


main()
