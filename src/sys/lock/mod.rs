//! Mutexes and condition variables of futexes, which work in forked children.
//!
//! A child has the thread that forked only, and all locks as they were. Here no lock is shared by what has nothing
//! else in common (parking_lot keeps whoever waits in one table of the process), those that children take are
//! nobody's while a process forks ([`still`](super::still)), and a lock that another thread of the parent's held
//! is recognised, since it says before which fork it was taken: who waits for it in vain panics, which ends where
//! the library was called, instead of waiting for ever.

mod condvar;
mod word;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lock_api::{GuardNoSend, RawMutexTimed};

pub use condvar::Condvar;
use word::{AWAITED, Failure, HELD, NEXT_PROCESS};

use super::futex;

/// Mutual exclusion, with [`lock_api`]'s interface.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// What is locked.
pub type MutexGuard<'m, T> = lock_api::MutexGuard<'m, RawMutex, T>;
/// A mutex that its own thread may lock again.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, ThreadId, T>;

/// What a lock says while it is held, in this process.
static MARK: AtomicU32 = AtomicU32::new(HELD);

fn mark() -> u32 {
    MARK.load(Ordering::Relaxed)
}

/// To be called once in each forked child. Async-signal-safe.
pub(super) fn in_child() {
    MARK.fetch_add(NEXT_PROCESS, Ordering::Relaxed);
}

/// The lock itself: one word.
#[derive(Debug)]
pub struct RawMutex(AtomicU32);

impl RawMutex {
    #[cold]
    fn lock_slowly(&self, until: Option<Instant>) -> Result<(), Failure> {
        word::lock(&self.0, mark(), until)
    }
}

// SAFETY: whoever makes the word anything else than 0 has the lock; only it makes it 0 again, and acquiring
// synchronises with that.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: RawMutex = RawMutex(AtomicU32::new(0));
    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock(&self) {
        if !self.try_lock() && self.lock_slowly(None).is_err() {
            lost();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.0.compare_exchange(0, mark(), Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.0.swap(0, Ordering::Release) & AWAITED != 0 {
            futex::wake_one(&self.0);
        }
    }

    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

// SAFETY: as above; what was not locked in time has not been changed but for a mark that wakes others.
unsafe impl RawMutexTimed for RawMutex {
    type Duration = Duration;
    type Instant = Instant;

    fn try_lock_for(&self, timeout: Duration) -> bool {
        lock_api::RawMutex::try_lock(self) || self.try_lock_until(Instant::now() + timeout)
    }

    fn try_lock_until(&self, timeout: Instant) -> bool {
        lock_api::RawMutex::try_lock(self) || self.lock_slowly(Some(timeout)).is_ok()
    }
}

#[cold]
fn lost() -> ! {
    panic!("a thread that this process was forked without held a lock");
}

/// Tells threads apart.
pub struct ThreadId;

// SAFETY: a live thread's own storage has an address that no other one's has, and the thread of a forked
// child has that of the thread that forked.
unsafe impl lock_api::GetThreadId for ThreadId {
    const INIT: ThreadId = ThreadId;

    fn nonzero_thread_id(&self) -> NonZeroUsize {
        thread_local! {
            static HERE: u8 = const { 0 };
        }
        HERE.with(|here| std::ptr::from_ref(here).addr().try_into().expect("not null"))
    }
}

/// The word of a mutex, for who holds it over a fork.
pub(super) fn raw<T>(mutex: &Mutex<T>) -> &RawMutex {
    // SAFETY: it is only looked at here; that it is unlocked only by who has locked it is the duty of
    // whoever calls its unsafe method.
    unsafe { mutex.raw() }
}

#[cfg(all(test, not(loom)))]
mod tests;
