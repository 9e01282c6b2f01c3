//! Whose a slot of the table of requests is: which request's, and in whose hands that is.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU64;

/// A slot is free, or its request is in the filesystem's hands, or in the engine's.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Phase {
    Free = 0,
    Pending = 1,
    Taken = 2,
}

const PHASE_BITS: u32 = 2;

fn word(generation: u32, phase: Phase) -> u64 {
    (u64::from(generation) << PHASE_BITS) | phase as u64
}

/// Generation and phase in one word, so that who holds an old generation finds that out by looking once.
#[derive(Default)]
pub(super) struct Tenure(AtomicU64);

impl Tenure {
    /// Of the request that is there, or was there last.
    pub fn generation(&self) -> u32 {
        (self.0.load(Ordering::SeqCst) >> PHASE_BITS) as u32
    }

    /// A request begins, in the engine's hands. The slot must be free.
    pub fn begin(&self, generation: u32) {
        self.0.store(word(generation, Phase::Taken), Ordering::Release);
    }

    /// From the filesystem's hands to the engine's; false if this generation is not pending.
    pub fn take(&self, generation: u32) -> bool {
        let (pending, taken) = (word(generation, Phase::Pending), word(generation, Phase::Taken));
        self.0.compare_exchange(pending, taken, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// From the engine's hands to the filesystem's.
    pub fn give(&self, generation: u32) {
        self.0.store(word(generation, Phase::Pending), Ordering::Release);
    }

    /// Whether this generation has not been answered yet.
    ///
    /// Sequentially consistent, as is the end: who leaves something in the slot, or says that the session is
    /// gone, and then finds the request alive will be noticed by whoever ends it.
    pub fn is_live(&self, generation: u32) -> bool {
        // Pending and taken are the two numbers that follow free.
        let now = self.0.load(Ordering::SeqCst);
        now.wrapping_sub(word(generation, Phase::Pending)) <= 1
    }

    /// The request ends; it must be in the engine's hands.
    pub fn end(&self, generation: u32) {
        self.0.swap(word(generation, Phase::Free), Ordering::SeqCst);
    }
}

/// Whether a slot is one thread's, which uses it for one request after the other, or anybody's.
#[derive(Default)]
pub(super) struct Keep(AtomicU64);

/// Whoever ends a request puts the slot among the free ones.
const LOOSE: u64 = 0;
const KEPT_BUSY: u64 = 1;
const KEPT_FREE: u64 = 2;

impl Keep {
    /// From now on the calling thread's, which has taken it from the free ones.
    pub fn begin(&self) {
        self.0.store(KEPT_FREE, Ordering::Release);
    }

    /// The keeper's next request, if the last one has ended.
    pub fn use_again(&self) -> bool {
        let free = self.0.load(Ordering::Acquire) == KEPT_FREE;
        if free {
            self.0.store(KEPT_BUSY, Ordering::Relaxed);
        }
        free
    }

    /// The keeper itself has ended its request.
    pub fn ended_here(&self) {
        self.0.store(KEPT_FREE, Ordering::Relaxed);
    }

    /// A request has ended; true if the slot now has to go among the free ones.
    pub fn ended(&self) -> bool {
        self.0.load(Ordering::Relaxed) == LOOSE
            || self
                .0
                .compare_exchange(KEPT_BUSY, KEPT_FREE, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
    }

    /// The keeper wants it no longer; true if the slot now has to go among the free ones.
    pub fn give_up(&self) -> bool {
        self.0.swap(LOOSE, Ordering::AcqRel) == KEPT_FREE
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A request is given out; whoever claims it ends it, and the place goes to the next one.
    fn answer(tenure: &Tenure, generation: u32, answers: &AtomicUsize) {
        if tenure.take(generation) {
            answers.fetch_add(1, Ordering::SeqCst);
            tenure.end(generation);
        }
    }

    #[test]
    fn of_two_answers_and_the_end_of_the_session_one_counts() {
        loom::model(|| {
            let tenure = Arc::new(Tenure::default());
            let answers = Arc::new(AtomicUsize::new(0));
            tenure.begin(1);
            tenure.give(1);
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let (tenure, answers) = (tenure.clone(), answers.clone());
                    loom::thread::spawn(move || answer(&tenure, 1, &answers))
                })
                .collect();
            answer(&tenure, 1, &answers);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(answers.load(Ordering::SeqCst), 1);
            assert!(!tenure.is_live(1) && tenure.generation() == 1);
        });
    }

    #[test]
    fn a_slot_goes_among_the_free_ones_once() {
        loom::model(|| {
            let keep = Arc::new(Keep::default());
            keep.begin();
            assert!(keep.use_again());
            let answering = {
                let keep = keep.clone();
                loom::thread::spawn(move || keep.ended())
            };
            let mut freed = 0;
            if keep.use_again() {
                keep.ended_here();
            }
            freed += usize::from(keep.give_up());
            freed += usize::from(answering.join().unwrap());
            assert_eq!(freed, 1);
            assert!(keep.ended());
        });
    }

    #[test]
    fn what_is_left_in_a_slot_is_found_by_one_side() {
        use loom::sync::atomic::AtomicBool;
        loom::model(|| {
            let tenure = Arc::new(Tenure::default());
            let left = Arc::new(AtomicBool::new(false));
            tenure.begin(1);
            let leaving = {
                let (tenure, left) = (tenure.clone(), left.clone());
                loom::thread::spawn(move || {
                    left.store(true, Ordering::SeqCst);
                    loom::sync::atomic::fence(Ordering::SeqCst);
                    !tenure.is_live(1)
                })
            };
            tenure.end(1);
            loom::sync::atomic::fence(Ordering::SeqCst);
            let found = left.load(Ordering::SeqCst);
            assert!(leaving.join().unwrap() || found);
        });
    }

    #[test]
    fn an_old_name_never_means_the_next_request() {
        loom::model(|| {
            let tenure = Arc::new(Tenure::default());
            let answers = Arc::new(AtomicUsize::new(0));
            tenure.begin(1);
            tenure.give(1);
            let late = {
                let (tenure, answers) = (tenure.clone(), answers.clone());
                loom::thread::spawn(move || answer(&tenure, 1, &answers))
            };
            answer(&tenure, 1, &answers);
            if !tenure.is_live(1) {
                // Free, so it serves another; only its own name ends that.
                tenure.begin(2);
                tenure.give(2);
                assert!(tenure.is_live(2));
                late.join().unwrap();
                assert!(tenure.is_live(2) && !tenure.take(1) && tenure.take(2));
            } else {
                late.join().unwrap();
            }
            assert_eq!(answers.load(Ordering::SeqCst), 1);
        });
    }
}
