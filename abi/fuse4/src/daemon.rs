//! When the main function goes into the background: before anything is made, and the parent ends once the file system
//! can be used.

use std::ffi::{c_int, c_uint};

use ferrofuse_abi_common::daemonize;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};

use crate::newer::early::{self, NO_BACKGROUND};

/// `fuse_daemonize`: goes into the background now. Refused with -1 where `fuse_daemonize_early_start` did so.
pub extern "C" fn fuse_daemonize(foreground: c_int) -> c_int {
    if early::is_used() {
        emit(FUSE_LOG_ERR, "fuse: fuse_daemonize: fuse_daemonize_early_start was called before");
        return -1;
    }
    daemonize::fuse_daemonize(foreground)
}

/// Before anything is made, unless the program has done so by itself. False on failure, with a message.
pub fn begin(foreground: c_int) -> bool {
    let flags: c_uint = if foreground != 0 { NO_BACKGROUND } else { 0 };
    early::is_used() || early::fuse_daemonize_early_start(flags) == 0
}

/// Between mounting and the handlers of signals.
pub fn mounted(_foreground: c_int) -> bool {
    true
}

/// Right before requests are served. Only what is mounted and has been spoken to is a success; else that comes with
/// INIT.
pub fn serving() {
    early::fuse_daemonize_early_success();
}
