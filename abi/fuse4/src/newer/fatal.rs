//! Signals that are the end of a program, reported with where it was.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use ferrofuse::Errno;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit, ferrofuse_log_is_redirected};
use ferrofuse_abi_common::signals::adopt;

use crate::session::session;
use crate::types::FuseSession;

const SIGNALS: [c_int; 6] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV];

/// Most frames that are shown.
const FRAMES: usize = 128;

unsafe extern "C" {
    fn backtrace(buffer: *mut *mut libc::c_void, size: c_int) -> c_int;
    fn backtrace_symbols_fd(buffer: *const *mut libc::c_void, size: c_int, fd: c_int);
}

/// Decimal digits of a signal's number, right-aligned.
fn digits(signal: c_int) -> [u8; 3] {
    let digit = |value: c_int| if value == 0 { b' ' } else { b'0' + (value % 10) as u8 };
    [digit(signal / 100), digit(signal / 10), b'0' + (signal % 10) as u8]
}

/// Reports the signal and ends the process by SIGABRT.
extern "C" fn report(signal: c_int) {
    // Whatever goes wrong from here on ends the process.
    for signal in SIGNALS {
        // SAFETY: restoring a default disposition is async-signal-safe.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut frames = [ptr::null_mut(); FRAMES];
    // SAFETY: plain writes, and functions that do not allocate after their first call, which `set` has made. A log
    // function of the program's may hang in a lock that the broken thread holds: an alarm ends that.
    unsafe {
        let mut message = *b"fuse: got signal    \n";
        message[17..20].copy_from_slice(&digits(signal));
        libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
        let count = backtrace(frames.as_mut_ptr(), FRAMES as c_int);
        backtrace_symbols_fd(frames.as_ptr(), count, libc::STDERR_FILENO);
        if ferrofuse_log_is_redirected() != 0 {
            libc::signal(libc::SIGALRM, libc::SIG_DFL);
            libc::alarm(5);
            emit(FUSE_LOG_ERR, &format!("fuse: got signal {signal}"));
            libc::alarm(0);
        }
        libc::abort();
    }
}

/// `fuse_set_fail_signal_handlers`: ILL, TRAP, ABRT, BUS, FPE and SEGV show where the program was, on standard error, and
/// end it by SIGABRT. Only where the default disposition is in force. Returns 0, or -1 with a message.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_set_fail_signal_handlers(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    if unsafe { session("fuse_set_fail_signal_handlers", se) }.is_none() {
        return -1;
    }
    // The first call loads what later ones need, which a handler must not do.
    // SAFETY: room for one frame.
    unsafe { backtrace([ptr::null_mut()].as_mut_ptr(), 1) };
    if let Err(error) = SIGNALS.into_iter().try_for_each(|signal| {
        replace(signal, libc::SIG_DFL, report as *const () as libc::sighandler_t)
    }) {
        emit(FUSE_LOG_ERR, &format!("fuse: cannot set signal handler: {error}"));
        return -1;
    }
    adopt(se.cast());
    0
}

/// Takes those handlers away.
fn remove() {
    for signal in SIGNALS {
        // A signal that could be given a handler can lose it.
        let _ = replace(signal, report as *const () as libc::sighandler_t, libc::SIG_DFL);
    }
}

/// Replaces one disposition by another, if it is in force.
fn replace(signal: c_int, old: libc::sighandler_t, new: libc::sighandler_t) -> Result<(), Errno> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a NULL new action only asks; the struct is plain data, which zeros are a value of.
    unsafe {
        if libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) != 0 {
            return Err(Errno::last());
        }
        let mut action = action.assume_init();
        if action.sa_sigaction != old {
            return Ok(());
        }
        action.sa_sigaction = new;
        action.sa_flags = libc::SA_ONSTACK;
        if libc::sigaction(signal, &raw const action, ptr::null_mut()) != 0 {
            return Err(Errno::last());
        }
    }
    Ok(())
}

/// `fuse_remove_signal_handlers`: restores the default disposition where our handlers still are, also those of
/// [`fuse_set_fail_signal_handlers`].
///
/// # Safety
/// `se` is NULL or a session.
pub unsafe extern "C" fn fuse_remove_signal_handlers(se: *mut FuseSession) {
    remove();
    // SAFETY: the caller's promise.
    unsafe { crate::signals::fuse_remove_signal_handlers(se) };
}
