//! The memory of one entry.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use super::message::{HEADERS, Headers};
use crate::errno::{Errno, Result};
use crate::sys::pipe::page_size;
use crate::sys::shared::Mapping;

/// Headers on a page of their own, and behind them, page-aligned, the payload.
///
/// Mapped private and on demand: a payload page that no request ever reached takes no memory. The
/// message of a request can be put together in place: its head goes right in front of the payload.
///
/// All access is by copying through raw pointers, or by the slices below whose makers promise that
/// nobody else uses the bytes: the kernel reads and writes this memory whenever the entry is armed.
#[derive(Debug)]
pub struct Buffers {
    mapping: Mapping,
    payload: usize,
    /// More than a page of the payload was used since it was last given back.
    large: AtomicBool,
    /// What the kernel is given at registration; it reads it only then.
    parts: [libc::iovec; 2],
}

// SAFETY: the mapping belongs to the process; `parts` only holds addresses within it, and is never
// changed. Who may touch the bytes is ruled by the phases of an entry.
unsafe impl Send for Buffers {}
// SAFETY: as above.
unsafe impl Sync for Buffers {}

impl Buffers {
    /// Room for `payload` bytes of payload. `ENOMEM` when there is none.
    pub fn new(payload: usize) -> Result<Buffers> {
        let page = page_size();
        let payload = payload.checked_next_multiple_of(page).ok_or(Errno::ENOMEM)?;
        let mapping = Mapping::new(page + payload, libc::MAP_PRIVATE | libc::MAP_NORESERVE)?;
        let start = mapping.start().as_ptr();
        let parts = [
            libc::iovec { iov_base: start.cast(), iov_len: HEADERS },
            libc::iovec { iov_base: start.wrapping_add(page).cast(), iov_len: payload },
        ];
        Ok(Buffers { mapping, payload, large: AtomicBool::new(false), parts })
    }

    /// Bytes of payload there is room for.
    pub fn payload_size(&self) -> usize {
        self.payload
    }

    /// Where the payload begins. Who may use it is ruled by the phases of an entry.
    pub fn payload_start(&self) -> *mut u8 {
        self.at(page_size())
    }

    /// The address of the two parts, for registration.
    pub(super) fn parts(&self) -> *const libc::iovec {
        self.parts.as_ptr()
    }

    /// Notes that so many bytes of the payload were used.
    pub(super) fn note_use(&self, bytes: usize) {
        if bytes > page_size() && !self.is_large() {
            self.large.store(true, Ordering::Relaxed);
        }
    }

    /// Whether more than a page of the payload is occupied.
    pub(super) fn is_large(&self) -> bool {
        self.large.load(Ordering::Relaxed)
    }

    /// Gives the payload's memory back to the system, if it is more than a page.
    ///
    /// # Safety
    /// Nobody uses the payload, nor needs what is in it.
    pub(super) unsafe fn give_back(&self) {
        if self.large.swap(false, Ordering::Relaxed) {
            // SAFETY: pages of this object's private mapping, whose content the caller says is not
            // needed. Were it refused, they would stay.
            unsafe {
                libc::madvise(self.at(page_size()).cast(), self.payload, libc::MADV_DONTNEED)
            };
        }
    }

    fn at(&self, offset: usize) -> *mut u8 {
        self.mapping.start().as_ptr().wrapping_add(offset)
    }

    pub(super) fn headers(&self) -> NonNull<Headers> {
        self.mapping.start().cast()
    }

    /// Puts `head` right in front of the payload and returns both, of which `len` bytes are payload.
    ///
    /// # Safety
    /// The entry is not armed, and until the slice is given up nobody writes the payload.
    pub(super) unsafe fn message(&self, head: &[u8], len: usize) -> &[u8] {
        let page = page_size();
        let len = len.min(self.payload);
        let head = &head[..head.len().min(page - HEADERS)];
        let start = self.at(page - head.len());
        // SAFETY: head and payload lie within the mapping, behind the kernel's headers; the caller
        // vouches that nobody else touches them.
        unsafe {
            std::ptr::copy_nonoverlapping(head.as_ptr(), start, head.len());
            std::slice::from_raw_parts(start, head.len() + len)
        }
    }

    /// Stores `bytes` at `offset` of the payload; false if they don't fit.
    ///
    /// # Safety
    /// The entry is not armed, and nobody else uses that part of the payload.
    pub(super) unsafe fn store(&self, offset: usize, bytes: &[u8]) -> bool {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.payload) {
            return false;
        }
        if std::ptr::eq(bytes.as_ptr(), self.at(page_size() + offset)) {
            // It was put there in the first place.
            return true;
        }
        // SAFETY: within the payload, as was checked; the caller vouches for exclusiveness. The
        // source may be an earlier part of this very payload that a handler hands back.
        unsafe { std::ptr::copy(bytes.as_ptr(), self.at(page_size() + offset), bytes.len()) };
        true
    }

    /// The payload, to be filled.
    ///
    /// # Safety
    /// The entry is not armed, and nobody else uses the payload until the slice is given up.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn payload(&self) -> &mut [u8] {
        // SAFETY: within the mapping; the caller vouches for exclusiveness.
        unsafe { std::slice::from_raw_parts_mut(self.at(page_size()), self.payload) }
    }
}
