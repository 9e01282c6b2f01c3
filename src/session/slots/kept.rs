//! A slot that stays with a thread.

use std::sync::Arc;

use super::{Session, Slot, SlotRef, pop_free, push_free};
use crate::transport::Channel;
use crate::wire::layout::InHeader;

/// A slot that one thread uses for one request of its session and channel after the other; goes among the
/// free ones when this is dropped.
pub(in crate::session) struct KeptSlot(&'static Slot);

impl KeptSlot {
    /// `None` when the table is full.
    pub fn new() -> Option<KeptSlot> {
        let slot = pop_free()?;
        slot.keep.begin();
        Some(KeptSlot(slot))
    }

    /// Enters a request, if the last one has ended.
    #[inline]
    pub fn enter(
        &self,
        session: &Arc<Session>,
        channel: &Arc<dyn Channel>,
        header: &InHeader,
    ) -> Option<SlotRef> {
        self.0.keep.use_again().then(|| self.0.enter(session, channel, header))
    }

    /// The slot, for whoever wants to look at it.
    pub fn slot(&self) -> &'static Slot {
        self.0
    }

    /// Whether it is this one.
    pub fn is(&self, slot: &'static Slot) -> bool {
        std::ptr::eq(self.0, slot)
    }
}

impl Drop for KeptSlot {
    fn drop(&mut self) {
        if self.0.keep.give_up() {
            push_free(self.0);
        }
    }
}
