//! The mount made by this process itself.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::unistd::{getgid, getuid};

use super::point::Target;
use super::{MountOptions, Watcher, open_device, steps};
use crate::{Errno, Result};

/// `mount(2)` looks at one page of data and would silently cut off the rest.
const MAX_DATA: usize = 4095;

/// Opens the device and mounts it.
///
/// # Errors
/// Logged, except `EPERM` of the mount itself: the helper may succeed then.
pub(super) fn mount(
    target: &Target,
    options: &MountOptions,
    watcher: &mut dyn Watcher,
) -> Result<OwnedFd> {
    let owner = (getuid().as_raw(), getgid().as_raw());
    let mut device = open_device()?;
    watcher.opened(device.as_fd());
    if options.flavor().by_steps {
        match steps::mount(target, options, device.as_fd(), owner) {
            Ok(()) => return Ok(device),
            Err(error) => log::debug!("fuse: not mounted by fsmount: {error}"),
        }
        // The other way begins anew, with a device that was never offered.
        watcher.given_up();
        device = open_device()?;
        watcher.opened(device.as_fd());
    }
    let data = options.kernel_data(device.as_fd(), target.root_mode(), owner);
    let mounted = if data.len() > MAX_DATA {
        Err(Errno::E2BIG)
    } else {
        match attempt(target, options, true, &data) {
            Err(Errno::ENODEV) if options.has_subtype() => attempt(target, options, false, &data),
            result => result,
        }
    };
    match mounted {
        Ok(()) => return Ok(device),
        Err(Errno::EPERM) => {}
        Err(Errno::ENODEV) if options.blkdev() => {
            log::error!(
                "fuse: 'fuseblk' support missing (mounting on {})",
                target.path().display()
            );
        }
        Err(error) => {
            log::error!("fuse: mount failed: {error} (mounting on {})", target.path().display());
        }
    }
    if mounted.is_err() {
        watcher.given_up();
    }
    mounted.map(|()| device)
}

fn attempt(target: &Target, options: &MountOptions, subtype: bool, data: &OsStr) -> Result<()> {
    let (source, kind) = options.source_and_type(subtype);
    let on = |path: &Path| {
        let (source, kind) = (source.as_bytes(), kind.as_bytes());
        nix::mount::mount(Some(source), path, Some(kind), options.flags(), Some(data.as_bytes()))
    };
    let result = match on(&target.pinned()) {
        // No /proc here.
        Err(nix::errno::Errno::ENOENT) => on(target.path()),
        result => result,
    };
    Ok(result?)
}
