//! `fuse_set_signal_handlers` and `fuse_remove_signal_handlers`: ending a session by a signal.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ferrofuse::Errno;

use crate::log::{FUSE_LOG_ERR, emit};

/// What a signal does to the target. Runs in a signal handler, in any thread: it must be
/// async-signal-safe, and `errno` is preserved around it.
pub type Stop = unsafe extern "C" fn(target: *mut c_void, signal: c_int);

/// The session that signals end, one per shared object; NULL if there is none.
static TARGET: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
/// The [`Stop`] function, NULL before the first session.
static STOP: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// What becomes of PIPE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPipe {
    /// A handler that does nothing, as in libfuse 3. Programs that are started do not inherit it.
    DoNothing,
    /// It is ignored, as in libfuse 2, and by programs that are started as well.
    Ignore,
}

impl OnPipe {
    fn handler(self) -> libc::sighandler_t {
        match self {
            OnPipe::DoNothing => on_pipe as *const () as libc::sighandler_t,
            OnPipe::Ignore => libc::SIG_IGN,
        }
    }
}

const STOPPING: [c_int; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];

extern "C" fn on_stop(signal: c_int) {
    let target = TARGET.load(Ordering::Acquire);
    let stop = STOP.load(Ordering::Acquire);
    if target.is_null() || stop.is_null() {
        return;
    }
    // SAFETY: a value of STOP that isn't NULL was a `Stop`, stored before the target; who set the
    // target vouches for both. errno is a thread-local.
    unsafe {
        let errno = *libc::__errno_location();
        mem::transmute::<*mut c_void, Stop>(stop)(target, signal);
        *libc::__errno_location() = errno;
    }
}

/// Nothing to do: that there is a handler keeps SIGPIPE from ending the process, and unlike
/// SIG_IGN isn't inherited by programs it starts.
extern "C" fn on_pipe(_signal: c_int) {}

/// Makes HUP, INT and TERM call `stop` with `target`, and PIPE do as `pipe` says, each only where the
/// default disposition is in force. System calls aren't restarted. A previous target is replaced.
///
/// Returns 0, or -1 with a message.
///
/// # Safety
/// Until [`remove`] or another call replaces it, `target` stays valid for `stop` in any thread.
pub unsafe fn set(target: *mut c_void, stop: Stop, pipe: OnPipe) -> c_int {
    let stop = stop as *mut c_void;
    if STOP.load(Ordering::Acquire) != stop {
        // Neither function may get the other's target.
        TARGET.store(ptr::null_mut(), Ordering::Release);
        STOP.store(stop, Ordering::Release);
    }
    // Before there are handlers: a signal that comes now must not be lost.
    TARGET.store(target, Ordering::Release);
    for (signal, handler) in handlers(pipe) {
        if let Err((what, error)) = replace(signal, libc::SIG_DFL, handler) {
            emit(FUSE_LOG_ERR, &format!("fuse: {what}: {error}"));
            TARGET.store(ptr::null_mut(), Ordering::Release);
            return -1;
        }
    }
    0
}

/// Makes `target` the one that [`remove`] is called for, without handlers for it yet.
pub fn adopt(target: *mut c_void) {
    TARGET.store(target, Ordering::Release);
}

/// Restores the default disposition where what [`set`] did, with the same `pipe`, is still in force, and forgets
/// `target`. A `target` other than the one set is reported; the handlers go all the same, while
/// the one set stays known, so that its own removal isn't reported.
pub fn remove(target: *mut c_void, pipe: OnPipe) {
    let null = ptr::null_mut();
    if TARGET.compare_exchange(target, null, Ordering::AcqRel, Ordering::Acquire).is_err() {
        emit(FUSE_LOG_ERR, "fuse: fuse_remove_signal_handlers: unknown session");
    }
    for (signal, handler) in handlers(pipe) {
        if let Err((what, error)) = replace(signal, handler, libc::SIG_DFL) {
            emit(FUSE_LOG_ERR, &format!("fuse: {what}: {error}"));
        }
    }
}

/// Every signal, and what is set for it.
fn handlers(pipe: OnPipe) -> impl Iterator<Item = (c_int, libc::sighandler_t)> {
    let stop = on_stop as *const () as libc::sighandler_t;
    let stopping = STOPPING.into_iter().map(move |signal| (signal, stop));
    stopping.chain([(libc::SIGPIPE, pipe.handler())])
}

/// Makes `handler` the disposition of `signal` if `expected` is.
fn replace(
    signal: c_int,
    expected: libc::sighandler_t,
    handler: libc::sighandler_t,
) -> Result<(), (&'static str, Errno)> {
    // SAFETY: zeros are a valid sigaction; the pointers are to such, and the handlers are
    // functions of this module or SIG_DFL.
    unsafe {
        let mut old: libc::sigaction = mem::zeroed();
        if libc::sigaction(signal, ptr::null(), &mut old) == -1 {
            return Err(("cannot get old signal handler", Errno::last()));
        }
        if old.sa_sigaction != expected {
            return Ok(());
        }
        let mut new: libc::sigaction = mem::zeroed();
        libc::sigemptyset(&mut new.sa_mask);
        new.sa_sigaction = handler;
        if libc::sigaction(signal, &new, ptr::null_mut()) == -1 {
            return Err(("cannot set signal handler", Errno::last()));
        }
    }
    Ok(())
}
