//! `fuse_reply_*`: the answers, and the directory entries they carry.
//!
//! Every reply function consumes the request, whatever it returns: 0, or the negated error of the
//! device. `-ENOENT` means that the request was interrupted and nobody took the answer. A request
//! that was already answered, and NULL, give `-EINVAL` and a message.

use std::ffi::{CStr, c_char, c_double, c_int, c_uint, c_void};
use std::io::IoSlice;
use std::slice;

use ferrofuse::session::{IoctlRange, Request, check};
use ferrofuse::wire::dirent::{self, DirEntry};
use ferrofuse::wire::reply::Timeout;
use ferrofuse::{Errno, Result, buf};
use ferrofuse_abi_common::panic::guard;
use libc::{off_t, size_t, stat};

use crate::buffer;
use crate::convert;
use crate::request::claim;
use crate::types::{FuseBufvec, FuseEntryParam, FuseFileInfo, FuseReqHandle};

/// Takes the request, answers it, and turns the outcome into the C convention.
pub fn answer(
    function: &'static str,
    req: FuseReqHandle,
    reply: impl FnOnce(Request) -> Result<()>,
) -> c_int {
    guard(function, Errno::EIO.negated(), || match claim(function, req) {
        Some(req) => {
            let req = if check::on() { checked(function, req) } else { req };
            reply(req).map_or_else(Errno::negated, |()| 0)
        }
        None => Errno::EINVAL.negated(),
    })
}

/// Apart, so that the request is in no memory that has an address.
#[cold]
fn checked(function: &'static str, req: Request) -> Request {
    if function != "fuse_reply_err" {
        check::answering(function, &req, false);
    }
    req
}

/// A struct the caller passes; NULL is reported and answers the request with `EIO`.
///
/// # Safety
/// `pointer` is NULL or points to a `T` that lives as long as the result is used.
#[inline]
pub unsafe fn required<'a, T>(
    function: &str,
    req: Request,
    pointer: *const T,
) -> Result<(Request, &'a T)> {
    // SAFETY: the caller's promise.
    match unsafe { pointer.as_ref() } {
        Some(value) => Ok((req, value)),
        None => Err(missing(function, req)),
    }
}

#[cold]
fn missing(function: &str, req: Request) -> Errno {
    log::error!("fuse: {function}: argument is NULL; answering EIO");
    // The misuse is what the caller learns of; a failure to deliver was logged.
    let _ = req.reply_error(Errno::EIO);
    Errno::EINVAL
}

/// Caller's memory as a slice; NULL or nothing is the empty one.
///
/// # Safety
/// `bytes` is NULL or has `size` bytes.
unsafe fn bytes<'a>(bytes: *const c_char, size: size_t) -> &'a [u8] {
    if bytes.is_null() || size == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(bytes.cast(), size) }
}

/// Caller's I/O vector as slices.
///
/// # Safety
/// `iov` is NULL or has `count` elements, whose memory is as long as they say.
unsafe fn slices<'a>(iov: *const libc::iovec, count: c_int) -> Vec<IoSlice<'a>> {
    let count = usize::try_from(count).unwrap_or(0);
    if iov.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise, for the vector and for each of its elements.
    unsafe {
        slice::from_raw_parts(iov, count)
            .iter()
            .map(|part| IoSlice::new(bytes(part.iov_base.cast(), part.iov_len)))
            .collect()
    }
}

/// Largest error number that the kernel takes in a reply; it refuses a reply with a larger one.
const MAX_ERRNO: c_int = 511;

/// `fuse_reply_err`: `err` is a positive errno, or 0 for success of an operation that has nothing
/// to return. What cannot be an errno is reported and becomes `ERANGE`.
pub extern "C" fn fuse_reply_err(req: FuseReqHandle, err: c_int) -> c_int {
    answer("fuse_reply_err", req, |req| {
        if check::on() {
            check::answering("fuse_reply_err", &req, err == 0);
        }
        match err {
            0 => req.reply_ok(),
            1..=MAX_ERRNO => req.reply_error(Errno::from_raw(err)),
            _ => {
                log::error!("fuse: bad error value: {}", err.wrapping_neg());
                req.reply_error(Errno::ERANGE)
            }
        }
    })
}

/// `fuse_reply_none`: ends a request that is not answered, as forget handlers must.
pub extern "C" fn fuse_reply_none(req: FuseReqHandle) {
    guard("fuse_reply_none", (), || {
        if let Some(req) = claim("fuse_reply_none", req) {
            if check::on() {
                check::answering("fuse_reply_none", &req, false);
            }
            req.finish();
        }
    });
}

/// `fuse_reply_entry`: answers lookup, mknod, mkdir, symlink and link. On success the node's lookup
/// count has grown by one; on `-ENOENT` it has not.
///
/// # Safety
/// `e` is NULL or points to an entry.
pub unsafe extern "C" fn fuse_reply_entry(req: FuseReqHandle, e: *const FuseEntryParam) -> c_int {
    answer("fuse_reply_entry", req, |req| {
        // SAFETY: the caller's promise.
        let (req, e) = unsafe { required("fuse_reply_entry", req, e) }?;
        req.reply_entry(&convert::entry(e))
    })
}

/// `fuse_reply_create`: answers create with the node and the open file.
///
/// # Safety
/// `e` and `fi` are NULL or point to their structs.
pub unsafe extern "C" fn fuse_reply_create(
    req: FuseReqHandle,
    e: *const FuseEntryParam,
    fi: *const FuseFileInfo,
) -> c_int {
    answer("fuse_reply_create", req, |req| {
        // SAFETY: the caller's promise.
        let (req, e) = unsafe { required("fuse_reply_create", req, e) }?;
        // SAFETY: as above.
        let (req, fi) = unsafe { required("fuse_reply_create", req, fi) }?;
        req.reply_create(&convert::entry(e), convert::open_reply(fi))
    })
}

/// `fuse_reply_attr`: answers getattr and setattr; `attr_timeout` is in seconds.
///
/// # Safety
/// `attr` is NULL or points to a `struct stat`.
pub unsafe extern "C" fn fuse_reply_attr(
    req: FuseReqHandle,
    attr: *const stat,
    attr_timeout: c_double,
) -> c_int {
    answer("fuse_reply_attr", req, |req| {
        // SAFETY: the caller's promise.
        let (req, attr) = unsafe { required("fuse_reply_attr", req, attr) }?;
        req.reply_attr(convert::attr(attr), Timeout::from_secs_f64(attr_timeout))
    })
}

/// `fuse_reply_readlink`: answers readlink with a NUL-terminated target.
///
/// # Safety
/// `linkname` is NULL or a C string.
pub unsafe extern "C" fn fuse_reply_readlink(req: FuseReqHandle, linkname: *const c_char) -> c_int {
    answer("fuse_reply_readlink", req, |req| {
        // SAFETY: the caller's promise; only NULL is looked for here.
        let (req, _) = unsafe { required("fuse_reply_readlink", req, linkname) }?;
        // SAFETY: not NULL, so a C string.
        req.reply_bytes(unsafe { CStr::from_ptr(linkname) }.to_bytes())
    })
}

/// `fuse_reply_open`: answers open and opendir with the handle and flags in `fi`.
///
/// # Safety
/// `fi` is NULL or points to a `fuse_file_info`.
pub unsafe extern "C" fn fuse_reply_open(req: FuseReqHandle, fi: *const FuseFileInfo) -> c_int {
    answer("fuse_reply_open", req, |req| {
        // SAFETY: the caller's promise.
        let (req, fi) = unsafe { required("fuse_reply_open", req, fi) }?;
        req.reply_open(convert::open_reply(fi))
    })
}

/// `fuse_reply_write`: answers write and copy_file_range with the number of bytes.
pub extern "C" fn fuse_reply_write(req: FuseReqHandle, count: size_t) -> c_int {
    answer("fuse_reply_write", req, |req| req.reply_written(count as u64))
}

/// `fuse_reply_buf`: answers read, readdir, getxattr and listxattr with memory, which stays the
/// caller's.
///
/// # Safety
/// `buf` has `size` bytes; it may be NULL if `size` is 0.
pub unsafe extern "C" fn fuse_reply_buf(
    req: FuseReqHandle,
    buf: *const c_char,
    size: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    answer("fuse_reply_buf", req, |req| req.reply_bytes(unsafe { bytes(buf, size) }))
}

/// `fuse_reply_iov`: the same from several pieces.
///
/// # Safety
/// `iov` has `count` elements, whose memory is as long as they say.
pub unsafe extern "C" fn fuse_reply_iov(
    req: FuseReqHandle,
    iov: *const libc::iovec,
    count: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    answer("fuse_reply_iov", req, |req| req.reply_slices(&unsafe { slices(iov, count) }))
}

/// `fuse_reply_data`: answers like `fuse_reply_buf`, from memory and file descriptors; descriptors
/// are spliced where that is allowed and pays. Nothing changes owner: the buffers are free again
/// when this returns.
///
/// # Safety
/// `bufv` is NULL or a valid vector of `count` segments.
pub unsafe extern "C" fn fuse_reply_data(
    req: FuseReqHandle,
    bufv: *mut FuseBufvec,
    flags: c_int,
) -> c_int {
    answer("fuse_reply_data", req, |req| {
        // SAFETY: the caller's promise.
        let (req, _) = unsafe { required("fuse_reply_data", req, bufv.cast_const()) }?;
        // SAFETY: not NULL, so a valid vector.
        unsafe { buffer::with_vector(bufv, |data| req.reply_vector(data, copy_flags(flags))) }
    })
}

/// `enum fuse_buf_copy_flags`; unknown bits are dropped.
pub fn copy_flags(flags: c_int) -> buf::CopyFlags {
    buf::CopyFlags::from_bits_truncate(flags.cast_unsigned())
}

/// `fuse_reply_statfs`.
///
/// # Safety
/// `stbuf` is NULL or points to a `struct statvfs`.
pub unsafe extern "C" fn fuse_reply_statfs(
    req: FuseReqHandle,
    stbuf: *const libc::statvfs,
) -> c_int {
    answer("fuse_reply_statfs", req, |req| {
        // SAFETY: the caller's promise.
        let (req, st) = unsafe { required("fuse_reply_statfs", req, stbuf) }?;
        req.reply_statfs(&convert::kstatfs(st))
    })
}

/// `fuse_reply_xattr`: answers getxattr and listxattr of size 0 with the size needed.
pub extern "C" fn fuse_reply_xattr(req: FuseReqHandle, count: size_t) -> c_int {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    answer("fuse_reply_xattr", req, |req| req.reply_xattr_size(count))
}

/// `fuse_reply_lock`: answers getlk.
///
/// # Safety
/// `lock` is NULL or points to a `struct flock`.
pub unsafe extern "C" fn fuse_reply_lock(req: FuseReqHandle, lock: *const libc::flock) -> c_int {
    answer("fuse_reply_lock", req, |req| {
        // SAFETY: the caller's promise.
        let (req, lock) = unsafe { required("fuse_reply_lock", req, lock) }?;
        req.reply_lock(&convert::file_lock(lock))
    })
}

/// `fuse_reply_bmap`.
pub extern "C" fn fuse_reply_bmap(req: FuseReqHandle, idx: u64) -> c_int {
    answer("fuse_reply_bmap", req, |req| req.reply_bmap(idx))
}

/// `fuse_reply_lseek`.
pub extern "C" fn fuse_reply_lseek(req: FuseReqHandle, off: off_t) -> c_int {
    answer("fuse_reply_lseek", req, |req| req.reply_lseek(off.cast_unsigned()))
}

/// `fuse_reply_poll`.
pub extern "C" fn fuse_reply_poll(req: FuseReqHandle, revents: c_uint) -> c_int {
    answer("fuse_reply_poll", req, |req| req.reply_poll(revents))
}

/// `fuse_reply_ioctl`: the result, and data of the agreed size.
///
/// # Safety
/// `buf` has `size` bytes; it may be NULL if `size` is 0.
pub unsafe extern "C" fn fuse_reply_ioctl(
    req: FuseReqHandle,
    result: c_int,
    buf: *const c_void,
    size: size_t,
) -> c_int {
    answer("fuse_reply_ioctl", req, |req| {
        // SAFETY: the caller's promise.
        let data = [IoSlice::new(unsafe { bytes(buf.cast(), size) })];
        req.reply_ioctl(result, &data)
    })
}

/// `fuse_reply_ioctl_iov`: the same from several pieces.
///
/// # Safety
/// `iov` has `count` elements, whose memory is as long as they say.
pub unsafe extern "C" fn fuse_reply_ioctl_iov(
    req: FuseReqHandle,
    result: c_int,
    iov: *const libc::iovec,
    count: c_int,
) -> c_int {
    answer("fuse_reply_ioctl_iov", req, |req| {
        // SAFETY: the caller's promise.
        req.reply_ioctl(result, &unsafe { slices(iov, count) })
    })
}

/// `fuse_reply_ioctl_retry`: asks for an unrestricted ioctl again, with these ranges of the calling
/// process's memory read and writable. `-E2BIG` for more than 256 together.
///
/// # Safety
/// The vectors have as many elements as the counts say; their addresses are the calling process's
/// and are not looked at.
pub unsafe extern "C" fn fuse_reply_ioctl_retry(
    req: FuseReqHandle,
    in_iov: *const libc::iovec,
    in_count: size_t,
    out_iov: *const libc::iovec,
    out_count: size_t,
) -> c_int {
    answer("fuse_reply_ioctl_retry", req, |req| {
        // SAFETY: the caller's promise.
        let (input, output) = unsafe { (ranges(in_iov, in_count), ranges(out_iov, out_count)) };
        req.reply_ioctl_retry(&input, &output)
    })
}

/// # Safety
/// `iov` is NULL or has `count` elements.
unsafe fn ranges(iov: *const libc::iovec, count: size_t) -> Vec<IoctlRange> {
    if iov.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise. More than a reply may name are not read.
    unsafe { slice::from_raw_parts(iov, count.min(257)) }
        .iter()
        .map(|part| IoctlRange { base: part.iov_base.addr() as u64, len: part.iov_len as u64 })
        .collect()
}

/// Caller's output buffer as a slice.
///
/// # Safety
/// `buf` is NULL or has `bufsize` writable bytes.
unsafe fn output<'a>(buf: *mut c_char, bufsize: size_t) -> &'a mut [u8] {
    if buf.is_null() || bufsize == 0 {
        return &mut [];
    }
    // The C side may pass memory it has not written yet, which a Rust slice must not be made of.
    // SAFETY: the caller's promise.
    unsafe {
        buf.write_bytes(0, bufsize);
        slice::from_raw_parts_mut(buf.cast(), bufsize)
    }
}

/// `fuse_add_direntry`: writes one entry of a readdir answer. Returns its size with padding; if
/// that exceeds `bufsize`, nothing was written. `off` is where the directory continues after it.
///
/// # Safety
/// `buf` has `bufsize` bytes, `name` is a C string, `stbuf` points to a `struct stat`, of which
/// inode number and type are used. `buf` may be NULL to ask for the size only.
pub unsafe extern "C" fn fuse_add_direntry(
    _req: FuseReqHandle,
    buf: *mut c_char,
    bufsize: size_t,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
) -> size_t {
    guard("fuse_add_direntry", 0, || {
        if name.is_null() {
            log::error!("fuse: fuse_add_direntry: name is NULL");
            return 0;
        }
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let size = dirent::size(name.len());
        if buf.is_null() || size > bufsize {
            return size;
        }
        // SAFETY: the caller's promise.
        let Some(stat) = (unsafe { stbuf.as_ref() }) else {
            log::error!("fuse: fuse_add_direntry: stbuf is NULL");
            return 0;
        };
        let offset = off.cast_unsigned();
        let entry = DirEntry { ino: stat.st_ino, offset, mode: stat.st_mode, name };
        // SAFETY: `size` is at most `bufsize`.
        dirent::encode(unsafe { output(buf, size) }, &entry);
        size
    })
}

/// `fuse_add_direntry_plus`: likewise for readdirplus. An entry other than `.` and `..` whose node
/// is not 0 counts as a lookup, if it is sent.
///
/// # Safety
/// As for [`fuse_add_direntry`], with `e` pointing to an entry.
pub unsafe extern "C" fn fuse_add_direntry_plus(
    _req: FuseReqHandle,
    buf: *mut c_char,
    bufsize: size_t,
    name: *const c_char,
    e: *const FuseEntryParam,
    off: off_t,
) -> size_t {
    guard("fuse_add_direntry_plus", 0, || {
        if name.is_null() {
            log::error!("fuse: fuse_add_direntry_plus: name is NULL");
            return 0;
        }
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let size = dirent::plus_size(name.len());
        if buf.is_null() || size > bufsize {
            return size;
        }
        // SAFETY: the caller's promise.
        let Some(e) = (unsafe { e.as_ref() }) else {
            log::error!("fuse: fuse_add_direntry_plus: entry is NULL");
            return 0;
        };
        let offset = off.cast_unsigned();
        let entry = DirEntry { ino: e.attr.st_ino, offset, mode: e.attr.st_mode, name };
        // SAFETY: `size` is at most `bufsize`.
        dirent::encode_plus(unsafe { output(buf, size) }, &convert::entry(e).encode(), &entry);
        size
    })
}
