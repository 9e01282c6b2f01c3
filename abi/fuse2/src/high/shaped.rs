//! Operations as the stack calls them, in the shape of libfuse 3, by what libfuse 2 has for them.

use std::ffi::{c_char, c_int, c_uint, c_void};

use ferrofuse::Errno;
use libc::{gid_t, mode_t, off_t, size_t, ssize_t, stat, timespec, uid_t};

use super::fs_calls;
use crate::types::{FuseFileInfo, FuseFillDir, FuseFs};

/// Attributes; of the open file, if there is one.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_getattr(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut stat,
    fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match fi.is_null() {
            true => fs_calls::fuse_fs_getattr(fs, path, buf),
            false => fs_calls::fuse_fs_fgetattr(fs, path, buf, fi),
        }
    }
}

/// Moves a name. There are no flags.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_rename(
    fs: *mut FuseFs,
    oldpath: *const c_char,
    newpath: *const c_char,
    flags: c_uint,
) -> c_int {
    match flags {
        // SAFETY: the caller's promise.
        0 => unsafe { fs_calls::fuse_fs_rename(fs, oldpath, newpath) },
        _ => Errno::EINVAL.negated(),
    }
}

/// Sets permissions.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_chmod(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
    _fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fs_calls::fuse_fs_chmod(fs, path, mode) }
}

/// Sets owner and group.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_chown(
    fs: *mut FuseFs,
    path: *const c_char,
    uid: uid_t,
    gid: gid_t,
    _fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fs_calls::fuse_fs_chown(fs, path, uid, gid) }
}

/// Sets the size; of the open file, if there is one.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_truncate(
    fs: *mut FuseFs,
    path: *const c_char,
    size: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match fi.is_null() {
            true => fs_calls::fuse_fs_truncate(fs, path, size),
            false => fs_calls::fuse_fs_ftruncate(fs, path, size, fi),
        }
    }
}

/// Sets time stamps.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_utimens(
    fs: *mut FuseFs,
    path: *const c_char,
    tv: *const timespec,
    _fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fs_calls::fuse_fs_utimens(fs, path, tv) }
}

/// Gives the entries of a directory to `filler`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_readdir(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut c_void,
    filler: FuseFillDir,
    off: off_t,
    fi: *mut FuseFileInfo,
    _flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fs_calls::fuse_fs_readdir(fs, path, buf, filler, off, fi) }
}

/// `ioctl`, whose command libfuse 2 takes for signed.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn fuse_fs_ioctl(
    fs: *mut FuseFs,
    path: *const c_char,
    cmd: c_uint,
    arg: *mut c_void,
    fi: *mut FuseFileInfo,
    flags: c_uint,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fs_calls::fuse_fs_ioctl(fs, path, cmd.cast_signed(), arg, fi, flags, data) }
}

/// There is no such operation; the kernel copies by itself.
///
/// # Safety
/// None.
#[allow(clippy::too_many_arguments)] // those of libfuse 3
pub unsafe fn fuse_fs_copy_file_range(
    _fs: *mut FuseFs,
    _path_in: *const c_char,
    _fi_in: *mut FuseFileInfo,
    _off_in: off_t,
    _path_out: *const c_char,
    _fi_out: *mut FuseFileInfo,
    _off_out: off_t,
    _len: size_t,
    _flags: c_int,
) -> ssize_t {
    Errno::ENOSYS.negated() as ssize_t
}

/// There is no such operation; the kernel takes files for having no holes.
///
/// # Safety
/// None.
pub unsafe fn fuse_fs_lseek(
    _fs: *mut FuseFs,
    _path: *const c_char,
    _off: off_t,
    _whence: c_int,
    _fi: *mut FuseFileInfo,
) -> off_t {
    off_t::from(Errno::ENOSYS.negated())
}
