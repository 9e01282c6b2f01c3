//! The device's ioctl that binds a fresh descriptor to an existing connection.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::errno::{Errno, Result};

mod raw {
    // FUSE_DEV_IOC_CLONE: _IOR(229, 0, u32), the argument is the descriptor to join.
    nix::ioctl_read!(dev_ioc_clone, 229, 0, u32);
}

/// Makes `fresh`, a descriptor of `/dev/fuse` that belongs to no connection yet, another end of
/// the connection of `existing`. `EINVAL` if `existing` is not a mounted FUSE device, `ENOTTY`
/// where the kernel has no such ioctl (before 4.2).
pub fn join_connection(fresh: BorrowedFd<'_>, existing: BorrowedFd<'_>) -> Result<()> {
    let mut target = u32::try_from(existing.as_raw_fd()).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel reads one u32 through the pointer, which outlives the call.
    unsafe { raw::dev_ioc_clone(fresh.as_raw_fd(), &mut target) }?;
    Ok(())
}
