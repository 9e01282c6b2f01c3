//! `fuse_fs_*`, the operations on names: each calls that of a file system in a stack.
//!
//! All return what the operation does, `-ENOSYS` where the file system has none, and `-EINVAL` for
//! a NULL file system. The arguments are handed through as they are.

use std::ffi::{c_char, c_int};

use libc::{dev_t, mode_t, size_t, statvfs};

use super::fs::call;
use crate::types::FuseFs;

/// `fuse_fs_readlink`: the target of a symbolic link.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_readlink(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut c_char,
    len: size_t,
) -> c_int {
    call!("fuse_fs_readlink", fs, readlink(path, buf, len))
}

/// `fuse_fs_mknod`: makes a file, device, FIFO or socket.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_mknod(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
    rdev: dev_t,
) -> c_int {
    call!("fuse_fs_mknod", fs, mknod(path, mode, rdev))
}

/// `fuse_fs_mkdir`: makes a directory.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_mkdir(
    fs: *mut FuseFs,
    path: *const c_char,
    mode: mode_t,
) -> c_int {
    call!("fuse_fs_mkdir", fs, mkdir(path, mode))
}

/// `fuse_fs_unlink`: removes a name that is no directory.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_unlink(fs: *mut FuseFs, path: *const c_char) -> c_int {
    call!("fuse_fs_unlink", fs, unlink(path))
}

/// `fuse_fs_rmdir`: removes a directory.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_rmdir(fs: *mut FuseFs, path: *const c_char) -> c_int {
    call!("fuse_fs_rmdir", fs, rmdir(path))
}

/// `fuse_fs_symlink`: makes a symbolic link to `linkname`.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_symlink(
    fs: *mut FuseFs,
    linkname: *const c_char,
    path: *const c_char,
) -> c_int {
    call!("fuse_fs_symlink", fs, symlink(linkname, path))
}

/// `fuse_fs_link`: makes another name for a file.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_link(
    fs: *mut FuseFs,
    oldpath: *const c_char,
    newpath: *const c_char,
) -> c_int {
    call!("fuse_fs_link", fs, link(oldpath, newpath))
}

/// `fuse_fs_access`: checks permissions.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_access(
    fs: *mut FuseFs,
    path: *const c_char,
    mask: c_int,
) -> c_int {
    call!("fuse_fs_access", fs, access(path, mask))
}

/// `fuse_fs_setxattr`: sets an extended attribute.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_setxattr(
    fs: *mut FuseFs,
    path: *const c_char,
    name: *const c_char,
    value: *const c_char,
    size: size_t,
    flags: c_int,
) -> c_int {
    call!("fuse_fs_setxattr", fs, setxattr(path, name, value, size, flags))
}

/// `fuse_fs_getxattr`: gets an extended attribute, or its length if `size` is 0.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_getxattr(
    fs: *mut FuseFs,
    path: *const c_char,
    name: *const c_char,
    value: *mut c_char,
    size: size_t,
) -> c_int {
    call!("fuse_fs_getxattr", fs, getxattr(path, name, value, size))
}

/// `fuse_fs_listxattr`: lists extended attributes, or gets the length of the list.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_listxattr(
    fs: *mut FuseFs,
    path: *const c_char,
    list: *mut c_char,
    size: size_t,
) -> c_int {
    call!("fuse_fs_listxattr", fs, listxattr(path, list, size))
}

/// `fuse_fs_removexattr`: removes an extended attribute.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_removexattr(
    fs: *mut FuseFs,
    path: *const c_char,
    name: *const c_char,
) -> c_int {
    call!("fuse_fs_removexattr", fs, removexattr(path, name))
}

/// `fuse_fs_statfs`: statistics. Fixed values without the operation.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_statfs(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut statvfs,
) -> c_int {
    call!("fuse_fs_statfs", fs, statfs(path, buf), else {
        // SAFETY: the caller's promise.
        if let Some(buf) = unsafe { buf.as_mut() } {
            buf.f_namemax = 255;
            buf.f_bsize = 512;
        }
        0
    })
}
