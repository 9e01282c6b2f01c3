//! The kernel protocol: pure and safe, no I/O.
//!
//! [`request`] turns any bytes into a request or a [`request::Malformed`]; [`reply`] and
//! [`dirent`] turn values into the bytes of a reply. Nothing here knows a session.
#![forbid(unsafe_code)]

pub mod dirent;
pub mod extension;
pub mod flags;
pub mod layout;
pub mod opcode;
pub mod reply;
pub mod request;

pub use opcode::{NotifyCode, Opcode};

/// Major protocol version; the kernel has spoken 7 since 2.6.14.
pub const MAJOR: u32 = 7;
/// Newest minor version known here.
pub const MINOR: u32 = 45;
/// Node number of the mount's root directory.
pub const ROOT_NODE: u64 = 1;
/// Bytes of `fuse_in_header`.
pub const IN_HEADER_SIZE: usize = size_of::<layout::InHeader>();
/// Bytes of `fuse_out_header`.
pub const OUT_HEADER_SIZE: usize = size_of::<layout::OutHeader>();
/// The kernel refuses a read(2) into a smaller buffer, whatever the limits negotiated.
pub const MIN_READ_BUFFER: usize = 8192;
/// Room that a read buffer must have besides the data of a WRITE request.
pub const HEADER_ROOM: usize = 4096;

/// What has been negotiated and changes how messages are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The common minor version.
    pub minor: u32,
    /// SETXATTR carries its extended head (`FUSE_SETXATTR_EXT` was answered).
    pub setxattr_ext: bool,
}

impl Default for Protocol {
    fn default() -> Protocol {
        Protocol { minor: MINOR, setxattr_ext: false }
    }
}
