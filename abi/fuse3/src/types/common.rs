//! Types that every generation of the API has with one layout.

use core::ffi::c_void;

use libc::{gid_t, mode_t, pid_t, stat, uid_t};

use super::FuseFileInfo;

/// `fuse_ino_t`: a node number as the kernel and the file system use it.
pub type FuseIno = u64;

/// `fuse_req_t`: the handle of one request. Replying to it ends its life.
pub type FuseReqHandle = *mut FuseReq;

/// `fuse_interrupt_func_t`: called when the request it was registered for is interrupted.
pub type FuseInterruptFunc = unsafe extern "C" fn(req: FuseReqHandle, data: *mut c_void);

/// Declares a struct that C programs only hold pointers to.
macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            _bytes: [u8; 0],
            _not_send_not_sync_not_unpin:
                ::core::marker::PhantomData<(*mut u8, ::core::marker::PhantomPinned)>,
        }
    };
}
pub(crate) use opaque;

/// Gives a struct whose C bit-fields live in `bits` the ways to read and write them by mask.
macro_rules! bit_fields {
    ($name:ident) => {
        impl $name {
            /// Whether all bits of `mask` are set.
            #[must_use]
            pub const fn has(&self, mask: u32) -> bool {
                self.bits & mask == mask
            }

            /// Sets or clears the bits of `mask`.
            pub const fn set(&mut self, mask: u32, value: bool) {
                self.bits = if value { self.bits | mask } else { self.bits & !mask };
            }
        }
    };
}
pub(crate) use bit_fields;

opaque! {
    /// `struct fuse_session`, made by `fuse_session_new` and freed by `fuse_session_destroy`.
    FuseSession
}
opaque! {
    /// `struct fuse_req`, one request between its callback and its reply.
    FuseReq
}
opaque! {
    /// `struct fuse_pollhandle`, freed by `fuse_pollhandle_destroy`.
    FusePollhandle
}
opaque! {
    /// `struct fuse`, made by `fuse_new` and freed by `fuse_destroy`.
    Fuse
}
opaque! {
    /// `struct fuse_fs`, made by `fuse_fs_new`.
    FuseFs
}

/// `struct fuse_ctx`: who asked for a request. Zero for all fields where the kernel sends nobody's name.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseCtx {
    /// User id.
    pub uid: uid_t,
    /// Group id.
    pub gid: gid_t,
    /// Thread id.
    pub pid: pid_t,
    /// File mode creation mask, for the requests that create a node.
    pub umask: mode_t,
}

/// `struct fuse_forget_data`: one entry of a batch forget.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseForgetData {
    /// The node.
    pub ino: FuseIno,
    /// How many lookups the kernel gives back.
    pub nlookup: u64,
}

/// `struct fuse_entry_param`: a node, as lookup and the creating operations answer it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FuseEntryParam {
    /// The node number; 0 says "no such name, and you may cache that".
    pub ino: FuseIno,
    /// Tells apart two nodes that had the same number at different times.
    pub generation: u64,
    /// Attributes; `st_ino` is not looked at by the kernel.
    pub attr: stat,
    /// How long the attributes are valid, in seconds.
    pub attr_timeout: f64,
    /// How long the name is valid, in seconds.
    pub entry_timeout: f64,
}

/// An optional open file as the pointer that a handler gets.
pub fn file_ptr(fi: &mut Option<FuseFileInfo>) -> *mut FuseFileInfo {
    fi.as_mut().map_or(core::ptr::null_mut(), core::ptr::from_mut)
}
