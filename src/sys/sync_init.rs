//! The device's ioctl that makes mounting wait for the answer to INIT.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::Result;

mod raw {
    // FUSE_DEV_IOC_SYNC_INIT: _IO(229, 3).
    nix::ioctl_none!(sync_init, 229, 3);
}

/// Asks for it on a device that is not mounted yet. `ENOTTY` before Linux 6.18.
pub fn request(device: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the call has no argument.
    unsafe { raw::sync_init(device.as_raw_fd()) }?;
    Ok(())
}
