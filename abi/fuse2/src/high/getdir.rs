//! `getdir`: how API 2.2 listed directories.

use std::ffi::{c_char, c_int, c_void};
use std::mem;
use std::ptr;

use ferrofuse::Errno;
use libc::{ino_t, stat};

use crate::types::FuseFillDir;
use crate::types::high_ops::FuseDirFil;

/// What the opaque handle of a getdir points to.
struct Handle {
    buf: *mut c_void,
    filler: FuseFillDir,
}

/// Takes an entry; `-ENOMEM` if it took none.
///
/// # Safety
/// `handle` is what [`list`] gave, during its call; `name` is a C string.
unsafe extern "C" fn fill(
    handle: *mut c_void,
    name: *const c_char,
    kind: c_int,
    ino: ino_t,
) -> c_int {
    // SAFETY: `stat` is plain integers, for which all zeros is a value.
    let mut entry: stat = unsafe { mem::zeroed() };
    // The file type as `DT_*` has it.
    entry.st_mode = kind.cast_unsigned() << 12;
    entry.st_ino = ino;
    // SAFETY: the caller's promise.
    unsafe {
        let Some(handle) = handle.cast::<Handle>().as_ref() else {
            return Errno::EINVAL.negated();
        };
        match (handle.filler)(handle.buf, name, &raw const entry, 0) {
            0 => 0,
            _ => Errno::ENOMEM.negated(),
        }
    }
}

/// The same for programs of API 2.1 and 1.x, which give no number.
///
/// # Safety
/// As for [`fill`].
unsafe extern "C" fn fill_old(handle: *mut c_void, name: *const c_char, kind: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fill(handle, name, kind, 0) }
}

/// `fuse_dirfil_t` of API 2.1 and 1.x.
pub type OldDirFil = unsafe extern "C" fn(*mut c_void, *const c_char, c_int) -> c_int;

/// Has `getdir` list a directory to a filler of readdir.
pub fn list(
    buf: *mut c_void,
    filler: FuseFillDir,
    getdir: impl FnOnce(*mut c_void, FuseDirFil) -> c_int,
) -> c_int {
    let mut handle = Handle { buf, filler };
    getdir(ptr::from_mut(&mut handle).cast(), fill)
}

/// The same for programs of API 2.1 and 1.x.
pub fn list_old(
    buf: *mut c_void,
    filler: FuseFillDir,
    getdir: impl FnOnce(*mut c_void, OldDirFil) -> c_int,
) -> c_int {
    let mut handle = Handle { buf, filler };
    getdir(ptr::from_mut(&mut handle).cast(), fill_old)
}
