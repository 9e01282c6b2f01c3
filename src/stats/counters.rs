//! What is counted of a session while somebody looks.
//!
//! Threads count in shards, so that they seldom meet. A request's beginning is kept in a table with
//! a place for each of a few thousand ids; who finds its place taken by a later request is answered
//! as ever, and only its duration is not known.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use zerocopy::FromZeros;

use super::latency::{BUCKETS, bucket};
use super::tally::{ROWS, row};

const SHARDS: usize = 16;
/// Places for requests under way; a power of two.
const PLACES: usize = 4096;

/// The way that a message's bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Written or read by the process.
    Copied = 0,
    /// Moved through a pipe.
    Spliced = 1,
    /// In an entry of an io_uring queue.
    Ring = 2,
}

/// The ways there are.
pub const ROUTES: usize = 3;

// Fields of a row, and of what a shard has beside its rows.
const ERRORS: usize = 0;
const TIME: usize = 1;
const FIRST_BUCKET: usize = 2;
const ROW: usize = FIRST_BUCKET + BUCKETS;
const BYTES_IN: usize = ROW * ROWS;
const BYTES_OUT: usize = BYTES_IN + ROUTES;
const NOTIFICATIONS: usize = BYTES_OUT + ROUTES;
/// Whole cache lines.
const SHARD: usize = (NOTIFICATIONS + 1).next_multiple_of(16);

/// A request that somebody waits for.
#[derive(Default)]
struct Begun {
    /// Its id; 0 in a place that is free.
    unique: AtomicU64,
    /// Nanoseconds after the beginning of the count.
    at: AtomicU64,
    row: AtomicU32,
}

/// The counters of one session.
pub struct Counters {
    since: Instant,
    numbers: Box<[AtomicU64]>,
    begun: Box<[Begun]>,
}

/// What was counted for one opcode.
#[derive(Clone, Debug)]
pub struct Row {
    /// Answers that were errors.
    pub errors: u64,
    /// Sum of the durations in nanoseconds.
    pub time: u64,
    /// How many durations fell into each bucket.
    pub buckets: Vec<u64>,
}

thread_local! {
    static HOME: Cell<Option<usize>> = const { Cell::new(None) };
}

/// This thread's shard.
fn home() -> usize {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    HOME.get().unwrap_or_else(|| {
        let home = NEXT.fetch_add(1, Ordering::Relaxed) as usize % SHARDS;
        HOME.set(Some(home));
        home
    })
}

impl Counters {
    /// All zero. `None` if there is no memory (under 2 MiB, most of it never touched).
    pub fn new() -> Option<Counters> {
        let numbers = <[AtomicU64]>::new_box_zeroed_with_elems(SHARDS * SHARD).ok()?;
        let begun = (0..PLACES).map(|_| Begun::default()).collect();
        Some(Counters { since: Instant::now(), numbers, begun })
    }

    /// Nanoseconds since the count began.
    pub fn age(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn add(&self, field: usize, value: u64) {
        self.numbers[home() * SHARD + field].fetch_add(value, Ordering::Relaxed);
    }

    fn sum(&self, field: usize) -> u64 {
        (0..SHARDS)
            .map(|shard| self.numbers[shard * SHARD + field].load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    fn place(&self, unique: u64) -> &Begun {
        // The kernel counts in twos.
        &self.begun[(unique >> 1) as usize % PLACES]
    }

    /// A request of `len` bytes has come; `awaited` if it gets an answer.
    pub fn received(&self, unique: u64, opcode: u32, len: u64, route: Route, awaited: bool) {
        self.add(BYTES_IN + route as usize, len);
        if awaited {
            let place = self.place(unique);
            place.unique.store(0, Ordering::Relaxed);
            place.at.store(self.age(), Ordering::Relaxed);
            place.row.store(row(opcode) as u32, Ordering::Relaxed);
            place.unique.store(unique, Ordering::Release);
        }
    }

    /// A message of `len` bytes has been sent: an answer, or with `unique` 0 a notification.
    pub fn sent(&self, unique: u64, error: i32, len: u64, route: Route) {
        self.add(BYTES_OUT + route as usize, len);
        if unique == 0 {
            return self.add(NOTIFICATIONS, 1);
        }
        let place = self.place(unique);
        if place.unique.load(Ordering::Acquire) != unique {
            return;
        }
        let (at, row) = (place.at.load(Ordering::Relaxed), place.row.load(Ordering::Relaxed));
        // Whoever took the place meanwhile keeps it, and this is somebody else's time.
        if place.unique.compare_exchange(unique, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let time = self.age().saturating_sub(at);
        let row = row as usize * ROW;
        self.add(row + FIRST_BUCKET + bucket(time), 1);
        self.add(row + TIME, time);
        if error != 0 {
            self.add(row + ERRORS, 1);
        }
    }

    /// For how many nanoseconds a request has been under way, if its beginning was seen.
    pub fn under_way(&self, unique: u64) -> Option<u64> {
        let place = self.place(unique);
        let at = place.at.load(Ordering::Relaxed);
        (place.unique.load(Ordering::Acquire) == unique).then(|| self.age().saturating_sub(at))
    }

    /// What was counted for the opcode of a row.
    pub fn row(&self, row: usize) -> Row {
        let row = row * ROW;
        Row {
            errors: self.sum(row + ERRORS),
            time: self.sum(row + TIME),
            buckets: (0..BUCKETS).map(|at| self.sum(row + FIRST_BUCKET + at)).collect(),
        }
    }

    /// Bytes received by each route.
    pub fn bytes_in(&self) -> [u64; ROUTES] {
        std::array::from_fn(|route| self.sum(BYTES_IN + route))
    }

    /// Bytes sent by each route.
    pub fn bytes_out(&self) -> [u64; ROUTES] {
        std::array::from_fn(|route| self.sum(BYTES_OUT + route))
    }

    /// Notifications sent.
    pub fn notifications(&self) -> u64 {
        self.sum(NOTIFICATIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u32 = 15;

    #[test]
    fn an_answer_is_counted_with_its_request() {
        let counters = Counters::new().expect("memory");
        counters.received(2, READ, 80, Route::Copied, true);
        counters.received(4, READ, 80, Route::Ring, true);
        assert!(counters.under_way(2).is_some());
        counters.sent(2, 0, 4112, Route::Spliced);
        counters.sent(4, -5, 16, Route::Ring);
        counters.sent(0, 2, 40, Route::Copied);
        assert!(counters.under_way(2).is_none());
        let row = counters.row(READ as usize);
        assert_eq!((row.errors, row.buckets.iter().sum::<u64>()), (1, 2));
        assert_eq!(counters.bytes_in(), [80, 0, 80]);
        assert_eq!(counters.bytes_out(), [40, 4112, 16]);
        assert_eq!(counters.notifications(), 1);
    }

    #[test]
    fn a_place_that_was_taken_gives_no_time() {
        let counters = Counters::new().expect("memory");
        let later = 2 + 2 * PLACES as u64;
        counters.received(2, READ, 80, Route::Copied, true);
        counters.received(later, READ, 80, Route::Copied, true);
        counters.sent(2, 0, 16, Route::Copied);
        counters.sent(2, 0, 16, Route::Copied);
        assert!(counters.under_way(2).is_none());
        counters.sent(later, 0, 16, Route::Copied);
        assert_eq!(counters.row(READ as usize).buckets.iter().sum::<u64>(), 1);
    }

    #[test]
    fn requests_without_answer_leave_nothing_behind() {
        let counters = Counters::new().expect("memory");
        counters.received(6, 2, 48, Route::Copied, false);
        assert!(counters.under_way(6).is_none());
        assert_eq!(counters.bytes_in(), [48, 0, 0]);
    }
}
