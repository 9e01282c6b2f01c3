//! Messages to syslog(3).

use std::ffi::{c_char, c_int};

use ferrofuse_abi_common::log::ferrofuse_log_to_syslog;

/// `fuse_log_enable_syslog`: sends messages to syslog(3) from now on, opened with these arguments of openlog(3). A
/// function set by `fuse_set_log_func` gets them all the same.
///
/// # Safety
/// `ident` is NULL or a C string that stays valid until `fuse_log_close_syslog`.
pub unsafe extern "C" fn fuse_log_enable_syslog(
    ident: *const c_char,
    option: c_int,
    facility: c_int,
) {
    // SAFETY: the caller's promise.
    unsafe { ferrofuse_log_to_syslog(ident, option, facility) }
}

/// `fuse_log_close_syslog`: closes the connection to syslog(3), which the next message opens again.
pub extern "C" fn fuse_log_close_syslog() {
    // SAFETY: no preconditions.
    unsafe { libc::closelog() }
}
