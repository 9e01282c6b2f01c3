//! What a program finds that looks into libfuse's private `struct fuse_session`: how its loops ended. The rest of that
//! struct reads as zero.
//!
//! libfuse's own `test_signals` looks there, and it is the one field that nothing in the public API tells before the
//! loop has returned.

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use crate::types::SESSION_ERROR_AT;

/// Bytes of the session that lie before these words.
pub const BEFORE: usize = size_of::<u64>();
/// Beyond the last place where any release has it.
const END: usize = 1004;
const WORD: usize = size_of::<c_int>();

/// The words of a session behind its first eight bytes.
#[repr(C)]
pub struct Inside {
    words: [AtomicI32; (END - BEFORE) / WORD],
}

impl Inside {
    /// Of a session that runs.
    pub fn new() -> Inside {
        Inside { words: [const { AtomicI32::new(0) }; _] }
    }

    /// How the loops ended: 0, a signal, or a negative errno. Async-signal-safe.
    pub fn set_error(&self, error: c_int) {
        for at in SESSION_ERROR_AT {
            self.words[(at - BEFORE) / WORD].store(error, Relaxed);
        }
    }
}

const _: () = {
    let mut release = 0;
    while release < SESSION_ERROR_AT.len() {
        assert!(SESSION_ERROR_AT[release].is_multiple_of(WORD));
        assert!(SESSION_ERROR_AT[release] >= BEFORE && SESSION_ERROR_AT[release] < END);
        release += 1;
    }
};
