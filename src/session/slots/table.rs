//! Where slots are.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Slot;
use crate::sys::chunks::Chunks;

/// Slots made at a time. A filesystem at rest needs one for each of its threads.
const CHUNK: usize = 64;
const CHUNKS: usize = 16384;
/// Most slots that there can be.
pub(super) const SLOTS: usize = CHUNK * CHUNKS;

static TABLE: Chunks<Slot, CHUNK, CHUNKS> = Chunks::new();
/// Slots ever used.
static USED: AtomicU32 = AtomicU32::new(0);

/// The slot with this number, if it was ever used.
#[inline]
pub(super) fn slot(index: u32) -> Option<&'static Slot> {
    TABLE.get(index as usize)
}

/// Every slot ever used.
pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
    (0..USED.load(Ordering::SeqCst)).filter_map(slot)
}

/// A slot that was never used; `None` when the table is full, or there is no memory for more.
pub(super) fn fresh() -> Option<&'static Slot> {
    let index = USED
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            // Made before it is counted, so that no number is without a slot.
            TABLE.make(used as usize, Slot::default).then_some(used + 1)
        })
        .ok()?;
    let fresh = slot(index)?;
    fresh.index.store(index, Ordering::Relaxed);
    Some(fresh)
}
