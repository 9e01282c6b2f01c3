//! Paths of directories in recent use, so that making a path does not cost more the deeper it is.
//!
//! Bounded memory: a fixed number of slots, chosen by the directory's number. A rename of anything
//! that has nodes below it invalidates all of them at once, by a counter.

use std::sync::atomic::Ordering;

use super::nodes::Id;
use super::path::Room;
use crate::sync::{AtomicU64, Mutex};

const SLOTS: usize = if cfg!(all(test, loom)) { 1 } else { 1024 };

#[derive(Default)]
struct Slot {
    id: Id,
    epoch: u64,
    path: Box<[u8]>,
}

pub(super) struct PathCache {
    slots: Box<[Mutex<Slot>]>,
    epoch: AtomicU64,
}

impl PathCache {
    pub fn new() -> PathCache {
        let slots = (0..SLOTS).map(|_| Mutex::default()).collect();
        PathCache { slots, epoch: AtomicU64::new(0) }
    }

    fn slot(&self, id: Id) -> &Mutex<Slot> {
        &self.slots[id as usize % SLOTS]
    }

    /// Appends the path of a directory to `out`, if it is known. The caller must hold the path, so
    /// that nothing above it moves.
    pub fn append(&self, id: Id, out: &mut Room) -> bool {
        let slot = self.slot(id).lock();
        let known = slot.id == id && slot.epoch == self.epoch.load(Ordering::Acquire);
        if known {
            out.extend_from_slice(&slot.path);
        }
        known
    }

    /// Remembers the path of a directory, which the caller must hold.
    pub fn store(&self, id: Id, path: &[u8]) {
        let mut slot = self.slot(id).lock();
        *slot = Slot { id, epoch: self.epoch.load(Ordering::Acquire), path: path.into() };
    }

    /// Forgets the path of one node.
    pub fn drop_path(&self, id: Id) {
        let mut slot = self.slot(id).lock();
        if slot.id == id {
            *slot = Slot::default();
        }
    }

    /// Forgets all paths.
    pub fn drop_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}
