//! The caller's own I/O as a channel (`fuse_session_custom_io`).

use std::ffi::{c_int, c_uint, c_void};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;

use ferrofuse::transport::Channel;
use ferrofuse::{Errno, Result};

use crate::types::FuseCustomIo;
use crate::types::era::CustomSplice;

/// The callbacks, the descriptor they work on, and the session's user data.
pub struct CustomChannel {
    io: FuseCustomIo,
    /// Closed with the session.
    fd: OwnedFd,
    userdata: *mut c_void,
}

// SAFETY: the program's callbacks are called from any thread, as libfuse's are; `userdata` is only
// handed back to them.
unsafe impl Send for CustomChannel {}
// SAFETY: as above.
unsafe impl Sync for CustomChannel {}

/// The C convention of these callbacks: a count, or -1 with errno.
fn outcome(count: isize) -> Result<usize> {
    usize::try_from(count).map_err(|_| Errno::last())
}

impl CustomChannel {
    /// A channel over `io`, which must have `read` and `writev`; it takes over `fd`.
    pub fn new(io: FuseCustomIo, fd: OwnedFd, userdata: *mut c_void) -> CustomChannel {
        CustomChannel { io, fd, userdata }
    }

    fn splice(
        &self,
        splice: Option<CustomSplice>,
        (from, to): (RawFd, RawFd),
        len: usize,
        flags: c_uint,
    ) -> Result<usize> {
        let splice = splice.ok_or(Errno::ENOSYS)?;
        let none = ptr::null_mut;
        // SAFETY: the program's own callback; both descriptors are open.
        outcome(unsafe { splice(from, none(), to, none(), len, flags, self.userdata) })
    }
}

impl Channel for CustomChannel {
    fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        let read = self.io.read.ok_or(Errno::ENOSYS)?;
        // SAFETY: the program's own callback; the buffer has the length given.
        let count =
            unsafe { read(self.raw_fd(), buf.as_mut_ptr().cast(), buf.len(), self.userdata) };
        // What it claims beyond the buffer cannot be there.
        outcome(count).map(|count| count.min(buf.len()))
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        let writev = self.io.writev.ok_or(Errno::ENOSYS)?;
        // The callback may edit the vector, so it gets a copy; IoSlice has the layout of iovec.
        let mut iov: Vec<libc::iovec> = message
            .iter()
            .map(|part| libc::iovec {
                iov_base: part.as_ptr().cast_mut().cast(),
                iov_len: part.len(),
            })
            .collect();
        let count = c_int::try_from(iov.len()).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the program's own callback; the vector and what it names live during the call.
        outcome(unsafe { writev(self.raw_fd(), iov.as_mut_ptr(), count, self.userdata) })?;
        // Only -1 is a failure: programs were written against a library that looked no further.
        Ok(message.iter().map(|part| part.len()).sum())
    }

    fn can_splice_in(&self) -> bool {
        self.io.splice_receive.is_some()
    }

    fn can_splice_out(&self) -> bool {
        self.io.splice_send.is_some()
    }

    fn splice_in(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
        self.splice(self.io.splice_receive, (self.raw_fd(), pipe.as_raw_fd()), len, 0)
    }

    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, steal: bool) -> Result<usize> {
        let flags = if steal { libc::SPLICE_F_MOVE } else { 0 };
        self.splice(self.io.splice_send, (pipe.as_raw_fd(), self.raw_fd()), len, flags)
    }

    fn is_synchronous(&self) -> bool {
        false
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        let clone_fd = self.io.clone_fd().ok_or(Errno::EOPNOTSUPP)?;
        // SAFETY: the program's own callback; the descriptor is open.
        let fd = unsafe { clone_fd(self.raw_fd()) };
        if fd < 0 {
            return Err(Errno::last());
        }
        // SAFETY: the callback hands over what it has opened.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Arc::new(CustomChannel::new(self.io, fd, self.userdata)))
    }
}
