//! `struct fuse`, and what is done with it in every generation of the API.

use std::ffi::c_int;
use std::ptr;
use std::sync::Arc;

use ferrofuse::tree::{Narrator, Tree};
use ferrofuse_abi_common::handle::{self, Handle};
use ferrofuse_abi_common::panic::guard;

use super::stack::Stack;
use crate::session::{fuse_session_destroy, fuse_session_exit};
use crate::types::{Fuse, FuseSession};

/// What a `struct fuse *` points to.
pub struct CFuse {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    session: *mut FuseSession,
    /// Its nodes and names.
    pub(super) tree: Arc<Tree<Narrator<Stack>>>,
}

impl Handle for CFuse {
    const MAGIC: u64 = 0x6665_7272_6f33_6675;
    const NAME: &str = "file system";

    fn magic(&self) -> u64 {
        self.magic
    }
}

impl CFuse {
    /// A file system and its session, which it ends with, given away to C.
    pub fn give(session: *mut FuseSession, tree: Arc<Tree<Narrator<Stack>>>) -> *mut Fuse {
        let fuse = Box::new(CFuse { magic: CFuse::MAGIC, session, tree: tree.clone() });
        let fuse = Box::into_raw(fuse).cast();
        tree.ops().inner().belongs_to(fuse);
        fuse
    }

    /// Its session.
    pub fn session(&self) -> *mut FuseSession {
        self.session
    }
}

/// The file system behind a pointer; NULL and what is none are reported.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe fn fuse<'a>(function: &str, f: *mut Fuse) -> Option<&'a CFuse> {
    // SAFETY: the caller's promise.
    unsafe { handle::get(function, f.cast::<CFuse>()) }
}
/// `fuse_destroy`: calls destroy, unless it was called or init never was, and frees the file system
/// and its session. It does not unmount.
///
/// # Safety
/// `f` is NULL or a live file system, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_destroy(f: *mut Fuse) {
    guard("fuse_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(live) = (unsafe { fuse("fuse_destroy", f) }) else { return };
        live.tree.stop_cleanup_thread();
        // SAFETY: the session is the file system's own and ends here.
        unsafe { fuse_session_destroy(live.session) };
        // SAFETY: the pointer came from `fuse_new` and is given up.
        let mut fuse = unsafe { Box::from_raw(f.cast::<CFuse>()) };
        fuse.magic = 0;
    });
}

/// `fuse_exit`: makes the loops return. Async-signal-safe.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_exit(f: *mut Fuse) {
    // No message for NULL: logging is not async-signal-safe.
    // SAFETY: the caller's promise.
    if let Some(fuse) = unsafe { f.cast::<CFuse>().as_ref() } {
        // SAFETY: the session lives as long as the file system.
        unsafe { fuse_session_exit(fuse.session) };
    }
}

/// `fuse_get_session`: the session, which stays the file system's. NULL for NULL.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_get_session(f: *mut Fuse) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { fuse("fuse_get_session", f) }.map_or(ptr::null_mut(), CFuse::session)
}

/// `fuse_clean_cache`: lets go of nodes that were to be remembered long enough. Returns in how many
/// seconds to call it again.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_clean_cache(f: *mut Fuse) -> c_int {
    guard("fuse_clean_cache", c_int::MAX, || {
        // SAFETY: the caller's promise.
        let fuse = unsafe { fuse("fuse_clean_cache", f) };
        fuse.map_or(c_int::MAX, |fuse| {
            c_int::try_from(fuse.tree.clean_cache()).unwrap_or(c_int::MAX)
        })
    })
}

/// `fuse_start_cleanup_thread`: does that in a thread of its own, if nodes are remembered for a
/// time. Returns 0 or -1.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_start_cleanup_thread(f: *mut Fuse) -> c_int {
    guard("fuse_start_cleanup_thread", -1, || {
        // SAFETY: the caller's promise.
        let Some(fuse) = (unsafe { fuse("fuse_start_cleanup_thread", f) }) else { return -1 };
        match fuse.tree.start_cleanup_thread() {
            Ok(()) => 0,
            Err(error) => {
                log::error!("fuse: error creating thread: {error}");
                -1
            }
        }
    })
}

/// `fuse_stop_cleanup_thread`: ends that thread and waits for it.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_stop_cleanup_thread(f: *mut Fuse) {
    guard("fuse_stop_cleanup_thread", (), || {
        // SAFETY: the caller's promise.
        if let Some(fuse) = unsafe { fuse("fuse_stop_cleanup_thread", f) } {
            fuse.tree.stop_cleanup_thread();
        }
    });
}

/// Runs a loop of the session; -1 if there is none, or no thread to be had.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe fn run(
    function: &str,
    f: *mut Fuse,
    run: impl FnOnce(*mut FuseSession) -> c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let Some(session) = unsafe { fuse(function, f) }.map(CFuse::session) else { return -1 };
    // SAFETY: as above.
    if unsafe { fuse_start_cleanup_thread(f) } != 0 {
        return -1;
    }
    let result = run(session);
    // SAFETY: as above.
    unsafe { fuse_stop_cleanup_thread(f) };
    result
}
