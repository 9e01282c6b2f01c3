//! Notifications that came after libfuse 3.14, and one that changed. As in `notify`.

use std::ffi::{c_char, c_int};
use std::slice;

use ferrofuse::Errno;
use libc::size_t;

use crate::notify::{name_bytes, notify};
use crate::types::{FuseIno, FuseSession};

/// `fuse_lowlevel_notify_expire_entry`: lets a cached name expire.
///
/// # Safety
/// `se` is NULL or live; `name` has `namelen` bytes.
pub unsafe extern "C" fn fuse_lowlevel_notify_expire_entry(
    se: *mut FuseSession,
    parent: FuseIno,
    name: *const c_char,
    namelen: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_expire_entry", se, |session| {
            session.notify_expire_entry(parent, name_bytes(name, namelen)?)
        })
    }
}

/// `fuse_lowlevel_notify_increment_epoch`: every name that is cached now is looked up again when it is next used. From
/// Linux 6.16 on.
///
/// # Safety
/// `se` is NULL or live.
pub unsafe extern "C" fn fuse_lowlevel_notify_increment_epoch(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_increment_epoch", se, |session| {
            session.notify_increment_epoch()
        })
    }
}

/// `fuse_lowlevel_notify_prune`: asks the kernel to drop these nodes from its cache, as far as nothing uses them. From
/// Linux 6.18 on.
///
/// # Safety
/// `se` is NULL or live; `nodeids` has `count` elements.
pub unsafe extern "C" fn fuse_lowlevel_notify_prune(
    se: *mut FuseSession,
    nodeids: *mut FuseIno,
    count: u32,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        notify("fuse_lowlevel_notify_prune", se, |session| {
            if nodeids.is_null() {
                return Err(Errno::EINVAL);
            }
            session.notify_prune(slice::from_raw_parts(nodeids, count as usize))
        })
    }
}
