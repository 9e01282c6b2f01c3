//! The end of a session: one flag, and waking whoever waits for it.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use crate::sys::futex;
use crate::sys::wake::{Alarm, Reader};

/// Exit flag and result of a session's loops.
///
/// [`ExitState::request`] is async-signal-safe; everything it touches is an atomic or a plain
/// system call.
#[derive(Debug, Default)]
pub struct ExitState {
    exited: AtomicU32,
    /// 0, a positive signal number, or a negative errno.
    result: AtomicI32,
    /// The thread of a single-threaded loop.
    pub(super) reader: Reader,
    /// Repeats the wake-up of that thread.
    pub(super) alarm: Alarm,
}

impl ExitState {
    /// Asks every loop of the session to return. Async-signal-safe, callable from any thread.
    pub fn request(&self) {
        self.exited.store(1, Ordering::SeqCst);
        futex::wake_all(&self.exited);
        if self.reader.is_reading() {
            self.reader.kick();
            self.alarm.arm();
        }
    }

    /// Records why, unless something else was recorded before, and asks the loops to return.
    /// `result` is a signal number or a negative errno. Async-signal-safe.
    pub fn request_with(&self, result: i32) {
        // The first reason is the one reported.
        let _ = self.result.compare_exchange(0, result, Ordering::SeqCst, Ordering::SeqCst);
        self.request();
    }

    /// Whether the loops were asked to return.
    pub fn is_requested(&self) -> bool {
        self.exited.load(Ordering::SeqCst) != 0
    }

    /// What the loops return: 0, a signal number or a negative errno.
    pub fn result(&self) -> i32 {
        self.result.load(Ordering::SeqCst)
    }

    /// Forgets request and result, so that a loop can run again.
    pub fn reset(&self) {
        self.result.store(0, Ordering::SeqCst);
        self.exited.store(0, Ordering::SeqCst);
    }

    /// Blocks until exit is requested, a signal arrives or `limit` has passed.
    pub fn wait(&self, limit: Option<Duration>) {
        futex::wait(&self.exited, 0, limit);
    }
}
