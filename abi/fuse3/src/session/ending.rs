//! Making the loops of a session return.

use std::ffi::c_int;

use super::{CSession, session};
use crate::types::FuseSession;

impl CSession {
    /// Makes every loop return the number of a signal. Async-signal-safe.
    pub fn stopped_by(&self, signal: c_int) {
        self.inside.set_error(signal);
        self.engine.exit().request_with(signal);
    }

    /// Notes how a loop ended: the result of the loop, which is returned.
    pub fn ended(&self, result: c_int) -> c_int {
        self.inside.set_error(result);
        result
    }
}

/// `fuse_session_exit`: makes every loop of the session return. Async-signal-safe.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exit(se: *mut FuseSession) {
    // No message for NULL: logging is not async-signal-safe.
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { se.cast::<CSession>().as_ref() } {
        session.engine.exit().request();
    }
}

/// `fuse_session_exited`: not 0 if the loops were asked to return.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exited(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    let session = unsafe { session("fuse_session_exited", se) };
    session.is_none_or(|session| session.engine.exit().is_requested()).into()
}

/// `fuse_session_reset`: forgets that exit was requested, and why.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_reset(se: *mut FuseSession) {
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { session("fuse_session_reset", se) } {
        session.engine.exit().reset();
        session.inside.set_error(0);
    }
}
