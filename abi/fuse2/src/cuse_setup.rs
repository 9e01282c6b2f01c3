//! `cuse_lowlevel_setup`, and the loop that follows it.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;

use crate::channel::CChan;
use crate::cmdline::fuse_parse_cmdline;
use crate::cuse::{self, Operations};
use crate::cuse_device;
use crate::high::daemonize::fuse_daemonize;
use crate::loops::{fuse_session_loop, fuse_session_loop_mt};
use crate::session::{fuse_session_add_chan, fuse_session_destroy};
use crate::signals::{fuse_remove_signal_handlers, fuse_set_signal_handlers};
use crate::types::{CuseInfo, CuseLowlevelOps, FuseSession};

/// What is done with a session before it can serve.
///
/// # Safety
/// `se` is a live session.
unsafe fn prepare(se: *mut FuseSession, foreground: c_int) -> bool {
    let Some(fd) = cuse_device::open() else { return false };
    let ch = Box::into_raw(CChan::device(Some(fd))).cast();
    // SAFETY: the caller's promise; the session frees the channel.
    unsafe {
        fuse_session_add_chan(se, ch);
        if fuse_set_signal_handlers(se) != 0 {
            return false;
        }
        if fuse_daemonize(foreground) != 0 {
            fuse_remove_signal_handlers(se);
            return false;
        }
    }
    true
}

/// `cuse_lowlevel_setup`: parses the command line, makes a session as `cuse_lowlevel_new`, opens `/dev/cuse`, handles
/// signals and goes into the background. `*multithreaded` becomes 0 for `-s`, else 1.
///
/// Returns NULL on failure, with a message. Ended by `cuse_lowlevel_teardown`.
///
/// # Safety
/// `argv` has `argc` C strings; `multithreaded` may be written; the rest as for `cuse_lowlevel_new`.
pub unsafe extern "C" fn cuse_lowlevel_setup(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    multithreaded: *mut c_int,
    userdata: *mut c_void,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { setup((argc, argv), ci, Operations::whole(clop), multithreaded, userdata) }
}

/// [`cuse_lowlevel_setup`] for a table of any size.
///
/// # Safety
/// As there; the table is NULL or has as many bytes as it says.
pub unsafe fn setup(
    (argc, argv): (c_int, *mut *mut c_char),
    ci: *const CuseInfo,
    clop: Operations,
    multithreaded: *mut c_int,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("cuse_lowlevel_setup", ptr::null_mut(), || {
        let mut args = FuseArgs { argc, argv, allocated: 0 };
        let mut foreground = 0;
        let mut se = ptr::null_mut();
        // SAFETY: the caller's promise; a session is ours until it is returned.
        unsafe {
            let none = ptr::null_mut();
            if fuse_parse_cmdline(&raw mut args, none, multithreaded, &raw mut foreground) == 0 {
                se = cuse::new(&raw mut args, ci, clop, userdata);
            }
            fuse_opt_free_args(&raw mut args);
            if !se.is_null() && !prepare(se, foreground) {
                fuse_session_destroy(se);
                se = ptr::null_mut();
            }
        }
        se
    })
}

/// Serves requests until the end; returns as the loop does.
///
/// # Safety
/// `se` is a live session.
pub unsafe fn serve(se: *mut FuseSession, multithreaded: bool) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { if multithreaded { fuse_session_loop_mt(se) } else { fuse_session_loop(se) } }
}
