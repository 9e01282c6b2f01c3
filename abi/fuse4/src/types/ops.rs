//! The table of low-level callbacks: that of 3.14, and what came after.

use core::ffi::c_int;
use core::ops::Deref;

use libc::mode_t;

use super::FuseFileInfo;
use super::low::FuseLowlevelOps as Base;
use super::{FuseIno as Ino, FuseReqHandle as Req};

/// `struct fuse_lowlevel_ops`. What is said of [`Base`] holds for all of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseLowlevelOps {
    /// Those of 3.14.
    pub base: Base,
    /// An unnamed file is made and opened: `fuse_reply_create`.
    pub tmpfile:
        Option<unsafe extern "C" fn(req: Req, parent: Ino, mode: mode_t, fi: *mut FuseFileInfo)>,
    /// Attributes as statx(2) has them: `fuse_reply_statx`. `fi` is NULL or the open file asked about.
    pub statx: Option<
        unsafe extern "C" fn(req: Req, ino: Ino, flags: c_int, mask: c_int, fi: *mut FuseFileInfo),
    >,
    /// Everything to the disk, as by syncfs(2): `fuse_reply_err`.
    pub syncfs: Option<unsafe extern "C" fn(req: Req, ino: Ino)>,
}

impl Deref for FuseLowlevelOps {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}
