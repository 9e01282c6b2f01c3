//! `fuse_fs_*`, the operations on open files and directories, but for reading and writing.
//!
//! As in [`names`](super::names), what they return is what the operation does.

use std::ffi::{c_char, c_int, c_uint, c_void};

use libc::{flock, mode_t, off_t, size_t, ssize_t};

use super::fs::call;
use crate::types::{FuseFileInfo, FuseFillDir, FuseFs, FusePollhandle};

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

/// `fuse_fs_readdir`: gives the entries of a directory to `filler`, with `buf` as its first argument.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_readdir(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut c_void,
    filler: FuseFillDir,
    off: off_t,
    fi: *mut FuseFileInfo,
    flags: c_uint,
) -> c_int {
    call!("fuse_fs_readdir", fs, readdir(path, buf, filler, off, fi, flags))
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

/// `fuse_fs_ioctl`: `ioctl`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_ioctl(
    fs: *mut FuseFs,
    path: *const c_char,
    cmd: c_uint,
    arg: *mut c_void,
    fi: *mut FuseFileInfo,
    flags: c_uint,
    data: *mut c_void,
) -> c_int {
    call!("fuse_fs_ioctl", fs, ioctl(path, cmd, arg, fi, flags, data))
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

/// `fuse_fs_copy_file_range`: copies from file to file.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_copy_file_range(
    fs: *mut FuseFs,
    path_in: *const c_char,
    fi_in: *mut FuseFileInfo,
    off_in: off_t,
    path_out: *const c_char,
    fi_out: *mut FuseFileInfo,
    off_out: off_t,
    len: size_t,
    flags: c_int,
) -> ssize_t {
    call!(
        "fuse_fs_copy_file_range",
        fs,
        copy_file_range(path_in, fi_in, off_in, path_out, fi_out, off_out, len, flags)
    )
}

/// `fuse_fs_lseek`: finds data or a hole.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_lseek(
    fs: *mut FuseFs,
    path: *const c_char,
    off: off_t,
    whence: c_int,
    fi: *mut FuseFileInfo,
) -> off_t {
    call!("fuse_fs_lseek", fs, lseek(path, off, whence, fi))
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
