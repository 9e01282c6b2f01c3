//! `fuse_fs_read`, `fuse_fs_write` and their forms with buffer vectors: each is made of the other
//! where a file system has one only.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse_abi_common::panic::guard;
use libc::{off_t, size_t};

use super::fs::{Fs, INVALID, at_most};
use crate::buffer::{fuse_buf_copy, fuse_buf_size};
use crate::types::{FuseBuf, FuseBufvec, FuseFileInfo, FuseFs};

const TOO_MUCH_READ: &str = "fuse: read too many bytes";
const TOO_MUCH_WRITTEN: &str = "fuse: wrote too many bytes";

/// A vector over memory.
pub fn memory(mem: *mut c_void, size: size_t) -> FuseBufvec {
    FuseBufvec { count: 1, idx: 0, off: 0, buf: [FuseBuf::memory(mem, size)] }
}

/// Frees a vector as `read_buf` makes it: itself and its memory, not its descriptors.
///
/// # Safety
/// `bufv` is NULL, or a vector from `malloc` whose memory is, too; nothing uses it any more.
pub unsafe fn free_vector(bufv: *mut FuseBufvec) {
    if bufv.is_null() {
        return;
    }
    // SAFETY: the caller's promise; the array begins at `buf` and is as long as `count` says.
    unsafe {
        let first = (&raw const (*bufv).buf).cast::<FuseBuf>();
        for at in 0..(*bufv).count {
            let buf = first.add(at);
            if (*buf).flags & FuseBuf::IS_FD == 0 {
                libc::free((*buf).mem);
            }
        }
        libc::free(bufv.cast());
    }
}

/// `fuse_fs_read`: reads into memory; returns the number of bytes. `read_buf` is preferred.
///
/// # Safety
/// `fs` is NULL or a live file system; `mem` has `size` bytes; the rest is what the operation
/// expects.
pub unsafe extern "C" fn fuse_fs_read(
    fs: *mut FuseFs,
    path: *const c_char,
    mem: *mut c_char,
    size: size_t,
    off: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    let Some(fs) = (unsafe { Fs::get("fuse_fs_read", fs) }) else { return INVALID };
    let _running = fs.running();
    // SAFETY: the program's own operations with the caller's arguments; what read_buf leaves is
    // what the API says.
    let count = unsafe {
        if let Some(read_buf) = fs.ops().read_buf {
            let mut source = ptr::null_mut();
            let mut result = read_buf(path, &raw mut source, size, off, fi);
            if result == 0 && !source.is_null() {
                let mut target = memory(mem.cast(), size);
                result = fuse_buf_copy(&raw mut target, source, 0) as c_int;
            }
            free_vector(source);
            result
        } else if let Some(read) = fs.ops().read {
            read(path, mem, size, off, fi)
        } else {
            return Errno::ENOSYS.negated();
        }
    };
    at_most(size, count, TOO_MUCH_READ)
}

/// `fuse_fs_read_buf`: reads into a vector, which becomes the caller's: it and its memory are to be
/// freed by free(3), even after a failure unless `*bufp` is NULL.
///
/// # Safety
/// As for [`fuse_fs_read`]; `bufp` may be written.
pub unsafe extern "C" fn fuse_fs_read_buf(
    fs: *mut FuseFs,
    path: *const c_char,
    bufp: *mut *mut FuseBufvec,
    size: size_t,
    off: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    // SAFETY: the caller's promise.
    let Some(fs) = (unsafe { Fs::get("fuse_fs_read_buf", fs) }) else { return INVALID };
    let _running = fs.running();
    if let Some(read_buf) = fs.ops().read_buf {
        // SAFETY: the program's own operation with the caller's arguments.
        let result = unsafe { read_buf(path, bufp, size, off, fi) };
        // How much it read, as an operation that returns it like `read` would, is in the vector anyway.
        return result.min(0);
    }
    let Some(read) = fs.ops().read else { return Errno::ENOSYS.negated() };
    // SAFETY: fresh allocations, checked and of the sizes used; `bufp` is the caller's promise.
    unsafe {
        let vector = libc::malloc(size_of::<FuseBufvec>()).cast::<FuseBufvec>();
        let mem = libc::malloc(size.max(1));
        if vector.is_null() || mem.is_null() {
            libc::free(vector.cast());
            libc::free(mem);
            return Errno::ENOMEM.negated();
        }
        vector.write(memory(mem, size));
        *bufp = vector;
        let count = at_most(size, read(path, mem.cast(), size, off, fi), TOO_MUCH_READ);
        let Ok(done) = size_t::try_from(count) else { return count };
        (*vector).buf[0].size = done;
        0
    }
}

/// `fuse_fs_write`: writes memory; returns the number of bytes. `write_buf` is preferred.
///
/// # Safety
/// As for [`fuse_fs_read`].
pub unsafe extern "C" fn fuse_fs_write(
    fs: *mut FuseFs,
    path: *const c_char,
    mem: *const c_char,
    size: size_t,
    off: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    let mut source = memory(mem.cast_mut().cast(), size);
    // SAFETY: the caller's promise; nothing writes to a source.
    unsafe { fuse_fs_write_buf(fs, path, &raw mut source, off, fi) }
}

/// `fuse_fs_write_buf`: writes from a vector; returns the number of bytes. Without the operation
/// the data is brought into one piece of memory for `write`.
///
/// # Safety
/// As for [`fuse_fs_read`]; `buf` is a valid vector.
pub unsafe extern "C" fn fuse_fs_write_buf(
    fs: *mut FuseFs,
    path: *const c_char,
    buf: *mut FuseBufvec,
    off: off_t,
    fi: *mut FuseFileInfo,
) -> c_int {
    guard("fuse_fs_write_buf", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let Some(fs) = (unsafe { Fs::get("fuse_fs_write_buf", fs) }) else { return INVALID };
        let _running = fs.running();
        // SAFETY: the caller's promise, for the vector and for the arguments of its own operations.
        unsafe {
            let size = fuse_buf_size(buf);
            let count = if let Some(write_buf) = fs.ops().write_buf {
                write_buf(path, buf, off, fi)
            } else if let Some(write) = fs.ops().write {
                let first = (*buf).buf[0];
                if (*buf).count == 1 && (*buf).off == 0 && first.flags & FuseBuf::IS_FD == 0 {
                    write(path, first.mem.cast(), size, off, fi)
                } else {
                    match flatten(buf, size) {
                        Ok(bytes) => write(path, bytes.as_ptr().cast(), bytes.len(), off, fi),
                        Err(error) => error,
                    }
                }
            } else {
                return Errno::ENOSYS.negated();
            };
            at_most(size, count, TOO_MUCH_WRITTEN)
        }
    })
}

/// The data of a vector, from where it stands, in one piece; or a negated errno.
///
/// # Safety
/// `buf` is a valid vector of `size` bytes.
unsafe fn flatten(buf: *mut FuseBufvec, size: size_t) -> Result<Vec<u8>, c_int> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| Errno::ENOMEM.negated())?;
    bytes.resize(size, 0);
    let mut target = memory(bytes.as_mut_ptr().cast(), size);
    // SAFETY: `target` names `bytes`; the rest is the caller's promise.
    let count = unsafe { fuse_buf_copy(&raw mut target, buf, 0) };
    bytes.truncate(usize::try_from(count).map_err(|_| count as c_int)?);
    Ok(bytes)
}
