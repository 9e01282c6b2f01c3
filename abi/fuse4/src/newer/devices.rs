//! Character devices of programs that say how large their table of operations is.

use std::ffi::{c_char, c_int, c_void};

use ferrofuse_abi_common::opt::FuseArgs;
use libc::size_t;

use crate::cuse::{self, Operations};
use crate::cuse_setup;
use crate::types::{CuseInfo, CuseLowlevelOps, FuseSession, LibfuseVersion};

/// `cuse_lowlevel_new_319`: as `cuse_lowlevel_new`, which calls it in programs of API 3.19.
///
/// # Safety
/// As for `cuse_lowlevel_new`; `clop` is NULL or has `clop_size` bytes.
pub unsafe extern "C" fn cuse_lowlevel_new_319(
    args: *mut FuseArgs,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    clop_size: size_t,
    _version: *const LibfuseVersion,
    userdata: *mut c_void,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { cuse::new(args, ci, Operations { table: clop, size: clop_size }, userdata) }
}

/// `cuse_lowlevel_setup_319`: as `cuse_lowlevel_setup`.
///
/// # Safety
/// As for `cuse_lowlevel_setup`; `clop` is NULL or has `clop_size` bytes.
pub unsafe extern "C" fn cuse_lowlevel_setup_319(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    clop_size: size_t,
    _version: *const LibfuseVersion,
    multithreaded: *mut c_int,
    userdata: *mut c_void,
) -> *mut FuseSession {
    let clop = Operations { table: clop, size: clop_size };
    // SAFETY: the caller's promise.
    unsafe { cuse_setup::setup((argc, argv), ci, clop, multithreaded, userdata) }
}

/// `cuse_lowlevel_main_319`: as `cuse_lowlevel_main`.
///
/// # Safety
/// As for `cuse_lowlevel_main`; `clop` is NULL or has `clop_size` bytes.
pub unsafe extern "C" fn cuse_lowlevel_main_319(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    clop_size: size_t,
    _version: *const LibfuseVersion,
    userdata: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { cuse::main((argc, argv), ci, Operations { table: clop, size: clop_size }, userdata) }
}
