//! What a session can do that one of libfuse 3.14 can't.

use std::ffi::c_int;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::path::Path;

use ferrofuse::{Errno, Result};
use libc::size_t;

use crate::session::custom_io::custom_io;
use crate::session::{CSession, session};
use crate::types::{FuseCustomIo, FuseSession};

impl CSession {
    /// Takes over a device, which someone else mounts.
    ///
    /// # Errors
    /// Logged: `EBUSY` if the session has one, `EBADF` if there is none, else what attaching failed with.
    pub fn adopt(&self, device: impl FnOnce() -> Option<OwnedFd>) -> Result<()> {
        if self.engine.channel().is_some() {
            log::error!("fuse: the session is mounted already");
            return Err(Errno::EBUSY);
        }
        let Some(device) = device() else {
            log::error!("fuse: there is no device to mount");
            return Err(Errno::EBADF);
        };
        self.mount(Path::new(&format!("/dev/fd/{}", device.into_raw_fd())))
    }
}

/// `fuse_session_custom_io` from API 3.17 on: `io` has `op_size` bytes; the callbacks beyond are absent. Otherwise as
/// the older one.
///
/// # Safety
/// `se` is NULL or a live session; `io` is NULL or has `op_size` bytes; `fd` is open.
pub unsafe extern "C" fn fuse_session_custom_io_317(
    se: *mut FuseSession,
    io: *const FuseCustomIo,
    op_size: size_t,
    fd: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { custom_io(se, io, op_size, fd) }
}

/// `fuse_session_set_debug`: logs every request and reply from now on.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_set_debug(se: *mut FuseSession) {
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { session("fuse_session_set_debug", se) } {
        ferrofuse_abi_common::log::enable_debug();
        session.engine.set_debug();
    }
}

/// `fuse_session_set_sync_init`: whether mounting waits for the filesystem's init handler. To be called before
/// `fuse_session_mount`; without it that is so if `fuse_daemonize_early_start` has gone into the background, and the
/// kernel knows it (Linux 6.18).
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_set_sync_init(se: *mut FuseSession, enable: bool) {
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { session("fuse_session_set_sync_init", se) } {
        *session.mounting.sync_init.lock() = Some(enable);
    }
}
