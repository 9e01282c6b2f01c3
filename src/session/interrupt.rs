//! Interrupts: finding the request that the kernel gave up on.
//!
//! No request is entered anywhere for the sake of interrupts, which are rare: an INTERRUPT walks
//! the table of requests. It can be read by one thread before another has entered its target; such
//! an early interrupt waits in a queue that every new request looks at if it is not empty. Both
//! sides are sequentially consistent: the reader of the INTERRUPT queues it and then walks the
//! table, the reader of the request enters it and then looks at the queue, so at least one of them
//! sees the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::lock::Mutex;

use super::Session;
use super::slots::{self, SlotRef};

/// An INTERRUPT whose target has not been seen.
struct Early {
    /// The INTERRUPT's own id.
    unique: u64,
    target: u64,
}

/// INTERRUPTs that arrived before their targets.
#[derive(Default)]
pub(super) struct EarlyInterrupts {
    /// Length of the queue, to be looked at without the lock.
    len: AtomicUsize,
    queue: Mutex<VecDeque<Early>>,
}

impl EarlyInterrupts {
    fn push(&self, unique: u64, target: u64) {
        let mut queue = self.queue.lock();
        queue.push_back(Early { unique, target });
        self.len.store(queue.len(), Ordering::SeqCst);
    }

    /// Takes the interrupt of this target out.
    fn remove(&self, target: u64) -> bool {
        let mut queue = self.queue.lock();
        let Some(at) = queue.iter().position(|early| early.target == target) else {
            return false;
        };
        queue.remove(at);
        self.len.store(queue.len(), Ordering::SeqCst);
        true
    }

    /// The oldest one, taken out.
    fn pop(&self) -> Option<Early> {
        let mut queue = self.queue.lock();
        let early = queue.pop_front();
        self.len.store(queue.len(), Ordering::SeqCst);
        early
    }
}

/// What a new request has to do with the queue.
pub(super) enum Arrival {
    /// Nothing.
    Clear,
    /// This INTERRUPT is not for it; the kernel should be told to send it again.
    Requeue(u64),
}

impl Session {
    /// Handles an INTERRUPT message with id `unique` for the request `target`.
    pub(super) fn interrupt(self: &Arc<Self>, unique: u64, target: u64) {
        // Queue first, then look, so that a target entered in between finds it in the queue.
        self.early_interrupts.push(unique, target);
        if let Some(found) = slots::by_unique(self, target)
            && self.early_interrupts.remove(target)
        {
            run(found, target);
        }
    }

    /// To be called for each request that was just entered into the table. `unique` is `None` for
    /// one that nobody waits for: its id may be this side's, and no interrupt is meant for it.
    pub(super) fn check_early_interrupts(
        self: &Arc<Self>,
        at: SlotRef,
        unique: Option<u64>,
    ) -> Arrival {
        if self.early_interrupts.len.load(Ordering::SeqCst) == 0 {
            return Arrival::Clear;
        }
        if unique.is_some_and(|unique| self.early_interrupts.remove(unique)) {
            // Not yet in the filesystem's hands, so there is no callback to run.
            at.slot.interrupt(at.generation);
            return Arrival::Clear;
        }
        let Some(early) = self.early_interrupts.pop() else { return Arrival::Clear };
        // Queued, and its target entered, but not yet matched by the thread that does either. To
        // ask the kernel would do, but not through a cloned device that didn't carry the target.
        if let Some(found) = slots::by_unique(self, early.target) {
            run(found, early.target);
            return Arrival::Clear;
        }
        // Its target was answered before it came, or is still on its way. The kernel knows which:
        // it drops the one and repeats the other.
        Arrival::Requeue(early.unique)
    }
}

/// Marks a request interrupted and runs its callback, in this thread.
fn run(found: SlotRef, target: u64) {
    let slot = found.slot;
    // The gate is held while the callback runs: whoever replaces the callback waits for it, and
    // may then free what it used.
    let _gate = slot.callback_gate.lock();
    let callback = {
        let body = slot.body.lock();
        if !slot.is_live(found.generation) || slot.unique.load(Ordering::SeqCst) != target {
            return;
        }
        slot.interrupt(found.generation);
        body.callback.clone()
    };
    if let Some(callback) = callback {
        callback();
    }
}
