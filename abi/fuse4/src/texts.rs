//! What `--help` and `--version` print, and who says which version this is.

use std::ffi::{CStr, c_char, c_int};

use ferrofuse_abi_common::help;
pub use ferrofuse_abi_common::help::{cmdline_help, main_usage};
use ferrofuse_abi_common::version;

use crate::types::PKG_VERSION;

/// `major * 100 + minor` of [`PKG_VERSION`].
const VERSION_NUMBER: c_int = 319;

const KERNEL_INTERFACE: &CStr = c"using FUSE kernel interface version 7.45\n";

const MASKS: &CStr = c"    -o fmask=M             set file permissions (octal)
    -o dmask=M             set dir  permissions (octal)
";

const RINGS: &CStr = c"    -o io_uring            enable io-uring
    -o io_uring_q_depth=<n> io-uring queue depth
";

/// `fuse_pkgversion`: a static string.
pub extern "C" fn fuse_pkgversion() -> *const c_char {
    PKG_VERSION.as_ptr()
}

/// `fuse_version`: 319 for 3.19.
pub extern "C" fn fuse_version() -> c_int {
    VERSION_NUMBER
}

/// `fuse_lowlevel_version`: prints the version of the kernel interface, and lets the mount helper print its own.
pub extern "C" fn fuse_lowlevel_version() {
    version::lowlevel_version_of(KERNEL_INTERFACE);
}

/// What `fuse_main` prints for `--version` before that.
pub fn main_version() {
    help::main_version_of(PKG_VERSION);
}

/// The part of `fuse_lib_help` about the path layer's own options.
pub fn highlevel_help() {
    help::highlevel_help_with(MASKS);
}

/// `fuse_lowlevel_help`: the options a session takes.
pub extern "C" fn lowlevel_help() {
    help::lowlevel_help_with(RINGS);
}
