//! `fuse_fs_*` whose operations libfuse 3 has otherwise. As in `names`, the arguments are handed through as they are, and
//! what they return is what the operation does.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use libc::{gid_t, mode_t, off_t, stat, timespec, uid_t, utimbuf};

use super::fs::call;
use super::getdir;
use crate::types::{FuseFileInfo, FuseFillDir, FuseFs};

/// `fuse_fs_getattr`: attributes of a path.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_getattr(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut stat,
) -> c_int {
    call!("fuse_fs_getattr", fs, getattr(path, buf))
}

/// `fuse_fs_fgetattr`: attributes of an open file; of its path, where there is no such operation.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_fgetattr(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut stat,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_fgetattr", fs, fgetattr(path, buf, fi), else {
        // SAFETY: the caller's promise.
        unsafe { fuse_fs_getattr(fs, path, buf) }
    })
}

/// `fuse_fs_rename`: moves a name.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_rename(
    fs: *mut FuseFs,
    oldpath: *const c_char,
    newpath: *const c_char,
) -> c_int {
    call!("fuse_fs_rename", fs, rename(oldpath, newpath))
}

/// `fuse_fs_chmod`: sets permissions.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_chmod(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
) -> c_int {
    call!("fuse_fs_chmod", fs, chmod(path, mode))
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
) -> c_int {
    call!("fuse_fs_chown", fs, chown(path, uid, gid))
}

/// `fuse_fs_truncate`: sets the size.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_truncate(
    fs: *mut FuseFs,
    path: *const c_char,
    size: off_t,
) -> c_int {
    call!("fuse_fs_truncate", fs, truncate(path, size))
}

/// `fuse_fs_ftruncate`: sets the size of an open file; by its path, where there is no such operation.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_ftruncate(
    fs: *mut FuseFs,
    path: *const c_char,
    size: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_ftruncate", fs, ftruncate(path, size, fi), else {
        // SAFETY: the caller's promise.
        unsafe { fuse_fs_truncate(fs, path, size) }
    })
}

/// `fuse_fs_utimens`: sets time stamps; in whole seconds, where there is only `utime`.
///
/// # Safety
/// `fs` is NULL or a live file system; `tv` has two elements; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_utimens(
    fs: *mut FuseFs,
    path: *const c_char,
    tv: *const timespec,
) -> c_int {
    call!("fuse_fs_utimens", fs, utimens(path, tv), else {
        // SAFETY: the caller's promise. Without times it is for the operation to say what that means.
        let times = unsafe { tv.cast::<[timespec; 2]>().as_ref() };
        let mut times = times
            .map(|[accessed, modified]| utimbuf { actime: accessed.tv_sec, modtime: modified.tv_sec });
        let times = times.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        call!("fuse_fs_utimens", fs, utime(path, times))
    })
}

/// `fuse_fs_readdir`: gives the entries of a directory to `filler`, with `buf` as its first argument; by `getdir`, where
/// there is only that.
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
) -> c_int {
    call!("fuse_fs_readdir", fs, readdir(path, buf, filler, off, fi), else {
        getdir::list(buf, filler, |handle, fill| {
            call!("fuse_fs_readdir", fs, getdir(path, handle, fill))
        })
    })
}

/// `fuse_fs_ioctl`: `ioctl`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_ioctl(
    fs: *mut FuseFs,
    path: *const c_char,
    cmd: c_int,
    arg: *mut c_void,
    fi: *mut FuseFileInfo,
    flags: c_uint,
    data: *mut c_void,
) -> c_int {
    call!("fuse_fs_ioctl", fs, ioctl(path, cmd, arg, fi, flags, data))
}
