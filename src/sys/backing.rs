//! The device's ioctls for files that the kernel reads and writes by itself.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use crate::errno::{Errno, Result};

/// `struct fuse_backing_map`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Map {
    fd: i32,
    flags: u32,
    padding: u64,
}

mod raw {
    // FUSE_DEV_IOC_BACKING_OPEN, _CLOSE: _IOW(229, 1, struct), _IOW(229, 2, u32).
    nix::ioctl_write_ptr!(backing_open, 229, 1, super::Map);
    nix::ioctl_write_ptr!(backing_close, 229, 2, u32);
}

/// Registers `file` with the connection of `device` and returns its number. `ENOTTY` where the
/// kernel has no passthrough (before 6.9).
pub fn open(device: RawFd, file: BorrowedFd<'_>) -> Result<i32> {
    let map = Map { fd: file.as_raw_fd(), ..Map::default() };
    // SAFETY: the kernel reads the struct during the call and keeps no pointer.
    let id = unsafe { raw::backing_open(device, &map) }?;
    if id > 0 { Ok(id) } else { Err(Errno::EIO) }
}

/// Forgets a number.
pub fn close(device: RawFd, id: i32) -> Result<()> {
    let id = id.cast_unsigned();
    // SAFETY: the kernel reads one u32 during the call.
    unsafe { raw::backing_close(device, &id) }?;
    Ok(())
}
