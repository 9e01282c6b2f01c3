//! Path-based operations that came after libfuse 3.14: there are none of them here.

use std::ffi::{c_char, c_int};

use ferrofuse::Errno;
use ferrofuse::wire::layout::Statx;

use crate::types::{FuseFileInfo, FuseFs};

/// Attributes as statx(2) has them.
///
/// # Safety
/// None needed.
pub unsafe fn statx(
    _fs: *mut FuseFs,
    _path: *const c_char,
    _flags: u32,
    _mask: u32,
    _stat: *mut Statx,
    _fi: *mut FuseFileInfo,
) -> c_int {
    Errno::ENOSYS.negated()
}

/// Everything to the disk.
///
/// # Safety
/// None needed.
pub unsafe fn syncfs(_fs: *mut FuseFs, _path: *const c_char) -> c_int {
    Errno::ENOSYS.negated()
}
