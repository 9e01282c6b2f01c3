//! Ends a process whose mount is gone and whose handlers do not come back.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ferrofuse::session::Session;
use ferrofuse::sys::lock::Mutex;
use ferrofuse::sys::waiting::{self, Bell, Woken};
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::panic::guard;

use crate::session::session;
use crate::types::FuseSession;

/// `fuse_timeout_cb`: called in the watchdog's thread when the time is over.
pub type TimeoutCallback = unsafe extern "C" fn(data: *mut c_void);

/// A running watchdog.
pub struct Watchdog {
    bell: Bell,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Exit is requested of this one; not any more when it is freed.
    session: Mutex<Option<Arc<Session>>>,
}

/// What is done when the time is over; both are the program's.
struct Last(Option<TimeoutCallback>, *mut c_void);

// SAFETY: the program is told that the function is called in a thread of the library's.
unsafe impl Send for Last {}

impl Last {
    fn run(&self) {
        match self.0 {
            // SAFETY: the program gave function and data together.
            Some(function) => unsafe { function(self.1) },
            // SAFETY: runs what `atexit` has registered, and ends the process.
            None => unsafe { libc::exit(1) },
        }
    }
}

impl Watchdog {
    /// Exit need not be requested any more, but the process shall still end.
    pub fn session_ends(&self) {
        *self.session.lock() = None;
    }

    fn watch(&self, device: &OwnedFd, seconds: u32, last: &Last) {
        if waiting::for_hangup(device.as_fd(), &self.bell) == Woken::ByBell {
            return;
        }
        if let Some(session) = &*self.session.lock() {
            session.exit().request();
        }
        if waiting::for_bell(&self.bell, seconds) == Woken::ByTime {
            last.run();
        }
    }
}

/// A descriptor of its own for the device.
fn device_of(session: &Session) -> Option<OwnedFd> {
    let fd: RawFd = session.channel()?.raw_fd();
    // SAFETY: the channel's descriptor is open for as long as the channel lives.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().ok()
}

/// `fuse_session_start_teardown_watchdog`: watches the device of a mounted session. Once the kernel has ended the
/// connection, by an abort or an unmount, loops are told to end; if the watchdog is not stopped within `timeout_sec`
/// seconds after that, `cb(cb_data)` is called in its thread, or without `cb` the process exits with status 1.
///
/// Returns the watchdog, or NULL with a message: for a time that is not positive, a session that is not mounted, or
/// has a watchdog already.
///
/// # Safety
/// `se` is NULL or a live session; `cb` may be called with `cb_data` in any thread until the watchdog is stopped.
pub unsafe extern "C" fn fuse_session_start_teardown_watchdog(
    se: *mut FuseSession,
    timeout_sec: c_int,
    cb: Option<TimeoutCallback>,
    cb_data: *mut c_void,
) -> *mut c_void {
    guard("fuse_session_start_teardown_watchdog", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let session = unsafe { session("fuse_session_start_teardown_watchdog", se) };
        let Some(session) = session else { return ptr::null_mut() };
        let seconds = match u32::try_from(timeout_sec) {
            Ok(seconds) if seconds > 0 => seconds,
            _ => {
                emit(FUSE_LOG_ERR, "fuse: invalid timeout value");
                return ptr::null_mut();
            }
        };
        let Some(device) = device_of(&session.engine) else {
            emit(FUSE_LOG_ERR, "fuse: invalid session fd");
            return ptr::null_mut();
        };
        let mut own = session.mounting.watchdog.lock();
        if own.is_some() {
            emit(FUSE_LOG_ERR, "fuse: timeout thread already running");
            return ptr::null_mut();
        }
        let start = || -> std::io::Result<Arc<Watchdog>> {
            let watchdog = Arc::new(Watchdog {
                bell: Bell::new()?,
                thread: Mutex::new(None),
                session: Mutex::new(Some(session.engine.clone())),
            });
            let (watching, last) = (watchdog.clone(), Last(cb, cb_data));
            let thread = thread::Builder::new().name("fuse_watchdog".to_owned());
            let thread = thread.spawn(move || {
                let last = last;
                watching.watch(&device, seconds, &last);
            })?;
            *watchdog.thread.lock() = Some(thread);
            Ok(watchdog)
        };
        match start() {
            Ok(watchdog) => {
                *own = Some(watchdog.clone());
                Arc::into_raw(watchdog).cast_mut().cast()
            }
            Err(error) => {
                emit(FUSE_LOG_ERR, &format!("fuse: failed to create timeout thread: {error}"));
                ptr::null_mut()
            }
        }
    })
}

/// `fuse_session_stop_teardown_watchdog`: ends a watchdog and frees it; NULL is allowed. It may be called before or after
/// the session is destroyed, but not by the callback.
///
/// # Safety
/// `data` is NULL or came from [`fuse_session_start_teardown_watchdog`], and is not used any more.
pub unsafe extern "C" fn fuse_session_stop_teardown_watchdog(data: *mut c_void) {
    if data.is_null() {
        return;
    }
    guard("fuse_session_stop_teardown_watchdog", (), || {
        // SAFETY: the caller's promise.
        let watchdog = unsafe { Arc::from_raw(data.cast_const().cast::<Watchdog>()) };
        watchdog.bell.ring();
        if let Some(thread) = watchdog.thread.lock().take() {
            // A panic in it was the callback's.
            let _ = thread.join();
        }
    });
}
