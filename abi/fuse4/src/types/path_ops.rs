//! The table of path-based callbacks: that of 3.14, and what came after.

use core::ffi::{c_char, c_int};
use core::ops::{Deref, DerefMut};

use ferrofuse::wire::layout::Statx;

use super::FuseFileInfo;
use super::high_ops::FuseOperations as Base;

/// `struct fuse_operations`. What is said of [`Base`] holds for all of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseOperations {
    /// Those of 3.14.
    pub base: Base,
    /// Attributes as statx(2) has them. `path` may be NULL with `AT_EMPTY_PATH` in `flags`, if the file is open.
    pub statx: Option<
        unsafe extern "C" fn(
            path: *const c_char,
            flags: c_int,
            mask: c_int,
            stxbuf: *mut Statx,
            fi: *mut FuseFileInfo,
        ) -> c_int,
    >,
    /// Everything to the disk, as by syncfs(2).
    pub syncfs: Option<unsafe extern "C" fn(path: *const c_char) -> c_int>,
}

impl Deref for FuseOperations {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}

impl DerefMut for FuseOperations {
    fn deref_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl From<Base> for FuseOperations {
    fn from(base: Base) -> FuseOperations {
        FuseOperations { base, statx: None, syncfs: None }
    }
}
