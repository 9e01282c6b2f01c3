# SPDX-License-Identifier: MIT OR Apache-2.0
"""The kernel's switch for FUSE over io_uring, which all processes of the machine share."""
import ctypes
import fcntl
import os
import subprocess
import sys
import threading

SWITCH = "/sys/module/fuse/parameters/enable_uring"
# Held shared by each process that needs the switch on; exclusively to turn it off, or to have it
# for oneself: flock /run/lock/ferrofuse-uring-switch COMMAND. It contains what the switch was
# before, if that has to be put back, so whoever is the last can do it, also for a run that was killed.
LOCK = "/run/lock/ferrofuse-uring-switch"

libc = ctypes.CDLL(None, use_errno=True)


def works():
    """None, or the reason why this process gets no io_uring."""
    libc.syscall.restype = ctypes.c_long
    parameters = ctypes.create_string_buffer(120)
    fd = libc.syscall(425, 1, parameters)  # io_uring_setup, on every architecture
    if fd < 0:
        return f"no io_uring here: {os.strerror(ctypes.get_errno())}"
    os.close(fd)
    return None


def read():
    with open(SWITCH) as f:
        return f.read().strip()


def write(state):
    with open(SWITCH, "w") as f:
        f.write(state)


class UringSwitch:
    """On while one of the threads of this process, or another process, needs it."""

    def __init__(self):
        self.mutex = threading.Lock()
        self.users = 0
        self.lock = None  # descriptor of LOCK while there are users

    def turn_on(self):
        """None, and put_back() has to follow; or the reason why not."""
        with self.mutex:
            if self.users == 0 and (reason := self.first()):
                return reason
            self.users += 1
            return None

    def put_back(self):
        with self.mutex:
            self.users -= 1
            if self.users == 0:
                self.last()

    def first(self):
        try:
            read()
        except OSError:
            return "the kernel has no FUSE over io_uring"
        os.makedirs(os.path.dirname(LOCK), exist_ok=True)
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(lock, fcntl.LOCK_SH)
        # Looked at with the lock held: who has it exclusively may change it.
        before = read()
        if before != "Y":
            try:
                write("Y")
            except OSError as e:
                os.close(lock)
                return f"enable_uring is off and can't be switched on: {e.strerror}"
            os.pwrite(lock, before.encode(), 0)
        self.lock = lock
        return None

    def last(self):
        lock, self.lock = self.lock, None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if before := os.pread(lock, 1, 0).decode():
                write(before)
                os.ftruncate(lock, 0)
        except BlockingIOError:
            pass  # another process needs it still, and puts it back
        finally:
            os.close(lock)


def main():
    """Runs a command with the switch on; its exit status, or 77 and the reason on standard error."""
    switch = UringSwitch()
    if reason := works() or switch.turn_on():
        print(reason, file=sys.stderr)
        return 77
    try:
        return subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        switch.put_back()


if __name__ == "__main__":
    sys.exit(main())
