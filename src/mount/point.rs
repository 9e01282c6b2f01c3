//! The mount point before the mount, and the identity of the filesystem after it.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

use crate::sys::stat::{DeviceNumber, device_of};
use crate::{Errno, Result};

/// A mount point that was looked up once; what happens to its path afterwards does not matter.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    path: PathBuf,
    absolute: PathBuf,
    mode: u32,
}

impl Target {
    /// Looks up `path`.
    ///
    /// # Errors
    /// Logged: the path does not exist, may not be accessed, or is a dead FUSE mount (`ENOTCONN`).
    pub(super) fn open(path: &Path) -> Result<Target> {
        let found = open_path(path).and_then(|file| Ok((file.metadata()?.mode(), file)));
        let (mode, file) = found.map_err(|error| {
            let error = Errno::from(error);
            log::error!("fuse: failed to access mountpoint {}: {error}", path.display());
            error
        })?;
        // The kernel's own name for the file has no symbolic link left.
        let absolute = fs::read_link(pinned(&file))
            .ok()
            .filter(|path| path.is_absolute())
            .or_else(|| std::path::absolute(path).ok())
            .unwrap_or_else(|| path.to_owned());
        Ok(Target { file, path: path.to_owned(), absolute, mode })
    }

    /// The path as the caller gave it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// File type bits of the mount point, which the root of the filesystem must repeat.
    pub(super) fn root_mode(&self) -> u32 {
        self.mode & libc::S_IFMT
    }

    /// Whether mounting would hide anything: entries of a directory, or bytes of a file.
    pub(super) fn has_contents(&self) -> bool {
        if self.root_mode() == libc::S_IFDIR {
            // One that can't be read is for the mount to complain of.
            return fs::read_dir(self.pinned()).is_ok_and(|mut entries| entries.next().is_some());
        }
        self.file.metadata().is_ok_and(|metadata| metadata.len() > 0)
    }

    /// A name for the file that was found, whatever `path` names now.
    pub(super) fn pinned(&self) -> PathBuf {
        pinned(&self.file)
    }

    /// The file that was found.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The path in a form that does not depend on the working directory (which a daemon changes).
    pub(super) fn absolute(&self) -> &Path {
        &self.absolute
    }
}

/// Opens `path` just to refer to it: neither permission on it nor a living server is needed.
pub(super) fn open_path(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path)
}

/// A path that leads to the open `file` itself, as long as `/proc` is mounted.
pub(super) fn pinned(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// The device number of the filesystem mounted with `device` on `path`.
///
/// Linux 6.16 and later tell it with the device; before, it is what is found at the path now.
pub(super) fn identity(device: BorrowedFd<'_>, path: &Path) -> Option<DeviceNumber> {
    let info = format!("/proc/self/fdinfo/{}", device.as_raw_fd());
    let told = fs::read_to_string(info).ok().and_then(|info| connection(&info));
    told.or_else(|| device_of(open_path(path).ok()?.as_fd()).ok())
}

/// The connection's number in the text of a device's fdinfo file: a `dev_t` as the kernel has it
/// internally, with 20 bits for the minor part.
fn connection(info: &str) -> Option<DeviceNumber> {
    let value = info.lines().find_map(|line| line.strip_prefix("fuse_connection:"))?;
    let number: u32 = value.trim().parse().ok()?;
    Some(DeviceNumber { major: number >> 20, minor: number & 0xf_ffff })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_number_splits_like_a_kernel_device_number() {
        let info = "pos:\t0\nflags:\t02100002\nfuse_connection:\t39\n";
        assert_eq!(connection(info), Some(DeviceNumber { major: 0, minor: 39 }));
        let loop1 = "fuse_connection:\t7340033\n";
        assert_eq!(connection(loop1), Some(DeviceNumber { major: 7, minor: 1 }));
        assert_eq!(connection("pos:\t0\n"), None);
        assert_eq!(connection("fuse_connection:\tx\n"), None);
    }

    #[test]
    fn target_keeps_its_type_and_absolute_path() {
        let link = Path::new("/proc/self/cwd");
        let target = Target::open(link).unwrap();
        assert_eq!(target.root_mode(), libc::S_IFDIR);
        assert_eq!(target.path(), link);
        assert_eq!(target.absolute(), std::env::current_dir().unwrap());
        assert_eq!(Target::open(Path::new("/nonexistent")).unwrap_err(), Errno::ENOENT);
    }
}
