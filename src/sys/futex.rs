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
    wake(word, i32::MAX);
}

/// Wakes one thread that waits on `word`. Async-signal-safe.
pub fn wake_one(word: &AtomicU32) {
    wake(word, 1);
}

fn wake(word: &AtomicU32, most: i32) {
    // SAFETY: the word's address only names it; FUTEX_WAKE reads nothing there.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            most,
        );
    }
}
