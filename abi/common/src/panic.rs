//! The boundary that neither a panic nor the end of a cancelled thread crosses.

use std::any::Any;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::log::{FUSE_LOG_ERR, emit};

/// Runs `body`, the inside of the exported function `name`. If it panics, the panic ends here: it
/// is logged once, naming the function, and `default` is returned.
///
/// State that `body` was changing may be left half changed; the engine's own locks are released.
///
/// The thread can't be cancelled meanwhile.
pub fn guard<T>(name: &str, default: T, body: impl FnOnce() -> T) -> T {
    let _whole = Uncancelled::new();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            emit(FUSE_LOG_ERR, &format!("fuse: {name}: internal error: {}", text_of(&*payload)));
            // Dropping a foreign payload could panic again, outside of any catch.
            std::mem::forget(payload);
            default
        }
    }
}

/// Holds off a `pthread_cancel` of this thread: the C library carries it out by unwinding the stack, and ends the process
/// where that is caught. It takes effect at a cancellation point of the program's.
struct Uncancelled {
    before: c_int,
}

impl Uncancelled {
    fn new() -> Uncancelled {
        let mut before = PTHREAD_CANCEL_ENABLE;
        // SAFETY: it writes the old state to a variable of ours, and changes nothing but this thread's state.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
        Uncancelled { before }
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: as above; where the old state goes to may be NULL.
        unsafe { pthread_setcancelstate(self.before, std::ptr::null_mut()) };
    }
}

// The same numbers in glibc and musl.
const PTHREAD_CANCEL_ENABLE: c_int = 0;
const PTHREAD_CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "panic of unknown type"
    }
}
