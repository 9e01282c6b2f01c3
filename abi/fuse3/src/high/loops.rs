//! `fuse_loop` and `fuse_loop_mt`: those of the session, with nodes let go of meanwhile.

use std::ffi::c_int;

use super::handle::run;
use crate::loops;
use crate::types::{Fuse, FuseLoopConfig, FuseLoopConfigV1};

/// `fuse_loop`: serves requests in the calling thread, one at a time.
///
/// Returns 0 after exit or unmount, the number of the signal that ended it, or a negative number.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_loop(f: *mut Fuse) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop", f, |session| loops::fuse_session_loop(session)) }
}

/// `fuse_loop_mt` from API 3.12 on: serves requests in worker threads; returns as [`fuse_loop`]
/// does. A NULL configuration is the default; a v1 one gives `-EINVAL`.
///
/// # Safety
/// `f` is NULL or a live file system; `config` is NULL or came from `fuse_loop_cfg_create`.
pub unsafe extern "C" fn fuse_loop_mt_312(f: *mut Fuse, config: *mut FuseLoopConfig) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop_mt", f, |session| loops::fuse_session_loop_mt_312(session, config)) }
}

/// `fuse_loop_mt` of API 3.2 to 3.11, with a v1 configuration or NULL.
///
/// # Safety
/// `f` is NULL or a live file system; `config_v1` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_loop_mt_32(f: *mut Fuse, config_v1: *mut FuseLoopConfigV1) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop_mt", f, |session| loops::fuse_session_loop_mt_32(session, config_v1)) }
}

/// `fuse_loop_mt` of API 3.0 and 3.1.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_loop_mt_31(f: *mut Fuse, clone_fd: c_int) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop_mt", f, |session| loops::fuse_session_loop_mt_31(session, clone_fd)) }
}
