//! Sessions over the program's own callbacks for I/O.

use std::ffi::c_int;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;

use ferrofuse::Errno;
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;

use super::making::TOO_OLD;
use super::session;
use crate::custom::CustomChannel;
use crate::types::{self, FuseCustomIo, FuseSession};

/// Logs a message of libfuse's that does not begin with the library's name.
fn complain(message: &str) {
    ferrofuse_abi_common::log::emit(ferrofuse_abi_common::log::FUSE_LOG_ERR, message);
}

/// `fuse_session_custom_io`: serves requests from `fd` by the caller's callbacks, instead of a
/// mount. The callbacks are copied; `fd` becomes the session's. Returns 0, `-EINVAL` without both
/// `read` and `writev`, `-EBADF` for a negative descriptor, `-EBUSY` for a session that has one.
///
/// # Safety
/// `se` is NULL or a live session; `io` is NULL or points to its struct; `fd` is open.
pub unsafe extern "C" fn fuse_session_custom_io(
    se: *mut FuseSession,
    io: *const FuseCustomIo,
    fd: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { custom_io(se, io, types::CUSTOM_IO_30, fd) }
}

/// The same for a struct of `size` bytes.
///
/// # Safety
/// As for [`fuse_session_custom_io`].
pub unsafe fn custom_io(
    se: *mut FuseSession,
    io: *const FuseCustomIo,
    size: size_t,
    fd: c_int,
) -> c_int {
    guard("fuse_session_custom_io", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let Some(session) = (unsafe { session("fuse_session_custom_io", se) }) else {
            return Errno::EINVAL.negated();
        };
        if fd < 0 {
            complain(&format!(
                "Invalid file descriptor value {fd} passed to fuse_session_custom_io()"
            ));
            return Errno::EBADF.negated();
        }
        if io.is_null() {
            complain("No custom IO passed to fuse_session_custom_io()");
            return Errno::EINVAL.negated();
        }
        // SAFETY: the caller's promise.
        let io = unsafe { table::copy(io, size, TOO_OLD) };
        if io.read.is_none() || io.writev.is_none() {
            complain(
                "io passed to fuse_session_custom_io() must implement both io->read() and \
                 io->writev",
            );
            return Errno::EINVAL.negated();
        }
        if session.engine.channel().is_some() {
            log::error!("fuse: fuse_session_custom_io: the session has a descriptor already");
            return Errno::EBUSY.negated();
        }
        // SAFETY: open, by the caller's promise, and handed over.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let channel = CustomChannel::new(io, fd, session.userdata);
        session.engine.attach(Arc::new(channel)).map_or_else(Errno::negated, |()| 0)
    })
}
