//! Whom a request comes from.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use crate::wire::layout::InHeader;

/// Whom a request comes from, in the layout of libfuse's `fuse_ctx`: four 32-bit numbers.
///
/// Atomic because a C program may still look at it when the slot is already in other hands.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Context {
    uid: AtomicU32,
    gid: AtomicU32,
    pid: AtomicI32,
    umask: AtomicU32,
}

impl Context {
    /// Makes it the one of the request with this header, whose umask is not known yet.
    pub(super) fn take_from(&self, header: &InHeader) {
        self.uid.store(header.uid, Ordering::Relaxed);
        self.gid.store(header.gid, Ordering::Relaxed);
        self.pid.store(header.pid.cast_signed(), Ordering::Relaxed);
        self.set_umask(0);
    }

    /// User id, as seen from the daemon's user namespace.
    pub fn uid(&self) -> u32 {
        self.uid.load(Ordering::Relaxed)
    }
    /// Group id, likewise.
    pub fn gid(&self) -> u32 {
        self.gid.load(Ordering::Relaxed)
    }
    /// Thread id, 0 where it is outside the daemon's pid namespace.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }
    /// The requester's umask; meaningful for MKNOD, MKDIR, CREATE and TMPFILE.
    pub fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }
    pub(in crate::session) fn set_umask(&self, umask: u32) {
        self.umask.store(umask, Ordering::Relaxed);
    }
}
