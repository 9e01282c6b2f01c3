//! What a thread that serves has at hand: whose requests it serves, and a slot for them.
//!
//! Most requests are answered by the handler that they were given to, so in the thread that received
//! them. Such an answer finds session and channel here, and the slot stays this thread's: neither a lock
//! is taken nor a list of free slots looked at.

use std::sync::Arc;

use super::Session;
use super::errand::Errand;
use super::slots::{KeptSlot, Slot, SlotRef};
use crate::sys::scoped::Scoped;
use crate::transport::Channel;
use crate::wire::layout::InHeader;

thread_local! {
    static HERE: Scoped<Post> = const { Scoped::new() };
}

/// A thread's, for as long as it is in a loop.
pub(super) struct Post {
    pub session: Arc<Session>,
    pub channel: Arc<dyn Channel>,
    /// `None` where the table was full.
    slot: Option<KeptSlot>,
}

impl Post {
    pub fn new(session: Arc<Session>, channel: Arc<dyn Channel>) -> Post {
        Post { session, channel, slot: KeptSlot::new() }
    }

    /// Has whoever looks at the worker's errand find the slot.
    pub fn show_to(&self, errand: &Errand) {
        if let Some(kept) = &self.slot {
            errand.keep_in(kept.slot());
        }
    }

    /// Enters a request into the table, in the engine's hands; `None` when that is full.
    #[inline]
    pub fn enter(&self, header: &InHeader) -> Option<SlotRef> {
        let kept = self.slot.as_ref();
        kept.and_then(|slot| slot.enter(&self.session, &self.channel, header))
            .or_else(|| SlotRef::allocate(&self.session, &self.channel, header))
    }

    /// Runs a loop that serves by this.
    pub fn man<T>(&self, work: impl FnOnce() -> T) -> T {
        HERE.with(|here| here.set(self, work))
    }
}

/// Runs `work` with the calling thread's post, if this is the slot that it keeps. Not where the session has
/// ended without this thread, whose handler did not return: then there is nobody to answer.
#[inline(always)]
pub(super) fn of_slot<T>(slot: &'static Slot, work: impl FnOnce(Option<&Post>) -> T) -> T {
    let keeps = |post: &&Post| {
        post.slot.as_ref().is_some_and(|kept| kept.is(slot)) && !post.session.is_let_go()
    };
    HERE.with(|here| here.with(|post| work(post.filter(keeps))))
}
