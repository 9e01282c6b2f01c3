//! Version numbers that programs ask for.

use std::ffi::{c_char, c_int};

use ferrofuse_abi_common::cmdline;

/// The API version this library stands for: 3.14.
const VERSION: c_int = 314;

/// `fuse_version`: 100 times the major plus the minor version of the libfuse API.
pub extern "C" fn fuse_version() -> c_int {
    VERSION
}

/// `fuse_pkgversion`: the libfuse release whose behaviour this library has; static memory.
pub extern "C" fn fuse_pkgversion() -> *const c_char {
    cmdline::PKG_VERSION.as_ptr()
}

/// `fuse_lowlevel_version`: prints the versions of protocol and mount helper.
pub extern "C" fn fuse_lowlevel_version() {
    cmdline::lowlevel_version();
}
