//! One handler at a time, where several threads take requests.
//!
//! A session whose requests come by the rings of a multi-threaded loop may go on with a single-threaded
//! one. The rings stay as they are, since the kernel knows them; their threads take turns then.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sync::{self, AtomicU32, Mutex, MutexGuard};

/// How often who waits for a turn looks whether it still wants it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whose turn it is to call a handler.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// 1 if there are turns to be taken.
    one_at_a_time: AtomicU32,
    turn: Mutex<()>,
}

/// A turn, which ends when it is dropped. Without a guard where there are no turns to be taken.
#[must_use]
#[derive(Debug)]
pub(super) struct Turn<'t> {
    _guard: Option<MutexGuard<'t, ()>>,
}

impl Turns {
    /// From now on one handler is called at a time, or as many as come. To be called while none is
    /// called at all.
    pub fn one_at_a_time(&self, one: bool) {
        self.one_at_a_time.store(one.into(), Ordering::SeqCst);
    }

    /// Whether one handler is called at a time.
    pub fn are_taken(&self) -> bool {
        self.one_at_a_time.load(Ordering::SeqCst) == 1
    }

    /// Waits for a turn as long as it is wanted; `None` if it no longer is.
    pub fn take(&self, wanted: impl Fn() -> bool) -> Option<Turn<'_>> {
        if !self.are_taken() {
            return Some(Turn { _guard: None });
        }
        loop {
            if let Some(guard) = sync::try_lock_for(&self.turn, LOOK_EVERY) {
                return Some(Turn { _guard: Some(guard) });
            }
            if !wanted() {
                return None;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_only_where_asked_for() {
        let turns = Turns::default();
        let first = turns.take(|| true);
        assert!(first.is_some() && turns.take(|| false).is_some());
        turns.one_at_a_time(true);
        let first = turns.take(|| true);
        assert!(first.is_some() && turns.take(|| false).is_none());
        drop(first);
        assert!(turns.take(|| false).is_some());
    }
}
