//! `cuse_lowlevel_*`: character devices.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;

use crate::cuse_device;
use crate::cuse_setup::{connect, fuse_daemonize, parse, serve};
use crate::device::Device;
use crate::session::{create, fuse_session_destroy};
use crate::signals::{fuse_remove_signal_handlers, fuse_set_signal_handlers};
use crate::types::{CuseInfo, CuseLowlevelOps, FuseSession};

/// `cuse_lowlevel_new`: a session for a character device over these callbacks, which are copied, as
/// the description of the device is. Options of sessions are taken out of `args`; one that is left
/// over makes the call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_session_destroy`.
///
/// # Safety
/// `args` is NULL or a valid argument list; `ci` and `clop` are NULL or point to their structs.
pub unsafe extern "C" fn cuse_lowlevel_new(
    args: *mut FuseArgs,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("cuse_lowlevel_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let (Some(ci), Some(clop)) = (unsafe { (ci.as_ref(), clop.as_ref()) }) else {
            log::error!("fuse: cuse_lowlevel_new: device or operations are NULL");
            return ptr::null_mut();
        };
        // SAFETY: as above.
        unsafe {
            let Some(device) = cuse_device::describe(ci) else { return ptr::null_mut() };
            create(args, Box::new(Device::new(*clop, userdata)), userdata, Some(device))
        }
    })
}

/// What is done with a session before it can serve.
///
/// # Safety
/// `se` is a live session.
unsafe fn prepare(se: *mut FuseSession, foreground: c_int) -> bool {
    let Some(fd) = cuse_device::open() else { return false };
    // SAFETY: the caller's promise.
    unsafe {
        if !connect(se, fd) || fuse_set_signal_handlers(se) != 0 {
            return false;
        }
        if fuse_daemonize(foreground) != 0 {
            fuse_remove_signal_handlers(se);
            return false;
        }
    }
    true
}

/// `cuse_lowlevel_setup`: parses the command line, makes a session as [`cuse_lowlevel_new`], opens
/// `/dev/cuse`, handles signals and goes into the background. `*multithreaded` becomes 0 for `-s`,
/// else 1.
///
/// Returns NULL on failure, with a message. Ended by `cuse_lowlevel_teardown`.
///
/// # Safety
/// `argv` has `argc` C strings; `multithreaded` may be written; the rest as for
/// [`cuse_lowlevel_new`].
pub unsafe extern "C" fn cuse_lowlevel_setup(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    multithreaded: *mut c_int,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("cuse_lowlevel_setup", ptr::null_mut(), || {
        let mut args = FuseArgs { argc, argv, allocated: 0 };
        let mut se = ptr::null_mut();
        // SAFETY: the caller's promise; a session is ours until it is returned.
        unsafe {
            let parsed = parse(&raw mut args);
            if parsed.is_some() {
                se = cuse_lowlevel_new(&raw mut args, ci, clop, userdata);
            }
            fuse_opt_free_args(&raw mut args);
            let (foreground, single) = parsed.unwrap_or_default();
            if !se.is_null() && !prepare(se, foreground) {
                fuse_session_destroy(se);
                se = ptr::null_mut();
            }
            if !se.is_null() && !multithreaded.is_null() {
                multithreaded.write((!single).into());
            }
        }
        se
    })
}

/// `cuse_lowlevel_teardown`: gives the signals back and frees the session.
///
/// # Safety
/// `se` is NULL or a live session, in use by no loop and not used any more.
pub unsafe extern "C" fn cuse_lowlevel_teardown(se: *mut FuseSession) {
    // SAFETY: the caller's promise.
    unsafe {
        fuse_remove_signal_handlers(se);
        fuse_session_destroy(se);
    }
}

/// `cuse_lowlevel_main`: all that a device's main function has to do. Returns 0, or 1 if it could
/// not be set up or its loop failed.
///
/// # Safety
/// As for [`cuse_lowlevel_setup`].
pub unsafe extern "C" fn cuse_lowlevel_main(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    userdata: *mut c_void,
) -> c_int {
    guard("cuse_lowlevel_main", 1, || {
        let mut multithreaded = 0;
        // SAFETY: the caller's promise; the session is ours until it is torn down.
        unsafe {
            let se = cuse_lowlevel_setup(argc, argv, ci, clop, &raw mut multithreaded, userdata);
            if se.is_null() {
                return 1;
            }
            let result = serve(se, multithreaded != 0);
            cuse_lowlevel_teardown(se);
            (result < 0).into()
        }
    })
}
