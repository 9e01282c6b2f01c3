//! The kernel's device, `/dev/fuse`.

use std::fs::OpenOptions;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use super::Channel;
use crate::errno::{Errno, Result};
use crate::sys::clone::join_connection;
use crate::sys::known_fd::KnownFd;
use crate::sys::splice::{SpliceFlags, splice};

/// Where the kernel's device is found; [`Device::try_clone`] opens it again.
const PATH: &str = "/dev/fuse";

/// A descriptor of `/dev/fuse` that is, or is about to be, one end of a mounted connection.
///
/// Closed when dropped, unless the program has done so; the connection ends when its last descriptor is closed. Any thread may
/// use it. The kernel is done with a message's pages by the time a call returns.
#[derive(Debug)]
pub struct Device {
    fd: KnownFd,
}

impl Device {
    /// Takes over a descriptor of `/dev/fuse`.
    pub fn new(fd: OwnedFd) -> Device {
        Device { fd: KnownFd::new(fd) }
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Channel for Device {
    fn raw_fd(&self) -> RawFd {
        self.fd.as_fd().as_raw_fd()
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        // Not the C library's: where there are threads, each call of that is a cancellation point.
        Ok(rustix::io::read(self.as_fd(), buf)?)
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        Ok(rustix::io::writev(self.as_fd(), message)?)
    }

    fn can_splice_in(&self) -> bool {
        true
    }

    fn can_splice_out(&self) -> bool {
        true
    }

    fn splice_in(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
        splice(self.as_fd(), None, pipe, None, len, SpliceFlags::empty())
    }

    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, steal: bool) -> Result<usize> {
        let flags = if steal { SpliceFlags::MOVE } else { SpliceFlags::empty() };
        splice(pipe, None, self.as_fd(), None, len, flags)
    }

    fn is_synchronous(&self) -> bool {
        true
    }

    fn is_kernel_device(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        let fresh = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_CLOEXEC)
            .open(PATH)
            .map_err(|error| {
                let error = Errno::from(error);
                log::error!("cannot clone the FUSE device: opening {PATH} failed: {error}");
                error
            })?;
        join_connection(fresh.as_fd(), self.as_fd()).inspect_err(|error| {
            let fd = self.raw_fd();
            log::error!(
                "cannot clone the FUSE device: joining the connection of descriptor {fd} \
                 failed: {error}"
            );
        })?;
        Ok(Arc::new(Device::new(fresh.into())))
    }
}
