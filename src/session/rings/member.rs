//! The threads that call handlers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::sys::lock::Mutex;

use super::desk::Desk;
use super::settle::Witness;
use crate::session::errand::Errand;
use crate::sync;
use crate::transport::uring::RingChannel;

/// A thread that calls handlers.
pub(super) struct Member {
    /// Odd while a handler runs.
    pub turn: sync::AtomicU32,
    pub errand: Arc<Errand>,
    /// What it serves, if it has an entry of its own.
    pub channel: Mutex<Weak<RingChannel>>,
    /// The queue of that entry.
    pub queue: Option<u16>,
    /// Wakes it, if it has a ring of its own.
    pub desk: Option<Arc<Desk<RingChannel>>>,
    pub witness: Witness,
}

impl Member {
    /// One that has this queue's entry and this ring, or none.
    pub fn new(queue: Option<u16>, desk: Option<Arc<Desk<RingChannel>>>) -> Member {
        Member {
            turn: sync::AtomicU32::new(0),
            errand: Arc::default(),
            channel: Mutex::default(),
            queue,
            desk,
            witness: Witness::default(),
        }
    }

    /// A handler is about to be called.
    pub fn begin(&self) {
        self.turn.fetch_add(1, Ordering::SeqCst);
        // The one entry of its ring has been taken: nothing else can have arrived there.
        if let Some(asked) = self.witness.owed() {
            self.witness.testify(asked);
        }
    }

    /// It has returned, or is not called after all.
    pub fn end(&self) {
        self.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether a handler runs.
    pub fn is_busy(&self) -> bool {
        self.turn.load(Ordering::SeqCst) & 1 == 1
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::super::gate::Gate;
    use super::*;

    /// Whoever shuts the gate and sees no handler run can rely on that.
    #[test]
    fn no_handler_runs_behind_a_shut_gate() {
        loom::model(|| {
            let (gate, member) = (Arc::new(Gate::default()), Arc::new(Member::new(None, None)));
            let inside = Arc::new(sync::AtomicUsize::new(0));
            gate.open();
            let thread = {
                let (gate, member, inside) = (gate.clone(), member.clone(), inside.clone());
                loom::thread::spawn(move || {
                    // As `Rings::admit` does it.
                    member.begin();
                    if gate.is_open() {
                        inside.store(1, Ordering::SeqCst);
                        loom::thread::yield_now();
                        inside.store(0, Ordering::SeqCst);
                    }
                    member.end();
                    // Held up, until it is closed for good.
                    assert!(!gate.pass());
                })
            };
            gate.shut();
            while member.is_busy() {
                loom::thread::yield_now();
            }
            assert_eq!(inside.load(Ordering::SeqCst), 0, "a handler runs");
            gate.close();
            thread.join().unwrap();
        });
    }
}
