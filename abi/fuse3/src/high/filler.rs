//! `fuse_fill_dir_t`: the tree's [`Filler`] for C.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use ferrofuse::tree::{FillFlags, Filler};
use ferrofuse_abi_common::panic::guard;
use libc::{off_t, stat};

use super::start::fill;
use crate::convert;
use crate::types::FuseFillDir;

/// What the opaque `buf` of a readdir points to.
struct Lent<'a> {
    filler: &'a mut dyn Filler,
}

/// What the function does that C calls.
///
/// # Safety
/// `buf` is what [`lend`] gave, during its call; `name` is a C string; `stbuf` is NULL or a `stat`.
pub unsafe fn take(
    buf: *mut c_void,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
    flags: c_uint,
) -> c_int {
    guard("fuse_fill_dir_t", 1, || {
        if buf.is_null() || name.is_null() {
            log::error!("fuse: readdir: filler called with NULL");
            return 1;
        }
        // SAFETY: the caller's promise.
        let (lent, name, stat) =
            unsafe { (&mut *buf.cast::<Lent<'_>>(), CStr::from_ptr(name), stbuf.as_ref()) };
        let attr = stat.map(convert::attr);
        let flags = FillFlags::from_bits_retain(flags);
        lent.filler.fill(name, attr.as_ref(), off, flags).into()
    })
}

/// Lends a filler to C, as function and opaque argument, while `use_it` runs.
pub fn lend<T>(filler: &mut dyn Filler, use_it: impl FnOnce(*mut c_void, FuseFillDir) -> T) -> T {
    let mut lent = Lent { filler };
    use_it(ptr::from_mut(&mut lent).cast(), fill)
}
