# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the figures were measured on."""
import os
import platform
import re
import subprocess
import time


def first(path, pattern, default="unknown"):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return default
    return found[1] if found else default


def package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def describe():
    """Lines of name and value."""
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) // 1024
    virtual = first("/proc/cpuinfo", r"^flags.*\b(hypervisor)\b", "")
    uring = first("/sys/module/fuse/parameters/enable_uring", r"(\w)", "none")
    return (
        ("processor", f"{first('/proc/cpuinfo', r'model name.*: (.*)')}, {os.cpu_count()} of them"
                      f"{', virtual' if virtual else ''}"),
        ("memory", f"{memory} MiB"),
        ("kernel", f"{platform.release()}, io_uring for FUSE: {uring}"),
        ("libfuse", f"libfuse3 {package('libfuse3-3')}, libfuse2 {package('libfuse2')}"),
    )


def foreign_load(seconds=2):
    """How much of a processor others use at the moment, in processors."""
    def busy():
        with open("/proc/stat") as file:
            numbers = [int(word) for word in file.readline().split()[1:]]
        return sum(numbers) - numbers[3] - numbers[4]
    before = busy()
    time.sleep(seconds)
    return (busy() - before) / os.sysconf("SC_CLK_TCK") / seconds
