//! How a device of libfuse 2 is set up and served.

use std::ffi::c_int;
use std::os::fd::OwnedFd;
use std::ptr;

use ferrofuse_abi_common::opt::FuseArgs;

use crate::channel::CChan;
use crate::cmdline::fuse_parse_cmdline;
pub use crate::high::daemonize::fuse_daemonize;
use crate::loops::{fuse_session_loop, fuse_session_loop_mt};
use crate::session::fuse_session_add_chan;
use crate::types::FuseSession;

/// Takes the standard options out of `args`: whether `-f` and `-s` are there; `None`, with a message, if that fails.
///
/// # Safety
/// `args` is a valid argument list.
pub unsafe fn parse(args: *mut FuseArgs) -> Option<(c_int, bool)> {
    let (mut multithreaded, mut foreground) = (1, 0);
    let none = ptr::null_mut();
    // SAFETY: the caller's promise for the arguments; the others are written.
    let parsed =
        unsafe { fuse_parse_cmdline(args, none, &raw mut multithreaded, &raw mut foreground) } == 0;
    parsed.then_some((foreground, multithreaded == 0))
}

/// Gives the session the kernel's side of its device.
///
/// # Safety
/// `se` is a live session.
pub unsafe fn connect(se: *mut FuseSession, fd: OwnedFd) -> bool {
    // SAFETY: the caller's promise; the session frees the channel.
    unsafe { fuse_session_add_chan(se, Box::into_raw(CChan::device(Some(fd))).cast()) };
    true
}

/// Serves requests until the end; returns as the loop does.
///
/// # Safety
/// `se` is a live session.
pub unsafe fn serve(se: *mut FuseSession, multithreaded: bool) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { if multithreaded { fuse_session_loop_mt(se) } else { fuse_session_loop(se) } }
}
