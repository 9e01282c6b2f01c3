//! The end of a session: one flag, and waking whoever waits for it.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crate::sync::{AtomicU32, futex};
use crate::sys::wake::{Alarm, Reader, keep_errno};

/// The bit that says that exit was requested.
const EXIT: u32 = 1;
/// What a nudge adds.
const NUDGE: u32 = 2;

/// Exit flag and result of a session's loops.
///
/// [`ExitState::request`] is async-signal-safe; everything it touches is an atomic or a plain
/// system call.
#[derive(Debug, Default)]
pub struct ExitState {
    /// [`EXIT`], and above it a count of nudges.
    word: AtomicU32,
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
        self.word.fetch_or(EXIT, Ordering::SeqCst);
        keep_errno(|| {
            futex::wake_all(&self.word);
            if self.reader.is_reading() {
                self.reader.kick();
                self.ring();
            }
        });
    }

    /// Arms the alarm if the thread is still in its read. It may have left it meanwhile: with the
    /// flag set it reads no more, and what it does now must not be disturbed.
    fn ring(&self) {
        loop {
            self.alarm.arm();
            if self.reader.is_reading() {
                return;
            }
            self.alarm.disarm();
            if !self.reader.is_reading() {
                return;
            }
            // A new loop reads, and may have to be called by another request, whose alarm this is.
        }
    }

    /// Makes [`ExitState::wait`] return for its caller to look around.
    pub(super) fn nudge(&self) {
        self.word.fetch_add(NUDGE, Ordering::SeqCst);
        futex::wake_all(&self.word);
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
        self.word.load(Ordering::SeqCst) & EXIT != 0
    }

    /// What the loops return: 0, a signal number or a negative errno.
    pub fn result(&self) -> i32 {
        self.result.load(Ordering::SeqCst)
    }

    /// Forgets request and result, so that a loop can run again.
    pub fn reset(&self) {
        self.result.store(0, Ordering::SeqCst);
        self.word.fetch_and(!EXIT, Ordering::SeqCst);
    }

    /// What [`ExitState::wait`] is to be given, taken before looking at what is waited for.
    pub(super) fn seen(&self) -> u32 {
        self.word.load(Ordering::SeqCst)
    }

    /// Blocks until anything has happened since `seen`: exit was requested, a nudge, a signal, or
    /// `limit` has passed.
    pub(super) fn wait(&self, seen: u32, limit: Option<Duration>) {
        futex::wait(&self.word, seen, limit);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;

    use super::*;

    /// As the pool's supervisor waits: for the end, and for workers that it has to ask for again.
    #[test]
    fn whoever_waits_hears_of_a_nudge_and_of_the_end() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let [exit, heard] = [(); 2].map(|()| Arc::new(ExitState::default()));
            let asked = Arc::new(crate::sync::AtomicUsize::new(0));
            let until = |exit: &ExitState, what: &dyn Fn() -> bool| {
                loop {
                    let seen = exit.seen();
                    if what() {
                        return;
                    }
                    exit.wait(seen, None);
                }
            };
            let supervisor = {
                let (exit, heard, asked) = (exit.clone(), heard.clone(), asked.clone());
                loom::thread::spawn(move || {
                    until(&exit, &|| asked.load(Ordering::SeqCst) == 1);
                    heard.request();
                    until(&exit, &|| exit.is_requested());
                    exit.result()
                })
            };
            asked.store(1, Ordering::SeqCst);
            exit.nudge();
            until(&heard, &|| heard.is_requested());
            exit.request_with(-5);
            exit.request_with(-6);
            assert_eq!(supervisor.join().unwrap(), -5);
        });
    }
}
