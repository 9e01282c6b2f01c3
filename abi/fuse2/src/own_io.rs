//! A program's own I/O (`fuse_chan_ops`) as a channel of the engine's.

use std::ffi::c_int;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use ferrofuse::transport::Channel;
use ferrofuse::{Errno, Result};
use libc::iovec;

use crate::types::{FuseChan, FuseChanOps, FuseChanOpsCompat24};

/// The callbacks, in either form.
#[derive(Clone, Copy)]
pub enum OwnOps {
    /// Of API 2.6 and later.
    New(FuseChanOps),
    /// Of API 2.4 and 2.5, whose `receive` names one channel.
    Old(FuseChanOpsCompat24),
}

/// The C convention of these callbacks: a count, or a negative errno.
fn outcome(result: c_int) -> Result<usize> {
    usize::try_from(result).map_err(|_| Errno::from_raw(result.wrapping_neg()))
}

impl OwnOps {
    /// Reads a request; `*chp` may become another channel. Returns as the program's callback does.
    ///
    /// # Safety
    /// `*chp` is the live channel that these callbacks belong to.
    pub unsafe fn receive(&self, chp: &mut *mut FuseChan, buf: &mut [u8]) -> c_int {
        let (mem, size) = (buf.as_mut_ptr().cast(), buf.len());
        let missing = Errno::ENOSYS.negated();
        // SAFETY: the program's own callback with its channel; the buffer has the length given.
        unsafe {
            match self {
                OwnOps::New(ops) => ops.receive.map_or(missing, |f| f(chp, mem, size)),
                OwnOps::Old(ops) => ops.receive.map_or(missing, |f| f(*chp, mem, size)),
            }
        }
    }

    /// Writes a message. Returns as the program's callback does.
    ///
    /// # Safety
    /// `ch` is the live channel that these callbacks belong to; `iov` is NULL or has `count` elements.
    pub unsafe fn send(&self, ch: *mut FuseChan, iov: *const iovec, count: usize) -> c_int {
        let send = match self {
            OwnOps::New(ops) => ops.send,
            OwnOps::Old(ops) => ops.send,
        };
        // SAFETY: the program's own callback with its channel.
        send.map_or(Errno::ENOSYS.negated(), |send| unsafe { send(ch, iov, count) })
    }

    /// Tells the program that its channel is freed.
    ///
    /// # Safety
    /// `ch` is the live channel that these callbacks belong to.
    pub unsafe fn destroy(&self, ch: *mut FuseChan) {
        let destroy = match self {
            OwnOps::New(ops) => ops.destroy,
            OwnOps::Old(ops) => ops.destroy,
        };
        if let Some(destroy) = destroy {
            // SAFETY: the program's own callback with its channel.
            unsafe { destroy(ch) };
        }
    }
}

/// What the engine answers by.
pub struct OwnIo {
    ops: OwnOps,
    fd: RawFd,
    /// NULL once the channel was destroyed.
    ch: AtomicPtr<FuseChan>,
}

impl OwnIo {
    /// The I/O of a channel that [`OwnIo::belongs_to`] names later.
    pub fn new(ops: OwnOps, fd: RawFd) -> OwnIo {
        OwnIo { ops, fd, ch: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Says what the callbacks get; NULL for a channel that is no more.
    pub fn belongs_to(&self, ch: *mut FuseChan) {
        self.ch.store(ch, Ordering::Release);
    }

    fn channel(&self) -> Result<*mut FuseChan> {
        let ch = self.ch.load(Ordering::Acquire);
        if ch.is_null() { Err(Errno::ENODEV) } else { Ok(ch) }
    }
}

impl Channel for OwnIo {
    fn raw_fd(&self) -> RawFd {
        self.fd
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        let mut ch = self.channel()?;
        // SAFETY: the live channel of these callbacks.
        match outcome(unsafe { self.ops.receive(&mut ch, buf) })? {
            0 => Err(Errno::ENODEV),
            // What it claims beyond the buffer cannot be there.
            len => Ok(len.min(buf.len())),
        }
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        let ch = self.channel()?;
        // IoSlice has the layout of iovec.
        let iov = message.as_ptr().cast();
        // SAFETY: the live channel of these callbacks; the vector lives during the call.
        outcome(unsafe { self.ops.send(ch, iov, message.len()) })?;
        Ok(message.iter().map(|part| part.len()).sum())
    }

    fn can_splice_in(&self) -> bool {
        false
    }

    fn can_splice_out(&self) -> bool {
        false
    }

    fn splice_in(&self, _pipe: BorrowedFd<'_>, _len: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn splice_out(&self, _pipe: BorrowedFd<'_>, _len: usize, _steal: bool) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn is_synchronous(&self) -> bool {
        false
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Says so by a message of nothing, as libfuse 2 does: the program may count its requests.
    fn abandon(&self, _unique: u64) {
        if let Ok(ch) = self.channel() {
            // SAFETY: the live channel of these callbacks; no message.
            unsafe { self.ops.send(ch, ptr::null(), 0) };
        }
    }
}
