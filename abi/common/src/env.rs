//! Environment variables, never read in a set-user-ID process.

use std::ffi::{CStr, c_char};

use crate::log::{FUSE_LOG_ERR, emit};

unsafe extern "C" {
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// The bytes of environment variable `name`, or `None` if it is unset or the process runs with
/// privileges its caller does not have (`secure_getenv(3)`).
pub fn secure_get(name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: `name` is NUL-terminated; the result is NULL or a string of the environment, which
    // is copied at once. A concurrent setenv(3) is a race C programs have to avoid themselves.
    unsafe {
        let value = secure_getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes().to_vec())
    }
}

/// Stack size in bytes for worker threads as `FUSE_THREAD_STACK` gives it, or `None` for the
/// system's default. A size the thread library would refuse is reported and not used.
pub fn thread_stack_size() -> Option<usize> {
    let text = secure_get(c"FUSE_THREAD_STACK")?;
    let size = parse_stack_size(&text);
    if size.is_none() {
        let shown = String::from_utf8_lossy(&text);
        emit(FUSE_LOG_ERR, &format!("fuse: invalid stack size: {shown}"));
    }
    size
}

/// The leading decimal number, as `atoi(3)` would take it, if a thread can have such a stack.
fn parse_stack_size(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let size: usize = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    (size >= libc::PTHREAD_STACK_MIN).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_sizes() {
        assert_eq!(parse_stack_size(b"1048576"), Some(1 << 20));
        assert_eq!(parse_stack_size(b" +65536k"), Some(65536));
        assert_eq!(parse_stack_size(b"12"), None);
        assert_eq!(parse_stack_size(b"-65536"), None);
        assert_eq!(parse_stack_size(b"lots"), None);
        assert_eq!(parse_stack_size(b"99999999999999999999999"), None);
    }
}
