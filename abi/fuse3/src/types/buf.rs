//! Buffer vectors with segments of 40 bytes: `libfuse.so.2` and `libfuse3.so.3`.

use core::ffi::{c_int, c_void};
use core::slice;

use ferrofuse::buf::{Segment, Vector};
use libc::{off_t, size_t};

/// `struct fuse_buf`: one segment of data, memory or a file descriptor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuseBuf {
    /// Bytes in the segment.
    pub size: size_t,
    /// `enum fuse_buf_flags`, the bits of [`SegmentFlags`](ferrofuse::buf::SegmentFlags).
    pub flags: c_int,
    /// The memory, unless `IS_FD`.
    pub mem: *mut c_void,
    /// The descriptor, if `IS_FD`.
    pub fd: c_int,
    /// Where in the file the segment starts, if `FD_SEEK`.
    pub pos: off_t,
}

impl FuseBuf {
    /// The data is in `fd`, not in `mem`.
    pub const IS_FD: c_int = 1 << 1;

    /// Memory of the caller's.
    pub const fn memory(mem: *mut c_void, size: size_t) -> FuseBuf {
        FuseBuf { size, flags: 0, mem, fd: -1, pos: 0 }
    }

    /// A segment of the engine's.
    pub const fn of(segment: &Segment) -> FuseBuf {
        FuseBuf {
            size: segment.size,
            flags: segment.flags.bits().cast_signed(),
            mem: segment.mem.cast(),
            fd: segment.fd,
            pos: segment.pos,
        }
    }
}

/// `struct fuse_bufvec`: segments, and a position within them.
///
/// In C `buf` is an array that is as long as `count` says, so the Rust struct is only the head of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuseBufvec {
    /// Number of segments.
    pub count: size_t,
    /// The current segment.
    pub idx: size_t,
    /// Bytes of the current segment that are used up.
    pub off: size_t,
    /// The first of `count` segments.
    pub buf: [FuseBuf; 1],
}

// In this era a segment has the engine's own layout, so vectors are borrowed as they are.
const _: () = assert!(
    size_of::<FuseBuf>() == size_of::<Segment>() && align_of::<FuseBuf>() == align_of::<Segment>()
);

/// A C vector as one of the engine's, with the cursor at `off` in segment `idx`.
///
/// # Safety
/// `bufv` points to a vector of `count` segments, whose memory segments have as many bytes as they say,
/// valid for as long as the result is used.
pub unsafe fn vector<'a>(bufv: *const FuseBufvec, idx: size_t, off: size_t) -> Vector<'a> {
    // SAFETY: the caller's promise; the array begins at `buf` and is as long as `count` says.
    unsafe {
        let first = (&raw const (*bufv).buf).cast::<Segment>();
        Vector::from_raw(slice::from_raw_parts(first, (*bufv).count), idx, off)
    }
}
