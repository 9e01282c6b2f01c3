# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the drivers for libfuse 2 share, on top of ferrotest."""
import os
import sys

import ferrotest
from ferrotest import TMP, say


class Daemon2(ferrotest.Daemon):
    """A program of libfuse 2. It is mounted once it is seen to be."""
    library = "libfuse.so.2"
    ready_word = None


def own():
    """Whether the library under test runs, not the system's."""
    return bool(ferrotest.LIBDIR)


def source_tree():
    """A fresh directory to be shown."""
    path = os.path.join(TMP, "source")
    os.mkdir(path)
    return path


def traced(path, skip=()):
    """The lines of a trace, without those that the kernel's caches make come and go."""
    with open(path) as f:
        lines = f.read().splitlines()
    often = ("getattr", "access", "getxattr", "opendir", "readdir", "releasedir", "flush", "release",
             "fgetattr", "readlink", "read", "read_buf", "write", "write_buf", "statfs")
    for line in lines:
        word = line.split()[0]
        if word not in often and word not in skip:
            say("call", line)
    say("called", " ".join(sorted({line.split()[0] for line in lines})))


def messages(text):
    """Prints what our programs said on standard error; the libraries have a wording each."""
    for line in text.splitlines():
        if line.split(" ")[0] in ("channel", "cleanup", "destroy", "loop", "module", "processed",
                                  "relay", "session", "spliced"):
            say("says", line)
