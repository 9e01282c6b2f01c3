//! `fuse_new`, and what libfuse 3 does with its result in ways of its own.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse::tree::{Narration, Narrator, Tree};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::config;
use super::fs::fuse_fs_new;
use super::handle::{CFuse, fuse};
use super::layers::Layers;
use super::option_table;
use super::options::{self, fuse_lib_help};
use super::pushing;
use super::stack::Stack;
use crate::session::{create, fuse_session_mount, fuse_session_unmount, session};
use crate::types::{self, Fuse, FuseOperations};

/// # Safety
/// As for [`fuse_new_31`].
unsafe fn new(
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> Option<*mut Fuse> {
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
    if let Some(list) = unsafe { option_table::modules_of(&layers.config) } {
        // SAFETY: the caller's promise, and our own file systems.
        if !unsafe { pushing::push(list, args, &mut layers.all) } {
            return None;
        }
    }
    let settings = config::tree(&layers.config);
    let debug = layers.config.debug != 0;
    let narration = if debug { Narration::Three } else { Narration::None };
    let stack = Narrator::new(Stack::new(layers), narration);
    let tree = Tree::new(stack, settings, types::compat());
    // SAFETY: the caller's promise.
    let session = unsafe { create(args, Box::new(tree.clone()), user_data, None) };
    if session.is_null() {
        return None;
    }
    if debug {
        log::debug!("nullpath_ok: {}", i32::from(tree.config().nullpath_ok));
    }
    Some(CFuse::give(session, tree))
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
        unsafe { new(args, op, op_size, user_data) }.unwrap_or(ptr::null_mut())
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
        Some(fuse) => unsafe { fuse_session_mount(fuse.session(), mountpoint) },
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
        unsafe { fuse_session_unmount(fuse.session()) };
    }
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
        let session = unsafe { session("fuse_invalidate_path", fuse.session()) };
        let (Some(session), false) = (session, path.is_null()) else {
            return Errno::EINVAL.negated();
        };
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        fuse.tree.invalidate_path(&session.engine, path).map_or_else(Errno::negated, |()| 0)
    })
}
