//! `fuse_loop` and `fuse_loop_mt`: those of the session, with nodes let go of meanwhile.

use std::ffi::c_int;

use super::handle::run;
use crate::loops::{fuse_session_loop, fuse_session_loop_mt};
use crate::types::Fuse;

/// `fuse_loop`: serves requests in the calling thread, one at a time. Returns 0 after exit, a signal or unmount, and -1
/// after an error.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_loop(f: *mut Fuse) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop", f, |session| fuse_session_loop(session)) }
}

/// `fuse_loop_mt`: serves requests in worker threads; returns as [`fuse_loop`] does.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_loop_mt(f: *mut Fuse) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { run("fuse_loop_mt", f, |session| fuse_session_loop_mt(session)) }
}
