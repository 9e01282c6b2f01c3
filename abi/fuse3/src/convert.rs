//! Between the structs of the C ABI and the values of the engine.
//!
//! What differs between generations of the API is in `conn` and `file`.

use ferrofuse::wire::flags::SetattrValid;
use ferrofuse::wire::layout::{Attr, FileLock, Kstatfs, SetattrIn};
use ferrofuse::wire::reply::{Entry, Timeout};

pub use crate::conn::{agreed, with_c_conn};
pub use crate::file::{file_info, open_reply};
use crate::types::FuseEntryParam;

/// Attributes; times and sizes keep their bits, device numbers the low 32, as the protocol has it.
pub fn attr(stat: &libc::stat) -> Attr {
    Attr {
        ino: stat.st_ino,
        size: stat.st_size.cast_unsigned(),
        blocks: stat.st_blocks.cast_unsigned(),
        atime: stat.st_atime.cast_unsigned(),
        mtime: stat.st_mtime.cast_unsigned(),
        ctime: stat.st_ctime.cast_unsigned(),
        atimensec: stat.st_atime_nsec as u32,
        mtimensec: stat.st_mtime_nsec as u32,
        ctimensec: stat.st_ctime_nsec as u32,
        mode: stat.st_mode,
        nlink: stat.st_nlink as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: stat.st_rdev as u32,
        blksize: stat.st_blksize as u32,
        flags: 0,
    }
}

/// A node as lookup and the creating operations answer it.
pub fn entry(e: &FuseEntryParam) -> Entry {
    Entry {
        node: e.ino,
        generation: e.generation,
        attr: attr(&e.attr),
        attr_timeout: Timeout::from_secs_f64(e.attr_timeout),
        entry_timeout: Timeout::from_secs_f64(e.entry_timeout),
    }
}

/// The `stat` that a setattr handler gets; only the fields that `to_set` names mean anything.
pub fn setattr_stat(args: &SetattrIn) -> libc::stat {
    // SAFETY: `stat` is plain integers, for which all zeros is a value.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    stat.st_mode = args.mode;
    stat.st_uid = args.uid;
    stat.st_gid = args.gid;
    stat.st_size = args.size.cast_signed();
    stat.st_atime = args.atime.cast_signed();
    stat.st_mtime = args.mtime.cast_signed();
    stat.st_ctime = args.ctime.cast_signed();
    stat.st_atime_nsec = args.atimensec.into();
    stat.st_mtime_nsec = args.mtimensec.into();
    stat.st_ctime_nsec = args.ctimensec.into();
    stat
}

/// `FUSE_SET_ATTR_*` bits, which are the protocol's own numbers; the handle and lock-owner bits are
/// the library's business.
pub fn to_set(valid: SetattrValid) -> i32 {
    let known = SetattrValid::MODE
        | SetattrValid::UID
        | SetattrValid::GID
        | SetattrValid::SIZE
        | SetattrValid::ATIME
        | SetattrValid::MTIME
        | SetattrValid::ATIME_NOW
        | SetattrValid::MTIME_NOW
        | SetattrValid::CTIME
        | SetattrValid::KILL_SUIDGID;
    (valid & known).bits().cast_signed()
}

/// A lock as the kernel counts: inclusive end, `OFFSET_MAX` for the end of the file.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// A lock for a handler: start and length, 0 for the end of the file.
pub fn flock(lock: &FileLock) -> libc::flock {
    // SAFETY: `flock` is plain integers, for which all zeros is a value.
    let mut flock: libc::flock = unsafe { std::mem::zeroed() };
    flock.l_type = lock.kind as i16;
    flock.l_whence = libc::SEEK_SET as i16;
    flock.l_start = lock.start.cast_signed();
    flock.l_len = match lock.end {
        OFFSET_MAX => 0,
        end => end.wrapping_sub(lock.start).wrapping_add(1).cast_signed(),
    };
    flock.l_pid = lock.pid.cast_signed();
    flock
}

/// The lock a handler reports; one that is unlocked has no range.
pub fn file_lock(flock: &libc::flock) -> FileLock {
    let kind = u32::from(flock.l_type.cast_unsigned());
    let pid = flock.l_pid.cast_unsigned();
    if i32::from(flock.l_type) == libc::F_UNLCK {
        return FileLock { kind, pid, ..FileLock::default() };
    }
    let start = flock.l_start.cast_unsigned();
    let end = match flock.l_len {
        0 => OFFSET_MAX,
        len => start.wrapping_add(len.cast_unsigned()).wrapping_sub(1),
    };
    FileLock { start, end, kind, pid }
}

/// Filesystem statistics.
pub fn kstatfs(st: &libc::statvfs) -> Kstatfs {
    Kstatfs {
        blocks: st.f_blocks,
        bfree: st.f_bfree,
        bavail: st.f_bavail,
        files: st.f_files,
        ffree: st.f_ffree,
        bsize: st.f_bsize as u32,
        namelen: st.f_namemax as u32,
        frsize: st.f_frsize as u32,
        ..Kstatfs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_to_the_end_of_file_have_length_zero() {
        let lock = FileLock { start: 10, end: OFFSET_MAX, kind: 1, pid: 4 };
        let c = flock(&lock);
        assert_eq!((c.l_start, c.l_len, c.l_type, c.l_pid), (10, 0, 1, 4));
        assert_eq!(file_lock(&c), lock);
        let short = FileLock { start: 10, end: 10, kind: 0, pid: 4 };
        assert_eq!(flock(&short).l_len, 1);
        assert_eq!(file_lock(&flock(&short)), short);
    }

    #[test]
    fn library_bits_of_setattr_stay_in_the_library() {
        let valid = SetattrValid::SIZE | SetattrValid::FH | SetattrValid::LOCKOWNER;
        assert_eq!(to_set(valid), 8);
    }
}
