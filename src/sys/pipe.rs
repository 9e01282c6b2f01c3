//! One kernel pipe and its capacity.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::errno::{Errno, Result};

mod raw {
    nix::ioctl_read_bad!(fionread, libc::FIONREAD, libc::c_int);
}

/// The machine's page size in bytes, which is also what one pipe slot can hold.
pub fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    let known = SIZE.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: sysconf only reads a constant.
    let asked = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = usize::try_from(asked).unwrap_or(4096).max(4096);
    SIZE.store(size, Ordering::Relaxed);
    size
}

/// Both ends of a pipe, `O_CLOEXEC | O_NONBLOCK`; closed when dropped.
#[derive(Debug)]
pub struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    slots: usize,
}

impl Pipe {
    /// A new, empty pipe of the kernel's default capacity (16 slots, fewer for a user who is over
    /// `fs.pipe-user-pages-soft`). `EMFILE` or `ENFILE` when descriptors run out.
    pub fn new() -> Result<Pipe> {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let bytes = fcntl(&writer, FcntlArg::F_GETPIPE_SZ)?;
        Ok(Pipe { reader, writer, slots: slots_of(bytes) })
    }

    /// The end that data leaves by.
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The end that data enters by.
    pub fn writer(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }

    /// Capacity in slots. Each holds one page or a part of one, however small.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Asks for room for `slots` slots (the kernel rounds up to a power of two) and returns what
    /// was granted. `EPERM` above `fs.pipe-max-size` or the user's page limit, `ENOMEM`, `EBUSY`
    /// when more than that is in use.
    pub fn resize(&mut self, slots: usize) -> Result<usize> {
        let bytes = slots
            .checked_mul(page_size())
            .and_then(|bytes| i32::try_from(bytes).ok())
            .ok_or(Errno::EINVAL)?;
        let granted = fcntl(&self.writer, FcntlArg::F_SETPIPE_SZ(bytes))?;
        self.slots = slots_of(granted);
        Ok(self.slots)
    }

    /// Bytes waiting in the pipe.
    pub fn buffered(&self) -> Result<usize> {
        let mut bytes = 0;
        // SAFETY: FIONREAD stores one int through the pointer, which outlives the call.
        unsafe { raw::fionread(self.reader.as_raw_fd(), &mut bytes) }?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    /// Whether every slot is taken.
    pub fn is_full(&self) -> bool {
        !ready(self.writer(), PollFlags::POLLOUT)
    }
}

/// Whether a read of `fd` would return at once: with data, at end of file or with an error.
pub fn readable(fd: BorrowedFd<'_>) -> bool {
    ready(fd, PollFlags::POLLIN)
}

fn ready(fd: BorrowedFd<'_>, events: PollFlags) -> bool {
    let mut fds = [PollFd::new(fd, events)];
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(n) if n > 0)
}

fn slots_of(bytes: i32) -> usize {
    usize::try_from(bytes).unwrap_or(0) / page_size()
}
