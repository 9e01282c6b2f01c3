#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""One process with both libraries in it serves two mounts at once."""
import os
import subprocess
import threading
import time

from ferrotest import BIN, LIBDIR, TMP, die, libc, mounted_device, say

mounts = [os.path.join(TMP, name) for name in ("two", "three")]
for m in mounts:
    os.mkdir(m)
environment = dict(os.environ)
if LIBDIR:
    environment["LD_LIBRARY_PATH"] = LIBDIR
out = open(os.path.join(TMP, "both.out"), "w+")
process = subprocess.Popen(
    [os.path.join(BIN, "both"), os.path.join(BIN, "plugin2.so"), mounts[0],
     os.path.join(BIN, "plugin3.so"), mounts[1]],
    stdin=subprocess.DEVNULL, stdout=out, env=environment)
try:
    for _ in range(3000):
        if all(mounted_device(m) is not None for m in mounts) or process.poll() is not None:
            break
        time.sleep(0.01)
    if process.poll() is not None:
        die(f"ended with {process.poll()}")
    with open(f"/proc/{process.pid}/maps") as f:
        mapped = {line.split()[-1] for line in f if "libfuse" in line}
    for name in "libfuse.so.2", "libfuse3.so.3":
        paths = [os.path.realpath(path) for path in mapped if name in path]
        home = os.path.realpath(LIBDIR) if LIBDIR else "/"
        if not paths or not all(path.startswith(home) for path in paths):
            die(f"{name}: maps {sorted(mapped)}")
    wrong = []

    def reader(m, text):
        for _ in range(300):
            fd = os.open(os.path.join(m, "file"), os.O_RDONLY)
            if os.read(fd, 100) != text:
                wrong.append(m)
            os.close(fd)

    threads = [threading.Thread(target=reader, args=pair)
               for pair in zip(mounts * 2, [b"two\n", b"three\n"] * 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    say("wrong reads", len(wrong))
    for m in mounts:
        subprocess.run(["umount", m], check=True)
        say("unmounted", os.path.basename(m))
    say("exit status", process.wait(60))
    out.seek(0)
    say("output", out.read().split("\n")[1:])
finally:
    for m in mounts:
        libc.umount2(os.fsencode(m), 1)
        libc.umount2(os.fsencode(m), 2)
    if process.poll() is None:
        process.kill()
        process.wait()
