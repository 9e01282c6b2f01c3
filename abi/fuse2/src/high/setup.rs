//! `fuse_setup`, `fuse_teardown` and `fuse_main_real`: what a file system's main function has to do.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::daemonize::fuse_daemonize;
use super::fuse::fuse_new;
use super::handle::{fuse_destroy, fuse_get_session};
use super::loops::{fuse_loop, fuse_loop_mt};
use crate::cmdline::fuse_parse_cmdline;
use crate::mount::{fuse_mount, fuse_unmount};
use crate::session::fuse_session_next_chan;
use crate::signals::{fuse_remove_signal_handlers, fuse_set_signal_handlers};
use crate::types::{Fuse, FuseChan, FuseOperations};

/// What a set-up gives.
pub struct Ready {
    /// The file system.
    pub fuse: *mut Fuse,
    /// Its mount point, from `malloc`.
    pub mountpoint: *mut c_char,
    /// Whether `-s` was not given.
    pub multithreaded: c_int,
}

/// Goes into the background and handles signals; false, with a message, if that fails.
///
/// # Safety
/// `fuse` is a live file system.
unsafe fn prepare(fuse: *mut Fuse, foreground: c_int) -> bool {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    fuse_daemonize(foreground) == 0
        && unsafe { fuse_set_signal_handlers(fuse_get_session(fuse)) } == 0
}

/// Parses the command line, mounts, makes a file system by `new`, goes into the background and handles signals. `None` on
/// failure, with a message, and with all undone.
///
/// # Safety
/// `argv` has `argc` C strings; `new` makes the channel the file system's, if it makes one.
pub unsafe fn set_up(
    argc: c_int,
    argv: *mut *mut c_char,
    new: impl FnOnce(*mut FuseChan, *mut FuseArgs) -> *mut Fuse,
) -> Option<Ready> {
    ferrofuse_abi_common::log::install();
    let mut args = FuseArgs { argc, argv, allocated: 0 };
    let (mut mountpoint, mut multithreaded, mut foreground) = (ptr::null_mut(), 1, 0);
    // SAFETY: the caller's promise; what is made here is undone here, or given away.
    unsafe {
        let parsed = fuse_parse_cmdline(
            &raw mut args,
            &raw mut mountpoint,
            &raw mut multithreaded,
            &raw mut foreground,
        );
        let mut ch = ptr::null_mut();
        if parsed == 0 {
            ch = fuse_mount(mountpoint, &raw mut args);
        }
        let mut fuse = ptr::null_mut();
        if !ch.is_null() {
            fuse = new(ch, &raw mut args);
        }
        fuse_opt_free_args(&raw mut args);
        if !fuse.is_null() && prepare(fuse, foreground) {
            return Some(Ready { fuse, mountpoint, multithreaded });
        }
        if !ch.is_null() {
            fuse_unmount(mountpoint, ch);
        }
        if !fuse.is_null() {
            fuse_destroy(fuse);
        }
        libc::free(mountpoint.cast());
    }
    None
}

/// Serves requests until the end. Returns an exit code: 0, or 1 if the loop failed.
///
/// # Safety
/// What was set up is live, and ends here.
pub unsafe fn serve(ready: &Ready) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let result = match ready.multithreaded {
            0 => fuse_loop(ready.fuse),
            _ => fuse_loop_mt(ready.fuse),
        };
        fuse_teardown(ready.fuse, ready.mountpoint);
        (result < 0).into()
    }
}

/// `fuse_setup` from API 2.6 on: parses the command line, mounts, makes a file system as `fuse_new` does, goes into the
/// background and handles signals. `*mountpoint` belongs to the caller until `fuse_teardown`; `*multithreaded` becomes 0
/// for `-s`, else 1.
///
/// Returns NULL on failure and after help, with a message.
///
/// # Safety
/// `argv` has `argc` C strings; `op` is NULL or has `op_size` bytes; the others are NULL or may be written.
pub unsafe extern "C" fn fuse_setup(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const FuseOperations,
    op_size: size_t,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    user_data: *mut c_void,
) -> *mut Fuse {
    guard("fuse_setup", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let ready = set_up(argc, argv, |ch, args| fuse_new(ch, args, op, op_size, user_data));
            hand_out(ready, mountpoint, multithreaded, ptr::null_mut())
        }
    })
}

/// Gives what was set up to C.
///
/// # Safety
/// The pointers are NULL or may be written.
pub unsafe fn hand_out(
    ready: Option<Ready>,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    fd: *mut c_int,
) -> *mut Fuse {
    let Some(ready) = ready else { return ptr::null_mut() };
    // SAFETY: the caller's promise; the file system is live.
    unsafe {
        if !multithreaded.is_null() {
            multithreaded.write(ready.multithreaded);
        }
        if !fd.is_null() {
            let session = fuse_get_session(ready.fuse);
            let ch = fuse_session_next_chan(session, ptr::null_mut());
            fd.write(crate::channel::fuse_chan_fd(ch));
        }
        match mountpoint.is_null() {
            true => libc::free(ready.mountpoint.cast()),
            false => mountpoint.write(ready.mountpoint),
        }
    }
    ready.fuse
}

/// `fuse_teardown` from API 2.6 on: removes signal handlers, unmounts, and frees the file system and `mountpoint`.
///
/// # Safety
/// `f` is NULL or a live file system that nothing uses any more; `mountpoint` is NULL or from `malloc`.
pub unsafe extern "C" fn fuse_teardown(f: *mut Fuse, mountpoint: *mut c_char) {
    guard("fuse_teardown", (), || {
        // SAFETY: the caller's promise; the session lives as long as the file system.
        unsafe {
            let session = fuse_get_session(f);
            if !session.is_null() {
                let ch = fuse_session_next_chan(session, ptr::null_mut());
                fuse_remove_signal_handlers(session);
                fuse_unmount(mountpoint, ch);
                fuse_destroy(f);
            }
            libc::free(mountpoint.cast());
        }
    });
}

/// `fuse_main_real` from API 2.6 on: sets up as [`fuse_setup`], serves requests until unmounted or ended by a signal, and
/// cleans up.
///
/// Returns an exit code: 0, or 1 for any failure, and after help.
///
/// # Safety
/// `argv` has `argc` C strings; `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_main_real(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> c_int {
    guard("fuse_main", 1, || {
        // SAFETY: the caller's promise; what was set up is ours until it is torn down.
        unsafe {
            set_up(argc, argv, |ch, args| fuse_new(ch, args, op, op_size, user_data))
                .map_or(1, |ready| serve(&ready))
        }
    })
}
