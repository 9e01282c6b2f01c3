//! Structs of libfuse 2.9 that libfuse 3 has otherwise, or not at all.

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

use ferrofuse_abi_common::bits::bit_field;
use ferrofuse_abi_common::signals::OnPipe;
use libc::{iovec, off_t, size_t, stat};

use super::FuseModuleFactory;
use super::common::{bit_fields, opaque};

/// What a notification goes out by.
pub type NotifyTarget = FuseChan;

/// What becomes of PIPE while signals end a session.
pub const ON_PIPE: OnPipe = OnPipe::Ignore;

/// Whether threads that never served a request have a context, too.
pub const CONTEXT_ALWAYS: bool = true;

opaque! {
    /// `struct fuse_chan`, made by `fuse_mount`, `fuse_kern_chan_new` or `fuse_chan_new`.
    FuseChan
}

/// `struct fuse_file_info`: an open file, between the library and the handler.
///
/// The C bit-fields live in [`bits`](Self::bits), lowest bit first, one mask each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseFileInfo {
    /// Open flags, in `open`, `create` and `release`.
    pub flags: c_int,
    /// The file handle as API 2.2 had it; always equal to [`fh`](Self::fh).
    pub fh_old: c_ulong,
    /// Not 0: the data written comes from the page cache, of a writer that may be gone.
    pub writepage: c_int,
    /// The bit-fields.
    pub bits: u32,
    /// The file handle: set by the handler in `open`, `create` and `opendir`, handed back after.
    pub fh: u64,
    /// The lock owner, in `getlk`, `setlk`, `flush`, and in `release` with
    /// [`FLOCK_RELEASE`](Self::FLOCK_RELEASE).
    pub lock_owner: u64,
}

impl FuseFileInfo {
    /// From the handler, in `open`: no page cache for this open file.
    pub const DIRECT_IO: u32 = bit_field(0);
    /// From the handler, in `open`: what the page cache holds of this node is still right.
    pub const KEEP_CACHE: u32 = bit_field(1);
    /// To the handler: a descriptor was closed. In `release` of old kernels: flush as well.
    pub const FLUSH: u32 = bit_field(2);
    /// From the handler, in `open`: the file cannot seek.
    pub const NONSEEKABLE: u32 = bit_field(3);
    /// To the handler, in `release`: drop the `flock` locks of the owner.
    pub const FLOCK_RELEASE: u32 = bit_field(4);
}

bit_fields!(FuseFileInfo);

/// `struct fuse_file_info` of API 2.2 to 2.4, a prefix of today's up to the bit-fields.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseFileInfoCompat {
    /// Open flags.
    pub flags: c_int,
    /// The file handle.
    pub fh: c_ulong,
    /// As in [`FuseFileInfo`].
    pub writepage: c_int,
    /// The bit-fields that there were: the first two.
    pub bits: u32,
}

impl FuseFileInfoCompat {
    /// As [`FuseFileInfo::DIRECT_IO`].
    pub const DIRECT_IO: u32 = FuseFileInfo::DIRECT_IO;
    /// As [`FuseFileInfo::KEEP_CACHE`].
    pub const KEEP_CACHE: u32 = FuseFileInfo::KEEP_CACHE;
}

/// `fuse_fill_dir_t`: takes an entry from `readdir`; 1 if it took none and wants no more.
pub type FuseFillDir = unsafe extern "C" fn(
    buf: *mut c_void,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
) -> c_int;

/// `struct fuse_conn_info`, what a file system's `init` reads and edits. Sizes in bytes,
/// capabilities as `FUSE_CAP_*` bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnInfo {
    /// Major version of the protocol (read-only).
    pub proto_major: c_uint,
    /// Minor version of the protocol (read-only).
    pub proto_minor: c_uint,
    /// Not 0: reads of one file may be sent at the same time.
    pub async_read: c_uint,
    /// Largest write request.
    pub max_write: c_uint,
    /// Largest readahead.
    pub max_readahead: c_uint,
    /// Capabilities the kernel offers (read-only).
    pub capable: c_uint,
    /// Capabilities the file system wants.
    pub want: c_uint,
    /// Most background requests the kernel may have pending; 0 leaves its default.
    pub max_background: c_uint,
    /// Pending background requests from which the kernel reports congestion; 0: three quarters of
    /// `max_background`.
    pub congestion_threshold: c_uint,
    /// Not for file systems. The library keeps what the user asked for in some of it, see `conn`.
    pub reserved: [c_uint; 23],
}

/// `struct fuse_session_ops`: a program's own session (`fuse_session_new`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseSessionOps {
    /// Serves a request; required.
    pub process: Option<
        unsafe extern "C" fn(data: *mut c_void, buf: *const c_char, len: size_t, ch: *mut FuseChan),
    >,
    /// Is told that the session was asked to end (1), or shall go on (0).
    pub exit: Option<unsafe extern "C" fn(data: *mut c_void, val: c_int)>,
    /// Whether the session has ended.
    pub exited: Option<unsafe extern "C" fn(data: *mut c_void) -> c_int>,
    /// The session is freed.
    pub destroy: Option<unsafe extern "C" fn(data: *mut c_void)>,
}

/// `struct fuse_chan_ops`: a program's own channel (`fuse_chan_new`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseChanOps {
    /// Reads a request, and may say that it came from another channel: its length, 0 at the end, or
    /// a negative errno.
    pub receive: Option<
        unsafe extern "C" fn(chp: *mut *mut FuseChan, buf: *mut c_char, size: size_t) -> c_int,
    >,
    /// Writes a message: 0 or a negative errno. A NULL vector asks for no more than to be heard.
    pub send:
        Option<unsafe extern "C" fn(ch: *mut FuseChan, iov: *const iovec, count: size_t) -> c_int>,
    /// The channel is freed.
    pub destroy: Option<unsafe extern "C" fn(ch: *mut FuseChan)>,
}

/// `struct fuse_chan_ops` of API 2.4 and 2.5.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseChanOpsCompat24 {
    /// As in [`FuseChanOps`], of this channel only.
    pub receive:
        Option<unsafe extern "C" fn(ch: *mut FuseChan, buf: *mut c_char, size: size_t) -> c_int>,
    /// As in [`FuseChanOps`].
    pub send:
        Option<unsafe extern "C" fn(ch: *mut FuseChan, iov: *const iovec, count: size_t) -> c_int>,
    /// As in [`FuseChanOps`].
    pub destroy: Option<unsafe extern "C" fn(ch: *mut FuseChan)>,
}

/// `struct fuse_cmd`: a request that `fuse_read_cmd` hands out, from `malloc` with its memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuseCmd {
    /// The request.
    pub buf: *mut c_char,
    /// Its length in bytes.
    pub buflen: size_t,
    /// Where it came from.
    pub ch: *mut FuseChan,
}

const _: () = assert!(size_of::<FuseCmd>() == 24 && core::mem::offset_of!(FuseCmd, ch) == 16);

/// `struct fuse_module`, as `fuse_register_module` gets it.
#[repr(C)]
#[derive(Debug)]
pub struct FuseModule {
    /// What `-o modules=` calls it.
    pub name: *const c_char,
    /// Makes its file system.
    pub factory: Option<FuseModuleFactory>,
    /// The library's.
    pub next: *mut FuseModule,
    /// The library's.
    pub so: *mut c_void,
    /// The library's.
    pub ctr: c_int,
}
