//! Path-based operations that came after libfuse 3.14.

use std::ffi::{c_char, c_int};

use ferrofuse::wire::layout::Statx;

use super::fs::call;
use crate::types::{FuseFileInfo, FuseFs};

/// Attributes as statx(2) has them.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe fn statx(
    fs: *mut FuseFs,
    path: *const c_char,
    flags: u32,
    mask: u32,
    stat: *mut Statx,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_statx", fs, statx(path, flags.cast_signed(), mask.cast_signed(), stat, fi))
}

/// Everything to the disk.
///
/// # Safety
/// `fs` is NULL or a live file system; `path` is a C string.
pub unsafe fn syncfs(fs: *mut FuseFs, path: *const c_char) -> c_int {
    call!("fuse_fs_syncfs", fs, syncfs(path))
}
