//! Where answers are left that a ring's own thread has to commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::lock::Mutex;

use crate::errno::Result;
use crate::sys::uring::Bell;

/// A list of things to be done by one thread, and the bell that wakes it.
#[derive(Debug)]
pub(super) struct Desk<T> {
    list: Mutex<Vec<Arc<T>>>,
    /// The bell was rung since the list was last taken.
    rung: AtomicBool,
    bell: Bell,
}

impl<T> Desk<T> {
    /// An empty desk. `EMFILE`, `ENFILE`.
    pub fn new() -> Result<Desk<T>> {
        Ok(Desk { list: Mutex::default(), rung: AtomicBool::new(false), bell: Bell::new()? })
    }

    /// Leaves something; any thread may.
    pub fn leave(&self, thing: Arc<T>) {
        self.list.lock().push(thing);
        self.ring();
    }

    /// Wakes the thread, once for all that happens before it looks.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            self.bell.ring();
        }
    }

    /// Takes what was left. What is left afterwards rings again.
    pub fn take(&self) -> Vec<Arc<T>> {
        self.rung.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.list.lock())
    }

    /// The bell, for the thread's ring.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(desk: &Desk<u32>) -> u64 {
        let mut count = [0; 8];
        let mut polled = [nix::poll::PollFd::new(desk.bell().fd(), nix::poll::PollFlags::POLLIN)];
        if nix::poll::poll(&mut polled, nix::poll::PollTimeout::ZERO).unwrap() == 0 {
            return 0;
        }
        nix::unistd::read(desk.bell().fd(), &mut count).unwrap();
        u64::from_ne_bytes(count)
    }

    #[test]
    fn one_ring_for_all_that_is_left_before_it_is_taken() {
        let desk = Desk::new().unwrap();
        desk.leave(Arc::new(1));
        desk.leave(Arc::new(2));
        assert_eq!(rings(&desk), 1);
        assert_eq!(desk.take().len(), 2);
        assert!(desk.take().is_empty());
        desk.leave(Arc::new(3));
        assert_eq!(rings(&desk), 1);
    }

    #[test]
    fn nothing_is_left_without_a_ring() {
        let desk = Arc::new(Desk::new().unwrap());
        let theirs = desk.clone();
        let thread = std::thread::spawn(move || (0..1000).for_each(|n| theirs.leave(Arc::new(n))));
        let mut taken = 0;
        while taken < 1000 {
            // Blocks for ever if a ring is missing.
            nix::unistd::read(desk.bell().fd(), &mut [0; 8]).unwrap();
            taken += desk.take().len();
        }
        thread.join().unwrap();
    }
}
