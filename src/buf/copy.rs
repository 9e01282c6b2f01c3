//! Copying from one vector to another.

use std::mem::MaybeUninit;
use std::slice;

use rustix::io;

use super::segment::{CopyFlags, Segment};
use super::vector::Vector;
use crate::errno::{Errno, Result};
use crate::sys::splice::{SpliceFlags, splice};

/// Bytes moved at a time between two descriptors that cannot splice.
const BOUNCE: usize = 4096;
/// Most bytes that one call moves: a slice may not be longer, and the kernel stops earlier.
const MOST: usize = isize::MAX as usize;

/// Copies from `src` to `dst`, from both cursors on, until either is exhausted or a segment comes
/// out short; moves the cursors and returns the number of bytes. An error is returned only if
/// nothing was copied; after some bytes it merely ends the copy.
///
/// * memory to memory: like memmove, so the segments may overlap
/// * descriptor to memory or back: one `read` or `write` (`pread`, `pwrite` at the segment's
///   position with `FD_SEEK`), repeated until complete only with `FD_RETRY`
/// * descriptor to descriptor: `splice`, repeated if either has `FD_RETRY`. With `NO_SPLICE`, or
///   if splicing is refused with `EINVAL` or `ENOSYS` and `FORCE_SPLICE` is not given, read and
///   written in steps of 4 KiB until a step comes out short
///
/// Once `src` is exhausted `dst`'s cursor does not count the last step; C programs can see that.
///
/// Besides the errors of those system calls: `EFAULT` for null memory or a destination that was
/// made from `&[u8]`, `EBADF` for a negative descriptor, `EINVAL` for a cursor outside its segment.
pub fn copy(dst: &mut Vector<'_>, src: &mut Vector<'_>, flags: CopyFlags) -> Result<usize> {
    let mut copied = 0;
    while let (Some(from), Some(to)) = (src.at_cursor(), dst.at_cursor()) {
        let step = from.and_then(|(from, from_off)| {
            let (to, to_off) = to?;
            let len = (from.size - from_off).min(to.size - to_off);
            if len > 0 && !to.is_fd() && !dst.writable {
                return Err(Errno::EFAULT);
            }
            let (from, to) = (At(from, from_off), At(to, to_off));
            // SAFETY: `len` fits into both segments from their offsets on, the makers of the
            // vectors vouched for memory and descriptors, and the destination may be written.
            Ok((len, unsafe { step(to, from, len, flags) }?))
        });
        let (len, done) = match step {
            Ok(step) => step,
            Err(error) if copied == 0 => return Err(error),
            Err(_) => break,
        };
        copied += done;
        if !src.step_within(done) || !dst.step_within(done) || done < len {
            break;
        }
    }
    Ok(copied)
}

/// A segment and an offset in it.
#[derive(Clone, Copy)]
struct At<'v>(&'v Segment, usize);

impl At<'_> {
    fn memory(self) -> Result<*mut u8> {
        let At(segment, off) = self;
        if segment.mem.is_null() {
            return Err(Errno::EFAULT);
        }
        Ok(segment.mem.wrapping_add(off))
    }

    fn skip(self, len: usize) -> Self {
        At(self.0, self.1 + len)
    }
}

/// # Safety
/// `len` must fit into both segments from their offsets on. Memory must be readable, and that of
/// `to` writable; descriptors that are open must stay open.
unsafe fn step(to: At<'_>, from: At<'_>, len: usize, flags: CopyFlags) -> Result<usize> {
    if len == 0 {
        return Ok(0);
    }
    match (from.0.is_fd(), to.0.is_fd()) {
        (false, false) => {
            let (source, target) = (from.memory()?, to.memory()?);
            if isize::try_from(len).is_err() {
                return Err(Errno::EFAULT);
            }
            // SAFETY: both ranges are valid for `len` bytes; `copy` allows them to overlap.
            unsafe { std::ptr::copy(source, target, len) };
            Ok(len)
        }
        // SAFETY: the memory is readable for `len` bytes.
        (false, true) => unsafe { write(to, from.memory()?, len) },
        // SAFETY: the memory is writable for `len` bytes.
        (true, false) => unsafe { read(to.memory()?, from, len) },
        (true, true) if flags.contains(CopyFlags::NO_SPLICE) => bounce(to, from, len),
        (true, true) => match spliced(to, from, len, flags) {
            // ENOSYS: a sandbox, or a kernel without it.
            Err(Errno::EINVAL | Errno::ENOSYS) if !flags.contains(CopyFlags::FORCE_SPLICE) => {
                bounce(to, from, len)
            }
            result => result,
        },
    }
}

/// Calls `step` with what is done and what is left until all is done, it returns 0 or an error; only
/// once if not `retry`. An error counts only if nothing was done.
fn until_done(
    len: usize,
    retry: bool,
    mut step: impl FnMut(usize, usize) -> Result<usize>,
) -> Result<usize> {
    let mut done = 0;
    while done < len {
        match step(done, len - done) {
            Ok(0) => break,
            Ok(more) => done += more,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
        if !retry {
            break;
        }
    }
    Ok(done)
}

/// # Safety
/// `mem` must be valid for storing `len` bytes.
unsafe fn read(mem: *mut u8, from: At<'_>, len: usize) -> Result<usize> {
    let At(segment, off) = from;
    until_done(len, segment.retries(), |done, left| {
        let pos = segment.position(off + done)?;
        let left = left.min(MOST);
        // SAFETY: `left` bytes are left of the memory that the caller vouches for; the descriptor
        // stays open during the call.
        let (fd, into) = unsafe {
            let start = mem.wrapping_add(done).cast::<MaybeUninit<u8>>();
            (segment.borrow_fd()?, slice::from_raw_parts_mut(start, left))
        };
        let (got, _) = match pos {
            // What is no position, the kernel refuses.
            Some(pos) => io::pread(fd, into, pos.cast_unsigned())?,
            None => io::read(fd, into)?,
        };
        Ok(got.len())
    })
}

/// # Safety
/// `mem` must be valid for reading `len` bytes.
unsafe fn write(to: At<'_>, mem: *const u8, len: usize) -> Result<usize> {
    let At(segment, off) = to;
    until_done(len, segment.retries(), |done, left| {
        let pos = segment.position(off + done)?;
        let left = left.min(MOST);
        // SAFETY: `left` bytes are left of the memory that the caller vouches for; the descriptor
        // stays open during the call.
        let (fd, data) =
            unsafe { (segment.borrow_fd()?, slice::from_raw_parts(mem.wrapping_add(done), left)) };
        Ok(match pos {
            Some(pos) => io::pwrite(fd, data, pos.cast_unsigned())?,
            None => io::write(fd, data)?,
        })
    })
}

fn spliced(to: At<'_>, from: At<'_>, len: usize, flags: CopyFlags) -> Result<usize> {
    let mut how = SpliceFlags::empty();
    how.set(SpliceFlags::MOVE, flags.contains(CopyFlags::SPLICE_MOVE));
    how.set(SpliceFlags::NONBLOCK, flags.contains(CopyFlags::SPLICE_NONBLOCK));
    // SAFETY: the borrows end with this call, during which the vectors' descriptors stay open.
    let (source, target) = unsafe { (from.0.borrow_fd()?, to.0.borrow_fd()?) };
    until_done(len, from.0.retries() || to.0.retries(), |done, left| {
        let from_pos = from.0.position(from.1 + done)?;
        let to_pos = to.0.position(to.1 + done)?;
        splice(source, from_pos, target, to_pos, left, how)
    })
}

/// Reads and writes in small steps until `len` bytes are through or a step comes out short.
fn bounce(to: At<'_>, from: At<'_>, len: usize) -> Result<usize> {
    let mut room = [0; BOUNCE];
    let mut done = 0;
    while done < len {
        let want = BOUNCE.min(len - done);
        // SAFETY: `room` holds `want` bytes, and `write` is given no more than were read.
        let step = unsafe {
            read(room.as_mut_ptr(), from.skip(done), want).and_then(|got| match got {
                0 => Ok(0),
                got => write(to.skip(done), room.as_ptr(), got),
            })
        };
        match step {
            Ok(put) => done += put,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
        if step != Ok(want) {
            break;
        }
    }
    Ok(done)
}
