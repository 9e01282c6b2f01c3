//! Attributes as statx(2) has them.

use std::ffi::{c_char, c_double, c_int};

use ferrofuse::wire::layout::Statx;
use ferrofuse::wire::reply::Timeout;

use crate::high::fs::call;
use crate::reply::{answer, required};
use crate::types::{FuseFileInfo, FuseFs, FuseReqHandle};

/// `fuse_reply_statx`: answers statx. `flags` are 0, `attr_timeout` is in seconds.
///
/// # Safety
/// `statx` is NULL or points to a `struct statx`.
pub unsafe extern "C" fn fuse_reply_statx(
    req: FuseReqHandle,
    flags: c_int,
    statx: *const Statx,
    attr_timeout: c_double,
) -> c_int {
    answer("fuse_reply_statx", req, |req| {
        // SAFETY: the caller's promise.
        let (req, statx) = unsafe { required("fuse_reply_statx", req, statx) }?;
        req.reply_statx(*statx, flags.cast_unsigned(), Timeout::from_secs_f64(attr_timeout))
    })
}

/// `fuse_fs_statx`: attributes as statx(2) has them, of a file system in a stack; `fi` is NULL unless the file is open.
///
/// # Safety
/// `fs` is NULL or a live file system; the rest is what its operation expects.
pub unsafe extern "C" fn fuse_fs_statx(
    fs: *mut FuseFs,
    path: *const c_char,
    flags: c_int,
    mask: c_int,
    stxbuf: *mut Statx,
    fi: *mut FuseFileInfo,
) -> c_int {
    call!("fuse_fs_statx", fs, statx(path, flags, mask, stxbuf, fi))
}
