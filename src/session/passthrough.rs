//! Files whose reads and writes the kernel does by itself (`FUSE_CAP_PASSTHROUGH`).

use std::os::fd::BorrowedFd;

use super::Session;
use crate::errno::{Errno, Result};
use crate::sys::backing;

impl Session {
    /// Makes an open file one that [`OpenReply::backing_id`](super::OpenReply::backing_id) can name,
    /// and returns its number, above 0. The kernel keeps a reference of its own: `file` may be
    /// closed.
    ///
    /// # Errors
    /// `ENOTCONN` without a device; `EPERM` unless passthrough was agreed and the process has
    /// CAP_SYS_ADMIN; `ELOOP` for a file on too many stacked filesystems; `EBADF`.
    pub fn open_backing(&self, file: BorrowedFd<'_>) -> Result<i32> {
        let channel = self.channel().ok_or(Errno::ENOTCONN)?;
        backing::open(channel.raw_fd(), file)
    }

    /// Gives such a number back. Files that were opened with it go on.
    ///
    /// # Errors
    /// `ENOENT` for a number that is not known, and as above.
    pub fn close_backing(&self, id: i32) -> Result<()> {
        let channel = self.channel().ok_or(Errno::ENOTCONN)?;
        backing::close(channel.raw_fd(), id)
    }
}
