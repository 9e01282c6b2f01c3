//! How one word is a lock: 0, or a mark of the process that holds it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::sys::futex;

/// Somebody has it.
pub const HELD: u32 = 1;
/// Others wait, and one of them has to be woken.
pub const AWAITED: u32 = 2;
/// Above these, how often the process was forked before it was locked.
pub const NEXT_PROCESS: u32 = 4;

/// How long a child waits for what was locked before it was forked. Most likely the holder is not there; it may
/// be the one thread that is.
const LOST: Duration = Duration::from_millis(200);
/// Looks before sleeping: as a lock is held for a few instructions only.
const SPINS: u32 = if cfg!(all(test, loom)) { 0 } else { 50 };

/// Why it was not locked.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time was over.
    Late,
    /// The holder is a thread that this process has not.
    Lost,
}

/// What the model checker has another of.
pub trait Word {
    fn load(&self) -> u32;
    /// Whether it was `from`, and is `to` now.
    fn exchange(&self, from: u32, to: u32) -> bool;
    /// Sleeps while it is `seen`; may return early.
    fn wait(&self, seen: u32, limit: Option<Duration>);
}

impl Word for AtomicU32 {
    fn load(&self) -> u32 {
        AtomicU32::load(self, Ordering::Relaxed)
    }

    fn exchange(&self, from: u32, to: u32) -> bool {
        self.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn wait(&self, seen: u32, limit: Option<Duration>) {
        futex::wait(self, seen, limit);
    }
}

/// Locks a word that was held a moment ago.
pub fn lock(word: &impl Word, mark: u32, until: Option<Instant>) -> Result<(), Failure> {
    for _ in 0..SPINS {
        let seen = word.load();
        if seen == 0 && word.exchange(0, mark) {
            return Ok(());
        }
        if seen & AWAITED != 0 {
            break;
        }
        std::hint::spin_loop();
    }
    let mut lost = None;
    loop {
        let mut seen = word.load();
        if seen == 0 {
            // Others may have slept beside this one, which only its own unlocking tells them.
            if word.exchange(0, mark | AWAITED) {
                return Ok(());
            }
            continue;
        }
        if seen & AWAITED == 0 {
            if !word.exchange(seen, seen | AWAITED) {
                continue;
            }
            seen |= AWAITED;
        }
        // Marked before this gives up, so that a wake-up that came to it is not lost for the others.
        if (seen ^ mark) < NEXT_PROCESS {
            lost = None;
        } else if lost.is_none() {
            lost = Some(Instant::now() + LOST);
        }
        let limit = match (until, lost) {
            (Some(until), Some(lost)) => Some(until.min(lost)),
            (until, lost) => until.or(lost),
        };
        let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(if limit == until { Failure::Late } else { Failure::Lost });
        }
        word.wait(seen, left);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;

    use super::*;
    use crate::sync::{AtomicU32, AtomicUsize, futex};

    impl Word for AtomicU32 {
        fn load(&self) -> u32 {
            self.load(Ordering::SeqCst)
        }

        fn exchange(&self, from: u32, to: u32) -> bool {
            let order = Ordering::SeqCst;
            self.fetch_update(order, order, |seen| (seen == from).then_some(to)).is_ok()
        }

        fn wait(&self, seen: u32, limit: Option<Duration>) {
            futex::wait(self, seen, limit);
        }
    }

    fn unlock(word: &AtomicU32) {
        let order = Ordering::SeqCst;
        if word.fetch_update(order, order, |_| Some(0)).is_ok_and(|seen| seen & AWAITED != 0) {
            futex::wake_one(word);
        }
    }

    /// Three threads, and a wake-up for one of them each time: none sleeps for ever, and one is inside at a time.
    #[test]
    fn a_lock_is_one_threads_and_comes_to_everybody() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let (word, inside) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
            let visit = |word: &AtomicU32, inside: &AtomicUsize| {
                if !word.exchange(0, HELD) {
                    lock(word, HELD, None).unwrap();
                }
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two are inside");
                inside.fetch_sub(1, Ordering::SeqCst);
                unlock(word);
            };
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let (word, inside) = (word.clone(), inside.clone());
                    loom::thread::spawn(move || visit(&word, &inside))
                })
                .collect();
            visit(&word, &inside);
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }
}
