//! Threads that are not cancelled while they are in the library.
//!
//! The C library carries out `pthread_cancel` by unwinding the stack, and ends the process where that is caught, as
//! panics are here.

use std::ffi::c_int;
use std::ptr;

// The same numbers in glibc and musl.
const PTHREAD_CANCEL_ENABLE: c_int = 0;
const PTHREAD_CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Holds off the calling thread's cancellation until it is dropped; then it takes effect at a cancellation point of the
/// program's.
pub struct Uncancelled {
    before: c_int,
}

impl Uncancelled {
    /// From here on.
    #[inline]
    #[allow(clippy::new_without_default, reason = "it is an action")]
    pub fn new() -> Uncancelled {
        let mut before = PTHREAD_CANCEL_DISABLE;
        // SAFETY: it writes the old state to a variable of ours, and changes nothing but this thread's state.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
        Uncancelled { before }
    }
}

impl Drop for Uncancelled {
    #[inline]
    fn drop(&mut self) {
        // Most often one further up the stack holds it off, or it is a thread of the library's.
        if self.before == PTHREAD_CANCEL_ENABLE {
            // SAFETY: as above; where the old state goes to may be NULL.
            unsafe { pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, ptr::null_mut()) };
        }
    }
}

/// For threads of the library's own: the calling one is not cancelled unless a handler allows it.
pub fn never_here() {
    // SAFETY: as above.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, ptr::null_mut()) };
}
