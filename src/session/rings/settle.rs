//! Waiting for what arrived earlier.
//!
//! The kernel sends a RELEASE without waiting for it, and what its process asks next can reach a thread
//! that is awake before the RELEASE's thread has woken. Who must know that no RELEASE is on its way has
//! every thread that waits in a ring look into it once ([`Witness`]), and then waits for the handlers
//! of the RELEASEs that have come ([`Releases`]).
//!
//! The RELEASE was in its ring before the later request was sent. So a thread that is told afterwards
//! to look finds it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Rings;
use crate::sync::{self, AtomicU32, Condvar, Mutex, futex};
use crate::transport::uring::RingChannel;
use crate::wire::Opcode;
use crate::wire::layout::InHeader;

/// Longest that a request waits for others. Only a RELEASE whose handler takes that long is waited
/// for in vain, and then what it would have changed is seen as it is.
const LONGEST: Duration = Duration::from_secs(1);

/// Lets others wait until a thread has taken what had arrived in its ring.
#[derive(Debug, Default)]
pub(super) struct Witness {
    asked: AtomicU32,
    seen: AtomicU32,
}

impl Witness {
    /// Asks the thread, which has to be woken after that. Returns what to wait for.
    fn ask(&self) -> u32 {
        self.asked.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
    }

    /// For the thread itself, before it looks into its ring: what it can testify to after having
    /// taken what is there. `None` if nobody asks.
    pub fn owed(&self) -> Option<u32> {
        let asked = self.asked.load(Ordering::SeqCst);
        (asked != self.seen.load(Ordering::SeqCst)).then_some(asked)
    }

    /// For the thread itself: all that had arrived before this was asked has been taken.
    pub fn testify(&self, asked: u32) {
        self.seen.store(asked, Ordering::SeqCst);
        futex::wake_all(&self.seen);
    }

    /// False if it was too late.
    fn wait(&self, asked: u32, until: Instant) -> bool {
        loop {
            let seen = self.seen.load(Ordering::SeqCst);
            if seen.wrapping_sub(asked).cast_signed() >= 0 {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            futex::wait(&self.seen, seen, Some(left));
        }
    }
}

/// A RELEASE from its arrival to the end of its handler.
#[derive(Debug)]
struct Running {
    /// Where it arrived, by address.
    channel: usize,
    node: u64,
    serial: u64,
}

#[derive(Debug, Default)]
struct State {
    running: Vec<Running>,
    /// Of the last one.
    serial: u64,
}

/// The RELEASEs that have arrived and have not been handled.
#[derive(Debug, Default)]
pub(super) struct Releases {
    state: Mutex<State>,
    ended: Condvar,
}

impl Releases {
    /// A request has arrived.
    pub fn begin(&self, channel: &Arc<RingChannel>, header: &InHeader) {
        if header.opcode == Opcode::Release as u32 {
            self.enter(Arc::as_ptr(channel).addr(), header.nodeid);
        }
    }

    fn enter(&self, channel: usize, node: u64) {
        let mut state = self.state.lock();
        state.serial += 1;
        let serial = state.serial;
        state.running.push(Running { channel, node, serial });
    }

    /// The handler of what has arrived there has returned.
    pub fn end(&self, channel: &Arc<RingChannel>) {
        self.leave(Arc::as_ptr(channel).addr());
    }

    fn leave(&self, channel: usize) {
        let mut state = self.state.lock();
        state.running.retain(|running| running.channel != channel);
        drop(state);
        self.ended.notify_all();
    }

    /// Waits for those that have arrived for these nodes.
    fn wait(&self, nodes: &[u64], until: Instant) -> bool {
        let mut state = self.state.lock();
        let last = state.serial;
        loop {
            let concerns = |r: &Running| r.serial <= last && nodes.contains(&r.node);
            if !state.running.iter().any(concerns) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = sync::wait_for(&self.ended, state, left);
        }
    }
}

impl Rings {
    /// Waits until every RELEASE of these nodes has been handled that the kernel sent before the
    /// request which the calling thread serves. It may hold nothing that a RELEASE needs.
    pub(in super::super) fn settle(&self, nodes: &[u64]) {
        if self.turns.are_taken() {
            // None of them gets its turn before this one has ended.
            return;
        }
        let until = Instant::now() + LONGEST;
        let seats = self.seats.lock().clone();
        let mut asked = Vec::with_capacity(seats.len());
        for seat in &seats {
            let number = seat.witness.ask();
            // One that runs a handler has no entry in which anything could arrive; what had arrived
            // there is what it serves.
            if !seat.is_busy() {
                seat.desk.iter().for_each(|desk| desk.ring());
                asked.push((seat, number));
            }
        }
        let of_clerk = self.clerk.ask();
        self.desk.ring();
        let all_seen = asked.iter().all(|(seat, number)| seat.witness.wait(*number, until))
            && self.clerk.wait(of_clerk, until);
        if !(all_seen && self.releases.wait(nodes, until)) {
            log::debug!("fuse: a RELEASE has not been handled after {LONGEST:?}");
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[test]
    fn a_witness_speaks_for_what_was_asked_before() {
        let witness = Witness::default();
        assert_eq!(witness.owed(), None);
        let (first, second) = (witness.ask(), witness.ask());
        assert_eq!(witness.owed(), Some(second));
        assert!(!witness.wait(first, soon()));
        witness.testify(first);
        assert!(witness.wait(first, soon()) && !witness.wait(second, soon()));
        witness.testify(second);
        assert!(witness.wait(second, soon()) && witness.owed().is_none());
    }

    #[test]
    fn releases_are_waited_for_by_node() {
        let releases = Arc::new(Releases::default());
        releases.enter(1, 10);
        releases.enter(2, 20);
        assert!(releases.wait(&[30], soon()));
        assert!(!releases.wait(&[20], soon()));
        let theirs = releases.clone();
        let thread = std::thread::spawn(move || {
            theirs.wait(&[10, 20], Instant::now() + Duration::from_secs(60))
        });
        releases.leave(1);
        releases.leave(2);
        assert!(thread.join().unwrap());
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    /// A RELEASE lies in a ring whose thread looks when it likes. Whoever asks afterwards does not go on
    /// before it has been handled.
    #[test]
    fn a_release_that_was_sent_before_is_handled_before() {
        loom::model(|| {
            let (witness, releases) = (Arc::new(Witness::default()), Arc::new(Releases::default()));
            let ring = Arc::new(Mutex::new(0));
            let handled = Arc::new(sync::AtomicUsize::new(0));
            let thread = {
                let (witness, releases, ring, handled) =
                    (witness.clone(), releases.clone(), ring.clone(), handled.clone());
                loom::thread::spawn(move || {
                    // As often as it may have to look: once too early, and once that counts.
                    for _ in 0..2 {
                        let owed = witness.owed();
                        let arrived = std::mem::take(&mut *ring.lock());
                        (0..arrived).for_each(|_| releases.enter(1, 10));
                        if let Some(asked) = owed {
                            witness.testify(asked);
                        }
                        if arrived > 0 {
                            handled.fetch_add(1, Ordering::SeqCst);
                            releases.leave(1);
                        }
                        loom::thread::yield_now();
                    }
                    // The end comes with a last word, which nobody waits for in vain.
                    let arrived = std::mem::take(&mut *ring.lock());
                    handled.fetch_add(arrived, Ordering::SeqCst);
                    witness.testify(witness.asked.load(Ordering::SeqCst));
                })
            };
            *ring.lock() += 1;
            let asked = witness.ask();
            let until = Instant::now() + LONGEST * 1000;
            assert!(witness.wait(asked, until));
            assert!(releases.wait(&[10], until));
            assert_eq!(handled.load(Ordering::SeqCst), 1, "went on before the RELEASE");
            thread.join().unwrap();
        });
    }
}
