//! `init` of a file system in a stack, and which operations a table has.

use ferrofuse::session::caps::Capabilities;
use ferrofuse::tree::OpSet;

use super::fs::Fs;
use crate::types::{ConnInfo, FuseConfig, FuseFs, FuseOperations};

/// `fuse_fs_init`: calls `init`, if there is one, and takes its result for the private data.
///
/// # Safety
/// `fs` is NULL or a live file system; `conn` is what `init` may be called with.
pub unsafe extern "C" fn fuse_fs_init_29(fs: *mut FuseFs, conn: *mut ConnInfo) {
    // SAFETY: the caller's promise.
    let Some(fs) = (unsafe { Fs::get("fuse_fs_init", fs) }) else { return };
    // SAFETY: the caller's promise.
    if let Some(conn) = unsafe { conn.as_mut() } {
        // What is not implemented can't be wanted.
        let has = [
            (fs.ops().write_buf.is_some(), Capabilities::SPLICE_READ),
            (fs.ops().lock.is_some(), Capabilities::POSIX_LOCKS),
            (fs.ops().flock.is_some(), Capabilities::FLOCK_LOCKS),
        ];
        for (_, capability) in has.into_iter().filter(|(implemented, _)| !implemented) {
            conn.want &= !(capability.bits() as u32);
        }
    }
    if let Some(init) = fs.ops().init {
        let _running = fs.running();
        // SAFETY: the program's own handler, with what the caller promised.
        let private_data = unsafe { init(conn) };
        fs.set_private_data(private_data);
    }
}

/// The same as the stack calls it; the configuration is fixed by then.
///
/// # Safety
/// As for [`fuse_fs_init_29`].
pub unsafe fn fuse_fs_init(fs: *mut FuseFs, conn: *mut ConnInfo, _cfg: *mut FuseConfig) {
    // SAFETY: the caller's promise.
    unsafe { fuse_fs_init_29(fs, conn) };
}

/// The operations that a table has. Some of the tree's can be done by one of two.
pub fn op_set(ops: &FuseOperations) -> OpSet {
    macro_rules! set {
        ($($($op:ident)|+ => $bit:ident),* $(,)?) => {
            [$((false $(|| ops.$op.is_some())+, OpSet::$bit)),*]
        };
    }
    let all = set! {
        getattr | fgetattr => GETATTR, readlink => READLINK, mknod => MKNOD, mkdir => MKDIR,
        unlink => UNLINK, rmdir => RMDIR, symlink => SYMLINK, rename => RENAME, link => LINK,
        chmod => CHMOD, chown => CHOWN, truncate | ftruncate => TRUNCATE, open => OPEN,
        read => READ, write => WRITE, statfs => STATFS, flush => FLUSH, release => RELEASE,
        fsync => FSYNC, setxattr => SETXATTR, getxattr => GETXATTR, listxattr => LISTXATTR,
        removexattr => REMOVEXATTR, opendir => OPENDIR, readdir | getdir => READDIR,
        releasedir => RELEASEDIR, fsyncdir => FSYNCDIR, init => INIT, destroy => DESTROY,
        access => ACCESS, create => CREATE, lock => LOCK, utimens | utime => UTIMENS,
        bmap => BMAP, ioctl => IOCTL, poll => POLL, write_buf => WRITE_BUF, read_buf => READ_BUF,
        flock => FLOCK, fallocate => FALLOCATE,
    };
    all.into_iter().filter(|(has, _)| *has).map(|(_, bit)| bit).collect()
}

#[cfg(test)]
mod tests {
    use core::ffi::c_char;

    use super::*;

    unsafe extern "C" fn utime(_path: *const c_char, _times: *mut libc::utimbuf) -> i32 {
        0
    }

    #[test]
    fn one_of_two_suffices() {
        assert_eq!(op_set(&FuseOperations::default()), OpSet::empty());
        let ops = FuseOperations { utime: Some(utime), ..FuseOperations::default() };
        assert_eq!(op_set(&ops), OpSet::UTIMENS);
    }
}
