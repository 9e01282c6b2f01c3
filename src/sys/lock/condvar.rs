//! Waiting for what changes under a mutex.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::MutexGuard;
use crate::sys::futex;

/// A condition. Who waits may wake for nothing and looks again; who notifies has changed it under the mutex.
#[derive(Debug, Default)]
pub struct Condvar {
    calls: AtomicU32,
    /// Those who wait, so that nobody calls into the void. In a child, too many.
    waiters: AtomicU32,
}

impl Condvar {
    /// Nobody waits.
    pub const fn new() -> Condvar {
        Condvar { calls: AtomicU32::new(0), waiters: AtomicU32::new(0) }
    }

    /// Gives the lock up until somebody notifies.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.sleep(guard, None);
    }

    /// The same, for as long as `limit`.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) {
        self.sleep(guard, Some(limit));
    }

    /// The same until then; false if that is over.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Instant) -> bool {
        self.sleep(guard, Some(until.saturating_duration_since(Instant::now())));
        Instant::now() < until
    }

    fn sleep<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Option<Duration>) {
        self.waiters.fetch_add(1, Ordering::Relaxed);
        let seen = self.calls.load(Ordering::Relaxed);
        MutexGuard::unlocked(guard, || futex::wait(&self.calls, seen, limit));
        self.waiters.fetch_sub(1, Ordering::Relaxed);
    }

    /// Wakes one that waits.
    pub fn notify_one(&self) {
        if self.call() {
            futex::wake_one(&self.calls);
        }
    }

    /// Wakes all that wait.
    pub fn notify_all(&self) {
        if self.call() {
            futex::wake_all(&self.calls);
        }
    }

    /// Whoever saw what it waits for unchanged, under the lock, was counted there before it was changed.
    fn call(&self) -> bool {
        let awaited = self.waiters.load(Ordering::Relaxed) != 0;
        if awaited {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        awaited
    }
}
