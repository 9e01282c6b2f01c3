//! `struct fuse_conn_info` of libfuse 3.

use std::mem::{offset_of, size_of};

/// `FUSE_CAP_ASYNC_READ`
pub const CAP_ASYNC_READ: u32 = 1 << 0;
/// `FUSE_CAP_POSIX_LOCKS`
pub const CAP_POSIX_LOCKS: u32 = 1 << 1;
/// `FUSE_CAP_SPLICE_WRITE`
pub const CAP_SPLICE_WRITE: u32 = 1 << 7;
/// `FUSE_CAP_SPLICE_MOVE`
pub const CAP_SPLICE_MOVE: u32 = 1 << 8;
/// `FUSE_CAP_SPLICE_READ`
pub const CAP_SPLICE_READ: u32 = 1 << 9;
/// `FUSE_CAP_FLOCK_LOCKS`
pub const CAP_FLOCK_LOCKS: u32 = 1 << 10;
/// `FUSE_CAP_AUTO_INVAL_DATA`
pub const CAP_AUTO_INVAL_DATA: u32 = 1 << 12;
/// `FUSE_CAP_READDIRPLUS`
pub const CAP_READDIRPLUS: u32 = 1 << 13;
/// `FUSE_CAP_READDIRPLUS_AUTO`
pub const CAP_READDIRPLUS_AUTO: u32 = 1 << 14;
/// `FUSE_CAP_ASYNC_DIO`
pub const CAP_ASYNC_DIO: u32 = 1 << 15;
/// `FUSE_CAP_WRITEBACK_CACHE`
pub const CAP_WRITEBACK_CACHE: u32 = 1 << 16;

/// `struct fuse_conn_info` as libfuse 3.0 to 3.16 lay it out (128 bytes), what a filesystem's
/// `init` reads and edits. Sizes in bytes, capabilities as `FUSE_CAP_*` bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnInfo {
    /// Major version of the protocol (read-only).
    pub proto_major: u32,
    /// Minor version of the protocol (read-only).
    pub proto_minor: u32,
    /// Largest write request.
    pub max_write: u32,
    /// Largest read request; must repeat the mount option `max_read=`.
    pub max_read: u32,
    /// Largest readahead.
    pub max_readahead: u32,
    /// Capabilities the kernel offers (read-only).
    pub capable: u32,
    /// Capabilities the filesystem wants.
    pub want: u32,
    /// Most background requests the kernel may have pending; 0 leaves its default.
    pub max_background: u32,
    /// Pending background requests from which the kernel reports congestion; 0: three quarters of
    /// `max_background`.
    pub congestion_threshold: u32,
    /// Granularity of time stamps in nanoseconds.
    pub time_gran: u32,
    /// Not for filesystems. The last word is this library's own, see [`ConnInfo::refused`].
    pub reserved: [u32; 22],
}

const _: () = assert!(size_of::<ConnInfo>() == 128);
const _: () = assert!(offset_of!(ConnInfo, want) == 24 && offset_of!(ConnInfo, reserved) == 40);

/// The reserved word that holds the refused capabilities. No release up to 3.19 gave bytes 124 to
/// 127 a meaning.
const REFUSED_WORD: usize = 21;

impl ConnInfo {
    /// Capabilities (`FUSE_CAP_SPLICE_*`) the user refused by name, e.g. with `-o no_splice_read`.
    ///
    /// `want` can't tell a refusal from a filesystem that never asked; a session that would use
    /// splicing on its own initiative has to leave these alone.
    pub fn refused(&self) -> u32 {
        self.reserved[REFUSED_WORD]
    }

    /// Takes `capabilities` out of what is wanted.
    pub fn unwant(&mut self, capabilities: u32) {
        self.want &= !capabilities;
    }

    /// Adds `capabilities` to those refused by name.
    pub fn refuse(&mut self, capabilities: u32) {
        self.reserved[REFUSED_WORD] |= capabilities;
    }
}
