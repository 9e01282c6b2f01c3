//! Locks that nobody has while the process forks.
//!
//! A forked child has no thread but the one that forked. What another one had just locked would stay locked there, and
//! half changed. So the locks that a child takes to answer requests and to send notifications are locked before
//! a fork and unlocked after it, in both processes.
//!
//! Whoever holds one of them may wait for another that is already had here. Therefore nothing is waited for long:
//! all are given up again, and tried again, and after [`LONGEST`] the fork goes on without. What is locked in the
//! child then is recognised: see [`lock`](super::lock).

use std::cell::Cell;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lock_api::{RawMutex as _, RawMutexTimed as _};
use once_cell::sync::OnceCell;

use super::lock::{Mutex, RawMutex, raw};

/// How long one lock is waited for, with others held.
const TRY: Duration = Duration::from_millis(2);
/// How long a fork is held up at most, or a little more.
const LONGEST: Duration = Duration::from_millis(100);

/// What has locks that children take.
pub trait Still: Send + Sync {
    /// Calls `each` with every one of them.
    fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>));
}

/// A lock that is to be nobody's during a fork.
#[derive(Debug)]
pub struct Lock<'l>(&'l RawMutex);

/// That of a mutex.
pub fn lock<T>(mutex: &Mutex<T>) -> Lock<'_> {
    Lock(raw(mutex))
}

impl<T: Send> Still for Mutex<T> {
    fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        each(lock(self));
    }
}

#[derive(Clone)]
enum Owner {
    Process(&'static dyn Still),
    Object(Weak<dyn Still>),
}

impl Owner {
    fn is(&self, other: &'static dyn Still) -> bool {
        matches!(self, Owner::Process(known) if ptr::addr_eq(*known, other))
    }

    fn is_there(&self) -> bool {
        match self {
            Owner::Process(_) => true,
            Owner::Object(object) => object.strong_count() > 0,
        }
    }
}

static OWNERS: Mutex<Vec<Owner>> = Mutex::new(Vec::new());
/// Held while what is made once is made.
static MAKING: Mutex<()> = Mutex::new(());

/// Has the locks of a static held during forks from now on.
pub fn keep_static(owner: &'static dyn Still) {
    super::fork::generation();
    let mut owners = OWNERS.lock();
    if !owners.iter().any(|known| known.is(owner)) {
        owners.push(Owner::Process(owner));
    }
}

/// The same for an object, for as long as it lives.
pub fn keep(owner: Weak<dyn Still>) {
    super::fork::generation();
    let mut owners = OWNERS.lock();
    owners.retain(Owner::is_there);
    owners.push(Owner::Object(owner));
}

/// What is in the cell, after having made it if need be. No fork leaves a child waiting for a thread that was just
/// making it. What makes it may not make something else this way.
pub fn made_once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> T) -> &T {
    if let Some(made) = cell.get() {
        return made;
    }
    super::fork::generation();
    let _making = MAKING.lock();
    cell.get_or_init(make)
}

/// The locks that a thread has while it forks.
#[derive(Default)]
struct Held {
    locks: Vec<NonNull<RawMutex>>,
    /// Whose they are, to be there as long as they are held.
    owners: Vec<Arc<dyn Still>>,
    /// Addresses of those that were not to be had after others. They come first the next time, as others may
    /// take them in that order.
    first: Vec<usize>,
}

impl Held {
    fn take(&mut self, lock: &RawMutex) -> bool {
        let room = self.locks.try_reserve(1).is_ok() && self.first.try_reserve(1).is_ok();
        let had = room && (lock.try_lock() || lock.try_lock_for(TRY));
        if had {
            self.locks.push(NonNull::from(lock));
        } else if room {
            self.first.insert(0, ptr::from_ref(lock).addr());
        }
        had
    }

    /// Those of `owner`, or what is left of them after those that come first.
    fn take_of(&mut self, owner: &dyn Still, first: bool) -> bool {
        let mut all = true;
        owner.locks(&mut |Lock(lock)| {
            let is_first = self.first.contains(&ptr::from_ref(lock).addr());
            all = all && (is_first != first || self.take(lock));
        });
        all
    }

    /// Whether all were to be had.
    fn take_all(&mut self) -> bool {
        // In this order: what is on the list can't go before the list is held.
        if !self.take(raw(&MAKING)) || !self.take(raw(&OWNERS)) {
            return false;
        }
        // SAFETY: locked above, and unlocked by `release` only, when this reference is gone.
        let owners = unsafe { &*OWNERS.data_ptr() };
        if self.owners.try_reserve(owners.len()).is_err() {
            return false;
        }
        for owner in owners {
            if let Owner::Object(object) = owner
                && let Some(object) = object.upgrade()
            {
                // Not let go of under its own locks, if it should be the last.
                self.owners.push(object);
            }
        }
        let objects = mem::take(&mut self.owners);
        let mut take = |first| {
            owners.iter().all(|owner| match owner {
                Owner::Process(owner) => self.take_of(*owner, first),
                Owner::Object(_) => true,
            }) && objects.iter().all(|object| self.take_of(&**object, first))
        };
        let all = take(true) && take(false);
        self.owners = objects;
        all
    }

    fn release(&mut self) {
        for lock in self.locks.drain(..).rev() {
            // SAFETY: locked by this thread, or by the one it is a copy of; the lock is a static's, or its
            // owner is in `owners` and was borrowed for as long as that is there.
            unsafe { lock.as_ref().unlock() };
        }
    }
}

thread_local! {
    static HELD: Cell<*mut Held> = const { Cell::new(ptr::null_mut()) };
}

/// Before a fork.
pub(super) fn hold() {
    if !HELD.get().is_null() {
        // The handler is registered twice.
        return;
    }
    let start = Instant::now();
    let mut held = Box::<Held>::default();
    while !held.take_all() {
        held.release();
        held.owners.clear();
        if start.elapsed() >= LONGEST {
            return;
        }
    }
    HELD.set(Box::into_raw(held));
}

fn taken_back() -> Option<Box<Held>> {
    let held = HELD.replace(ptr::null_mut());
    // SAFETY: only `hold` stores a pointer there, from a box, and it has just been taken out.
    (!held.is_null()).then(|| unsafe { Box::from_raw(held) })
}

/// After it, in the process that forked.
pub(super) fn release() {
    if let Some(mut held) = taken_back() {
        held.release();
    }
}

/// After it, in the child: nothing is freed there, as that might call for more.
pub(super) fn release_in_child() {
    if let Some(mut held) = taken_back() {
        held.release();
        mem::forget(held);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    /// Two locks that are always taken one in the other, in the order that `hold` has not.
    struct Pair(Mutex<u64>, Mutex<u64>);

    impl Still for Pair {
        fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
            each(lock(&self.0));
            each(lock(&self.1));
        }
    }

    #[test]
    fn children_find_every_lock_free_and_what_it_guards_whole() {
        let pair = Arc::new(Pair(Mutex::new(0), Mutex::new(0)));
        let kept: Arc<dyn Still> = pair.clone();
        keep(Arc::downgrade(&kept));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let mut second = pair.1.lock();
                        let mut first = pair.0.lock();
                        *second += 1;
                        *first += 1;
                    }
                });
            }
            let mut broken = 0;
            for _ in 0..100 {
                // SAFETY: the child looks at locks and leaves with _exit.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    let whole =
                        pair.0.try_lock().zip(pair.1.try_lock()).is_some_and(|(a, b)| *a == *b);
                    // SAFETY: ends the child without the test program's own end.
                    unsafe { libc::_exit(i32::from(!whole)) };
                }
                let mut status = 0;
                // SAFETY: `status` outlives the call; `pid` is our own child.
                assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
                broken += i32::from(status != 0);
            }
            over.store(true, Ordering::Relaxed);
            assert_eq!(broken, 0, "children with a lock that nobody gives back");
        });
    }

    #[test]
    fn a_fork_goes_on_without_a_lock_that_its_own_thread_has() {
        static OWN: Mutex<()> = Mutex::new(());
        keep_static(&OWN);
        keep_static(&OWN);
        let own = OWN.lock();
        let start = Instant::now();
        // SAFETY: the child leaves at once.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: as above.
            unsafe { libc::_exit(0) };
        }
        assert!(start.elapsed() < LONGEST * 20);
        drop(own);
        let mut status = 1;
        // SAFETY: `status` outlives the call; `pid` is our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
        assert!(OWN.try_lock().is_some());
    }
}
