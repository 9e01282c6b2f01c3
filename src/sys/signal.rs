//! Signals sent to one thread, and keeping them from ending the process.

use std::mem::MaybeUninit;
use std::ptr;

use crate::errno::{Errno, Result};

/// A thread of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread(libc::pid_t);

impl Thread {
    /// The calling thread.
    pub fn current() -> Thread {
        // SAFETY: no preconditions.
        Thread(unsafe { libc::gettid() })
    }

    /// Sends `signal` to it. `ESRCH` if it is gone, `EINVAL` for a number that is no signal.
    ///
    /// By kernel id and not with pthread_kill(3), for which a thread that is gone is undefined
    /// behaviour.
    pub fn signal(self, signal: i32) -> Result<()> {
        // SAFETY: tgkill has no memory preconditions.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.0, signal) };
        if result == 0 { Ok(()) } else { Err(Errno::last()) }
    }
}

/// Does `work` with all signals blocked in the calling thread, so that a thread made there takes none.
pub fn with_all_blocked<T>(work: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut old = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: both sets are live, and zeroed is a valid sigset_t even had a call failed.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), old.as_mut_ptr());
    }
    let result = work();
    // SAFETY: the mask that this thread had.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, old.as_ptr(), ptr::null_mut()) };
    result
}

extern "C" fn ignore(_signal: libc::c_int) {}

/// A signal handler that does nothing but end system calls with `EINTR`; the former disposition
/// comes back when this is dropped.
#[derive(Debug)]
pub struct EmptyHandler {
    signal: i32,
}

impl EmptyHandler {
    /// Installs it, unless the program has a handler of its own or ignores the signal: then `None`.
    pub fn install(signal: i32) -> Result<Option<EmptyHandler>> {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: a null new action only queries; `old` is a live sigaction.
        if unsafe { libc::sigaction(signal, ptr::null(), old.as_mut_ptr()) } != 0 {
            return Err(Errno::last());
        }
        // SAFETY: the call succeeded and filled `old`, which was zeroed before.
        let mut action = unsafe { old.assume_init() };
        if action.sa_sigaction != libc::SIG_DFL {
            return Ok(None);
        }
        action.sa_sigaction = ignore as *const () as libc::sighandler_t;
        // Without SA_RESTART, so that system calls end.
        action.sa_flags = libc::SA_ONSTACK;
        // SAFETY: the action holds a valid handler, which touches nothing and is async-signal-safe;
        // the library is linked with -z nodelete, so the handler stays mapped.
        if unsafe { libc::sigaction(signal, &action, ptr::null_mut()) } != 0 {
            return Err(Errno::last());
        }
        Ok(Some(EmptyHandler { signal }))
    }
}

impl Drop for EmptyHandler {
    fn drop(&mut self) {
        let mut now = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: a null new action only queries; `now` is a live sigaction.
        if unsafe { libc::sigaction(self.signal, ptr::null(), now.as_mut_ptr()) } != 0 {
            return;
        }
        // SAFETY: the call succeeded and filled `now`, which was zeroed before.
        let mut action = unsafe { now.assume_init() };
        if action.sa_sigaction != ignore as *const () as libc::sighandler_t {
            // The program has installed another one since.
            return;
        }
        action.sa_sigaction = libc::SIG_DFL;
        // SAFETY: the default disposition is always valid; a null old action is allowed.
        unsafe { libc::sigaction(self.signal, &action, ptr::null_mut()) };
    }
}
