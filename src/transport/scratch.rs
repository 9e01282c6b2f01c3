//! The worker's copy buffer.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use crate::errno::Result;
use crate::sys::shared::PageBuffer;

/// A thread keeps a buffer of up to this many bytes between requests; larger ones, which only a
/// raised `fs.fuse.max_pages_limit` leads to, are returned to the system after use.
const KEPT: usize = 4 << 20;

thread_local! {
    static CACHE: Cell<Option<PageBuffer>> = const { Cell::new(None) };
}

/// Has the place for the calling thread's buffer made, not the buffer.
pub(super) fn claim_storage() {
    CACHE.with(|_| ());
}

/// A page-aligned buffer of at least the wanted length; goes back to the thread's cache when
/// dropped. What an earlier request left in it is still there: only send what was filled.
pub(super) struct Scratch {
    /// Present until dropped.
    buffer: Option<PageBuffer>,
}

impl Scratch {
    /// A buffer of `len` bytes or more. `ENOMEM` when there is no memory.
    pub(super) fn take(len: usize) -> Result<Scratch> {
        let kept = CACHE.try_with(Cell::take).ok().flatten();
        let buffer = match kept.filter(|buffer| buffer.len() >= len) {
            Some(buffer) => buffer,
            None => PageBuffer::new(len)?,
        };
        Ok(Scratch { buffer: Some(buffer) })
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.as_deref().unwrap_or_default()
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.buffer.as_deref_mut().unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let kept = self.buffer.take().filter(|buffer| buffer.len() <= KEPT);
        if kept.is_some() {
            // Fails only while the thread is ending; the buffer is then unmapped.
            let _ = CACHE.try_with(|cache| cache.set(kept));
        }
    }
}
