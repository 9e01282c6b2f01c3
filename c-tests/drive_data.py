#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Data through the passthrough filesystem, against a plain directory.

Usage: drive_data.py [--hl] [daemon options]
"""
import ctypes
import hashlib
import mmap
import os
import random
import sys
import threading

import ferrotest as ft
from ferrotest import attempt

MIB = 1 << 20
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO = 1, 2, 8, 16


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def file_digest(path):
    h = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        while block := f.read(MIB):
            h.update(block)
    return h.hexdigest()[:16]


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def opened(d, name, flags=os.O_RDWR | os.O_CREAT):
    return os.open(os.path.join(d, name), flags, 0o644)


def fallocate(fd, mode, offset, length):
    return ft.sys_call(ft.libc.fallocate, fd, mode, ctypes.c_long(offset), ctypes.c_long(length))


def whole_blocks(d):
    """1 MiB reads and writes, and every size around a page and a buffer."""
    data = noise(4 * MIB, 1)
    fd = opened(d, "f")
    for i in range(4):
        yield f"write MiB {i}", os.pwrite(fd, data[i * MIB:(i + 1) * MIB], i * MIB)
    for i in range(4):
        yield f"read MiB {i}", digest(os.pread(fd, MIB, i * MIB))
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    yield "read 4 MiB at once", digest(os.pread(fd, 4 * MIB, 0))
    good = True
    for size in 1, 2, 7, 4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537, \
            131071, 131072, 131073, MIB - 1, MIB + 1:
        for off in 0, 1, 4095, 4096, 100_001:
            got = os.pread(fd, size, off)
            good = good and got == data[off:off + size]
            os.pwrite(fd, data[off:off + size], off)
    yield "sizes and offsets", good
    yield "unchanged", file_digest(os.path.join(d, "f")) == digest(data)
    os.close(fd)


def random_access(d):
    """Random reads and writes against a model in memory."""
    rng = random.Random(2)
    size = 700_001
    model = bytearray(noise(size, 3))
    fd = opened(d, "f")
    os.write(fd, model)
    wrong = 0
    for _ in range(600):
        off, n = rng.randrange(size), rng.choice((1, 100, 4096, 20_000, 130_000))
        if rng.random() < 0.5:
            block = rng.randbytes(min(n, size - off))
            model[off:off + len(block)] = block
            os.pwrite(fd, block, off)
        else:
            wrong += os.pread(fd, n, off) != bytes(model[off:off + n])
    yield "wrong reads", wrong
    os.fsync(fd)
    os.close(fd)
    yield "at the end", file_digest(os.path.join(d, "f")) == digest(model)


def end_of_file(d):
    fd = opened(d, "f")
    data = noise(10_001, 4)
    os.write(fd, data)
    for off, n in (0, 20_000), (10_000, 1), (10_000, 100), (10_001, 1), (20_000, 5), (8_000, MIB):
        yield f"read {off}+{n}", digest(os.pread(fd, n, off))
        yield f"length {off}+{n}", len(os.pread(fd, n, off))
    os.lseek(fd, -5, os.SEEK_END)
    yield "last five", os.read(fd, 100) == data[-5:]
    yield "then nothing", os.read(fd, 100)
    yield "empty write", os.pwrite(fd, b"", 50_000)
    yield "size", os.fstat(fd).st_size
    yield "extend", attempt(os.ftruncate, fd, 20_000)
    yield "zeros", os.pread(fd, 20_000, 10_001) == bytes(9_999)
    yield "shrink", attempt(os.ftruncate, fd, 5_000)
    yield "extend again", attempt(os.ftruncate, fd, 12_000)
    yield "no old bytes", os.pread(fd, 20_000, 0) == data[:5_000] + bytes(7_000)
    os.close(fd)


def sparse(d):
    fd = opened(d, "f")
    hole = 5 * (1 << 30)
    yield "write far out", os.pwrite(fd, b"far", hole)
    os.fsync(fd)
    yield "size", os.fstat(fd).st_size
    yield "few blocks", os.fstat(fd).st_blocks < 200
    yield "inside the hole", os.pread(fd, 5, 1 << 30)
    yield "across into data", os.pread(fd, 20, hole - 4)
    yield "data from 0", attempt(os.lseek, fd, 0, os.SEEK_DATA)
    yield "hole from 0", attempt(os.lseek, fd, 0, os.SEEK_HOLE)
    yield "hole from data", attempt(os.lseek, fd, hole, os.SEEK_HOLE)
    yield "data behind the end", attempt(os.lseek, fd, hole + 10, os.SEEK_DATA)
    yield "hole behind the end", attempt(os.lseek, fd, hole + 10, os.SEEK_HOLE)
    yield "seek end", os.lseek(fd, -3, os.SEEK_END)
    os.close(fd)


def fallocates(d):
    fd = opened(d, "f")
    data = noise(256 * 1024, 5)
    os.write(fd, data)
    os.fsync(fd)
    yield "punch", fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 65536, 65536)
    want = data[:65536] + bytes(65536) + data[131072:]
    yield "punched", os.pread(fd, MIB, 0) == want
    yield "hole found", attempt(os.lseek, fd, 0, os.SEEK_HOLE)
    yield "data after it", attempt(os.lseek, fd, 65536, os.SEEK_DATA)
    yield "punch a few bytes", fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 10, 100)
    want = want[:10] + bytes(100) + want[110:]
    yield "bytes punched", os.pread(fd, MIB, 0) == want
    yield "keep size", fallocate(fd, KEEP_SIZE, 0, MIB)
    yield "size kept", os.fstat(fd).st_size
    yield "grow", fallocate(fd, 0, 0, MIB)
    yield "size grown", os.fstat(fd).st_size
    yield "tail is zero", os.pread(fd, MIB, 256 * 1024) == bytes(768 * 1024)
    yield "zero range", fallocate(fd, ZERO, 0, 4096)
    yield "zeroed", os.pread(fd, 4096, 0) == bytes(4096)
    yield "collapse", fallocate(fd, COLLAPSE, 0, 4096)
    yield "length 0", fallocate(fd, 0, 0, 0)
    os.close(fd)
    fd = opened(d, "f", os.O_RDONLY)
    yield "read-only", fallocate(fd, 0, 0, 10)
    os.close(fd)


def copies(d):
    data = noise(3 * MIB + 5, 6)
    a, b = opened(d, "a"), opened(d, "b")
    os.write(a, data)
    total = 0
    while total < len(data):
        n = os.copy_file_range(a, b, MIB, total, total)
        if n == 0:
            break
        total += n
    yield "copied", total
    yield "equal", file_digest(os.path.join(d, "b")) == digest(data)
    yield "past the end", os.copy_file_range(a, b, 100, len(data), 0)
    yield "into itself", attempt(os.copy_file_range, a, a, 100, 0, 200)
    yield "overlapping", attempt(os.copy_file_range, a, a, 100, 0, 50)
    yield "some bytes", os.pread(a, 100, 200) == data[:100]
    r, w = os.pipe()
    yield "sendfile", os.sendfile(w, a, 1000, 5000)
    yield "sent", os.read(r, 2000) == data[1000:6000][:2000]
    os.close(r)
    os.close(w)
    r, w = os.pipe()
    yield "splice out", os.splice(a, w, 4096, offset_src=4096)
    yield "splice in", os.splice(r, b, 4096, offset_dst=0)
    yield "spliced", os.pread(b, 4096, 0) == data[4096:8192]
    os.close(r)
    os.close(w)
    os.close(a)
    os.close(b)


def appends(d):
    path = os.path.join(d, "f")
    fds = [opened(d, "f", os.O_WRONLY | os.O_CREAT | os.O_APPEND) for _ in range(2)]
    for i in range(50):
        os.write(fds[i % 2], f"line {i:03}\n".encode())
    with open(path) as f:
        yield "in order", f.read() == "".join(f"line {i:03}\n" for i in range(50))
    yield "large append", os.write(fds[0], noise(300_000, 7))
    yield "size", os.stat(path).st_size
    # On Linux pwrite() appends too, whatever its offset says.
    yield "pwrite", os.pwrite(fds[0], b"tail", 0)
    with open(path, "rb") as f:
        f.seek(-4, os.SEEK_END)
        yield "tail", f.read()
    fd = opened(d, "f", os.O_WRONLY | os.O_TRUNC)
    yield "O_TRUNC", os.fstat(fd).st_size
    os.write(fds[1], b"after truncate")
    os.close(fd)
    with open(path, "rb") as f:
        yield "after O_TRUNC", f.read()
    for fd in fds:
        os.close(fd)


def maps(d):
    data = noise(300_000, 8)
    fd = opened(d, "f")
    os.write(fd, data)
    with mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
        yield "private read", digest(m[:])
    with mmap.mmap(fd, 0, mmap.MAP_SHARED) as m:
        m[100_000:100_010] = b"0123456789"
        m[299_999] = 7
        yield "seen by read", os.pread(fd, 10, 100_000)
        m.flush()
        os.pwrite(fd, b"written", 200_000)
        yield "seen in the map", m[200_000:200_007]
    os.fsync(fd)
    os.close(fd)
    want = bytearray(data)
    want[100_000:100_010] = b"0123456789"
    want[200_000:200_007] = b"written"
    want[299_999] = 7
    yield "in the file", file_digest(os.path.join(d, "f")) == digest(want)


def direct(d):
    data = noise(MIB, 9)
    fd = opened(d, "f")
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)
    fd = opened(d, "f", os.O_RDWR | os.O_DIRECT)
    with mmap.mmap(-1, MIB) as page_aligned:
        for off, n in (0, MIB), (4096, 65536), (MIB - 4096, 8192), (MIB, 4096):
            with memoryview(page_aligned) as view, view[:n] as part:
                got = os.preadv(fd, [part], off)
            yield f"read {off}+{n}", got
            yield f"bytes {off}+{n}", page_aligned[:got] == data[off:off + got]
        page_aligned[:8192] = b"d" * 8192
        with memoryview(page_aligned) as view, view[:8192] as part:
            yield "write", os.pwritev(fd, [part], 12288)
    os.close(fd)
    yield "in the file", file_digest(os.path.join(d, "f")) == \
        digest(data[:12288] + b"d" * 8192 + data[20480:])


def vectors(d):
    fd = opened(d, "f")
    parts = [noise(n, n) for n in (1, 10, 4096, 5000, 70_000)]
    whole = b"".join(parts)
    yield "writev", os.writev(fd, parts)
    buffers = [bytearray(n) for n in (3, 4096, 40_000, 40_000)]
    yield "preadv", os.preadv(fd, buffers, 0)
    yield "equal", b"".join(buffers)[:len(whole)] == whole
    os.close(fd)
    fd = opened(d, "f", os.O_RDWR | os.O_SYNC)
    yield "O_SYNC", os.pwrite(fd, b"sync", 0)
    yield "fdatasync", attempt(os.fdatasync, fd)
    yield "fsync", attempt(os.fsync, fd)
    os.close(fd)
    fd = opened(d, "f", os.O_RDONLY)
    yield "write on read-only", attempt(os.write, fd, b"x")
    os.close(fd)
    fd = opened(d, "f", os.O_WRONLY)
    yield "read on write-only", attempt(os.read, fd, 1)
    os.close(fd)


def large(d):
    """128 MiB: readahead, write-back and many requests under way."""
    path = os.path.join(d, "f")
    block, h = noise(MIB, 10), hashlib.sha256()
    with open(path, "wb", buffering=0) as f:
        for i in range(128):
            b = block[i:] + block[:i]
            h.update(b)
            f.write(b)
    yield "size", os.stat(path).st_size
    yield "equal", file_digest(path) == h.hexdigest()[:16]
    with open(path, "rb", buffering=0) as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    yield "equal from cold", file_digest(path) == h.hexdigest()[:16]
    os.unlink(path)


def at_once(d):
    """Eight threads on files of their own and on one shared file."""
    shared = opened(d, "shared")
    os.ftruncate(shared, 8 * 100_000)
    bad = []

    def work(i):
        own = noise(200_000, 100 + i)
        with open(os.path.join(d, f"own{i}"), "wb", buffering=0) as f:
            for off in range(0, len(own), 10_000):
                f.write(own[off:off + 10_000])
                os.pwrite(shared, own[off // 2:off // 2 + 5_000], i * 100_000 + off // 2)
        for _ in range(3):
            if file_digest(os.path.join(d, f"own{i}")) != digest(own):
                bad.append(i)
        if os.pread(shared, 100_000, i * 100_000) != own[:100_000]:
            bad.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    yield "wrong", bad
    os.close(shared)


SCENARIOS = (whole_blocks, random_access, end_of_file, sparse, fallocates, copies, appends, maps,
             direct, vectors, large, at_once)


def main():
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    expected = {"collapse": "the kernel passes only some modes of fallocate to FUSE"}
    # The kernel refuses shared maps of files opened with direct_io.
    without = [maps] if "direct_io" in ",".join(sys.argv[1:]) else []
    scenarios = [s for s in SCENARIOS if s not in without]
    daemon = ft.passthrough(source)
    bad = 0
    for scenario in scenarios:
        native = os.path.join(ft.TMP, "native", scenario.__name__)
        os.makedirs(native)
        os.mkdir(daemon.path(scenario.__name__))
        bad += ft.compare(scenario, native, daemon.path(scenario.__name__), expected)
    daemon.finish()
    sys.exit(1 if bad else 0)


main()
