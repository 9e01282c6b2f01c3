//! Low-level programs of API 2.4 and 2.5.
//!
//! Their tables are a beginning of today's. Handlers that had fewer arguments, init and statfs, are called with those of
//! today: on the machines served here a C function does not see arguments that it does not have. Handlers of API 2.4 see
//! the part of `fuse_file_info` that they know.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::{size_t, statfs};

use super::with_args;
use crate::high::aged::from_statfs;
use crate::reply::{fuse_reply_open, fuse_reply_statfs};
use crate::session::lowlevel_new;
use crate::types::old::LOWLEVEL_SIZE_25;
use crate::types::{FuseFileInfo, FuseFileInfoCompat, FuseLowlevelOps, FuseReqHandle, FuseSession};

/// `fuse_lowlevel_new` of API 2.5.
///
/// # Safety
/// As for [`fuse_lowlevel_new`](crate::session::fuse_lowlevel_new).
pub unsafe extern "C" fn fuse_lowlevel_new_compat25(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { lowlevel_new(args, op, op_size.min(LOWLEVEL_SIZE_25), userdata, true) }
}

/// `fuse_lowlevel_new` of API 2.4, with options in the form of `-o`.
///
/// # Safety
/// `opts` is NULL or a C string; the rest as for [`fuse_lowlevel_new_compat25`].
pub unsafe extern "C" fn fuse_lowlevel_new_compat(
    opts: *const c_char,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
) -> *mut FuseSession {
    guard("fuse_lowlevel_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            with_args(opts, |args| fuse_lowlevel_new_compat25(args, op, op_size, userdata))
                .unwrap_or(ptr::null_mut())
        }
    })
}

/// `fuse_reply_open` of API 2.4.
///
/// # Safety
/// `fi` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_reply_open_compat(
    req: FuseReqHandle,
    fi: *const FuseFileInfoCompat,
) -> c_int {
    // SAFETY: the caller's promise.
    let fi = unsafe { fi.as_ref() }.map(|fi| FuseFileInfo {
        fh: fi.fh,
        bits: fi.bits & (FuseFileInfoCompat::DIRECT_IO | FuseFileInfoCompat::KEEP_CACHE),
        ..FuseFileInfo::default()
    });
    // SAFETY: NULL, or a live struct.
    unsafe { fuse_reply_open(req, fi.as_ref().map_or(ptr::null(), ptr::from_ref)) }
}

/// `fuse_reply_statfs` of API 2.4.
///
/// # Safety
/// `stbuf` is NULL or points to a `struct statfs`.
pub unsafe extern "C" fn fuse_reply_statfs_compat(
    req: FuseReqHandle,
    stbuf: *const statfs,
) -> c_int {
    // SAFETY: the caller's promise.
    let stbuf = unsafe { stbuf.as_ref() }.map(from_statfs);
    // SAFETY: NULL, or a live struct.
    unsafe { fuse_reply_statfs(req, stbuf.as_ref().map_or(ptr::null(), ptr::from_ref)) }
}
