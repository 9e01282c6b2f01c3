//! Page-aligned memory straight from the kernel: the shared header page and worker buffers.

use std::ops::{Deref, DerefMut};
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use super::pipe::page_size;
use super::splice::vmsplice_raw;
use crate::errno::{Errno, Result};

/// An anonymous mapping, unmapped when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Mapping {
    /// `len` zeroed bytes, rounded up to whole pages; `sharing` is MAP_SHARED or MAP_PRIVATE.
    pub(super) fn new(len: usize, sharing: libc::c_int) -> Result<Mapping> {
        let page = page_size();
        let len = len.max(1).checked_next_multiple_of(page).ok_or(Errno::ENOMEM)?;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                sharing | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let start = NonNull::new(start.cast()).ok_or(Errno::ENOMEM)?;
        Ok(Mapping { start, len })
    }

    /// Where it begins.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range this object mapped, and nobody else holds a reference to it.
        // Pages a pipe still refers to stay alive in the kernel.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// One page of `MAP_SHARED` memory, from which a pipe can be given references.
///
/// A store made after [`SharedPage::vmsplice`] is seen by the pipe. That would not hold for
/// private memory: if any thread forks in between, the store goes to a fresh copy of the page and
/// the pipe keeps the old one.
#[derive(Debug)]
pub struct SharedPage {
    mapping: Mapping,
}

impl SharedPage {
    /// A zeroed page. `ENOMEM` when there is none.
    pub fn new() -> Result<SharedPage> {
        Ok(SharedPage { mapping: Mapping::new(page_size(), libc::MAP_SHARED)? })
    }

    /// Capacity in bytes.
    pub fn capacity(&self) -> usize {
        self.mapping.len
    }

    /// Stores `bytes` from offset `at` on; `EINVAL`, and nothing stored, if they don't fit.
    pub fn store(&mut self, at: usize, bytes: &[u8]) -> Result<()> {
        match at.checked_add(bytes.len()) {
            Some(end) if end <= self.mapping.len => {}
            _ => return Err(Errno::EINVAL),
        }
        // SAFETY: the range was checked to lie inside the mapping, which no Rust reference covers.
        unsafe {
            let to = self.mapping.start.as_ptr().add(at);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        Ok(())
    }

    /// Puts a reference to the first `len` bytes into the pipe (not a copy of them) and returns
    /// how many bytes went in. `EAGAIN` if a non-blocking pipe is full.
    pub fn vmsplice(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
        let len = len.min(self.mapping.len);
        let piece = libc::iovec { iov_base: self.mapping.start.as_ptr().cast(), iov_len: len };
        // SAFETY: the element lies inside the mapping; the kernel only reads from it.
        unsafe { vmsplice_raw(pipe, &[piece]) }
    }
}

/// A page-aligned, zero-initialised buffer of private memory, as reading from an `O_DIRECT`
/// descriptor needs it.
#[derive(Debug)]
pub struct PageBuffer {
    mapping: Mapping,
}

impl PageBuffer {
    /// At least `len` bytes, rounded up to whole pages. `ENOMEM` when there is no room.
    pub fn new(len: usize) -> Result<PageBuffer> {
        Ok(PageBuffer { mapping: Mapping::new(len, libc::MAP_PRIVATE)? })
    }
}

impl Deref for PageBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is readable, zero-initialised, `len` bytes long and owned by `self`.
        unsafe { std::slice::from_raw_parts(self.mapping.start.as_ptr(), self.mapping.len) }
    }
}

impl DerefMut for PageBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.mapping.start.as_ptr(), self.mapping.len) }
    }
}

// SAFETY: a mapping belongs to the process, not to the thread that made it, and is owned uniquely.
unsafe impl Send for Mapping {}
