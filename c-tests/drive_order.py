#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a process does after closing a file finds it closed: a file removed right after its close leaves
nothing behind, so that the removal of its directory succeeds.

Usage: drive_order.py ROUNDS [daemon options]
"""
import mmap
import os
import sys

import ferrotest as ft

ROUNDS = int(sys.argv[1])
CLIENTS = 4


def by_write(path):
    with open(path, "wb") as f:
        f.write(b"x" * 100)


def by_mapping(path):
    """The last use of the file ends with its mapping, of which no FLUSH tells."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, 4096)
    mapping = mmap.mmap(fd, 4096)
    os.close(fd)
    mapping[0] = 1
    mapping.close()


def by_descriptors(path):
    """The first close is not the last."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    other = os.dup(fd)
    os.close(fd)
    os.close(other)


def remove(path, other):
    os.unlink(path)


def replace(path, other):
    by_write(other)
    os.rename(other, path)
    os.unlink(path)


def removed_while_open(path, other):
    """Hidden for good reason, and gone with the last close."""
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    os.close(fd)


def client(place):
    failed = 0
    for n in range(ROUNDS):
        for use in by_write, by_mapping, by_descriptors:
            for end in remove, replace, removed_while_open:
                d = os.path.join(place, f"{n}")
                os.mkdir(d)
                use(os.path.join(d, "f"))
                end(os.path.join(d, "f"), os.path.join(d, "g"))
                try:
                    os.rmdir(d)
                except OSError as e:
                    ft.note(f"{use.__name__}, {end.__name__}: {e}")
                    failed += 1
                    place = os.path.join(place, "other")
                    os.mkdir(place)
    return failed


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    daemon = ft.Daemon("passthrough_hl", "-o", f"source={source}", *sys.argv[2:])
    pids = []
    for n in range(CLIENTS):
        if (pid := os.fork()) == 0:
            place = daemon.path(f"c{n}")
            os.mkdir(place)
            os._exit(min(client(place), 100))
        pids.append(pid)
    failed = sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)
    ft.say("removed", "all" if not failed else f"FAIL {failed} directories were not empty")
    daemon.finish()
    sys.exit(1 if failed else 0)


main()
