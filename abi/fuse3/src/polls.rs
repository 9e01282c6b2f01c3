//! `struct fuse_pollhandle *`: no pointers but numbers, so that one that was destroyed is told from one that lives
//! without touching memory that may be someone else's. No number is given twice.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferrofuse::session::{PollHandle, check};
use parking_lot::{Mutex, MutexGuard};

use crate::types::FusePollhandle;

/// How long a child waits for what another thread of its parent's may have locked when it forked.
const PATIENCE: Duration = Duration::from_millis(200);
/// Numbers look like aligned pointers.
const STEP: usize = 16;

static LAST: AtomicUsize = AtomicUsize::new(0);
/// Those that live.
static HANDLES: Mutex<BTreeMap<usize, PollHandle>> = Mutex::new(BTreeMap::new());

fn handles() -> Option<MutexGuard<'static, BTreeMap<usize, PollHandle>>> {
    HANDLES.try_lock_for(PATIENCE)
}

/// Gives a handle to a program, which owns it until it calls `fuse_pollhandle_destroy`. NULL for none.
pub fn give(handle: Option<PollHandle>) -> *mut FusePollhandle {
    let Some((handle, mut handles)) = handle.zip(handles()) else { return ptr::null_mut() };
    let number = LAST.fetch_add(STEP, Ordering::Relaxed) + STEP;
    handles.insert(number, handle);
    ptr::without_provenance_mut(number)
}

/// The handle of that number; reports one that is none.
pub fn find(function: &str, ph: *mut FusePollhandle) -> Option<PollHandle> {
    let found = handles()?.get(&ph.addr()).cloned();
    if found.is_none() {
        check::no_poll_handle(function);
    }
    found
}

/// The program has no more use for it; reports one that is none.
pub fn end(function: &str, ph: *mut FusePollhandle) {
    let Some(mut handles) = handles() else { return };
    let ended = handles.remove(&ph.addr());
    drop(handles);
    if ended.is_none() {
        check::no_poll_handle(function);
    }
}
