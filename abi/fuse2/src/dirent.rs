//! Directory entries without a request, as API 2.4 had them.

use std::ffi::{CStr, c_char};
use std::ptr;

use ferrofuse::wire::dirent;
use ferrofuse_abi_common::panic::guard;
use libc::{off_t, size_t, stat};

use crate::reply::fuse_add_direntry;

/// `fuse_dirent_size`: bytes of an entry whose name has `namelen`, with padding.
pub extern "C" fn fuse_dirent_size(namelen: size_t) -> size_t {
    dirent::size(namelen)
}

/// `fuse_add_dirent`: writes an entry to `buf` and returns where the next one goes.
///
/// # Safety
/// `buf` has [`fuse_dirent_size`] bytes, `name` is a C string, `stbuf` points to a `struct stat`.
pub unsafe extern "C" fn fuse_add_dirent(
    buf: *mut c_char,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
) -> *mut c_char {
    guard("fuse_add_dirent", buf, || {
        if buf.is_null() || name.is_null() {
            return buf;
        }
        // SAFETY: the caller's promise.
        unsafe {
            let size = dirent::size(CStr::from_ptr(name).count_bytes());
            buf.add(fuse_add_direntry(ptr::null_mut(), buf, size, name, stbuf, off))
        }
    })
}
