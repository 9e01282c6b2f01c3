//! `fuse_loop` and `fuse_loop_mt`: those of the session, with nodes let go of meanwhile.

use std::ffi::c_int;

use super::fuse::{CFuse, fuse, fuse_start_cleanup_thread, fuse_stop_cleanup_thread};
use crate::loops::{fuse_session_loop, fuse_session_loop_mt};
use crate::types::{Fuse, FuseSession};

/// Runs a loop of the session; -1 if there is none, or no thread to be had.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe fn run(
    function: &str,
    f: *mut Fuse,
    run: impl FnOnce(*mut FuseSession) -> c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let Some(session) = unsafe { fuse(function, f) }.map(CFuse::session) else { return -1 };
    // SAFETY: as above.
    if unsafe { fuse_start_cleanup_thread(f) } != 0 {
        return -1;
    }
    let result = run(session);
    // SAFETY: as above.
    unsafe { fuse_stop_cleanup_thread(f) };
    result
}

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
