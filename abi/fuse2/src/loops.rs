//! `fuse_session_loop` and `fuse_session_loop_mt`.

use std::ffi::c_int;

use ferrofuse::session::LoopConfig;
use ferrofuse_abi_common::panic::guard;

use crate::channel::channel;
use crate::hand;
use crate::session::{CSession, fuse_session_reset, session};
use crate::types::FuseSession;

/// A worker ends when more than this many are idle; it is libfuse's number.
const MAX_IDLE: usize = 10;
/// libfuse 2 has no limit.
const MAX_THREADS: usize = 1 << 16;

/// Whether the engine reads by itself: from the kernel's device, and from one only.
fn engine_reads(session: &CSession) -> bool {
    let [ch] = session.channels()[..] else { return false };
    // SAFETY: channels of a session are live.
    session.engine().is_some()
        && unsafe { channel("fuse_session_loop", ch) }.is_some_and(|chan| chan.is_device())
}

/// What the engine's loops return, as libfuse 2 has it: a signal is no failure.
fn outcome(result: i32) -> c_int {
    if result < 0 { -1 } else { 0 }
}

/// # Safety
/// `se` is NULL or a live session.
unsafe fn run(
    function: &str,
    se: *mut FuseSession,
    engine: impl FnOnce(&std::sync::Arc<ferrofuse::session::Session>) -> i32,
    by_hand: impl FnOnce(&CSession) -> c_int,
) -> c_int {
    guard(function, -1, || {
        // SAFETY: the caller's promise.
        let Some(session) = (unsafe { session(function, se) }) else { return -1 };
        match session.engine() {
            Some(own) if engine_reads(session) => outcome(engine(own)),
            _ => {
                let result = by_hand(session);
                // SAFETY: the caller's promise.
                unsafe { fuse_session_reset(se) };
                result
            }
        }
    })
}

/// `fuse_session_loop`: serves requests in the calling thread, one at a time. Returns 0 after exit, a signal or unmount,
/// and -1 after an error.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_loop(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { run("fuse_session_loop", se, |engine| engine.run_single(), hand::single) }
}

/// `fuse_session_loop_mt`: serves requests in worker threads; returns as [`fuse_session_loop`] does.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_loop_mt(se: *mut FuseSession) -> c_int {
    let config =
        LoopConfig { clone_fd: false, max_idle_threads: Some(MAX_IDLE), max_threads: MAX_THREADS };
    let by_hand = |session: &CSession| {
        hand::multi(session, || hand::next(session), |request| hand::serve(session, request))
    };
    // SAFETY: the caller's promise.
    unsafe { run("fuse_session_loop_mt", se, |engine| engine.run_multi(config), by_hand) }
}
