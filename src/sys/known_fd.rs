//! A descriptor whose number a program knows, and may have closed.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Which file a descriptor leads to: device, inode, and the device that the inode stands for.
type File = (u64, u64, u64);

/// Closed when dropped, unless its number has come to mean nothing or another file: that is whoever
/// opened that one's to close.
#[derive(Debug)]
pub struct KnownFd {
    fd: ManuallyDrop<OwnedFd>,
    file: Option<File>,
}

fn file_of(fd: BorrowedFd<'_>) -> Option<File> {
    let stat = nix::sys::stat::fstat(fd).ok()?;
    Some((stat.st_dev, stat.st_ino, stat.st_rdev))
}

impl KnownFd {
    /// Takes a descriptor over.
    pub fn new(fd: OwnedFd) -> KnownFd {
        let file = file_of(fd.as_fd());
        KnownFd { fd: ManuallyDrop::new(fd), file }
    }
}

impl AsFd for KnownFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for KnownFd {
    fn drop(&mut self) {
        if self.file.is_some() && file_of(self.as_fd()) != self.file {
            log::warn!("fuse: descriptor {} was closed by the program", self.fd.as_raw_fd());
            return;
        }
        // SAFETY: taken nowhere else, and `self` is not used after this.
        drop(unsafe { ManuallyDrop::take(&mut self.fd) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::{FromRawFd, IntoRawFd};

    #[test]
    fn another_file_by_the_same_number_stays_open() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let known = KnownFd::new(writer.into());
        let number = known.as_fd().as_raw_fd();
        let null = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: as a program does it that knows the number; the pipe's own end is closed by that.
        let number = unsafe { libc::dup2(null.into_raw_fd(), number) };
        drop(known);
        // Nobody has the pipe's end any more.
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        // SAFETY: dup2 gave the number to this test, and nobody has closed it.
        let file = unsafe { std::fs::File::from_raw_fd(number) };
        assert!(file.metadata().is_ok());
    }

    #[test]
    fn what_is_still_the_same_file_is_closed() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        drop(KnownFd::new(writer.into()));
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }
}
