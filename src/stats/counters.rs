//! What is counted of a session while somebody looks.
//!
//! Threads count in shards, most of them in one of their own ([`home`]). A request's beginning is kept in a table with
//! a place for each of a few thousand ids, since an answer has nothing but its id; who finds its place taken by a
//! later request is answered as ever, and only its duration is not known.
//!
//! The clock is what costs most. So only one request in [`SAMPLE`] is timed, unless all are wanted;
//! of the others a coarse time is taken, which tells the age of what is stuck. Bytes and errors are counted
//! of all.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::time::{ClockId, clock_gettime};
use zerocopy::FromZeros;

use super::home::{self, SHARDS};
use super::latency::{BUCKETS, bucket};
use super::tally::{ROWS, row};

/// Places for requests under way; a power of two.
const PLACES: usize = 4096;

/// One request in so many is timed; a power of two.
pub const SAMPLE: u64 = 16;
/// Spreads ids, so that of requests that come in turns each kind is timed (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

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
/// Of each opcode, requests that no loop of the library's has counted.
const BY_HAND: usize = NOTIFICATIONS + 1;
/// Whole cache lines.
const SHARD: usize = (BY_HAND + ROWS).next_multiple_of(16);

/// A request that somebody waits for.
#[derive(Default)]
struct Begun {
    /// Its id; 0 in a place that is free.
    unique: AtomicU64,
    /// By the monotonic clock, in nanoseconds.
    at: AtomicU64,
    row: AtomicU32,
}

/// The counters of one session.
pub struct Counters {
    /// By the monotonic clock, in nanoseconds.
    since: u64,
    /// A request whose id, spread, has none of these bits is timed.
    untimed: u64,
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

/// What the monotonic clock says, in nanoseconds.
pub fn now() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// The same, quickly, and a few milliseconds late.
fn coarse_now() -> u64 {
    read(ClockId::CLOCK_MONOTONIC_COARSE)
}

/// What a clock says, in nanoseconds; 0 where there is no such clock.
fn read(clock: ClockId) -> u64 {
    let Ok(now) = clock_gettime(clock) else { return 0 };
    now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned()
}

impl Counters {
    /// All zero; `all`: every request is timed. `None` if there is no memory (under 8 MiB, most of it
    /// never touched).
    pub fn new(all: bool) -> Option<Counters> {
        let numbers = <[AtomicU64]>::new_box_zeroed_with_elems(SHARDS * SHARD).ok()?;
        let begun = (0..PLACES).map(|_| Begun::default()).collect();
        // The highest bits are those that all of an id's have a part in.
        let untimed = if all { 0 } else { !(u64::MAX / SAMPLE) };
        Some(Counters { since: now(), untimed, numbers, begun })
    }

    /// Nanoseconds since the count began.
    pub fn age(&self) -> u64 {
        now().saturating_sub(self.since)
    }

    fn is_timed(&self, unique: u64) -> bool {
        unique.wrapping_mul(SPREAD) & self.untimed == 0
    }

    #[inline]
    fn add(&self, field: usize, value: u64) {
        let shard = home::home();
        let counter = &self.numbers[shard * SHARD + field];
        if shard == home::SHARED {
            counter.fetch_add(value, Ordering::Relaxed);
        } else {
            // No other thread writes here.
            let sum = counter.load(Ordering::Relaxed).wrapping_add(value);
            counter.store(sum, Ordering::Relaxed);
        }
    }

    fn sum(&self, field: usize) -> u64 {
        home::used()
            .map(|shard| self.numbers[shard * SHARD + field].load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }

    fn place(&self, unique: u64) -> &Begun {
        // The kernel counts in twos.
        &self.begun[(unique >> 1) as usize % PLACES]
    }

    /// A request of `len` bytes has come; `awaited` if it gets an answer, and then when it came, by the
    /// monotonic clock in nanoseconds.
    pub fn received(
        &self,
        unique: u64,
        opcode: u32,
        len: u64,
        route: Route,
        awaited: bool,
    ) -> Option<u64> {
        self.add(BYTES_IN + route as usize, len);
        awaited.then(|| {
            let place = self.place(unique);
            place.unique.store(0, Ordering::Relaxed);
            let at = if self.is_timed(unique) { now() } else { coarse_now() };
            place.at.store(at, Ordering::Relaxed);
            place.row.store(row(opcode) as u32, Ordering::Relaxed);
            place.unique.store(unique, Ordering::Release);
            at
        })
    }

    /// A request has come to a program that reads by itself.
    pub fn received_by_hand(&self, opcode: u32) {
        self.add(BY_HAND + row(opcode), 1);
    }

    /// Requests that programs that read by themselves got, by rows.
    pub fn by_hand(&self) -> [u64; ROWS] {
        std::array::from_fn(|row| self.sum(BY_HAND + row))
    }

    /// A message of `len` bytes has been sent: an answer, or with `unique` 0 a notification.
    pub fn sent(&self, unique: u64, error: i32, len: u64, route: Route) {
        self.add(BYTES_OUT + route as usize, len);
        if unique == 0 {
            return self.add(NOTIFICATIONS, 1);
        }
        if error == 0 && !self.is_timed(unique) {
            return;
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
        let row = row as usize * ROW;
        if error != 0 {
            self.add(row + ERRORS, 1);
        }
        if self.is_timed(unique) {
            let time = now().saturating_sub(at);
            self.add(row + FIRST_BUCKET + bucket(time), 1);
            self.add(row + TIME, time);
        }
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

    const LOOKUP: u32 = 1;
    const READ: u32 = 15;

    #[test]
    fn an_answer_is_counted_with_its_request() {
        let counters = Counters::new(true).expect("memory");
        counters.received(2, READ, 80, Route::Copied, true);
        counters.received(4, READ, 80, Route::Ring, true);
        counters.sent(2, 0, 4112, Route::Spliced);
        counters.sent(4, -5, 16, Route::Ring);
        counters.sent(0, 2, 40, Route::Copied);
        let row = counters.row(READ as usize);
        assert_eq!((row.errors, row.buckets.iter().sum::<u64>()), (1, 2));
        assert_eq!(counters.bytes_in(), [80, 0, 80]);
        assert_eq!(counters.bytes_out(), [40, 4112, 16]);
        assert_eq!(counters.notifications(), 1);
    }

    #[test]
    fn a_place_that_was_taken_gives_no_time() {
        let counters = Counters::new(true).expect("memory");
        let later = 2 + 2 * PLACES as u64;
        counters.received(2, READ, 80, Route::Copied, true);
        counters.received(later, READ, 80, Route::Copied, true);
        counters.sent(2, 0, 16, Route::Copied);
        counters.sent(2, 0, 16, Route::Copied);
        assert!(counters.row(READ as usize).buckets.iter().all(|count| *count == 0));
        counters.sent(later, 0, 16, Route::Copied);
        assert_eq!(counters.row(READ as usize).buckets.iter().sum::<u64>(), 1);
    }

    #[test]
    fn a_sample_is_timed_and_every_error_counted() {
        let counters = Counters::new(false).expect("memory");
        const EACH: u64 = 100 * SAMPLE;
        // Two kinds in turns, as when a file is looked up and then read.
        for request in 0..2 * EACH {
            let unique = 2 * (request + 1);
            let opcode = if request % 2 == 0 { LOOKUP } else { READ };
            let begun = counters.received(unique, opcode, 80, Route::Copied, true);
            assert!(begun.is_some_and(|begun| now() - begun < 1_000_000_000));
            counters.sent(unique, -5, 16, Route::Copied);
        }
        for opcode in [LOOKUP, READ] {
            let row = counters.row(opcode as usize);
            let timed = row.buckets.iter().sum::<u64>();
            assert_eq!(row.errors, EACH);
            assert!((80..=120).contains(&timed), "{timed} of {EACH}");
        }
        assert_eq!(counters.bytes_out(), [2 * EACH * 16, 0, 0]);
    }

    #[test]
    fn requests_without_answer_leave_nothing_behind() {
        let counters = Counters::new(true).expect("memory");
        assert!(counters.received(6, 2, 48, Route::Copied, false).is_none());
        assert_eq!(counters.bytes_in(), [48, 0, 0]);
    }
}
