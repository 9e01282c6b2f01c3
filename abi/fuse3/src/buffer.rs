//! `fuse_buf_*`: buffer vectors.

use std::ffi::c_int;
use std::mem::offset_of;

use ferrofuse::Errno;
use ferrofuse::buf::{self, Vector};
use ferrofuse_abi_common::panic::guard;
use libc::{size_t, ssize_t};

use crate::reply::copy_flags;
use crate::types::{self, FuseBuf, FuseBufvec};

/// A C vector, from where it stands.
///
/// # Safety
/// `bufv` points to a valid vector, whose memory segments have as many bytes as they say, for as
/// long as the result is used.
pub unsafe fn vector<'a>(bufv: *const FuseBufvec) -> Vector<'a> {
    // SAFETY: the caller's promise.
    unsafe { types::vector(bufv, (*bufv).idx, (*bufv).off) }
}

/// Lends a C vector, from where it stands, to `use_it`.
///
/// # Safety
/// `bufv` points to a valid vector, whose memory segments have as many bytes as they say.
pub unsafe fn with_vector<T>(bufv: *mut FuseBufvec, use_it: impl FnOnce(Vector<'_>) -> T) -> T {
    // SAFETY: the caller's promise.
    use_it(unsafe { vector(bufv) })
}

/// Lends a vector of the engine's to C, which may move its cursor, while `use_it` runs.
pub fn lend<T>(data: &Vector<'_>, use_it: impl FnOnce(*mut FuseBufvec) -> T) -> T {
    /// The count and the cursor, which stand before the segments.
    const HEAD: usize = offset_of!(FuseBufvec, buf) / size_of::<usize>();
    const SEGMENT: usize = size_of::<FuseBuf>() / size_of::<usize>();
    // A struct of C that ends in an array: words have its alignment. Requests have one segment.
    let count = data.segments().len();
    let mut words = smallvec::SmallVec::<[usize; HEAD + SEGMENT]>::new();
    words.resize(HEAD + count * SEGMENT, 0);
    let bufv = words.as_mut_ptr().cast::<FuseBufvec>();
    // SAFETY: there is room for the head and `count` segments.
    unsafe {
        ((*bufv).count, (*bufv).idx, (*bufv).off) = (count, data.idx(), data.off());
        let first = (&raw mut (*bufv).buf).cast::<FuseBuf>();
        for (at, segment) in data.segments().iter().enumerate() {
            first.add(at).write(FuseBuf::of(segment));
        }
    }
    use_it(bufv)
}

/// `fuse_buf_size`: all bytes of the vector, `SIZE_MAX` if that is the size of one segment.
///
/// # Safety
/// `bufv` is NULL or points to a valid vector.
pub unsafe extern "C" fn fuse_buf_size(bufv: *const FuseBufvec) -> size_t {
    if bufv.is_null() {
        log::error!("fuse: fuse_buf_size: vector is NULL");
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { types::vector(bufv, 0, 0) }.size()
}

/// `fuse_buf_copy`: moves data from `srcv` to `dstv`, from where they stand, and advances both.
/// Returns the number of bytes, short at the end of a source, or a negative errno if none were
/// moved.
///
/// # Safety
/// Both are NULL or point to valid vectors, whose memory segments have as many bytes as they say.
pub unsafe extern "C" fn fuse_buf_copy(
    dstv: *mut FuseBufvec,
    srcv: *mut FuseBufvec,
    flags: c_int,
) -> ssize_t {
    guard("fuse_buf_copy", Errno::EIO.negated() as ssize_t, || {
        if dstv.is_null() || srcv.is_null() {
            log::error!("fuse: fuse_buf_copy: vector is NULL");
            return Errno::EINVAL.negated() as ssize_t;
        }
        if dstv == srcv {
            // SAFETY: the caller's promise.
            return unsafe { fuse_buf_size(dstv) } as ssize_t;
        }
        // SAFETY: the caller's promise.
        let (mut dst, mut src) = unsafe {
            (
                types::vector(dstv, (*dstv).idx, (*dstv).off),
                types::vector(srcv, (*srcv).idx, (*srcv).off),
            )
        };
        let result = buf::copy(&mut dst, &mut src, copy_flags(flags));
        let (dst_at, src_at) = ((dst.idx(), dst.off()), (src.idx(), src.off()));
        // SAFETY: the caller's promise; nothing borrows the heads of the vectors any more.
        unsafe {
            ((*dstv).idx, (*dstv).off) = dst_at;
            ((*srcv).idx, (*srcv).off) = src_at;
        }
        result.map_or_else(|error| error.negated() as ssize_t, |count| count as ssize_t)
    })
}

#[cfg(test)]
mod tests {
    use ferrofuse::buf::Segment;

    use super::*;

    #[test]
    fn a_lent_vector_is_the_same_to_c() {
        let bytes = *b"some bytes";
        let mut many = [Segment::memory(bytes.as_ptr().cast_mut(), 4); 3];
        many[2].size = 10;
        // SAFETY: the segments name `bytes`, which is not changed.
        let data = unsafe { Vector::from_raw(&many, 1, 2) };
        lend(&data, |bufv| {
            // SAFETY: the vector was made of valid segments.
            let again = unsafe { vector(bufv) };
            assert_eq!((again.idx(), again.off(), again.size()), (1, 2, 18));
            assert_eq!(again.remaining(), 12);
        });
    }
}
