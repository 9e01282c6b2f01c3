//! splice(2) and vmsplice(2).

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, Result};

bitflags::bitflags! {
    /// Flags of splice(2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SpliceFlags: u32 {
        /// Let the receiver take the pages instead of copying them, where it can.
        const MOVE = libc::SPLICE_F_MOVE;
        /// Don't wait for the pipe.
        const NONBLOCK = libc::SPLICE_F_NONBLOCK;
    }
}

/// Moves up to `len` bytes between two descriptors, at least one of which is a pipe. A position
/// is given for seekable descriptors only (their own file offset then stays as it is); 0 is end
/// of file. `EINVAL` if either side cannot splice, `EAGAIN` if it would have to wait.
pub fn splice(
    from: BorrowedFd<'_>,
    from_pos: Option<i64>,
    to: BorrowedFd<'_>,
    to_pos: Option<i64>,
    len: usize,
    flags: SpliceFlags,
) -> Result<usize> {
    let mut from_pos = from_pos.map(i64::cast_unsigned);
    let mut to_pos = to_pos.map(i64::cast_unsigned);
    let flags = rustix::pipe::SpliceFlags::from_bits_retain(flags.bits());
    Ok(rustix::pipe::splice(from, from_pos.as_mut(), to, to_pos.as_mut(), len, flags)?)
}

/// Puts references to `pieces` (not copies) into a pipe, as far as there is room, and returns how
/// many bytes went in. Until the pipe has been emptied the memory must not change, or the change
/// shows up in the pipe. `EAGAIN` if a non-blocking pipe is full, `EFAULT` for unmapped memory.
pub fn vmsplice(pipe: BorrowedFd<'_>, pieces: &[IoSlice<'_>]) -> Result<usize> {
    // SAFETY: IoSlice has the layout of iovec, and each one is a live borrow of readable memory.
    unsafe {
        let raw = std::slice::from_raw_parts(pieces.as_ptr().cast::<libc::iovec>(), pieces.len());
        vmsplice_raw(pipe, raw)
    }
}

/// # Safety
/// Each element must be memory that is mapped and readable for the duration of the call.
pub(super) unsafe fn vmsplice_raw(pipe: BorrowedFd<'_>, pieces: &[libc::iovec]) -> Result<usize> {
    // Non-blocking: a full pipe must be noticed, not waited for, as nobody else empties it.
    let flags = libc::SPLICE_F_NONBLOCK;
    // SAFETY: the caller vouches for the elements, whose number is the slice's length.
    let put = unsafe { libc::vmsplice(pipe.as_raw_fd(), pieces.as_ptr(), pieces.len(), flags) };
    usize::try_from(put).map_err(|_| Errno::last())
}
