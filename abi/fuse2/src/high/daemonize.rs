//! `fuse_daemonize`.

use std::ffi::c_int;

use ferrofuse_abi_common::daemonize;

/// `fuse_daemonize`: in the foreground nothing; otherwise as in libfuse 3.
///
/// Returns 0, or -1 with a message. Must be called before any thread is started: only the calling one lives on in the
/// child.
pub extern "C" fn fuse_daemonize(foreground: c_int) -> c_int {
    if foreground != 0 { 0 } else { daemonize::fuse_daemonize(0) }
}
