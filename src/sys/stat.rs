//! Questions about a file that must not reach the filesystem it lives on.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Device number of a mounted filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceNumber {
    /// Major part; 0 for filesystems without a block device.
    pub major: u32,
    /// Minor part.
    pub minor: u32,
}

/// The device number of the filesystem that `file` (opened with `O_PATH` or otherwise) is on.
///
/// Asks for nothing else and for no synchronisation, so the kernel answers by itself even if the
/// file belongs to a FUSE filesystem whose server is dead, busy or this very process.
///
/// # Errors
/// What `statx` failed with; `ENOSYS` before Linux 4.11.
pub fn device_of(file: BorrowedFd<'_>) -> io::Result<DeviceNumber> {
    // SAFETY: a statx buffer is plain data and valid when zeroed.
    let mut buffer: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the empty path is a C string and `buffer` has the size the kernel writes.
    let result = unsafe {
        libc::syscall(
            libc::SYS_statx,
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC,
            0 as libc::c_uint,
            &mut buffer,
        )
    };
    match result {
        0 => Ok(DeviceNumber { major: buffer.stx_dev_major, minor: buffer.stx_dev_minor }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn agrees_with_stat() {
        let file = std::fs::File::open("/proc/self").unwrap();
        let number = device_of(file.as_fd()).unwrap();
        let dev = file.metadata().unwrap().dev();
        assert_eq!((number.major, number.minor), (libc::major(dev), libc::minor(dev)));
    }
}
