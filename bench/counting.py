# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a request costs a daemon in figures that repeat: instructions in user space, system calls.

Both are differences: what N operations more lead to, divided by N. An operation may be several
requests; a `create` with its close and removal is six.
"""
import collections
import os
import re
import shutil
import signal
import subprocess
import time

from mounts import Failed, Mount, fill, load

# A request for the filesystem's size has the daemon write down what it has counted since the last one,
# before it answers.
CALLGRIND = ("valgrind", "--tool=callgrind", "--quiet", "--fair-sched=yes", "--dump-before=*statfs")
# Beyond this many, everything that grows or is made once has been.
WARM_UP = 300


def instructions(program, bins, base, libdir, kinds, count=500, options=(), env=None):
    """For each of `kinds`, the instructions of the daemon per operation, of the "library" and of
    the "program"."""
    os.makedirs(base)
    out = os.path.join(base, "callgrind")
    wrapper = (*CALLGRIND, f"--callgrind-out-file={out}")
    found = {}
    with ready(program, bins, base, libdir, options, env, wrapper) as mount:
        for kind in kinds:
            load(bins, kind, mount.mountpoint, "-n", WARM_UP)
            write_down(mount, base, program)
            load(bins, kind, mount.mountpoint, "-n", count)
            few = write_down(mount, base, program)
            load(bins, kind, mount.mountpoint, "-n", 3 * count)
            more = write_down(mount, base, program)
            # What a run costs besides its operations is in both.
            found[kind] = {name: (more[name] - few[name]) / (2 * count) for name in more}
    shutil.rmtree(base)
    return found


def ready(program, bins, base, libdir, options, env, wrapper):
    """A mount with files in it, to be ended by `with`."""
    source = os.path.join(base, "source")
    os.makedirs(source)
    if program.source:
        fill(source)
    # What requests cost, without the thread that tries where workers are best off.
    env = dict(env or {}, FERROFUSE_PLACEMENT="never")
    mount = Mount(program, bins, base, libdir, options, env, wrapper)
    if not program.source:
        fill(mount.mountpoint)
    return mount


def write_down(mount, base, program):
    """The sums by owner since the last time."""
    os.statvfs(mount.mountpoint)
    dumps = [name for name in os.listdir(base) if re.fullmatch(r"callgrind\.\d+(-\d+)?", name)]
    sums = collections.Counter()
    for name in dumps:
        sums += by_owner(os.path.join(base, name), os.path.basename(program.file))
        os.unlink(os.path.join(base, name))
    if not sums:
        raise Failed(f"callgrind wrote nothing in {base}: {mount.said()}")
    return sums


def by_owner(path, program):
    """Whose instructions those of a dump of callgrind are: the program's, with what it calls in the
    C library, or the library's, with everything else."""
    sums, names = collections.Counter(), {}
    current, callee, inclusive = None, None, False
    with open(path) as lines:
        for line in lines:
            word, _, rest = line.partition("=")
            if word in ("ob", "cob"):
                number, _, name = rest.strip().partition(" ")
                if name:
                    names[number] = os.path.basename(name)
                if word == "ob":
                    current = names[number]
                callee = names[number]
            elif word == "calls":
                inclusive = True
            elif line[0].isdigit() or line[0] in "+-*":
                cost = int(line.split()[1])
                if not inclusive:
                    sums["program" if current == program else "library"] += cost
                elif current == program and callee.startswith(("libc.", "libc-", "ld-", "libpthread")):
                    sums["program"] += cost
                    sums["library"] -= cost
                inclusive, callee = False, current
    return sums


CALL = re.compile(r"^(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\(| resumed)")


def system_calls(program, bins, base, libdir, kinds, count=300, options=(), env=None):
    """For each of `kinds`, the system calls of the whole daemon per operation, by name."""
    os.makedirs(base)
    found = {}
    with ready(program, bins, base, libdir, options, env, ()) as mount:
        for kind in kinds:
            load(bins, kind, mount.mountpoint, "-n", WARM_UP)
            few = trace(mount.pid, base, lambda: load(bins, kind, mount.mountpoint, "-n", count))
            more = trace(mount.pid, base, lambda: load(bins, kind, mount.mountpoint, "-n", 2 * count))
            rates = {name: (more[name] - few[name]) / count for name in more}
            found[kind] = {name: rate for name, rate in rates.items() if abs(rate) >= 0.005}
    shutil.rmtree(base)
    return found


def trace(pid, base, action):
    """The calls by name that a process makes during the action."""
    path = os.path.join(base, "strace")
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", path, "-p", str(pid)],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not all_traced(pid, tracer.pid):
        if tracer.poll() is not None or time.monotonic() > deadline:
            tracer.kill()
            raise Failed(f"strace can't attach: {tracer.communicate()[1].decode().strip()}")
        time.sleep(0.005)
    action()
    tracer.send_signal(signal.SIGINT)
    tracer.wait(60)
    tracer.stderr.close()
    with open(path) as lines:
        return collections.Counter(name for line in lines if (name := call_of(line)))


def call_of(line):
    """The name of the call that a line of strace shows the end of."""
    if "<unfinished ...>" in line:
        return None
    match = CALL.match(line)
    return match[1] if match else None


def all_traced(pid, tracer):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as status:
            if f"TracerPid:\t{tracer}\n" not in status.read():
                return False
    return True
