//! Layouts of the `libfuse3.so.3` era, as in 3.14.0.
//!
//! `libfuse3.so.4` grew these structs: `fuse_file_info` from 40 to 64 bytes, `fuse_buf` from 40 to 48 and with it the
//! stride of a `fuse_bufvec`, `fuse_custom_io` from 32 to 40.
//!
//! Some releases between (3.14.1 to 3.16.2) numbered the bits of `fuse_file_info` from `flush` on one higher. The two
//! cannot be told apart at run time; 3.14.0 is what distributions shipped longest, so that numbering is followed.

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};

use ferrofuse::mount::Flavor;
use ferrofuse::session::caps::Dialect;
use ferrofuse::tree::Compat;
use ferrofuse_abi_common::bits::bit_field;
use ferrofuse_abi_common::opt::FuseOpt;
use ferrofuse_abi_common::signals::OnPipe;
use ferrofuse_abi_common::version;
use libc::{iovec, off_t, size_t, ssize_t, stat};

use super::common::bit_fields;
use super::{FuseBuf, FuseSession};

/// The libfuse release whose behaviour this library has.
pub const PKG_VERSION: &CStr = version::PKG_VERSION;

/// How mounts are made.
pub const FLAVOR: Flavor = Flavor::FUSE3;

/// Which capabilities there are.
pub const DIALECT: Dialect = Dialect::V314;

/// What the path-based API does that other releases do otherwise.
pub fn compat() -> Compat {
    Compat::default()
}

/// Bytes of `struct fuse_custom_io` that a program of API 3.0 has.
pub const CUSTOM_IO_30: size_t = size_of::<FuseCustomIo>();

/// Notes in a segment that the library has allocated its memory, so many bytes; it has no place for that in this era.
pub const fn note_allocation(_buf: &mut FuseBuf, _size: size_t) {}

/// Options of `fuse_new` that came after 3.14.
pub fn later_options() -> Vec<FuseOpt> {
    Vec::new()
}

/// Where `error` lies in the private `struct fuse_session`, in bytes from its beginning.
pub const SESSION_ERROR_AT: &[usize] = &[912];

/// What a notification goes out by.
pub type NotifyTarget = FuseSession;

/// What becomes of PIPE while signals end a session.
pub const ON_PIPE: OnPipe = OnPipe::DoNothing;

/// Whether threads that never served a request have a context, too.
pub const CONTEXT_ALWAYS: bool = false;

/// `struct fuse_file_info`: an open file, between the library and the handler.
///
/// The C bit-fields live in [`bits`](Self::bits), lowest bit first, one mask each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseFileInfo {
    /// Open flags, in `open`, `create` and `release`.
    pub flags: c_int,
    /// The bit-fields.
    pub bits: u32,
    /// Unused.
    pub padding2: u32,
    /// The file handle: set by the handler in `open`, `create` and `opendir`, handed back in everything after.
    pub fh: u64,
    /// The lock owner, in `getlk`, `setlk`, `flush`, and in `release` with [`FLOCK_RELEASE`](Self::FLOCK_RELEASE).
    pub lock_owner: u64,
    /// The `POLL*` events asked for, in `poll`.
    pub poll_events: u32,
}

impl FuseFileInfo {
    /// To the handler, in `write`: the data comes from the page cache, of a writer that may be gone.
    pub const WRITEPAGE: u32 = bit_field(0);
    /// From the handler, in `open`: no page cache for this open file.
    pub const DIRECT_IO: u32 = bit_field(1);
    /// From the handler, in `open`: what the page cache holds of this node is still right.
    pub const KEEP_CACHE: u32 = bit_field(2);
    /// To the handler: a descriptor was closed. In `release` of old kernels: flush as well.
    pub const FLUSH: u32 = bit_field(3);
    /// From the handler, in `open`: the file cannot seek.
    pub const NONSEEKABLE: u32 = bit_field(4);
    /// To the handler, in `release`: drop the `flock` locks of [`lock_owner`](Self::lock_owner).
    pub const FLOCK_RELEASE: u32 = bit_field(5);
    /// From the handler, in `opendir`: the kernel may cache the entries.
    pub const CACHE_READDIR: u32 = bit_field(6);
    /// From the handler, in `open`: no `flush` when a descriptor is closed.
    pub const NOFLUSH: u32 = bit_field(7);

    /// Whether direct writes may run in parallel: nothing says so in this era.
    pub const fn parallel_direct_writes(&self) -> bool {
        false
    }

    /// Shows whether they may.
    pub const fn set_parallel_direct_writes(&mut self, _value: bool) {}

    /// The open file that reads and writes go to: none in this era.
    pub const fn backing_id(&self) -> i32 {
        0
    }
}

bit_fields!(FuseFileInfo);

/// `struct fuse_custom_io`: the caller's own way to read and write messages. `userdata` is the session's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseCustomIo {
    /// Like `writev`; required.
    pub writev:
        Option<unsafe extern "C" fn(c_int, *mut iovec, c_int, userdata: *mut c_void) -> ssize_t>,
    /// Like `read`; required.
    pub read:
        Option<unsafe extern "C" fn(c_int, *mut c_void, size_t, userdata: *mut c_void) -> ssize_t>,
    /// Like `splice`, from the descriptor into a pipe; optional.
    pub splice_receive: Option<CustomSplice>,
    /// Like `splice`, from a pipe into the descriptor; optional.
    pub splice_send: Option<CustomSplice>,
}

impl FuseCustomIo {
    /// Makes another descriptor for the same messages: nothing does in this era.
    pub const fn clone_fd(&self) -> Option<CustomClone> {
        None
    }
}

/// Like `open`, for another descriptor of the same connection; the descriptor, or -1 with errno.
pub type CustomClone = unsafe extern "C" fn(fd: c_int) -> c_int;

/// The splicing members of [`FuseCustomIo`]: the arguments of `splice` and the session's user data.
pub type CustomSplice = unsafe extern "C" fn(
    c_int,
    *mut off_t,
    c_int,
    *mut off_t,
    size_t,
    c_uint,
    *mut c_void,
) -> ssize_t;

/// `fuse_fill_dir_t`: takes an entry from `readdir`; 1 if it took none and wants no more.
pub type FuseFillDir = unsafe extern "C" fn(
    buf: *mut c_void,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
    flags: c_uint,
) -> c_int;
