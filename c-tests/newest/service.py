#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Starts a file system as a service manager does, and mounts it as a mount helper does, or gets it wrong.

service.py PROGRAM FOLDER: what passes between the two, in every way; the same for every library. FOLDER is scratch.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

libc = ctypes.CDLL(None, use_errno=True)
HELLO = b"SAFT" + struct.pack(">HHI", 1, 1, 3)
# What is wrong in each run: the first message, or what answers a command.
WRONG = {
    "short hello": HELLO[:-1],
    "long hello": HELLO + b"x",
    "other hello": b"HALO" + HELLO[4:],
    "old version": b"SAFT" + struct.pack(">HHI", 0, 0, 0),
    "new version": b"SAFT" + struct.pack(">HHI", 2, 9, 0),
    "unknown flags": b"SAFT" + struct.pack(">HHI", 1, 1, 4),
    "hangs up": None,
}
FILES = ["no device", "another file", "two devices", "device refused", "no arguments", "arguments beyond the file"]
COMMANDS = ["TYPE", "NAME", "MNTP", "DOIT"]


class Helper:
    def __init__(self, program, folder, name, options="", own=()):
        self.name, self.out = name, []
        self.mountpoint = f"{folder}/{name.replace(' ', '-')}"
        self.file = f"{folder}/file"
        os.mkdir(self.mountpoint)
        # So that a socket of one run is not inherited by the others, each side is told its number only.
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        self.device = os.open("/dev/fuse", os.O_RDWR)
        start = f'exec 3<&{theirs.fileno()} {theirs.fileno()}<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec -a service "$0" "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", start, program, *own], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        theirs.close()
        self.arguments = ["fuse.kind", self.file, self.mountpoint, *(["-o", options] if options else [])]

    def say(self, line):
        self.out.append(line.replace(self.mountpoint, "MNT").replace(self.file, "FILE"))

    def memory(self):
        """The arguments, as the file system reads them."""
        texts = [argument.encode() for argument in self.arguments]
        at, table = 8 + 8 * len(texts), b""
        for text in texts:
            table += struct.pack(">II", at, len(text))
            at += len(text)
        data = b"ARGS" + struct.pack(">I", len(texts)) + table + b"".join(texts)
        if self.name == "arguments beyond the file":
            data = data[:-1]
        if self.name == "no arguments":
            data = b"ARGX" + data[4:]
        fd = os.memfd_create("args")
        os.write(fd, data)
        return fd

    def send_file(self, path, fd, error=0, fds=1):
        data = b"FILE" + struct.pack(">I", error) + path.encode() + b"\0"
        socket.send_fds(self.socket, [data], [fd] * fds if fd is not None else [])

    def begin(self):
        hello = WRONG.get(self.name, HELLO)
        if hello is None:
            return False
        self.socket.send(hello)
        if hello != HELLO:
            return False
        self.say(f"reply: {self.socket.recv(100)}")
        memory = self.memory()
        self.send_file("argv", memory)
        os.close(memory)
        if self.name == "no device":
            self.send_file("fusedev", None)
        elif self.name == "another file":
            self.send_file("fusedew", self.device)
        elif self.name == "two devices":
            self.send_file("fusedev", self.device, fds=2)
        elif self.name == "device refused":
            self.send_file("fusedev", None, error=13)
        else:
            self.send_file("fusedev", self.device)
            return True
        return False

    def mount(self, flags):
        data = f"fd={self.device},rootmode=40000,user_id=0,group_id=0{self.options}"
        result = libc.mount(self.source.encode(), self.mountpoint.encode(), self.kind.encode(), flags, data.encode())
        return ctypes.get_errno() if result else 0

    def open_file(self, path, flags):
        try:
            fd = os.open(path, flags & ~os.O_CREAT)
        except OSError as error:
            self.send_file(path, None, error=error.errno)
        else:
            self.send_file(path, fd)
            os.close(fd)

    def answer(self, message):
        """Answers one message; false after the last one."""
        what, rest = message[:4].decode(), message[4:]
        text = rest.rstrip(b"\0").decode(errors="replace")
        error = 0
        if what in ("OPEN", "BDEV"):
            flags, mode, request, block = struct.unpack(">IIII", rest[:16])
            path = rest[16:-1].decode()
            self.say(f"{what} {flags & 3} {bool(flags & os.O_CREAT)} {mode:o} {request} {block} {path} {rest[-1]}")
            self.open_file(path, flags)
            return True
        if what == "BYEE":
            self.say(f"BYEE {struct.unpack('>I', rest)[0]}")
            return False
        if what == "TYPE":
            self.kind, self.options = "fuse", ""
            self.say(f"TYPE {struct.unpack('>I', rest)[0]}")
        elif what == "MNTP":
            self.say(f"MNTP {struct.unpack('>HH', rest[:4])[0]:o} {rest[4:-1].decode()} {rest[-1]}")
        elif what == "DOIT":
            flags = struct.unpack(">I", rest)[0]
            self.say(f"DOIT {flags}")
            error = self.mount(flags) if self.name != "DOIT" else 0
        else:
            self.say(f"{what} {text}")
            if what == "NAME":
                self.source = text
            elif what == "OPTS":
                self.options = "," + text
        if self.name == what:
            error = 28
        answer = b"REPL" + struct.pack(">I", error)
        if self.name == "wrong answer":
            answer = b"REPLX"
        self.socket.send(answer)
        return True

    def serve(self):
        if not self.begin():
            return
        while message := self.socket.recv(8192):
            if not self.answer(message):
                break
        else:
            self.say("hung up without goodbye")

    def use(self):
        if not os.path.ismount(self.mountpoint):
            self.say("not mounted")
            return
        with open(f"{self.mountpoint}/f") as shown:
            self.say(f"read: {shown.read().strip()}")
        entry = [line.split() for line in open("/proc/self/mountinfo") if f" {self.mountpoint} " in line][0]
        self.say(f"source {entry[-2]}, type {entry[-3]}, {entry[5]}, {entry[-1]}")

    def run(self):
        try:
            self.serve()
            os.close(self.device)
            self.use()
        except (OSError, socket.timeout) as error:
            self.say(f"{type(error).__name__}: {error}")
        finally:
            self.socket.close()
            libc.umount2(self.mountpoint.encode(), 2)
        try:
            printed = self.process.communicate(timeout=20)[0].decode()
        except subprocess.TimeoutExpired:
            self.process.kill()
            printed = "STUCK"
        for line in printed.splitlines():
            self.say("    " + line)
        return [f"-- {self.name}", *self.out, f"exit {self.process.returncode}"]


def main():
    program, folder = sys.argv[1:]
    with open(f"{folder}/file", "w") as file:
        file.write("opened by the helper\n")
    options = "fsname=src,ro,noatime,default_permissions,user=nobody"
    helpers = [
        Helper(program, folder, "paths", options + ",allow_other", ["-s"]),
        Helper(program, folder, "nodes", options + ",nodes"),
        Helper(program, folder, "plain"),
        Helper(program, folder, "wrong answer", "nodes"),
    ]
    helpers += [Helper(program, folder, name, "nodes") for name in [*WRONG, *FILES, *COMMANDS]]
    with ThreadPoolExecutor(len(helpers)) as pool:
        for lines in pool.map(Helper.run, helpers):
            print("\n".join(lines))
    print("-- not started by a manager")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}
    for extra in [{}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}]:
        done = subprocess.run([program], env=alone | extra, capture_output=True, timeout=20)
        print(f"{done.stdout.decode()}exit {done.returncode}")


main()
