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
        (self.0.load(Ordering::Acquire) >> PHASE_BITS) as u32
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
    pub fn is_live(&self, generation: u32) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now == word(generation, Phase::Pending) || now == word(generation, Phase::Taken)
    }

    /// The request ends; it must be in the engine's hands.
    pub fn end(&self, generation: u32) {
        self.0.store(word(generation, Phase::Free), Ordering::Release);
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
