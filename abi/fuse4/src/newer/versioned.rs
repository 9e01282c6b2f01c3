//! Entry points by which a program says what headers it was compiled with. All that they do with it is to look
//! whether it is there: what differs between releases of this era is told by the sizes of tables.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::opt::FuseArgs;
use libc::size_t;

use crate::high::fuse::{fuse_new_30, fuse_new_31};
use crate::high::main::fuse_main_real;
use crate::session::fuse_session_new;
use crate::types::{Fuse, FuseLowlevelOps, FuseOperations, FuseSession, LibfuseVersion};

/// `fuse_session_new_versioned`: as `fuse_session_new`, which calls it in programs of this era. NULL, with a message,
/// also without operations or version.
///
/// # Safety
/// As for `fuse_session_new`; `version` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_session_new_versioned(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    version: *const LibfuseVersion,
    userdata: *mut c_void,
) -> *mut FuseSession {
    if version.is_null() {
        emit(FUSE_LOG_ERR, "fuse: fuse_session_new: version is NULL");
        return ptr::null_mut();
    }
    if op.is_null() || op_size == 0 {
        emit(FUSE_LOG_ERR, "fuse: fuse_session_new: operations are NULL");
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    unsafe { fuse_session_new(args, op, op_size, userdata) }
}

/// `_fuse_new_31`: as `fuse_new`, which calls it in programs of this era.
///
/// # Safety
/// As for `fuse_new`.
pub unsafe extern "C" fn _fuse_new_31(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    _version: *mut LibfuseVersion,
    user_data: *mut c_void,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    unsafe { fuse_new_31(args, op, op_size, user_data) }
}

/// `_fuse_new_30`: the same for programs of API 3.0.
///
/// # Safety
/// As for `fuse_new`.
pub unsafe extern "C" fn _fuse_new_30(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    _version: *mut LibfuseVersion,
    user_data: *mut c_void,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    unsafe { fuse_new_30(args, op, op_size, user_data) }
}

/// `fuse_main_real_versioned`: as `fuse_main_real`; `fuse_main` calls it in programs of this era.
///
/// # Safety
/// As for `fuse_main_real`.
pub unsafe extern "C" fn fuse_main_real_versioned(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const FuseOperations,
    op_size: size_t,
    _version: *mut LibfuseVersion,
    user_data: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fuse_main_real(argc, argv, op, op_size, user_data) }
}
