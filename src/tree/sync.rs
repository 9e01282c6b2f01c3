//! The primitives that path locks, nodes and names are built of: parking_lot's and the standard
//! library's, or loom's where the model checker runs them (`--cfg loom`).

#[cfg(not(all(test, loom)))]
pub(super) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Waits on `condvar`, giving the lock up meanwhile.
#[cfg(not(all(test, loom)))]
pub(super) fn wait<'m, T>(condvar: &Condvar, mut guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    condvar.wait(&mut guard);
    guard
}

#[cfg(all(test, loom))]
pub(super) use model::*;

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

    pub fn wait<'m, T>(condvar: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
        condvar.wait(guard).unwrap()
    }
}
