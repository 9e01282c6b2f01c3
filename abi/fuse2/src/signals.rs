//! Ending a session by a signal.

use std::ffi::{c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::signals;

use crate::session::{fuse_session_exit, session};
use crate::types::FuseSession;

/// Runs in a signal handler: everything it does is async-signal-safe, as far as it is the library's.
unsafe extern "C" fn stop(target: *mut c_void, _signal: c_int) {
    // SAFETY: the target is the session that `fuse_set_signal_handlers` was given, and lives until the handlers are
    // removed.
    unsafe { fuse_session_exit(target.cast()) };
}

/// `fuse_set_signal_handlers`: HUP, INT and TERM end the session; PIPE is ignored. Only where the default disposition is
/// in force. One session at a time: another call replaces it. Returns 0 or -1.
///
/// # Safety
/// `se` is NULL or a session that lives until the handlers are removed.
pub unsafe extern "C" fn fuse_set_signal_handlers(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    if unsafe { session("fuse_set_signal_handlers", se) }.is_none() {
        return -1;
    }
    // SAFETY: the caller's promise.
    unsafe { signals::set(se.cast(), stop) }
}

/// `fuse_remove_signal_handlers`: restores the default disposition where our handler still is.
///
/// # Safety
/// `se` is NULL or a session.
pub unsafe extern "C" fn fuse_remove_signal_handlers(se: *mut FuseSession) {
    signals::remove(se.cast());
}

/// Keeps signals that end sessions out of the calling thread, so that the main one gets them.
pub fn leave_to_others() {
    // SAFETY: a local set of signals, initialised before it is used.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
    }
}
