//! `fuse_service_*`: file systems that a service manager starts and a mount helper mounts.
//!
//! There is no such helper here (libfuse 3.19's is `mount.service`), as in libfuse built without it. Programs ask
//! `fuse_service_accept` first, are told that nobody has started them as a service, and go on as usual; whoever calls
//! more than that gets `-EOPNOTSUPP`.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse_abi_common::cmdline::CmdlineOpts;
use ferrofuse_abi_common::opt::FuseArgs;
use libc::{mode_t, size_t};

use crate::types::{FuseOperations, FuseSession, LibfuseVersion, common};

common::opaque! {
    /// `struct fuse_service`: there is never one.
    FuseService
}

/// Says that something was asked for that is not there.
fn refuse(function: &str) -> c_int {
    log::error!("fuse: {function}: this library has no mount service");
    Errno::EOPNOTSUPP.negated()
}

/// `fuse_service_accept`: stores NULL, which says that the program was not started as a service. Returns 0.
///
/// # Safety
/// `sfp` is NULL or may be written to.
pub unsafe extern "C" fn fuse_service_accept(sfp: *mut *mut FuseService) -> c_int {
    if !sfp.is_null() {
        // SAFETY: the caller's promise.
        unsafe { sfp.write(ptr::null_mut()) };
    }
    0
}

/// `fuse_service_append_args`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_append_args(_sf: *mut FuseService, _args: *mut FuseArgs) -> c_int {
    refuse("fuse_service_append_args")
}

/// `fuse_service_can_allow_other`: false.
pub extern "C" fn fuse_service_can_allow_other(_sf: *const FuseService) -> bool {
    false
}

/// `fuse_service_can_fuseblk`: false.
pub extern "C" fn fuse_service_can_fuseblk(_sf: *const FuseService) -> bool {
    false
}

/// `fuse_service_cmdline`: NULL.
pub extern "C" fn fuse_service_cmdline(
    _argc: c_int,
    _argv: *const *const c_char,
    _args: *mut FuseArgs,
) -> *mut c_char {
    ptr::null_mut()
}

/// `fuse_service_destroy`: stores NULL.
///
/// # Safety
/// `sfp` is NULL or may be written to.
pub unsafe extern "C" fn fuse_service_destroy(sfp: *mut *mut FuseService) {
    // SAFETY: the caller's promise.
    unsafe { fuse_service_accept(sfp) };
}

/// `fuse_service_exit`: returns its argument.
pub extern "C" fn fuse_service_exit(ret: c_int) -> c_int {
    ret
}

/// `fuse_service_expect_mount_format`: does nothing.
pub extern "C" fn fuse_service_expect_mount_format(_sf: *mut FuseService, _expected_fmt: mode_t) {}

/// `fuse_service_finish_file_requests`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_finish_file_requests(_sf: *const FuseService) -> c_int {
    refuse("fuse_service_finish_file_requests")
}

/// `fuse_service_main_real_versioned`: 1, the exit status of a command line that can't be served.
pub extern "C" fn fuse_service_main_real_versioned(
    _service: *mut FuseService,
    _args: *mut FuseArgs,
    _op: *const FuseOperations,
    _op_size: size_t,
    _version: *mut LibfuseVersion,
    _user_data: *mut c_void,
) -> c_int {
    refuse("fuse_service_main");
    1
}

/// `fuse_service_parse_cmdline_opts`: -1.
pub extern "C" fn fuse_service_parse_cmdline_opts(
    _args: *mut FuseArgs,
    _opts: *mut CmdlineOpts,
) -> c_int {
    refuse("fuse_service_parse_cmdline_opts");
    -1
}

/// `fuse_service_receive_file`: `-EOPNOTSUPP`; stores -1.
///
/// # Safety
/// `fdp` is NULL or may be written to.
pub unsafe extern "C" fn fuse_service_receive_file(
    _sf: *const FuseService,
    _path: *const c_char,
    fdp: *mut c_int,
) -> c_int {
    if !fdp.is_null() {
        // SAFETY: the caller's promise.
        unsafe { fdp.write(-1) };
    }
    refuse("fuse_service_receive_file")
}

/// `fuse_service_release`: does nothing.
pub extern "C" fn fuse_service_release(_sf: *mut FuseService) {}

/// `fuse_service_request_blockdev`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_request_blockdev(
    _sf: *const FuseService,
    _path: *const c_char,
    _open_flags: c_int,
    _create_mode: mode_t,
    _request_flags: c_uint,
    _block_size: c_uint,
) -> c_int {
    refuse("fuse_service_request_blockdev")
}

/// `fuse_service_request_file`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_request_file(
    _sf: *const FuseService,
    _path: *const c_char,
    _open_flags: c_int,
    _create_mode: mode_t,
    _request_flags: c_uint,
) -> c_int {
    refuse("fuse_service_request_file")
}

/// `fuse_service_send_goodbye`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_send_goodbye(_sf: *mut FuseService, _error: c_int) -> c_int {
    refuse("fuse_service_send_goodbye")
}

/// `fuse_service_session_mount`: `-EOPNOTSUPP`.
pub extern "C" fn fuse_service_session_mount(
    _sf: *mut FuseService,
    _se: *mut FuseSession,
    _expected_fmt: mode_t,
    _opts: *mut CmdlineOpts,
) -> c_int {
    refuse("fuse_service_session_mount")
}
