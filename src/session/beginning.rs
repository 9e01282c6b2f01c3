//! Since when a request has been under way, as far as anybody knows.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Set in a time that is when the request was first seen, not when it came; no clock gets there.
const LATER: u64 = 1 << 63;

/// How long a request has been under way, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Since it came.
    Known(u64),
    /// Since it was first seen: it came before anybody looked.
    AtLeast(u64),
}

/// When the request in a slot began. Written only while somebody looks, so it says whose time it is.
#[derive(Default)]
pub(super) struct Beginning {
    /// The slot's generation that `at` belongs to; no request has generation 0.
    generation: AtomicU32,
    /// By the monotonic clock, in nanoseconds.
    at: AtomicU64,
}

impl Beginning {
    /// The request of this generation came at `at`.
    pub fn set(&self, generation: u32, at: u64) {
        self.at.store(at & !LATER, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Release);
    }

    /// How old the request of this generation is. The first question about one that came unseen is remembered.
    ///
    /// That it came may be told at the same time: then one of both times stays, and they hardly differ. If it ends
    /// at the same time, and another one comes, that one may count as seen first at `now`.
    pub fn age(&self, generation: u32, now: u64) -> Age {
        if self.generation.load(Ordering::Acquire) != generation {
            self.at.store(now | LATER, Ordering::Relaxed);
            self.generation.store(generation, Ordering::Release);
        }
        let at = self.at.load(Ordering::Relaxed);
        let age = now.saturating_sub(at & !LATER);
        if at & LATER == 0 { Age::Known(age) } else { Age::AtLeast(age) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_its_request_alone() {
        let begun = Beginning::default();
        begun.set(7, 1_000);
        assert_eq!(begun.age(7, 5_000), Age::Known(4_000));
        assert_eq!(begun.age(8, 6_000), Age::AtLeast(0));
        assert_eq!(begun.age(8, 9_000), Age::AtLeast(3_000));
        begun.set(9, 10_000);
        assert_eq!(begun.age(9, 9_000), Age::Known(0));
    }
}
