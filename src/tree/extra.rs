//! What few nodes have: record locks, and what `auto_cache` remembers.

use super::reclock::RecordLocks;
use crate::wire::layout::Attr;

#[derive(Default)]
pub(super) struct Extra {
    pub locks: RecordLocks,
    pub seen: Seen,
}

/// What was last seen of a file's content.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// Cached data is as old as `mtime` and `size`.
    pub valid: bool,
    mtime: (u64, u32),
    size: u64,
    /// When it was seen, in ns of the tree's clock.
    pub at: u64,
}

impl Seen {
    /// Notes fresh attributes; cached data is no longer valid if they tell of a change.
    pub fn update(&mut self, attr: &Attr, now: u64) {
        let mtime = (attr.mtime, attr.mtimensec);
        if mtime != self.mtime || attr.size != self.size {
            self.valid = false;
        }
        *self = Seen { valid: self.valid, mtime, size: attr.size, at: now };
    }

    fn is_blank(&self) -> bool {
        self.at == 0 && !self.valid
    }
}

impl Extra {
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty() && self.seen.is_blank()
    }
}
