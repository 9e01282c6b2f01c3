#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a command in which the kernel refuses a feature, as an old kernel or a sandbox does.

Usage: refuse.py FEATURE[,FEATURE...] COMMAND...

By seccomp: the command and all it starts get ENOSYS for a system call, EINVAL
for an fcntl(2) and ENOTTY for an ioctl(2). x86-64 only.
"""
import ctypes
import errno
import os
import struct
import sys

# System calls of x86-64; a second number is the value of the second argument that is refused.
FEATURES = {
    "io_uring": [(425, None)],
    "splice": [(275, None)],
    "vmsplice": [(278, None)],
    "clone_fd": [(16, 0x8004E500)],
    "F_SETPIPE_SZ": [(72, 1031)],
    "statx": [(332, None)],
    "copy_file_range": [(326, None)],
    "fsopen": [(430, None)],
}
ERRORS = {16: errno.ENOTTY, 72: errno.EINVAL}

LD, JEQ, RET = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, SECOND_ARGUMENT = 0, 24
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2


def program(names):
    """The filter: each rule looks and either refuses or goes on with the next."""
    code = []
    for number, argument in (rule for name in names for rule in FEATURES[name]):
        refuse = (RET, 0, 0, ERRNO | ERRORS.get(number, errno.ENOSYS))
        code.append((LD, 0, 0, NUMBER))
        if argument is None:
            code += [(JEQ, 0, 1, number), refuse]
        else:
            code += [(JEQ, 0, 3, number), (LD, 0, 0, SECOND_ARGUMENT), (JEQ, 0, 1, argument), refuse]
    code.append((RET, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code), len(code)


def refuse(names):
    """From here on, for this process and its children; set-user-ID programs keep their rights if this
    one has CAP_SYS_ADMIN."""
    libc = ctypes.CDLL(None, use_errno=True)
    code, length = program(names)
    memory = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", length, ctypes.addressof(memory)))
    if os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(header), 0, 0) != 0:
        sys.exit(f"refuse.py: seccomp: {os.strerror(ctypes.get_errno())}")


def main():
    names = sys.argv[1].split(",") if len(sys.argv) > 2 else []
    unknown = [name for name in names if name not in FEATURES]
    if not names or unknown:
        sys.exit(f"usage: refuse.py FEATURE[,FEATURE...] COMMAND...\nfeatures: {' '.join(FEATURES)}")
    if os.uname().machine != "x86_64":
        sys.exit("refuse.py: knows the system calls of x86-64 only")
    refuse(names)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
