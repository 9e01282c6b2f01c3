//! Undoing a mount.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};

use super::point::{Target, identity, open_path, pinned};
use super::{Flavor, MountOptions, helper, table};
use crate::sys::stat::{DeviceNumber, device_of};
use crate::sys::waiting;
use crate::{Errno, Result};

/// Where a filesystem is mounted and which one it is: what unmounting needs.
///
/// Dropping it does not unmount, but ends the watch of an `auto_unmount` helper, which then
/// unmounts if the device is closed.
#[derive(Debug)]
pub struct MountPoint {
    path: PathBuf,
    /// The device was handed to us mounted, so it is not for us to unmount.
    external: bool,
    identity: Option<DeviceNumber>,
    /// Our ends of the connections to those who watch over an `auto_unmount` mount.
    keepers: Vec<OwnedFd>,
    flavor: Flavor,
}

impl MountPoint {
    pub(super) fn new(
        target: &Target,
        options: &MountOptions,
        device: BorrowedFd<'_>,
        keepers: Vec<OwnedFd>,
    ) -> MountPoint {
        MountPoint {
            path: target.absolute().to_owned(),
            external: false,
            identity: identity(device, target.path()),
            keepers,
            flavor: options.flavor(),
        }
    }

    pub(super) fn external(path: &Path) -> MountPoint {
        MountPoint {
            path: path.to_owned(),
            external: true,
            identity: None,
            keepers: Vec::new(),
            flavor: Flavor::FUSE3,
        }
    }

    /// The absolute path of the mount point, or `/dev/fd/N` if the device was passed in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the device was passed in already mounted (`/dev/fd/N`), so that nothing will be
    /// unmounted.
    pub fn is_external(&self) -> bool {
        self.external
    }

    /// Whether somebody waits for the end of this process to unmount (`auto_unmount`).
    pub fn is_watched(&self) -> bool {
        !self.keepers.is_empty()
    }

    pub(super) fn take_keepers(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.keepers)
    }

    /// Closes `device`, if it is given and no one else has it open, and unmounts.
    ///
    /// Nothing is done if the filesystem is already gone: the device says so, or the mount point
    /// now carries another one. The mount is detached at once even while files on it are open.
    ///
    /// # Errors
    /// Logged: the mount is ours and still there, but neither this process nor the helper could
    /// detach it.
    pub fn unmount(self, device: Option<OwnedFd>) -> Result<()> {
        let gone = device.as_ref().is_some_and(|device| waiting::is_over(device.as_fd()));
        // First of all, so that whoever still accesses the filesystem gets an error, not a hang.
        drop(device);
        if self.external || gone {
            return Ok(());
        }
        // Those who watch, if any, end when `self` is dropped, and find nothing to do.
        detach(&self.path, self.identity, self.flavor)
    }
}

/// Unmounts whatever is mounted on `path`, for callers that know nothing but the path.
///
/// # Errors
/// As [`MountPoint::unmount`].
pub fn unmount_path(path: &Path, device: Option<OwnedFd>, flavor: Flavor) -> Result<()> {
    let gone = device.as_ref().is_some_and(|device| waiting::is_over(device.as_fd()));
    drop(device);
    if gone { Ok(()) } else { detach(path, None, flavor) }
}

fn detach(path: &Path, identity: Option<DeviceNumber>, flavor: Flavor) -> Result<()> {
    // Check and act on one and the same opened root: between two look-ups of the path someone
    // could make it lead to another mount.
    let root = open_path(path).ok();
    let found = root.as_ref().and_then(|root| device_of(root.as_fd()).ok());
    if identity.is_some() && found.is_some() && found != identity {
        log::debug!("fuse: {} is already unmounted", path.display());
        return Ok(());
    }
    let result = match &root {
        Some(root) => umount2(&pinned(root), MntFlags::MNT_DETACH),
        None => Err(nix::errno::Errno::ENOENT),
    };
    let result = match result {
        Ok(()) | Err(nix::errno::Errno::EPERM) => result,
        // No /proc here, not even behind what is being unmounted, or the path cannot be opened.
        Err(_) => umount2(path, MntFlags::MNT_DETACH),
    };
    drop(root);
    let result = match result.map_err(Errno::from) {
        Ok(()) => {
            table::remove(path);
            return Ok(());
        }
        Err(Errno::EPERM | Errno::EACCES) => helper::unmount(path, flavor),
        error => error,
    };
    result.inspect_err(|error| {
        log::error!("fuse: failed to unmount {}: {error}", path.display());
    })
}
