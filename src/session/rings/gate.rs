//! Whether ring threads may call handlers now.

use std::sync::atomic::Ordering;

use crate::sync::{AtomicU32, futex};

/// Before the kernel was told.
const NEW: u32 = 0;
const OPEN: u32 = 1;
/// Between two loops: requests wait.
const SHUT: u32 = 2;
/// For good: threads end.
const CLOSED: u32 = 3;

/// A gate that every request passes on its way to its handler.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicU32);

impl Gate {
    /// Lets everybody through, unless it is closed for good.
    pub fn open(&self) {
        self.set(OPEN);
    }

    /// Holds everybody up.
    pub fn shut(&self) {
        self.set(SHUT);
    }

    /// Sends everybody home.
    pub fn close(&self) {
        self.set(CLOSED);
    }

    fn set(&self, state: u32) {
        // Refuses only to leave CLOSED.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| {
            (old != CLOSED).then_some(state)
        });
        futex::wake_all(&self.0);
    }

    /// Whether a request may pass without waiting.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst) == OPEN
    }

    /// Whether it is closed for good.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CLOSED
    }

    /// Waits until it is open; false if it is closed for good.
    pub fn pass(&self) -> bool {
        loop {
            match self.0.load(Ordering::SeqCst) {
                OPEN => return true,
                CLOSED => return false,
                state => futex::wait(&self.0, state, None),
            }
        }
    }
}

const _: () = assert!(NEW == 0);

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn closing_is_for_good() {
        let gate = Gate::default();
        assert!(!gate.is_open());
        gate.open();
        assert!(gate.is_open() && gate.pass());
        gate.shut();
        assert!(!gate.is_open() && !gate.is_closed());
        gate.close();
        gate.open();
        assert!(gate.is_closed() && !gate.pass());
    }

    #[test]
    fn who_waits_is_let_through() {
        let gate = Arc::new(Gate::default());
        let theirs = gate.clone();
        let thread = std::thread::spawn(move || theirs.pass());
        std::thread::sleep(Duration::from_millis(10));
        gate.open();
        assert!(thread.join().unwrap());
    }
}
