//! The primitives of what the model checker looks at: path locks, nodes and names, the queue of notifications, the
//! hand-over of requests. Ours, the standard library's and the system's futex, or loom's where the model checker runs them
//! (`--cfg loom`).

#[cfg(not(all(test, loom)))]
pub(crate) use crate::sys::lock::{Condvar, Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};

#[cfg(not(all(test, loom)))]
pub(crate) use crate::sys::{futex, still::lock as still};

/// As [`wait()`], until `limit` has passed at the latest. The model checker knows no time: it wakes the
/// thread whenever it likes.
#[cfg(not(all(test, loom)))]
pub(crate) fn wait_for<'m, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'m, T>,
    limit: std::time::Duration,
) -> MutexGuard<'m, T> {
    condvar.wait_for(&mut guard, limit);
    guard
}

/// The lock, if it is to be had within `limit`.
#[cfg(not(all(test, loom)))]
pub(crate) fn try_lock_for<T>(
    mutex: &Mutex<T>,
    limit: std::time::Duration,
) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock_for(limit)
}

/// Waits on `condvar`, giving the lock up meanwhile.
#[cfg(not(all(test, loom)))]
pub(crate) fn wait<'m, T>(condvar: &Condvar, mut guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    condvar.wait(&mut guard);
    guard
}

#[cfg(all(test, loom))]
pub(crate) use model::*;

/// loom's, with the interface of ours.
#[cfg(all(test, loom))]
pub(crate) mod model {
    use loom::sync::atomic::fence;
    pub use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub use loom::sync::{Condvar, MutexGuard};
    use std::sync::atomic::Ordering::{self, SeqCst};

    /// What is used with sequential consistency between several words, which loom takes for less; fences it
    /// takes for what they are.
    #[derive(Debug)]
    pub struct AtomicU32 {
        word: loom::sync::atomic::AtomicU32,
        /// Who sleeps in [`futex::wait`].
        sleepers: loom::sync::Mutex<()>,
        called: Condvar,
    }

    impl Default for AtomicU32 {
        fn default() -> AtomicU32 {
            AtomicU32::new(0)
        }
    }

    fn fenced<T>(access: impl FnOnce() -> T) -> T {
        fence(SeqCst);
        let result = access();
        fence(SeqCst);
        result
    }

    impl AtomicU32 {
        pub fn new(value: u32) -> AtomicU32 {
            let word = loom::sync::atomic::AtomicU32::new(value);
            AtomicU32 { word, sleepers: loom::sync::Mutex::new(()), called: Condvar::new() }
        }

        pub fn load(&self, order: Ordering) -> u32 {
            fenced(|| self.word.load(order))
        }

        pub fn store(&self, value: u32, order: Ordering) {
            fenced(|| self.word.store(value, order));
        }

        pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
            fenced(|| self.word.fetch_add(value, order))
        }

        pub fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
            fenced(|| self.word.fetch_or(value, order))
        }

        pub fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
            fenced(|| self.word.fetch_and(value, order))
        }

        pub fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            change: impl FnMut(u32) -> Option<u32>,
        ) -> Result<u32, u32> {
            fenced(|| self.word.fetch_update(set, fetch, change))
        }
    }

    /// Who waits sleeps until somebody calls, so that a call that is missing is found. With a limit, it looks
    /// again whenever loom likes.
    pub mod futex {
        use super::SeqCst;

        pub fn wait(word: &super::AtomicU32, seen: u32, limit: Option<std::time::Duration>) {
            if limit.is_some() {
                return loom::thread::yield_now();
            }
            let guard = word.sleepers.lock().unwrap();
            if word.load(SeqCst) == seen {
                drop(word.called.wait(guard).unwrap());
            }
        }

        pub fn wake_all(word: &super::AtomicU32) {
            drop(word.sleepers.lock().unwrap());
            word.called.notify_all();
        }

        pub fn wake_one(word: &super::AtomicU32) {
            drop(word.sleepers.lock().unwrap());
            word.called.notify_one();
        }
    }

    #[derive(Debug)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            // Poisoned only after a panic, which has failed the test already.
            self.0.lock().unwrap()
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Mutex<T> {
            Mutex::new(T::default())
        }
    }

    pub fn wait_for<'m, T>(
        condvar: &Condvar,
        guard: MutexGuard<'m, T>,
        limit: std::time::Duration,
    ) -> MutexGuard<'m, T> {
        condvar.wait_timeout(guard, limit).unwrap().0
    }

    /// There are no forks in models.
    pub fn still<T>(_mutex: &Mutex<T>) -> crate::sys::still::Lock<'_> {
        unreachable!()
    }

    /// One try, or the other threads go on: after a limit that has passed.
    pub fn try_lock_for<T>(
        mutex: &Mutex<T>,
        _limit: std::time::Duration,
    ) -> Option<MutexGuard<'_, T>> {
        let guard = mutex.0.try_lock().ok();
        if guard.is_none() {
            loom::thread::yield_now();
        }
        guard
    }

    pub fn wait<'m, T>(condvar: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
        condvar.wait(guard).unwrap()
    }
}
