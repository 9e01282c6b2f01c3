//! Noticing that this process is a forked child.
//!
//! Descriptors cached before a fork are shared with the parent afterwards: a pipe both processes
//! write replies into would mix them. Whoever caches one keeps the [`generation`] beside it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static STATE: AtomicU8 = AtomicU8::new(UNREGISTERED);

const UNREGISTERED: u8 = 0;
const COUNTING: u8 = 1;
const NO_HANDLER: u8 = 2;

extern "C" fn before() {
    super::still::hold();
}

extern "C" fn in_parent() {
    super::still::release();
}

extern "C" fn in_child() {
    // Atomics and system calls: the child of a threaded process may not take locks or allocate here.
    GENERATION.fetch_add(1, Ordering::Relaxed);
    super::lock::in_child();
    super::still::release_in_child();
    super::place::go_home_in_child();
    super::uring::close_in_child();
}

/// A number that differs between a process and a child it forked later. Any thread may ask.
///
/// A child made by a raw `clone` or `vfork` system call, which runs no `pthread_atfork` handlers,
/// is not noticed.
pub fn generation() -> u64 {
    match STATE.load(Ordering::Acquire) {
        COUNTING => GENERATION.load(Ordering::Relaxed),
        NO_HANDLER => u64::from(std::process::id()),
        _ => register(),
    }
}

/// Not a `Once`: a fork in the middle of one would leave the child waiting for a thread it does
/// not have. Two threads registering at once merely make the counter step by two.
#[cold]
fn register() -> u64 {
    // SAFETY: the child's handler is async-signal-safe, and all live as long as this library; glibc drops them
    // when the library is unloaded, because they are registered with this object's handle.
    let failed =
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } != 0;
    STATE.store(if failed { NO_HANDLER } else { COUNTING }, Ordering::Release);
    generation()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_sees_another_generation() {
        let before = generation();
        // SAFETY: the child only loads an atomic and leaves with _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            let status = i32::from(generation() == before);
            // SAFETY: ends the child without running the test harness's handlers.
            unsafe { libc::_exit(status) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call; `pid` is our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0, "the child saw its parent's generation");
        assert_eq!(generation(), before, "the parent's generation must not move");
    }
}
