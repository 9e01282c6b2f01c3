//! Every opcode with a body that is valid for a given minor, the call it must become, and the bytes
//! its answer must have.

use crate::wire::{Body, body};

/// One request.
pub struct Sample {
    pub opcode: u32,
    pub body: Body,
    /// What [`crate::ops::Scripted`] notes; `None` if no method is called.
    pub call: Option<String>,
    /// Bytes after the header of a good answer.
    pub answer: Option<usize>,
}

fn sample(opcode: u32, body: Body, call: &str, answer: usize) -> Sample {
    Sample { opcode, body, call: Some(call.into()), answer: Some(answer) }
}

/// Everything there is, as a kernel of this minor sends it for node 5.
pub fn samples(minor: u32) -> Vec<Sample> {
    let mut all = names(minor);
    all.extend(files(minor));
    all.extend(others(minor));
    all
}

fn entry_size(minor: u32) -> usize {
    if minor < 9 { 120 } else { 128 }
}

fn attr_size(minor: u32) -> usize {
    if minor < 9 { 96 } else { 104 }
}

fn names(minor: u32) -> Vec<Sample> {
    let entry = entry_size(minor);
    let old = minor < 12;
    let umask = |mask: u32| if old { 0 } else { mask };
    let mknod =
        if old { body().u32s(&[0o100644, 3]) } else { body().u32s(&[0o100644, 3, 0o22, 0]) };
    let create =
        if old { body().u32s(&[2, 0o100644]) } else { body().u32s(&[2, 0o100644, 0o22, 0]) };
    vec![
        sample(1, body().name("n"), "lookup 5 n", entry),
        sample(5, body(), "readlink 5", 6),
        sample(6, body().name("n").name("to"), "symlink to 5 n", entry),
        sample(8, mknod.name("n"), &format!("mknod 5 n 100644 3 umask={:o}", umask(0o22)), entry),
        sample(
            9,
            body().u32s(&[0o755, 0o22]).name("n"),
            &format!("mkdir 5 n 755 umask={:o}", umask(0o22)),
            entry,
        ),
        sample(10, body().name("n"), "unlink 5 n", 0),
        sample(11, body().name("n"), "rmdir 5 n", 0),
        sample(12, body().u64s(&[6]).name("n").name("m"), "rename 5 n 6 m 0", 0),
        sample(45, body().u64s(&[6]).u32s(&[2, 0]).name("n").name("m"), "rename 5 n 6 m 2", 0),
        sample(13, body().u64s(&[6]).name("n"), "link 6 5 n", entry),
        sample(
            35,
            create.name("n"),
            &format!("create 5 n 100644 umask={:o} fh=0 flags=2", umask(0o22)),
            entry + 16,
        ),
        sample(
            51,
            body().u32s(&[2, 0o100600, 0o22, 0]),
            "tmpfile 5 100600 umask=22 fh=0 flags=2",
            entry + 16,
        ),
    ]
}

fn files(minor: u32) -> Vec<Sample> {
    // fh, offset, size and flags, lock owner, open flags: the last two since 7.9.
    let transfer = |size: u32| {
        let body = body().u64s(&[0xf, 4096]).u32s(&[size, 0]);
        if minor < 9 { body } else { body.u64s(&[0xa]).u32s(&[2, 0]) }
    };
    let known = if minor < 9 { "fh=f" } else { "fh=f flags=2 owner=a" };
    let getattr = if minor < 9 { body() } else { body().u32s(&[1, 0]).u64s(&[0xf]) };
    let release = body().u64s(&[0xf]).u32s(&[2, 3]);
    let release = if minor < 8 { release } else { release.u64s(&[0xa]) };
    let released =
        if minor < 8 { "fh=f flags=2" } else { "fh=f flags=2 owner=a flush=1 flock_release=1" };
    let flush = body().u64s(&[0xf]).u32s(&[0, 0]);
    let flush = if minor < 7 { flush } else { flush.u64s(&[0xa]) };
    let flushed = if minor < 7 { "fh=f flush=1" } else { "fh=f owner=a flush=1" };
    let setattr = body().u32s(&[1 | 1 << 6 | 1 << 9, 0]).u64s(&[0xf, 0, 0xa, 0, 0, 0]);
    let setattr = setattr.u32s(&[0, 0, 0, 0o600, 0, 0, 0, 0]);
    vec![
        sample(
            3,
            getattr,
            if minor < 9 { "getattr 5 none" } else { "getattr 5 fh=f" },
            attr_size(minor),
        ),
        sample(4, setattr, "setattr 5 241 mode=600 fh=f owner=a", attr_size(minor)),
        sample(14, body().u32s(&[2, 0]), "open 5 fh=0 flags=2", 16),
        sample(27, body().u32s(&[2, 0]), "opendir 5 fh=0 flags=2", 16),
        sample(15, transfer(8192), &format!("read 5 8192 4096 {known}"), 4),
        sample(28, transfer(8192), "readdir 5 8192 4096 fh=f", 0),
        sample(
            44,
            body().u64s(&[0xf, 4096]).u32s(&[8192, 0]).u64s(&[0]).u32s(&[0, 0]),
            "readdirplus 5 8192 4096 fh=f",
            0,
        ),
        sample(16, transfer(3).bytes(b"abc"), &format!("write 5 abc 4096 {known}"), 8),
        sample(18, release.clone(), &format!("release 5 {released}"), 0),
        sample(29, release, &format!("releasedir 5 {released}"), 0),
        sample(20, body().u64s(&[0xf]).u32s(&[1, 0]), "fsync 5 true fh=f", 0),
        sample(30, body().u64s(&[0xf]).u32s(&[0, 0]), "fsyncdir 5 false fh=f", 0),
        sample(25, flush, &format!("flush 5 {flushed}"), 0),
        sample(43, body().u64s(&[0xf, 1, 2]).u32s(&[3, 0]), "fallocate 5 3 1 2 fh=f", 0),
        sample(46, body().u64s(&[0xf, 4]).u32s(&[3, 0]), "lseek 5 4 3 fh=f", 8),
        sample(
            47,
            body().u64s(&[0xf, 1, 6, 0xe, 2, 9, 0]),
            "copy_file_range (5, 1) f (6, 2) e 9",
            8,
        ),
        sample(
            53,
            body().u64s(&[0xf, 1, 6, 0xe, 2, 9, 0]),
            "copy_file_range (5, 1) f (6, 2) e 9",
            8,
        ),
    ]
}

fn others(minor: u32) -> Vec<Sample> {
    let lock = |flags: u32| {
        let body = body().u64s(&[0xf, 0xa, 1, 2]).u32s(&[1, 99]);
        if minor < 9 { body } else { body.u32s(&[flags, 0]) }
    };
    // A lock of flock(2) is told by a flag that came with 7.9.
    let flock = |kind: &str, sleep: bool| match (minor < 9, sleep) {
        (true, _) => format!("setlk 5 fh=f owner=a 1..2 {sleep}"),
        (false, true) => format!("flock 5 fh=f owner=a {}", if kind == "w" { 2 } else { 8 }),
        (false, false) => format!("flock 5 fh=f owner=a {}", if kind == "w" { 2 | 4 } else { 8 }),
    };
    let statfs = if minor < 4 { 48 } else { 80 };
    let silent =
        |opcode, body, call: &str| Sample { opcode, body, call: Some(call.into()), answer: None };
    vec![
        silent(2, body().u64s(&[3]), "forget 5-3"),
        silent(42, body().u32s(&[2, 0]).u64s(&[7, 1, 8, 2]), "forget 7-1,8-2"),
        sample(17, body(), "statfs 5", statfs),
        sample(21, body().u32s(&[3, 1]).name("user.x").bytes(b"val"), "setxattr 5 user.x val 1", 0),
        sample(22, body().u32s(&[0, 0]).name("user.x"), "getxattr 5 user.x 0", 8),
        sample(23, body().u32s(&[0, 0]), "listxattr 5 0", 8),
        sample(24, body().name("user.x"), "removexattr 5 user.x", 0),
        sample(
            31,
            lock(0),
            "getlk 5 fh=f owner=a FileLock { start: 1, end: 2, kind: 1, pid: 99 }",
            24,
        ),
        sample(32, lock(0), "setlk 5 fh=f owner=a 1..2 false", 0),
        sample(33, lock(0), "setlk 5 fh=f owner=a 1..2 true", 0),
        sample(32, lock(1), &flock("w", false), 0),
        sample(33, lock(1), &flock("w", true), 0),
        sample(34, body().u32s(&[4, 0]), "access 5 4", 0),
        sample(37, body().u64s(&[12]).u32s(&[512, 0]), "bmap 5 512 12", 8),
        sample(
            39,
            body().u64s(&[0xf]).u32s(&[0, 0x4604]).u64s(&[0x7f]).u32s(&[2, 9]).bytes(b"in"),
            "ioctl 5 4604 7f 9 in fh=f",
            16,
        ),
        sample(40, body().u64s(&[0xf, 0xcc]).u32s(&[1, 5]), "poll 5 fh=f events=5 true", 8),
        sample(40, body().u64s(&[0xf, 0xcc]).u32s(&[0, 5]), "poll 5 fh=f events=5 false", 8),
        sample(50, body().u64s(&[0]), "syncfs 5", 0),
    ]
}
