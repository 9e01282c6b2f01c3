//! Printing on C's stdout, so that it stays in order with what the program printed itself, and on its stderr.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::log::{FUSE_LOG_ERR, ferrofuse_fuse_log};

/// Whether the help of modules goes to stderr.
static HELP_ON_STDERR: AtomicBool = AtomicBool::new(false);

/// Has [`print_help`] print on stderr from now on, as libfuse 2 does.
pub fn help_on_stderr() {
    HELP_ON_STDERR.store(true, Ordering::Relaxed);
}

/// Whether it does.
pub fn help_is_on_stderr() -> bool {
    HELP_ON_STDERR.load(Ordering::Relaxed)
}

/// Prints help where this generation of the library does.
pub fn print_help(text: &CStr) {
    match help_is_on_stderr() {
        true => print_error(text),
        false => print(text),
    }
}

/// Prints `text`, which is no message of the library's but what the user asked for, on C's stderr.
pub fn print_error(text: &CStr) {
    // SAFETY: `%s` is the only directive and gets a NUL-terminated string.
    unsafe { ferrofuse_fuse_log(FUSE_LOG_ERR, c"%s".as_ptr(), text.as_ptr()) };
}

/// Appends `text` to C's stdout buffer. Like the C programs around it, this doesn't flush and
/// ignores write errors.
pub fn print(text: &CStr) {
    // SAFETY: `%s` is the only directive and gets a NUL-terminated string.
    unsafe {
        libc::printf(c"%s".as_ptr(), text.as_ptr());
    }
}
