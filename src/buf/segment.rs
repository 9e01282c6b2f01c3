//! One element of a buffer vector, and the flags that go with it.

use std::os::fd::{BorrowedFd, RawFd};

use crate::errno::{Errno, Result};

bitflags::bitflags! {
    /// What a [`Segment`] is. The values are the C ABI's `fuse_buf_flags`; other bits may be set
    /// and mean nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[repr(transparent)]
    pub struct SegmentFlags: u32 {
        /// The data is behind a file descriptor, not in memory.
        const IS_FD = 2;
        /// Read or write at the segment's position, not at the descriptor's own file offset.
        const FD_SEEK = 4;
        /// Repeat short reads or writes until the segment is complete, end of file or an error.
        const FD_RETRY = 8;
        const _ = !0;
    }

    /// How to copy. The values are the C ABI's `fuse_buf_copy_flags`; other bits may be set and
    /// mean nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[repr(transparent)]
    pub struct CopyFlags: u32 {
        /// Never splice.
        const NO_SPLICE = 2;
        /// Between two descriptors splice or fail; in a reply, splice whenever it is possible.
        const FORCE_SPLICE = 4;
        /// Let the receiver take pages instead of copying them (`SPLICE_F_MOVE`).
        const SPLICE_MOVE = 8;
        /// Don't wait for a pipe (`SPLICE_F_NONBLOCK`).
        const SPLICE_NONBLOCK = 16;
        const _ = !0;
    }
}

/// One element of a vector: `size` bytes of memory or of a file descriptor.
///
/// Plain data with the layout of the 40-byte `fuse_buf`. It promises nothing about the memory or
/// the descriptor; [`Vector::from_raw`](super::Vector::from_raw) is where that is vouched for.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Segment {
    /// Length in bytes.
    pub size: usize,
    /// Memory or descriptor, and how the descriptor is used.
    pub flags: SegmentFlags,
    /// Start of the memory, if not [`SegmentFlags::IS_FD`].
    pub mem: *mut u8,
    /// The descriptor, if [`SegmentFlags::IS_FD`].
    pub fd: RawFd,
    /// File position in bytes, if [`SegmentFlags::FD_SEEK`].
    pub pos: i64,
}

impl Segment {
    /// A segment of `size` bytes at `mem`.
    pub const fn memory(mem: *mut u8, size: usize) -> Segment {
        Segment { size, flags: SegmentFlags::empty(), mem, fd: -1, pos: 0 }
    }

    /// A segment of `size` bytes of `fd`: from position `pos` on, or wherever the descriptor's own
    /// file offset stands.
    pub const fn file(fd: RawFd, pos: Option<i64>, size: usize) -> Segment {
        let (flags, pos) = match pos {
            Some(pos) => (SegmentFlags::IS_FD.union(SegmentFlags::FD_SEEK), pos),
            None => (SegmentFlags::IS_FD, 0),
        };
        Segment { size, flags, mem: std::ptr::null_mut(), fd, pos }
    }

    /// Whether the data is behind a descriptor.
    pub const fn is_fd(&self) -> bool {
        self.flags.contains(SegmentFlags::IS_FD)
    }

    pub(super) fn seeks(&self) -> bool {
        self.flags.contains(SegmentFlags::FD_SEEK)
    }

    pub(super) fn retries(&self) -> bool {
        self.flags.contains(SegmentFlags::FD_RETRY)
    }

    /// The file position `off` bytes into the segment, `None` if it doesn't seek; `EINVAL` beyond
    /// the largest file position.
    pub(super) fn position(&self, off: usize) -> Result<Option<i64>> {
        if !self.seeks() {
            return Ok(None);
        }
        let off = i64::try_from(off).map_err(|_| Errno::EINVAL)?;
        self.pos.checked_add(off).map(Some).ok_or(Errno::EINVAL)
    }

    /// The descriptor as a borrow; `EBADF` if it is negative.
    ///
    /// # Safety
    /// If the number is not negative it must stay open for `'a` (an unused number only yields
    /// `EBADF` from the system call).
    pub(super) unsafe fn borrow_fd<'a>(&self) -> Result<BorrowedFd<'a>> {
        if self.fd < 0 {
            return Err(Errno::EBADF);
        }
        // SAFETY: not -1; the caller vouches that it stays open.
        Ok(unsafe { BorrowedFd::borrow_raw(self.fd) })
    }
}
