//! `cuse_lowlevel_*`: character devices.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;

use crate::cuse_device;
use crate::cuse_setup::{serve, setup};
use crate::device::Device;
use crate::session::{create, fuse_session_destroy};
use crate::signals::fuse_remove_signal_handlers;
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
    // SAFETY: the caller's promise.
    unsafe { new(args, ci, Operations::whole(clop), userdata) }
}

/// A program's table of operations.
#[derive(Clone, Copy)]
pub struct Operations {
    /// The first of its callbacks.
    pub table: *const CuseLowlevelOps,
    /// How many bytes of it the program knows.
    pub size: size_t,
}

impl Operations {
    /// A table as programs have had it before they told its size.
    pub const fn whole(table: *const CuseLowlevelOps) -> Operations {
        Operations { table, size: size_of::<CuseLowlevelOps>() }
    }
}

/// The message for a program that knows more callbacks.
const TOO_OLD: &str = "fuse: warning: library too old, some operations may not work";

/// [`cuse_lowlevel_new`] for a table of any size.
///
/// # Safety
/// As there; the table is NULL or has as many bytes as it says.
pub unsafe fn new(
    args: *mut FuseArgs,
    ci: *const CuseInfo,
    clop: Operations,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("cuse_lowlevel_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let (Some(ci), false) = (unsafe { ci.as_ref() }, clop.table.is_null()) else {
            log::error!("fuse: cuse_lowlevel_new: device or operations are NULL");
            return ptr::null_mut();
        };
        // SAFETY: as above.
        unsafe {
            let Some(device) = cuse_device::describe(ci) else { return ptr::null_mut() };
            let ops = table::copy(clop.table, clop.size, TOO_OLD);
            create(args, Box::new(Device::new(ops, userdata)), userdata, Some(device))
        }
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
/// As for `cuse_lowlevel_setup`.
pub unsafe extern "C" fn cuse_lowlevel_main(
    argc: c_int,
    argv: *mut *mut c_char,
    ci: *const CuseInfo,
    clop: *const CuseLowlevelOps,
    userdata: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { main((argc, argv), ci, Operations::whole(clop), userdata) }
}

/// [`cuse_lowlevel_main`] for a table of any size.
///
/// # Safety
/// As there; the table is NULL or has as many bytes as it says.
pub unsafe fn main(
    arguments: (c_int, *mut *mut c_char),
    ci: *const CuseInfo,
    clop: Operations,
    userdata: *mut c_void,
) -> c_int {
    guard("cuse_lowlevel_main", 1, || {
        let mut multithreaded = 0;
        // SAFETY: the caller's promise; the session is ours until it is torn down.
        unsafe {
            let se = setup(arguments, ci, clop, &raw mut multithreaded, userdata);
            if se.is_null() {
                return 1;
            }
            let result = serve(se, multithreaded != 0);
            cuse_lowlevel_teardown(se);
            (result < 0).into()
        }
    })
}
