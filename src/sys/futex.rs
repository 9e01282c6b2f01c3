//! Waiting on an atomic, and waking from anywhere, signal handlers included.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Blocks while `word` is `expected`, until woken, a signal, or `limit`; may return early, so the
/// caller looks again.
pub fn wait(word: &AtomicU32, expected: u32, limit: Option<Duration>) {
    let timeout = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word is a live, aligned 32-bit atomic and the timeout is null or a live timespec;
    // both outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            timeout,
        );
    }
}

/// Wakes every thread that waits on `word`. Async-signal-safe.
pub fn wake_all(word: &AtomicU32) {
    // SAFETY: the word is a live, aligned 32-bit atomic; FUTEX_WAKE reads nothing else.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
        );
    }
}
