//! Ending a session by a signal.

use std::ffi::{c_int, c_void};

use ferrofuse_abi_common::signals;

use crate::session::{CSession, session};
use crate::types::{FuseSession, ON_PIPE};

/// Runs in a signal handler: everything it does is async-signal-safe.
unsafe extern "C" fn stop(target: *mut c_void, signal: c_int) {
    // SAFETY: the target is the session that `fuse_set_signal_handlers` was given, and lives until
    // the handlers are removed.
    if let Some(session) = unsafe { target.cast::<CSession>().as_ref() } {
        session.stopped_by(signal);
    }
}

/// `fuse_set_signal_handlers`: HUP, INT and TERM end the session, and in libfuse 3 its loop returns the
/// signal's number; PIPE is ignored. Only where the default disposition is in force. One session at a time:
/// another call replaces it. Returns 0 or -1.
///
/// # Safety
/// `se` is NULL or a session that lives until the handlers are removed.
pub unsafe extern "C" fn fuse_set_signal_handlers(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    if unsafe { session("fuse_set_signal_handlers", se) }.is_none() {
        return -1;
    }
    // SAFETY: the caller's promise.
    unsafe { signals::set(se.cast(), stop, ON_PIPE) }
}

/// `fuse_remove_signal_handlers`: restores the default disposition where our handler still is.
///
/// # Safety
/// `se` is NULL or a session.
pub unsafe extern "C" fn fuse_remove_signal_handlers(se: *mut FuseSession) {
    signals::remove(se.cast(), ON_PIPE);
}
