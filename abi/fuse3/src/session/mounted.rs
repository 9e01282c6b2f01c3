//! Mounting a session, unmounting it, and its device.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ferrofuse::{Errno, Result, mount};
use ferrofuse_abi_common::opt::{self, FuseArgs};
use ferrofuse_abi_common::panic::guard;

use super::options::{self, Options};
use super::{CSession, session};
use crate::types::FuseSession;

impl CSession {
    /// Mounts, or takes over a device `/dev/fd/N`.
    ///
    /// # Errors
    /// Logged: `EBUSY` if it has one, else what mounting failed with.
    pub fn mount(&self, mountpoint: &Path) -> Result<()> {
        if self.engine.channel().is_some() {
            log::error!("fuse: {}: the session is mounted already", mountpoint.display());
            return Err(Errno::EBUSY);
        }
        let point = self.mounting.mount(&self.engine, mountpoint, &self.options)?;
        *self.mounted.lock() = Some(point);
        Ok(())
    }

    fn unmount(&self) {
        let Some(point) = self.mounted.lock().take() else { return };
        // Unmounting asks the device whether the connection is gone, and then lets go of it: of
        // the last descriptor, since the session's own goes first.
        let device = self.device();
        self.engine.detach();
        // Logged where it failed; the connection is closed in any case.
        let _ = point.unmount(device);
    }

    /// A descriptor of its own for the session's device.
    fn device(&self) -> Option<OwnedFd> {
        let channel = self.engine.channel()?;
        // SAFETY: the channel's descriptor is open for as long as the channel lives.
        let fd = unsafe { BorrowedFd::borrow_raw(channel.raw_fd()) };
        fd.try_clone_to_owned().ok()
    }
}

/// `fuse_session_mount`: mounts on `mountpoint`, or takes over the mounted device `/dev/fd/N`.
/// Returns 0, or -1 with a message that names mount point and reason.
///
/// # Safety
/// `se` is NULL or a live session; `mountpoint` is NULL or a C string.
pub unsafe extern "C" fn fuse_session_mount(
    se: *mut FuseSession,
    mountpoint: *const c_char,
) -> c_int {
    guard("fuse_session_mount", -1, || {
        // SAFETY: the caller's promise.
        let Some(session) = (unsafe { session("fuse_session_mount", se) }) else { return -1 };
        if mountpoint.is_null() {
            log::error!("fuse: fuse_session_mount: mountpoint is NULL");
            return -1;
        }
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(mountpoint) };
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        // The mount layer has logged the reason.
        session.mount(path).map_or(-1, |()| 0)
    })
}

/// `fuse_session_unmount`: closes the device and unmounts, if the session is mounted.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_unmount(se: *mut FuseSession) {
    guard("fuse_session_unmount", (), || {
        // SAFETY: the caller's promise.
        if let Some(session) = unsafe { session("fuse_session_unmount", se) } {
            session.unmount();
        }
    });
}

/// `fuse_session_fd`: the device's descriptor, which stays the session's; -1 if it has none.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_fd(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    let session = unsafe { session("fuse_session_fd", se) };
    session.and_then(|session| session.engine.channel()).map_or(-1, |channel| channel.raw_fd())
}

/// `fuse_open_channel`: mounts on `mountpoint` with these options (`-o` form, or NULL) and hands
/// out the device, which becomes the caller's; -1 on failure, with a message.
///
/// # Safety
/// `mountpoint` is NULL or a C string, and so is `options`.
pub unsafe extern "C" fn fuse_open_channel(
    mountpoint: *const c_char,
    options: *const c_char,
) -> RawFd {
    ferrofuse_abi_common::log::install();
    guard("fuse_open_channel", -1, || {
        if mountpoint.is_null() {
            log::error!("fuse: fuse_open_channel: mountpoint is NULL");
            return -1;
        }
        // An argument list for the same parser as every other mount.
        let mut list = FuseArgs::empty();
        let dash_o = c"-o".as_ptr();
        let mut words = vec![c"fuse_open_channel".as_ptr()];
        if !options.is_null() {
            words.extend([dash_o, options]);
        }
        // SAFETY: the list is live and every word a C string.
        let added =
            words.iter().all(|word| unsafe { opt::fuse_opt_add_arg(&mut list, *word) } == 0);
        let mut options = Options::new();
        // What is not the mount's is for the filesystem that will be started on the device.
        // SAFETY: the list is valid.
        let parsed =
            added && unsafe { options::pass(&mut list, &mut options, Options::accept_mount) };
        // SAFETY: the list is valid and not used any more.
        unsafe { opt::fuse_opt_free_args(&mut list) };
        if !parsed || options.invalid {
            return -1;
        }
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(mountpoint) };
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        mount::open_channel(path, &options.mount).map_or(-1, IntoRawFd::into_raw_fd)
    })
}
