//! Buffer vectors with segments of 40 bytes: `libfuse.so.2` and `libfuse3.so.3`.

use core::ffi::{c_int, c_void};

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
