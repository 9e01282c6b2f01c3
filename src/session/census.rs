//! How many workers a pool has, and what they do.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU64;

/// Workers alive and, of those, the ones that are being started and the ones that wait for a
/// request; the others serve one.
///
/// All in one word: whether a worker may leave depends on who waits, whether another may start on
/// who is alive. Counted one after the other, the last one waiting could find no room for a
/// successor while one too many is still about to leave, and nobody would read any more.
#[derive(Debug, Default)]
pub(super) struct Census(AtomicU64);

const FIELD: u32 = 21;
const WAITING: u64 = 1;
const STARTING: u64 = 1 << FIELD;
const ALIVE: u64 = 1 << (2 * FIELD);

fn field(word: u64, unit: u64) -> usize {
    (word / unit) as usize & ((1 << FIELD) - 1)
}

impl Census {
    /// Most workers that can be counted.
    pub const MOST: usize = (1 << FIELD) - 1;

    /// Counts a worker that is about to be started; false if there are `most` already.
    pub fn announce(&self, most: usize) -> bool {
        let most = most.min(Census::MOST);
        let announced = |word| (field(word, ALIVE) < most).then_some(word + ALIVE + STARTING);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, announced).is_ok()
    }

    /// The announced worker could not be started.
    pub fn withdraw(&self) {
        self.0.fetch_sub(ALIVE + STARTING, Ordering::SeqCst);
    }

    /// The announced worker is there and waits.
    pub fn arrive(&self) {
        // One step: STARTING is the larger.
        self.0.fetch_sub(STARTING - WAITING, Ordering::SeqCst);
    }

    /// A waiting worker ends.
    pub fn leave(&self) {
        self.0.fetch_sub(ALIVE + WAITING, Ordering::SeqCst);
    }

    /// A waiting worker has a request; true if no other waits, or soon will.
    pub fn take_request(&self) -> bool {
        let before = self.0.fetch_sub(WAITING, Ordering::SeqCst);
        field(before, WAITING) == 1 && field(before, STARTING) == 0
    }

    /// A worker has served its request: it waits again, or, if `enough` do without it, is counted
    /// out and this returns false.
    ///
    /// A worker being started does not count here: its thread may yet be refused.
    pub fn wait_again(&self, enough: usize) -> bool {
        let stays = |word| field(word, WAITING) < enough;
        let next = |word| Some(if stays(word) { word + WAITING } else { word - ALIVE });
        // `next` never refuses.
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(before) | Err(before) => stays(before),
        }
    }

    /// Whether there are as many workers as there may be.
    pub fn is_full(&self, most: usize) -> bool {
        field(self.0.load(Ordering::SeqCst), ALIVE) >= most.min(Census::MOST)
    }

    /// Whether nobody waits for requests, or soon will.
    pub fn nobody_waits(&self) -> bool {
        let word = self.0.load(Ordering::SeqCst);
        field(word, WAITING) == 0 && field(word, STARTING) == 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn with(workers: usize) -> Census {
        let census = Census::default();
        for _ in 0..workers {
            assert!(census.announce(workers));
            census.arrive();
        }
        assert!(!census.announce(workers));
        census
    }

    #[test]
    fn whoever_leaves_makes_room_at_once() {
        let census = with(2);
        assert!(!census.take_request());
        assert!(census.take_request());
        assert!(census.wait_again(1));
        assert!(!census.wait_again(1));
        assert!(census.take_request());
        assert!(census.announce(2) && !census.announce(2));
    }

    #[test]
    fn nobody_leaves_for_a_worker_that_may_be_refused() {
        let census = with(1);
        assert!(census.take_request());
        assert!(census.announce(2));
        assert!(census.wait_again(1));
        assert!(!census.take_request());
        census.withdraw();
        assert!(census.nobody_waits());
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;

    use super::*;

    /// A worker that waits takes a request, starts another if it is missed, and waits again or leaves.
    fn serve(census: &Census, most: usize, enough: usize) {
        if census.take_request() && census.announce(most) {
            // The new worker, in its own time.
            loom::thread::yield_now();
            census.arrive();
        }
        census.wait_again(enough);
    }

    #[test]
    fn somebody_always_waits_in_the_end() {
        for (most, enough) in [(2, 1), (3, 1), (3, 2)] {
            loom::model(move || {
                let census = Arc::new(Census::default());
                for _ in 0..2 {
                    assert!(census.announce(most));
                    census.arrive();
                }
                let theirs = census.clone();
                let other = loom::thread::spawn(move || serve(&theirs, most, enough));
                serve(&census, most, enough);
                other.join().unwrap();
                let word = census.0.load(Ordering::SeqCst);
                assert!(field(word, WAITING) >= 1 && field(word, STARTING) == 0);
                assert_eq!(field(word, WAITING), field(word, ALIVE), "a worker is lost");
                assert!(field(word, ALIVE) <= most);
            });
        }
    }

    #[test]
    fn a_refused_thread_leaves_no_trace() {
        loom::model(|| {
            let census = Arc::new(Census::default());
            assert!(census.announce(3));
            census.arrive();
            let theirs = census.clone();
            let refused = loom::thread::spawn(move || {
                if theirs.announce(3) {
                    theirs.withdraw();
                }
            });
            census.take_request();
            assert!(census.wait_again(1), "left for a worker that was refused");
            refused.join().unwrap();
            assert!(!census.nobody_waits());
        });
    }
}
