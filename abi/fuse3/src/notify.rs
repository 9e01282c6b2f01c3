//! `fuse_lowlevel_notify_*`: messages to the kernel that answer nothing.
//!
//! Each returns 0 or a negative errno: `-ENOENT` where the kernel has nothing cached, `-ENOSYS`
//! where its protocol is too old, `-ENOTCONN` before INIT, `-EINVAL` for a NULL session or name.
//! libfuse 3 names the session, libfuse 2 one of its channels.
//! None may be called from inside a request on the same file or directory: the kernel holds locks
//! then that the notification needs.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::slice;

use ferrofuse::session::Session;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::panic::guard;
use libc::{off_t, size_t};

use crate::buffer;
use crate::polls;
use crate::reply::copy_flags;
use crate::session::notified;
use crate::types::{FuseBufvec, FuseIno, FusePollhandle, NotifyTarget};

/// `FUSE_LL_EXPIRE_ONLY`.
const LL_EXPIRE_ONLY: c_uint = 1;

/// Runs a notification and turns the outcome into the C convention.
///
/// # Safety
/// `target` is NULL or live.
pub unsafe fn notify(
    function: &str,
    target: *mut NotifyTarget,
    send: impl FnOnce(&Session) -> Result<()>,
) -> c_int {
    guard(function, Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        unsafe { notified(function, target) }.and_then(send).map_or_else(Errno::negated, |()| 0)
    })
}

/// # Safety
/// `name` is NULL or has `len` bytes.
pub unsafe fn name_bytes<'a>(name: *const c_char, len: size_t) -> Result<&'a [u8]> {
    if name.is_null() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { slice::from_raw_parts(name.cast(), len) })
}

/// `fuse_lowlevel_notify_poll`: wakes whoever polls the file. NULL is no error. The handle stays
/// the caller's.
pub extern "C" fn fuse_lowlevel_notify_poll(ph: *mut FusePollhandle) -> c_int {
    const FUNCTION: &str = "fuse_lowlevel_notify_poll";
    guard(FUNCTION, Errno::EIO.negated(), || {
        if ph.is_null() {
            return 0;
        }
        let handle = polls::find(FUNCTION, ph).ok_or(Errno::EINVAL);
        handle.and_then(|handle| handle.notify()).map_or_else(Errno::negated, |()| 0)
    })
}

/// `fuse_pollhandle_destroy`: gives a handle up; NULL is allowed.
pub extern "C" fn fuse_pollhandle_destroy(ph: *mut FusePollhandle) {
    const FUNCTION: &str = "fuse_pollhandle_destroy";
    guard(FUNCTION, (), || {
        if !ph.is_null() {
            polls::end(FUNCTION, ph);
        }
    });
}

/// `fuse_lowlevel_notify_inval_inode`: drops cached attributes, and data unless `off` is negative.
///
/// # Safety
/// `target` is NULL or live.
pub unsafe extern "C" fn fuse_lowlevel_notify_inval_inode(
    target: *mut NotifyTarget,
    ino: FuseIno,
    off: off_t,
    len: off_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_inval_inode", target, |session| {
            session.notify_inval_inode(ino, off, len)
        })
    }
}

/// `fuse_lowlevel_notify_inval_entry`: drops a cached name.
///
/// # Safety
/// `target` is NULL or live; `name` has `namelen` bytes.
pub unsafe extern "C" fn fuse_lowlevel_notify_inval_entry(
    target: *mut NotifyTarget,
    parent: FuseIno,
    name: *const c_char,
    namelen: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_inval_entry", target, |session| {
            session.notify_inval_entry(parent, name_bytes(name, namelen)?)
        })
    }
}

/// `fuse_lowlevel_notify_expire_entry`: lets a cached name expire; without the flag it is dropped.
///
/// # Safety
/// `target` is NULL or live; `name` has `namelen` bytes.
pub unsafe extern "C" fn fuse_lowlevel_notify_expire_entry(
    target: *mut NotifyTarget,
    parent: FuseIno,
    name: *const c_char,
    namelen: size_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_expire_entry", target, |session| {
            let name = name_bytes(name, namelen)?;
            if flags & LL_EXPIRE_ONLY != 0 {
                session.notify_expire_entry(parent, name)
            } else {
                session.notify_inval_entry(parent, name)
            }
        })
    }
}

/// `fuse_lowlevel_notify_delete`: `child` was removed from `parent` behind the kernel's back.
///
/// # Safety
/// `target` is NULL or live; `name` has `namelen` bytes.
pub unsafe extern "C" fn fuse_lowlevel_notify_delete(
    target: *mut NotifyTarget,
    parent: FuseIno,
    child: FuseIno,
    name: *const c_char,
    namelen: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_delete", target, |session| {
            session.notify_delete(parent, child, name_bytes(name, namelen)?)
        })
    }
}

/// `fuse_lowlevel_notify_store`: puts data into the page cache. The buffers stay the caller's.
///
/// # Safety
/// `target` is NULL or live; `bufv` is NULL or a valid vector.
pub unsafe extern "C" fn fuse_lowlevel_notify_store(
    target: *mut NotifyTarget,
    ino: FuseIno,
    offset: off_t,
    bufv: *mut FuseBufvec,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_store", target, |session| {
            if bufv.is_null() {
                return Err(Errno::EINVAL);
            }
            let (offset, flags) = (offset.cast_unsigned(), copy_flags(flags));
            buffer::with_vector(bufv, |data| session.notify_store(ino, offset, data, flags))
        })
    }
}

/// `fuse_lowlevel_notify_retrieve`: asks for cached data, which comes as `retrieve_reply` with
/// this cookie.
///
/// # Safety
/// `target` is NULL or live.
pub unsafe extern "C" fn fuse_lowlevel_notify_retrieve(
    target: *mut NotifyTarget,
    ino: FuseIno,
    size: size_t,
    offset: off_t,
    cookie: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_retrieve", target, |session| {
            let cookie = cookie.expose_provenance();
            session.notify_retrieve(ino, size, offset.cast_unsigned(), cookie)
        })
    }
}
