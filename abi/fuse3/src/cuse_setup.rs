//! How a device of libfuse 3 is set up and served.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use ferrofuse::transport;
use ferrofuse_abi_common::cmdline::{self, CmdlineOpts};
pub use ferrofuse_abi_common::daemonize::fuse_daemonize;
use ferrofuse_abi_common::opt::FuseArgs;

use crate::loops::{
    fuse_loop_cfg_create, fuse_loop_cfg_destroy, fuse_session_loop, fuse_session_loop_mt_312,
};
use crate::session::session;
use crate::types::FuseSession;

/// Takes the standard options out of `args`: whether `-f` and `-s` are there; `None`, with a message, if that fails.
///
/// # Safety
/// `args` is a valid argument list.
pub unsafe fn parse(args: *mut FuseArgs) -> Option<(c_int, bool)> {
    let mut opts = MaybeUninit::<CmdlineOpts>::zeroed();
    // SAFETY: the caller's promise for the arguments; `opts` is zeroed plain data, written or not.
    unsafe {
        let parsed = cmdline::parse_cmdline(args, opts.as_mut_ptr()) == 0;
        let opts = opts.assume_init();
        libc::free(opts.mountpoint.cast());
        parsed.then_some((opts.foreground, opts.singlethread != 0))
    }
}

/// Gives the session the kernel's side of its device.
///
/// # Safety
/// `se` is a live session.
pub unsafe fn connect(se: *mut FuseSession, fd: OwnedFd) -> bool {
    // SAFETY: the caller's promise.
    let session = unsafe { session("cuse_lowlevel_setup", se) };
    session.is_some_and(|s| s.engine.attach(Arc::new(transport::Device::new(fd))).is_ok())
}

/// Serves requests until the end; returns as the loop does.
///
/// # Safety
/// `se` is a live session.
pub unsafe fn serve(se: *mut FuseSession, multithreaded: bool) -> c_int {
    // SAFETY: the caller's promise; the configuration is ours until it is destroyed.
    unsafe {
        if !multithreaded {
            return fuse_session_loop(se);
        }
        let config = fuse_loop_cfg_create();
        let result = fuse_session_loop_mt_312(se, config);
        fuse_loop_cfg_destroy(config);
        result
    }
}
