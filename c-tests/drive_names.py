#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The passthrough filesystem's names and attributes, against a plain directory.

Usage: drive_names.py [--hl] [daemon options]
"""
import ctypes
import os
import stat
import sys
import time

import ferrotest as ft
from ferrotest import attempt

AT_FDCWD = -100
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4


def rename2(old, new, flags):
    return ft.sys_call(ft.libc.renameat2, AT_FDCWD, os.fsencode(old), AT_FDCWD,
                       os.fsencode(new), flags)


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


def get(path):
    with open(path, "rb") as f:
        return f.read()


def mode_of(path):
    return oct(os.lstat(path).st_mode)


def closed(d):
    """Waits for the last closes of removed files in d: close() does not wait for RELEASE, so with either
    library a removed file may still stand there by its hidden name."""
    end = time.monotonic() + 20
    while any(name.startswith(".fuse_hidden") for name in os.listdir(d)) and time.monotonic() < end:
        time.sleep(0.01)


def make_and_remove(d):
    j = lambda *p: os.path.join(d, *p)
    yield "mkdir", attempt(os.mkdir, j("dir"), 0o750)
    yield "mkdir again", attempt(os.mkdir, j("dir"))
    yield "dir mode", mode_of(j("dir"))
    yield "create", attempt(lambda: os.close(os.open(j("f"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)))
    yield "create excl again", attempt(os.open, j("f"), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    yield "file mode", mode_of(j("f"))
    for name, mode in ("fifo", stat.S_IFIFO | 0o600), ("sock", stat.S_IFSOCK | 0o600), \
            ("reg", stat.S_IFREG | 0o604):
        yield f"mknod {name}", attempt(os.mknod, j(name), mode)
        yield f"{name} mode", mode_of(j(name))
    yield "mknod chr", attempt(os.mknod, j("chr"), stat.S_IFCHR | 0o600, os.makedev(1, 3))
    yield "chr rdev", os.lstat(j("chr")).st_rdev
    yield "open of a missing file", attempt(os.open, j("missing"), os.O_RDONLY)
    yield "lookup below a file", attempt(os.lstat, j("f", "x"))
    yield "rmdir of a file", attempt(os.rmdir, j("f"))
    yield "unlink of a dir", attempt(os.unlink, j("dir"))
    put(j("dir", "inner"), b"x")
    yield "rmdir not empty", attempt(os.rmdir, j("dir"))
    yield "unlink", attempt(os.unlink, j("dir", "inner"))
    closed(j("dir"))
    yield "rmdir", attempt(os.rmdir, j("dir"))
    yield "rmdir again", attempt(os.rmdir, j("dir"))
    closed(d)
    yield "left", sorted(os.listdir(d))


def links(d):
    j = lambda *p: os.path.join(d, *p)
    put(j("a"), b"content")
    yield "link", attempt(os.link, j("a"), j("b"))
    yield "nlink", (os.stat(j("a")).st_nlink, os.stat(j("b")).st_nlink)
    yield "same inode", os.stat(j("a")).st_ino == os.stat(j("b")).st_ino
    put(j("b"), b"changed by the other name")
    yield "content by the first", get(j("a"))
    yield "link exists", attempt(os.link, j("a"), j("b"))
    yield "link of a dir", (os.mkdir(j("d")), attempt(os.link, j("d"), j("d2")))[1]
    yield "unlink first", attempt(os.unlink, j("a"))
    yield "nlink after", os.stat(j("b")).st_nlink
    for name, target in ("sb", "b"), ("sn", "nowhere/at all"), ("sa", "/absolute"), ("sx", "x" * 4000):
        yield f"symlink {name}", attempt(os.symlink, target, j(name))
        yield f"readlink {name}", os.readlink(j(name)) == target
    yield "through symlink", get(j("sb"))
    yield "size of symlink", os.lstat(j("sx")).st_size
    yield "dangling", attempt(os.stat, j("sn"))
    yield "readlink of a file", attempt(os.readlink, j("b"))
    yield "loop", (os.symlink("loop", j("loop")), attempt(os.stat, j("loop")))[1]
    yield "hard link to symlink", attempt(os.link, j("sb"), j("sb2"), follow_symlinks=False)
    yield "is symlink", os.path.islink(j("sb2"))


def renames(d):
    j = lambda *p: os.path.join(d, *p)
    put(j("a"), b"A")
    put(j("b"), b"B")
    os.mkdir(j("d"))
    os.mkdir(j("full"))
    put(j("full", "x"), b"X")
    yield "noreplace exists", rename2(j("a"), j("b"), RENAME_NOREPLACE)
    yield "noreplace new", rename2(j("a"), j("c"), RENAME_NOREPLACE)
    yield "exchange", rename2(j("b"), j("c"), RENAME_EXCHANGE)
    yield "contents", (get(j("b")), get(j("c")))
    yield "exchange file and dir", rename2(j("b"), j("full"), RENAME_EXCHANGE)
    yield "now a dir", (os.path.isdir(j("b")), get(j("full")))
    yield "exchange missing", rename2(j("b"), j("none"), RENAME_EXCHANGE)
    yield "both flags", rename2(j("b"), j("c"), RENAME_EXCHANGE | RENAME_NOREPLACE)
    yield "unknown flag", rename2(j("b"), j("c"), 1 << 10)
    yield "plain over a file", attempt(os.rename, j("full"), j("c"))
    yield "replaced", get(j("c"))
    yield "into a dir", attempt(os.rename, j("c"), j("d", "c"))
    yield "file over dir", attempt(os.rename, j("d", "c"), j("b"))
    yield "dir over full dir", attempt(os.rename, j("d"), j("b"))
    yield "dir into itself", attempt(os.rename, j("b"), j("b", "sub"))
    yield "missing", attempt(os.rename, j("zzz"), j("y"))
    yield "left", sorted(os.listdir(d))
    with open(j("d", "c"), "rb") as f:
        os.rename(j("d", "c"), j("moved"))
        yield "open across rename", f.read()


def long_names(d):
    j = lambda *p: os.path.join(d, *p)
    name = "n" * 255
    put(j(name), b"long")
    yield "255 bytes", get(j(name))
    yield "listed", name in os.listdir(d)
    yield "256 bytes", attempt(os.open, j("n" * 256), os.O_CREAT | os.O_WRONLY)
    raw = os.fsencode(d) + b"/\xff\xfe\x80 \n\t%s*?"
    put(raw, b"raw")
    yield "raw bytes", get(raw)
    yield "raw listed", os.path.basename(raw) in os.listdir(os.fsencode(d))
    at = os.open(d, os.O_RDONLY)
    for _ in range(120):
        os.mkdir("deep-directory-name", dir_fd=at)
        below = os.open("deep-directory-name", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    fd = os.open("bottom", os.O_CREAT | os.O_RDWR, dir_fd=at)
    yield "deep write", os.write(fd, b"bottom")
    yield "deep read", os.pread(fd, 10, 0)
    os.close(fd)
    os.close(at)
    yield "depth by path", attempt(get, j(*["deep-directory-name"] * 120, "bottom"))


def attributes(d):
    j = lambda *p: os.path.join(d, *p)
    put(j("f"), b"0123456789")
    os.symlink("f", j("s"))
    for mode in 0o600, 0o4755, 0o2755, 0o1777, 0:
        yield f"chmod {mode:o}", attempt(os.chmod, j("f"), mode)
        yield f"mode {mode:o}", mode_of(j("f"))
    yield "fchmod", with_fd(j("f"), os.O_RDWR, lambda fd: os.fchmod(fd, 0o644))
    yield "chown", attempt(os.chown, j("f"), 1234, 4321)
    yield "chown uid only", attempt(os.chown, j("f"), 77, -1)
    yield "lchown of a symlink", attempt(os.lchown, j("s"), 5, 6)
    yield "owners", [(os.lstat(j(n)).st_uid, os.lstat(j(n)).st_gid) for n in "fs"]
    yield "utime ns", attempt(os.utime, j("f"), ns=(1_000_000_000_123_456_789, 1_500_000_000_987_654_321))
    yield "times", (os.stat(j("f")).st_atime_ns, os.stat(j("f")).st_mtime_ns)
    yield "utime before 1970", attempt(os.utime, j("f"), ns=(-5_000_000_000, -1))
    yield "old times", (os.stat(j("f")).st_atime_ns, os.stat(j("f")).st_mtime_ns)
    yield "utime of a symlink", attempt(os.utime, j("s"), ns=(11, 22), follow_symlinks=False)
    yield "symlink mtime", os.lstat(j("s")).st_mtime_ns
    yield "omit atime", utimens(j("f"), UTIME_OMIT, 333)
    yield "after omit", (os.stat(j("f")).st_atime_ns, os.stat(j("f")).st_mtime_ns)
    yield "now", utimens(j("f"), 5, UTIME_NOW)
    st = os.stat(j("f"))
    yield "after now", (st.st_atime_ns, st.st_mtime_ns > 1_600_000_000 * 10**9)
    yield "futimens", with_fd(j("f"), os.O_RDWR, lambda fd: os.utime(fd, ns=(1, 2)))
    for size in 4, 100_000, 0, 5 << 30, 10:
        yield f"truncate {size}", attempt(os.truncate, j("f"), size)
        yield f"size {size}", os.stat(j("f")).st_size
    yield "ftruncate", with_fd(j("f"), os.O_RDWR, lambda fd: os.ftruncate(fd, 3))
    yield "content", get(j("f"))
    yield "ftruncate read-only", with_fd(j("f"), os.O_RDONLY, lambda fd: os.ftruncate(fd, 3))
    yield "truncate of a dir", attempt(os.truncate, d, 0)
    for mask in os.F_OK, os.R_OK, os.W_OK, os.X_OK:
        yield f"access {mask}", os.access(j("f"), mask)
    yield "access missing", os.access(j("none"), os.F_OK)
    vfs = os.statvfs(d)
    yield "statvfs", (vfs.f_bsize, vfs.f_namemax, vfs.f_blocks, vfs.f_files)
    yield "dot dot", os.stat(j("sub", "..") if not os.mkdir(j("sub")) else d).st_ino == os.stat(d).st_ino


UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2


def utimens(path, atime_ns, mtime_ns):
    tv = (ctypes.c_long * 4)(0, atime_ns, 0, mtime_ns)
    return ft.sys_call(ft.libc.utimensat, AT_FDCWD, os.fsencode(path), tv, 0)


def with_fd(path, flags, call):
    fd = os.open(path, flags)
    try:
        return attempt(call, fd)
    finally:
        os.close(fd)


def xattrs(d):
    path = os.path.join(d, "f")
    raw = os.fsencode(path)
    put(path, b"x")
    get_raw = lambda name, size: ft.sys_call(ft.libc.getxattr, raw, name,
                                             ctypes.create_string_buffer(max(size, 1)), size)
    list_raw = lambda size: ft.sys_call(ft.libc.listxattr, raw,
                                        ctypes.create_string_buffer(max(size, 1)), size)
    yield "empty list", [n for n in os.listxattr(path) if n.startswith("user.")]
    yield "set", attempt(os.setxattr, path, "user.one", b"value one")
    yield "get", attempt(os.getxattr, path, "user.one")
    yield "set binary", attempt(os.setxattr, path, "user.two", bytes(range(256)))
    yield "get binary", os.getxattr(path, "user.two") == bytes(range(256))
    yield "set empty", attempt(os.setxattr, path, "user.empty", b"")
    yield "get empty", attempt(os.getxattr, path, "user.empty")
    yield "list", sorted(n for n in os.listxattr(path) if n.startswith("user."))
    yield "create exists", attempt(os.setxattr, path, "user.one", b"", os.XATTR_CREATE)
    yield "replace missing", attempt(os.setxattr, path, "user.zzz", b"", os.XATTR_REPLACE)
    yield "replace", attempt(os.setxattr, path, "user.one", b"new", os.XATTR_REPLACE)
    for size in 0, 1, 2, 3, 4, 1000:
        yield f"getxattr size {size}", get_raw(b"user.one", size)
    need = list_raw(0)
    yield "list size is exact", list_raw(need) == need
    yield "list one short", list_raw(need - 1)
    yield "list size 1", list_raw(1)
    yield "list large", list_raw(65536) == need
    yield "get missing", get_raw(b"user.missing", 100)
    yield "get missing, size only", get_raw(b"user.missing", 0)
    yield "remove", attempt(os.removexattr, path, "user.two")
    yield "remove again", attempt(os.removexattr, path, "user.two")
    yield "name of 256", attempt(os.setxattr, path, "user." + "n" * 251, b"")
    yield "no namespace", attempt(os.getxattr, path, "nothing")
    yield "value 3000", attempt(os.setxattr, path, "user.big", b"v" * 3000)
    yield "value 3000 back", os.getxattr(path, "user.big") == b"v" * 3000
    yield "on a dir", attempt(os.setxattr, d, "user.dir", b"dir")
    yield "from a dir", attempt(os.getxattr, d, "user.dir")
    os.symlink("f", os.path.join(d, "s"))
    yield "on a symlink", attempt(os.setxattr, os.path.join(d, "s"), "user.x", b"", 0, follow_symlinks=False)


def directories(d):
    j = lambda *p: os.path.join(d, *p)
    names = [f"file-{i:04}-{'x' * (i % 90)}" for i in range(700)]
    for n in names:
        os.close(os.open(j(n), os.O_CREAT | os.O_WRONLY))
    os.mkdir(j("sub"))
    os.symlink("x", j("link"))
    yield "count", len(os.listdir(d))
    yield "all there", sorted(os.listdir(d)) == sorted(names + ["sub", "link"])
    with os.scandir(d) as it:
        kinds = {e.name: (e.is_dir(follow_symlinks=False), e.is_symlink()) for e in it}
    yield "types", (kinds["sub"], kinds["link"], kinds[names[0]])
    with os.scandir(d) as it:
        seen = set()
        for e in it:
            seen.add(e.name)
            if e.name.startswith("file-1"):
                os.unlink(e.path)
    yield "read while removing", sorted(seen) == sorted(names + ["sub", "link"])
    yield "left", len(os.listdir(d))
    fd = os.open(d, os.O_RDONLY)
    yield "fsync of a dir", attempt(os.fsync, fd)
    yield "fdatasync of a dir", attempt(os.fdatasync, fd)
    yield "read of a dir", attempt(os.read, fd, 10)
    first = sorted(os.listdir(fd))
    os.lseek(fd, 0, os.SEEK_SET)
    os.unlink(j(names[0]))
    os.close(os.open(j("new"), os.O_CREAT | os.O_WRONLY))
    yield "after rewind", sorted(set(os.listdir(fd)) ^ set(first))
    os.close(fd)
    yield "opendir of a file", attempt(os.listdir, j("new"))
    # The kernel asks for attributes with the names after it saw a lookup.
    sizes = {e.name: e.stat(follow_symlinks=False).st_size for e in os.scandir(d)}
    yield "with attributes", (len(sizes), sum(v for k, v in sizes.items() if k.startswith("file")))
    os.rmdir(j("sub"))
    gone = os.open(d, os.O_RDONLY)
    os.mkdir(j("gone"))
    inner = os.open(j("gone"), os.O_RDONLY)
    os.rmdir(j("gone"))
    yield "removed while open", attempt(os.listdir, inner)
    yield "nlink of removed", attempt(lambda: os.fstat(inner).st_nlink)
    os.close(inner)
    os.close(gone)


def unlinked(d):
    j = lambda *p: os.path.join(d, *p)
    fd = os.open(j("gone"), os.O_CREAT | os.O_RDWR)
    os.write(fd, b"still here")
    os.unlink(j("gone"))
    yield "nlink", os.fstat(fd).st_nlink
    yield "read", os.pread(fd, 100, 0)
    yield "write", os.pwrite(fd, b"more", 6)
    yield "read again", os.pread(fd, 100, 0)
    yield "truncate", attempt(os.ftruncate, fd, 2)
    yield "size", os.fstat(fd).st_size
    yield "chmod", attempt(os.fchmod, fd, 0o600)
    yield "name", attempt(os.stat, j("gone"))
    put(j("gone"), b"another file")
    yield "not the same", os.stat(j("gone")).st_ino == os.fstat(fd).st_ino
    yield "old content", os.pread(fd, 100, 0)
    os.close(fd)
    fd = os.open(j("x"), os.O_CREAT | os.O_RDWR)
    os.write(fd, b"X")
    os.rename(j("gone"), j("x"))
    yield "replaced while open", (os.pread(fd, 9, 0), get(j("x")), os.fstat(fd).st_nlink)
    os.close(fd)


SCENARIOS = (make_and_remove, links, renames, long_names, attributes, xattrs, directories, unlinked)

EXPECTED = {}
# A path is a node of its own: what two names of a file have in common the kernel does not know.
if ft.high_level():
    EXPECTED = {
        "content by the first": "the page cache of the first name is older",
        "nlink": "the attributes of the first name are older",
        "nlink after": "likewise",
        "removed while open": "a directory without a name has no path",
        "nlink of removed": "likewise",
        "not the same": "the hidden name is the node of the open file",
    }


def main():
    os.umask(0o022)
    source = os.path.join(ft.TMP, "source")
    os.makedirs(source)
    daemon = ft.passthrough(source)
    bad = 0
    for scenario in SCENARIOS:
        native = os.path.join(ft.TMP, "native", scenario.__name__)
        os.makedirs(native)
        os.mkdir(daemon.path(scenario.__name__))
        bad += ft.compare(scenario, native, daemon.path(scenario.__name__), EXPECTED)
    daemon.finish()
    sys.exit(1 if bad else 0)


main()
