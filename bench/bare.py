# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a library adds to a bare loop: bare.c beside memory_ll.c, which answers the same by a library."""
import os

import mounts
import pairs
from workloads import Load

LOADS = (Load("read", title="4 KiB read"), Load("stat", title="stat"))
BARE = mounts.Program("bare", "", "bare", source=False, fixed=True)
PLACED = mounts.Program("bare", "", "bare", source=False, fixed=True, flags=("-p",))
ONE_THREAD = mounts.Program("memory_ll", "libfuse3.so", "memory_ll", source=False, fixed=True, flags=("-s",))
WORKERS = mounts.Program("memory_ll", "libfuse3.so", "memory_ll", source=False, fixed=True)
ONE, ANY = "client and daemon on one processor", "where the scheduler puts them"


def ways(libdir):
    """For each state of the processors what is compared, and with which library; the first is the measure."""
    alone = {"bare": (BARE, None), "libfuse -s": (ONE_THREAD, None), "ours -s": (ONE_THREAD, libdir)}
    more = {"bare, placed": (PLACED, None), "libfuse": (WORKERS, None), "ours": (WORKERS, libdir)}
    return {ONE: alone, ANY: alone | more}


def times(bins, base, libdir, most, wants):
    """Of each load (where, load, compared)."""
    found = []
    processors = os.sched_getaffinity(0)
    for number, (where, compared) in enumerate(ways(libdir).items()):
        loads = [load for load in LOADS if wants(f"bare: time {load.name} {where}")]
        mounted = {}
        try:
            # What is started from here on inherits it.
            os.sched_setaffinity(0, {min(processors)} if where == ONE else processors)
            for what, (program, library) in (compared if loads else {}).items():
                mounted[what] = mounts.Mount(program, bins, os.path.join(base, f"bare{number}", what), library)
            found += [(where, load, pairs.compare(load, bins, mounted, 0.35, min(7, most), most)) for load in loads]
        finally:
            os.sched_setaffinity(0, processors)
            for mount in mounted.values():
                mount.end()
    return found
