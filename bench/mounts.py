# SPDX-License-Identifier: MIT OR Apache-2.0
"""The filesystems that are compared, and a mount of one of them on one of the libraries."""
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
FUSECTL = "/sys/fs/fuse/connections"
CLONE_NEWNS, MS_PRIVATE_REC, MNT_FORCE, MNT_DETACH = 0x20000, (1 << 18) | (1 << 14), 1, 2

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """What was to be measured can't be."""


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    library: str       # what its mapped library is called; "": it has none
    file: str          # below the folder of built programs
    options: str = ""
    source: bool = True  # it shows a directory; else it begins empty
    fixed: bool = False  # neither: it has a content that can't be changed
    flags: tuple = ()

    def command(self, bins, mountpoint, source, options=()):
        words = [os.path.join(bins, self.file), mountpoint, "-f", *self.flags]
        given = [self.options] if self.options else []
        if self.source and self.library != "libfuse.so.2":
            given.append(f"source={source}")
        given += options
        return [*words, "-o", ",".join(given)] if given else words

    def environment(self, source):
        return {"FT_SOURCE": source} if self.source else {}


NO_CACHE = "attr_timeout=0,entry_timeout=0"
PROGRAMS = {p.name: p for p in (
    Program("passthrough_ll", "libfuse3.so", "passthrough_ll", "timeout=0"),
    Program("passthrough_hl", "libfuse3.so", "passthrough_hl", NO_CACHE),
    Program("memfs_ll", "libfuse3.so", "memfs_ll", "timeout=0", source=False),
    Program("passthrough2", "libfuse.so.2", "2/paths29", NO_CACHE),
    Program("socket_ll", "libfuse3.so", "memory_ll", "socket", source=False, fixed=True),
)}


def own_mount_namespace():
    """Nobody else sees what is mounted from here on. Told to end, the process ends its mounts first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_PRIVATE_REC, None) != 0:
        raise Failed(f"no mount namespace of its own: {os.strerror(ctypes.get_errno())}")


CC = ("gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")


def pkg_config(what):
    done = subprocess.run(["pkg-config", what, "fuse3"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"pkg-config: {done.stderr.strip()}")
    return done.stdout.split()


def build(out):
    """Builds the programs, with the system's headers, and the load; returns their folder."""
    c_tests = os.path.join(ROOT, "c-tests")
    names = ("passthrough_ll", "passthrough_hl", "memfs_ll")
    for command in (
        ["make", "-s", "-C", c_tests, f"OUT={out}", *(f"{out}/{name}" for name in names)],
        ["make", "-s", "-C", os.path.join(c_tests, "fuse2"), f"OUT={out}/2", f"{out}/2/paths29"],
        [*CC, os.path.join(HERE, "load.c"), "-o", os.path.join(out, "load")],
        [*CC, os.path.join(HERE, "bare.c"), "-o", os.path.join(out, "bare")],
        [*CC, f"-I{c_tests}", *pkg_config("--cflags"), os.path.join(HERE, "memory_ll.c"),
         "-o", os.path.join(out, "memory_ll"), *pkg_config("--libs")],
    ):
        os.makedirs(out, exist_ok=True)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {done.stderr}")
    return out


class Mount:
    """A program with its mount, on the system's library or on that in `libdir`."""

    def __init__(self, program, bins, base, libdir=None, options=(), env=None, wrapper=(), patience=60,
                 transport="dev"):
        self.program, self.base = program, base
        self.mountpoint = os.path.join(base, "mnt")
        self.source = os.path.join(base, "source")
        for path in self.mountpoint, self.source:
            os.makedirs(path, exist_ok=True)
        environment = dict(os.environ, **program.environment(self.source), **(env or {}))
        # What is measured must not depend on what the kernel happens to offer at the moment. And under
        # valgrind io_uring can't be used: a thread that waits in its ring keeps all others from running.
        environment["FERROFUSE_TRANSPORT"] = transport
        environment.pop("LD_LIBRARY_PATH", None)
        if libdir:
            environment["LD_LIBRARY_PATH"] = libdir
        self.log = os.path.join(base, "log")
        command = [*wrapper, *program.command(bins, self.mountpoint, self.source, options)]
        with open(self.log, "wb") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, start_new_session=True)
        self.pid = self.process.pid
        try:
            self.wait_for_mount(patience)
            self.prove_library(libdir)
        except Failed:
            self.end()
            raise

    def wait_for_mount(self, patience):
        while mounted_device(self.mountpoint) is None:
            if self.process.poll() is not None:
                raise Failed(f"{self.program.name} ended with {self.process.returncode}: {self.said()}")
            if time.monotonic() - self.started > patience:
                raise Failed(f"{self.program.name} is not mounted after {patience} s: {self.said()}")
            time.sleep(0.0005)
        # The first reply to somebody else: INIT has been answered then.
        os.stat(self.mountpoint)
        self.start_up = time.monotonic() - self.started

    def prove_library(self, libdir):
        if not self.program.library:
            return
        with open(f"/proc/{self.pid}/maps") as maps:
            mapped = {line.split()[-1] for line in maps if self.program.library in line}
        home = os.path.realpath(libdir) + "/" if libdir else ("/lib/", "/usr/lib/", "/usr/local/lib/")
        if not mapped or not all(os.path.realpath(path).startswith(home) for path in mapped):
            raise Failed(f"{self.program.name} runs on {mapped or 'no library'}, not on that in {home}")

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read().strip()

    def end(self):
        """Unmounts; what does not end then is killed, and its connection aborted."""
        if libc.umount2(os.fsencode(self.mountpoint), 0) != 0:
            libc.umount2(os.fsencode(self.mountpoint), MNT_FORCE)
            libc.umount2(os.fsencode(self.mountpoint), MNT_DETACH)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def mounted_device(mountpoint):
    """The device number of what is mounted there, or None."""
    with open("/proc/self/mountinfo") as lines:
        for fields in map(str.split, lines):
            if fields[4].encode().decode("unicode_escape") == mountpoint:
                return os.makedev(*map(int, fields[2].split(":")))
    return None


def fill(directory, many=0, tree=0, data_mib=4):
    """What the load works on: files to look at, one of data, a long directory and a tree."""
    for n in range(64):
        with open(os.path.join(directory, f"f{n}"), "w") as file:
            file.write(str(n))
    with open(os.path.join(directory, "data"), "wb") as file:
        for _ in range(data_mib * 8):
            file.write(os.urandom(128 << 10))
    os.makedirs(os.path.join(directory, "many"))
    for n in range(many):
        open(os.path.join(directory, "many", f"name-{n:06}"), "w").close()
    for n in range(tree):
        folder = os.path.join(directory, "tree", f"d{n % 23}", f"d{n % 7}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"source{n}.c"), "wb") as file:
            file.write(b"line of text\n" * (n * 37 % 1500))


def load(bins, kind, directory, *options, timeout=120):
    """Runs the load; returns operations, seconds, p50 and p99 in ns."""
    words = [os.path.join(bins, "load"), kind, directory, *map(str, options)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip()}")
    operations, seconds, p50, p99 = done.stdout.split()
    return int(operations), float(seconds), int(p50), int(p99)
