//! `struct fuse`: a path-based file system with its session.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use ferrofuse::Errno;
use ferrofuse::tree::{Compat, Tree};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::config;
use super::fs::fuse_fs_new;
use super::layers::Layers;
use super::modules;
use super::options::{self, fuse_lib_help};
use super::stack::Stack;
use crate::session::{
    create, fuse_session_destroy, fuse_session_exit, fuse_session_mount, fuse_session_unmount,
    session,
};
use crate::types::{Fuse, FuseOperations, FuseSession};

/// What a `struct fuse *` points to.
pub struct CFuse {
    /// [`MAGIC`] while it lives.
    magic: u64,
    session: *mut FuseSession,
    tree: Arc<Tree<Stack>>,
}

/// Tells a file system from other memory, freed ones included as far as that can be seen.
const MAGIC: u64 = 0x6665_7272_6f33_6675;

impl CFuse {
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
    match unsafe { f.cast::<CFuse>().as_ref() } {
        Some(fuse) if fuse.magic == MAGIC => Some(fuse),
        Some(_) => {
            log::error!("fuse: {function}: not a file system");
            None
        }
        None => {
            log::error!("fuse: {function}: file system is NULL");
            None
        }
    }
}

/// # Safety
/// As for [`fuse_new_31`].
unsafe fn new(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> Option<Box<CFuse>> {
    // SAFETY: the caller's promise.
    let base = unsafe { fuse_fs_new(op, op_size, user_data) };
    if base.is_null() {
        return None;
    }
    // SAFETY: just made.
    let mut layers = unsafe { Layers::new(base, config::defaults()) };
    // SAFETY: the caller's promise.
    if !unsafe { options::parse(args, &mut layers.config) } {
        return None;
    }
    // SAFETY: the option parser left a string or NULL.
    if let Some(list) = unsafe { options::modules_of(&layers.config) } {
        // SAFETY: the caller's promise, and our own file systems.
        if !unsafe { modules::push(list, args, &mut layers.all) } {
            return None;
        }
    }
    let settings = config::tree(&layers.config);
    let debug = layers.config.debug != 0;
    let tree = Tree::new(Stack::new(layers), settings, Compat::default());
    // SAFETY: the caller's promise.
    let session = unsafe { create(args, Box::new(tree.clone()), user_data, None) };
    if session.is_null() {
        return None;
    }
    if debug {
        log::debug!("nullpath_ok: {}", i32::from(tree.config().nullpath_ok));
    }
    Some(Box::new(CFuse { magic: MAGIC, session, tree }))
}

/// `fuse_new` from `FUSE_3.1` on: a file system over these callbacks, which are copied; `user_data`
/// is its private data until init returns another. Options of the library are taken out of `args`;
/// one that is left over makes the call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_destroy`.
///
/// # Safety
/// `args` is NULL or a valid argument list; `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_new_31(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> *mut Fuse {
    ferrofuse_abi_common::log::install();
    guard("fuse_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let Some(fuse) = (unsafe { new(args, op, op_size, user_data) }) else {
            return ptr::null_mut();
        };
        let tree = fuse.tree.clone();
        let fuse = Box::into_raw(fuse).cast();
        tree.ops().belongs_to(fuse);
        fuse
    })
}

/// `fuse_new` of API 3.0, which has `-h` and `--help`: they print the options, and NULL is returned.
///
/// # Safety
/// As for [`fuse_new_31`].
pub unsafe extern "C" fn fuse_new_30(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> *mut Fuse {
    guard("fuse_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            match options::wants_help(args) {
                Some(false) => fuse_new_31(args, op, op_size, user_data),
                Some(true) => {
                    fuse_lib_help(args);
                    ptr::null_mut()
                }
                None => ptr::null_mut(),
            }
        }
    })
}

/// `fuse_mount`: mounts on `mountpoint`, or takes over the mounted device `/dev/fd/N`. Returns 0, or
/// -1 with a message.
///
/// # Safety
/// `f` is NULL or a live file system; `mountpoint` is NULL or a C string.
pub unsafe extern "C" fn fuse_mount(f: *mut Fuse, mountpoint: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { fuse("fuse_mount", f) } {
        // SAFETY: the session lives as long as the file system.
        Some(fuse) => unsafe { fuse_session_mount(fuse.session, mountpoint) },
        None => -1,
    }
}

/// `fuse_unmount`: closes the device and unmounts, if it is mounted.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_unmount(f: *mut Fuse) {
    // SAFETY: the caller's promise.
    if let Some(fuse) = unsafe { fuse("fuse_unmount", f) } {
        // SAFETY: the session lives as long as the file system.
        unsafe { fuse_session_unmount(fuse.session) };
    }
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

/// `fuse_invalidate_path`: drops what the kernel has cached of a file. Returns 0, or `-ENOENT` for a
/// path that is not known to it. Must not be called by an operation that the kernel waits for.
///
/// # Safety
/// `f` is NULL or a live file system; `path` is NULL or a C string.
pub unsafe extern "C" fn fuse_invalidate_path(f: *mut Fuse, path: *const c_char) -> c_int {
    guard("fuse_invalidate_path", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let Some(fuse) = (unsafe { fuse("fuse_invalidate_path", f) }) else {
            return Errno::EINVAL.negated();
        };
        // SAFETY: the session lives as long as the file system.
        let session = unsafe { session("fuse_invalidate_path", fuse.session) };
        let (Some(session), false) = (session, path.is_null()) else {
            return Errno::EINVAL.negated();
        };
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        fuse.tree.invalidate_path(&session.engine, path).map_or_else(Errno::negated, |()| 0)
    })
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
