//! `struct fuse_pollhandle *`: no pointers but numbers, so that one that was destroyed is told from one that lives
//! without touching memory that may be someone else's. No number is given twice.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferrofuse::session::{PollHandle, check};
use ferrofuse::sys::lock::Mutex;
use ferrofuse::sys::still;

use crate::types::FusePollhandle;

/// Numbers look like aligned pointers.
const STEP: usize = 16;

static LAST: AtomicUsize = AtomicUsize::new(0);
/// Those that live.
static HANDLES: Mutex<BTreeMap<usize, PollHandle>> = Mutex::new(BTreeMap::new());

/// Gives a handle to a program, which owns it until it calls `fuse_pollhandle_destroy`. NULL for none.
pub fn give(handle: Option<PollHandle>) -> *mut FusePollhandle {
    let Some(handle) = handle else { return ptr::null_mut() };
    let number = LAST.fetch_add(STEP, Ordering::Relaxed) + STEP;
    if number == STEP {
        // Children use them too.
        still::keep_static(&HANDLES);
    }
    HANDLES.lock().insert(number, handle);
    ptr::without_provenance_mut(number)
}

/// The handle of that number; reports one that is none.
pub fn find(function: &str, ph: *mut FusePollhandle) -> Option<PollHandle> {
    let found = HANDLES.lock().get(&ph.addr()).cloned();
    if found.is_none() {
        check::no_poll_handle(function);
    }
    found
}

/// The program has no more use for it; reports one that is none.
pub fn end(function: &str, ph: *mut FusePollhandle) {
    let ended = HANDLES.lock().remove(&ph.addr());
    if ended.is_none() {
        check::no_poll_handle(function);
    }
}
