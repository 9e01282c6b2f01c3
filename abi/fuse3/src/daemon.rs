//! When the main function goes into the background: as soon as the file system is mounted.

use std::ffi::c_int;

pub use ferrofuse_abi_common::daemonize::fuse_daemonize;

/// Before anything is made. False on failure, with a message.
pub fn begin(_foreground: c_int) -> bool {
    true
}

/// Between mounting and the handlers of signals.
pub fn mounted(foreground: c_int) -> bool {
    fuse_daemonize(foreground) == 0
}

/// Right before requests are served.
pub fn serving() {}
