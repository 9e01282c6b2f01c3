//! Printing on C's stdout, so that it stays in order with what the program printed itself.

use std::ffi::CStr;

/// Appends `text` to C's stdout buffer. Like the C programs around it, this doesn't flush and
/// ignores write errors.
pub fn print(text: &CStr) {
    // SAFETY: `%s` is the only directive and gets a NUL-terminated string.
    unsafe {
        libc::printf(c"%s".as_ptr(), text.as_ptr());
    }
}
