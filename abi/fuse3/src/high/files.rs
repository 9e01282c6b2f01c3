//! `fuse_fs_*`, the operations on open files and directories, but for reading and writing.
//!
//! As in [`names`](super::names), what they return is what the operation does.

use std::ffi::{c_char, c_int, c_uint};

use libc::{flock, mode_t, off_t, size_t};

use super::fs::call;
use crate::types::{FuseFileInfo, FuseFs, FusePollhandle};

/// `fuse_fs_open`: opens a file. Without the operation it succeeds.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_open(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_open", fs, open(path, fi), else 0)
}

/// `fuse_fs_create`: creates and opens a file.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_create(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_create", fs, create(path, mode, fi))
}

/// `fuse_fs_flush`: a descriptor is closed.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_flush(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_flush", fs, flush(path, fi))
}

/// `fuse_fs_release`: the last descriptor was closed. Without the operation it succeeds.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_release(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_release", fs, release(path, fi), else 0)
}

/// `fuse_fs_fsync`: `fsync`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_fsync(
    fs: *mut FuseFs,
    path: *const c_char,
    datasync: c_int,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_fsync", fs, fsync(path, datasync, fi))
}

/// `fuse_fs_opendir`: opens a directory. Without the operation it succeeds.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_opendir(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_opendir", fs, opendir(path, fi), else 0)
}

/// `fuse_fs_releasedir`: the directory was closed. Without the operation it succeeds.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_releasedir(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_releasedir", fs, releasedir(path, fi), else 0)
}

/// `fuse_fs_fsyncdir`: `fsync` of a directory.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_fsyncdir(
    fs: *mut FuseFs,
    path: *const c_char,
    datasync: c_int,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_fsyncdir", fs, fsyncdir(path, datasync, fi))
}

/// `fuse_fs_lock`: tests, takes or drops a POSIX lock.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_lock(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
    cmd: c_int,
    lock: *mut flock,
) -> c_int {
    call!("fuse_fs_lock", fs, lock(path, fi, cmd, lock))
}

/// `fuse_fs_flock`: takes or drops a `flock` lock.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_flock(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
    op: c_int,
) -> c_int {
    call!("fuse_fs_flock", fs, flock(path, fi, op))
}

/// `fuse_fs_bmap`: finds a block on the device.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_bmap(
    fs: *mut FuseFs,
    path: *const c_char,
    blocksize: size_t,
    idx: *mut u64,
) -> c_int {
    call!("fuse_fs_bmap", fs, bmap(path, blocksize, idx))
}

/// `fuse_fs_fallocate`: `fallocate`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_fallocate(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: c_int,
    offset: off_t,
    length: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_fallocate", fs, fallocate(path, mode, offset, length, fi))
}

/// `fuse_fs_poll`: which events are ready. `ph`, if not NULL, becomes the operation's, if there is one.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_poll(
    fs: *mut FuseFs,
    path: *const c_char,
    fi: *mut FuseFileInfo,
    ph: *mut FusePollhandle,
    reventsp: *mut c_uint,
) -> c_int {
    call!("fuse_fs_poll", fs, poll(path, fi, ph, reventsp))
}
