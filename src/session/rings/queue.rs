//! What is known of the kernel's queues.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// What is known of one of the kernel's queues.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Entries that the kernel can put a request into.
    pub armed: AtomicI32,
    /// Answers committed; each made the kernel look for waiting requests.
    pub progress: AtomicU32,
    /// Its seat's request waits for an answer from elsewhere.
    pub lent: AtomicBool,
    /// There was a moment without an armed entry: a request may have begun to wait then.
    pub emptied: AtomicBool,
    /// Requests that have arrived, and echoes of doorbells.
    pub taken: AtomicU32,
    pub echoes: AtomicU32,
}

impl Queue {
    /// An entry of it has been armed.
    pub fn arm(&self) {
        self.armed.fetch_add(1, Ordering::SeqCst);
        self.progress.fetch_add(1, Ordering::SeqCst);
    }

    /// A request has arrived in one, or it has ended.
    pub fn disarm(&self) {
        if self.armed.fetch_sub(1, Ordering::SeqCst) <= 1 {
            self.emptied.store(true, Ordering::SeqCst);
        }
    }
}
