//! `fuse_fs_*` whose operations libfuse 2 has otherwise, or not at all. As in `names`, the arguments
//! are handed through as they are.

use std::ffi::{c_char, c_int, c_uint, c_void};

use libc::{gid_t, mode_t, off_t, size_t, ssize_t, stat, timespec, uid_t};

use super::fs::call;
use crate::types::{FuseFileInfo, FuseFillDir, FuseFs};

/// `fuse_fs_getattr`: attributes; `fi` is NULL unless the file is open.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_getattr(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut stat,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_getattr", fs, getattr(path, buf, fi))
}

/// `fuse_fs_rename`: moves a name.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_rename(
    fs: *mut FuseFs,
    oldpath: *const c_char,
    newpath: *const c_char,
    flags: c_uint,
) -> c_int {
    call!("fuse_fs_rename", fs, rename(oldpath, newpath, flags))
}

/// `fuse_fs_chmod`: sets permissions.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_chmod(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_chmod", fs, chmod(path, mode, fi))
}

/// `fuse_fs_chown`: sets owner and group.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_chown(
    fs: *mut FuseFs,
    path: *const c_char,
    uid: uid_t,
    gid: gid_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_chown", fs, chown(path, uid, gid, fi))
}

/// `fuse_fs_truncate`: sets the size.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_truncate(
    fs: *mut FuseFs,
    path: *const c_char,
    size: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_truncate", fs, truncate(path, size, fi))
}

/// `fuse_fs_utimens`: sets time stamps.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_utimens(
    fs: *mut FuseFs,
    path: *const c_char,
    tv: *const timespec,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_utimens", fs, utimens(path, tv, fi))
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
