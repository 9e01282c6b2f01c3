# SPDX-License-Identifier: MIT OR Apache-2.0
"""The tests of libfuse.so.2, for `run`."""

# See KNOWN in `run`.
KNOWN = (
    ("chan2", "--own",
     "a notification through a channel without session: libfuse 2.9 crashes. Only asked of the "
     "library under test."),
    ("chan2", "fuse_session_loop() over a session of fuse_session_new()",
     "libfuse 2.9 crashes: the test has a loop of its own."),
    ("loops2", "fuse_loop_mt_proc()",
     "libfuse 2.9 crashes. Only asked of the library under test."),
    ("loops2", "end of a module from libfusemod_NAME.so",
     "libfuse 2.9 fails an assertion now and then: its exit status is not looked at."),
    ("paths2-11", "fsync",
     "libfuse 2.9 calls `release` of a program of interface 1.1 for flush, and `fsync` for release: "
     "when `fsync` is called is not compared."),
    ("main2", "large_read",
     "the system's library hands it to the kernel, which refuses it now: not asked."),
    ("main2", "help and the version with a mountpoint",
     "libfuse 2.9 then unmounts what others have mounted there. The library under test must leave it."),
    ("paths2-*", "sizes of writes",
     "larger on the library under test: what is written is compared, not in how many pieces."),
)

VERSIONS = 11, 21, 22, 25, 26, 28, 29


def tests(drive, test, options):
    """All of them; drive(name, driver, arguments...) and test(name, command) make one."""
    yield test("chan2", ["{bin}/chan2"], own_args=["--own"], fuse2=True)
    yield test("cuse2", ["{bin}/cuse2"], fuse2=True)
    yield drive("bind2", "bind2", fuse2=True)
    for version in VERSIONS:
        yield drive(f"paths2-{version}", "paths2", str(version), fuse2=True, headers=True)
    for name, version, settings in (
        ("getdir", 26, ["FT_WITHOUT=,readdir,"]),
        ("offsets", 25, ["FT_OFFSETS=1"]),
        ("no_create", 26, ["FT_WITHOUT=,create,"]),
        ("no_fd_ops", 26, ["FT_WITHOUT=,ftruncate,fgetattr,"]),
        ("utime", 26, ["FT_WITHOUT=,utimens,"]),
        ("utime_omit_ok", 29, ["FT_FLAGS=utime_omit_ok"]),
        ("nullpath_ok", 28, ["FT_FLAGS=nullpath_ok", "-o", "hard_remove"]),
        ("nopath", 29, ["FT_FLAGS=nullpath_ok,nopath", "-o", "hard_remove"]),
        ("nopath_option", 29, ["FT_FLAGS=nullpath_ok", "-o", "nopath,hard_remove"]),
        ("hard_remove", 29, ["-o", "hard_remove"]),
        ("no_lock", 29, ["FT_WITHOUT=,lock,"]),
        ("no_bufs", 29, ["FT_WITHOUT=,read_buf,write_buf,"]),
        ("big_writes", 29, ["-o", "big_writes"]),
        ("atomic_o_trunc", 29, ["-o", "atomic_o_trunc"]),
        ("old_options", 22, ["-o", "attr_timeout=0,entry_timeout=0,max_read=8192"]),
    ):
        yield drive(f"paths2-{version}-{name}", "paths2", str(version), *settings, fuse2=True,
                    splice=name == "nopath")
    for version in 24, 25, 26, 29:
        for loop in ("single", "mt", "recv", "relay", "splice", *(("buf",) if version == 29 else ())):
            yield drive(f"nodes2-{version}-{loop}", "nodes2", str(version), loop, fuse2=True,
                        headers=loop == "relay", splice=(version, loop) == (29, "single"))
    # With the check there is a lock that each request takes: most likely it is some other thread's at a fork.
    for mode, args, check in ("mt", [], "0"), ("st", ["-s"], "0"), ("check", [], "1"):
        yield test(f"children2-{mode}", ["env", f"FERROFUSE_CHECK={check}", "{bin}/children2", "{tmp}/mnt",
                                   f"children={options.children}", *args],
                   system="a child may hang for a lock (seen)", compare=False,
                   limit=60 + options.children / 5, fuse2=True)
    for mode, args in ("mt", []), ("st", ["-s"]):
        yield drive(f"inside2-{mode}", "inside", "inside2", *args, fuse2=True, compare=False, limit=180,
                    system="a notification from inside a handler hangs in the kernel")
        yield drive(f"misuse2-{mode}", "misuse", "misuse2", *args, fuse2=True, compare=False, limit=180,
                    system="the system's library crashes")
        yield drive(f"exits2-{mode}", "exits", "exits2", *args, fuse2=True, limit=180)
        yield drive(f"slow_helper2-{mode}", "slow_helper", "exits2", *args, fuse2=True,
                    needs=("setpriv", "fusermount3"))
        for where in [], ["threads"]:
            yield test("-".join(["two_loops2", *where, mode]), ["{bin}/two_loops2", *where, "{tmp}/mnt", *args],
                       fuse2=True)
        yield test(f"cancelled2-{mode}", ["{bin}/cancelled2", "{tmp}/mnt", *args], fuse2=True)
    yield drive("no_helper2", "no_helper", "no_helper2", fuse2=True, needs=("setpriv",))
    yield drive("loops2", "loops2", fuse2=True, limit=120)
    yield drive("main2", "main2", fuse2=True, limit=120)
    yield drive("killed2", "killed", "2", fuse2=True, system="is about io_uring", compare=False,
                needs=("fusermount",))
    yield drive("debug2", "debug", "2", fuse2=True)
    yield drive("bad_args2", "bad_args", "2", fuse2=True, system="crashes on much of it", compare=False)
    yield drive("both", "both", fuse2=True)
