//! The primitives that path locks, nodes, names and the queue of notifications are built of: parking_lot's and the standard
//! library's, or loom's where the model checker runs them (`--cfg loom`).

#[cfg(not(all(test, loom)))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};

/// As [`wait`], until `limit` has passed at the latest. The model checker knows no time: it wakes the
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

/// Waits on `condvar`, giving the lock up meanwhile.
#[cfg(not(all(test, loom)))]
pub(crate) fn wait<'m, T>(condvar: &Condvar, mut guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    condvar.wait(&mut guard);
    guard
}

#[cfg(all(test, loom))]
pub(crate) use model::*;

/// loom's, with the interface of parking_lot's.
#[cfg(all(test, loom))]
mod model {
    pub use loom::sync::atomic::{AtomicU64, AtomicUsize};
    pub use loom::sync::{Condvar, MutexGuard};

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

    pub fn wait<'m, T>(condvar: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
        condvar.wait(guard).unwrap()
    }
}
