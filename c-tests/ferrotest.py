# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the drivers share: a filesystem daemon under test, and the transcript.

A driver prints a transcript on stdout, made of facts that do not depend on the
run; `run` compares it between two libraries. Anything else goes to stderr.

Environment, set by `run`:
  FT_BIN       directory with the built programs
  FT_LIBDIR    directory of the library under test; empty: the system's
  FT_TMP       scratch directory of this test, removed afterwards
  FT_BOUND     seconds within which a session must end
  FT_EVIDENCE  file that gets one line per daemon: the library that it mapped
"""
import atexit
import ctypes
import errno
import os
import signal
import subprocess
import sys
import time

BIN = os.environ["FT_BIN"]
LIBDIR = os.environ.get("FT_LIBDIR", "")
TMP = os.environ["FT_TMP"]
BOUND = float(os.environ.get("FT_BOUND", "5"))
FUSECTL = "/sys/fs/fuse/connections"

libc = ctypes.CDLL(None, use_errno=True)
for _name in ("copy_file_range", "lseek", "read", "write", "getxattr", "listxattr"):
    getattr(libc, _name).restype = ctypes.c_ssize_t


def say(key, value=""):
    """One line of the transcript."""
    print(f"{key}: {value}" if value != "" else key, flush=True)


def note(text):
    """A remark for whoever debugs; not compared."""
    print(text, file=sys.stderr, flush=True)


def die(text):
    say("FAIL " + text)
    sys.exit(1)


def err_name(number):
    return errno.errorcode.get(number, str(number))


def attempt(call, *args, **kwargs):
    """The result of a call, or the name of its errno."""
    try:
        value = call(*args, **kwargs)
    except OSError as e:
        return err_name(e.errno)
    return "ok" if value is None else value


def sys_call(function, *args):
    """A libc function that reports by -1 and errno."""
    ctypes.set_errno(0)
    result = function(*args)
    return err_name(ctypes.get_errno()) if result == -1 else result


def mounted_device(mountpoint):
    """The device number of what is mounted there, or None; a look from outside, which asks
    no daemon and needs no permission of it."""
    found = None
    with open("/proc/self/mountinfo") as f:
        for fields in map(str.split, f):
            if fields[4].encode().decode("unicode_escape") == os.path.realpath(mountpoint):
                found = os.makedev(*map(int, fields[2].split(":")))
    return found


class Daemon:
    """A filesystem program in the foreground with its mount."""

    library = "libfuse3.so"  # that it must have mapped
    extra_libdir = ""        # where it looks for libraries too
    ready_word = "mounted"   # that it prints when the mount is there; None: the mount is looked for

    def __init__(self, program, *options, mountpoint=None, env=None):
        self.program = program
        self.mnt = mountpoint or os.path.join(TMP, "mnt")
        os.makedirs(self.mnt, exist_ok=True)
        self.out = os.path.join(TMP, f"{program}.{id(self)}.out")
        self.err = os.path.join(TMP, f"{program}.{id(self)}.err")
        self.status = None
        environment = dict(os.environ, **(env or {}))
        if LIBDIR or self.extra_libdir:
            environment["LD_LIBRARY_PATH"] = ":".join(filter(None, (LIBDIR, self.extra_libdir)))
        wrapper = os.environ.get("FT_WRAPPER", "").split()
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.proc = subprocess.Popen(
                wrapper + [os.path.join(BIN, program), self.mnt, "-f", *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        self.pid = self.proc.pid
        atexit.register(self.clean)
        deadline = time.monotonic() + 60
        while True:
            if self.proc.poll() is not None:
                die(f"{program} ended with {self.proc.returncode}: {self.log()}")
            # "mounted" comes after the mount is there, so stat can't be too early.
            if self.ready():
                break
            if time.monotonic() > deadline:
                die(f"{program} is not mounted after 60 s: {self.log()}")
            time.sleep(0.005)
        self.dev = mounted_device(self.mnt)
        if self.dev is None:
            die(f"{program}: nothing mounted on {self.mnt}")
        self.prove_library()

    def ready(self):
        if self.ready_word is None:
            return mounted_device(self.mnt) is not None
        return self.ready_word in self.report()

    def prove_library(self):
        """The daemon must have mapped the library that this run is about."""
        with open(f"/proc/{self.pid}/maps") as maps:
            mapped = sorted({line.split()[-1] for line in maps if self.library in line})
        if evidence := os.environ.get("FT_EVIDENCE"):
            with open(evidence, "a") as f:
                f.write(f"{self.program}: {' '.join(mapped)}\n")
        if LIBDIR:
            home = os.path.realpath(LIBDIR) + "/"
            good = mapped and all(os.path.realpath(p).startswith(home) for p in mapped)
        else:
            good = mapped and all(p.startswith(("/lib/", "/usr/lib/", "/usr/local/lib"))
                                  for p in mapped)
        if not good:
            die(f"{self.program} runs on {mapped}, not on {LIBDIR or 'the system library'}")

    def path(self, *parts):
        return os.path.join(self.mnt, *parts)

    def report(self):
        with open(self.out) as f:
            return f.read().split()

    def log(self):
        with open(self.err, errors="replace") as f:
            return f.read().strip()

    def connection(self):
        return os.path.join(FUSECTL, str(os.minor(self.dev)))

    def abort(self):
        with open(os.path.join(self.connection(), "abort"), "w") as f:
            f.write("1")

    def unmount(self):
        subprocess.run(["umount", self.mnt], check=True)

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, bound=None):
        """The exit status, or None when the daemon outlives the bound."""
        try:
            return self.proc.wait(BOUND if bound is None else bound)
        except subprocess.TimeoutExpired:
            return None

    def finish(self):
        """Unmounts; everything must end well. The usual last step of a driver."""
        self.unmount()
        status = self.wait(60 if os.environ.get("FT_WRAPPER") else max(BOUND, 5))
        if status != 0:
            die(f"{self.program} after umount: status {status}; {self.log()}")
        say("daemon", " ".join(self.report()))

    def clean(self):
        """Whatever happened: no mount and no process stays."""
        if self.proc.poll() is None:
            libc.umount2(os.fsencode(self.mnt), 1)  # MNT_FORCE aborts the connection
            libc.umount2(os.fsencode(self.mnt), 2)  # MNT_DETACH
            try:
                self.proc.wait(2)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        libc.umount2(os.fsencode(self.mnt), 2)


def passthrough(source):
    """The passthrough filesystem with the driver's arguments; with --hl first, the path-based one."""
    arguments = sys.argv[1:]
    program = "passthrough_ll"
    if arguments[:1] == ["--hl"]:
        program = "passthrough_hl"
        del arguments[0]
    return Daemon(program, "-o", f"source={source}", *arguments)


def high_level():
    """Whether the driver was asked for the path-based passthrough filesystem."""
    return sys.argv[1:2] == ["--hl"]


def compare(scenario, native_dir, mount_dir, expected=()):
    """Runs scenario(dir), a generator of (key, value), on a plain directory and on
    the mount. The plain directory is the oracle: a difference is an error, unless
    its key is in `expected`, a dict of key and reason."""
    expected = dict(expected)
    native = list(scenario(native_dir))
    bad = 0
    for (key, want), (key2, got) in zip(native, scenario(mount_dir), strict=True):
        if key != key2:
            die(f"{scenario.__name__}: step {key2} instead of {key}")
        say(f"{scenario.__name__}.{key}", got)
        if got != want and key not in expected:
            say(f"FAIL {scenario.__name__}.{key}", f"a plain directory gives {want}")
            bad += 1
    return bad


def run_child(function):
    """function() in a forked child; its result, sent as text."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        try:
            os.close(r)
            os.write(w, str(function()).encode())
        except BaseException as e:  # the parent has to hear of anything
            os.write(w, f"exception {e!r}".encode())
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        text = f.read().decode()
    os.waitpid(pid, 0)
    return text
