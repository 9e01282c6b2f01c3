//! Layouts of the `libfuse3.so.4` era: 3.17 to 3.19.

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::mem::offset_of;

use ferrofuse::mount::Flavor;
use ferrofuse::session::caps::Dialect;
use ferrofuse::tree::Compat;
use ferrofuse::wire::layout::Statx;
use ferrofuse_abi_common::bits::bit_field;
use ferrofuse_abi_common::opt::FuseOpt;
use ferrofuse_abi_common::signals::OnPipe;
use libc::{iovec, off_t, size_t, ssize_t, stat};

use super::common::bit_fields;
use super::{FuseBuf, FuseConfig, FuseSession};

/// The libfuse release whose behaviour this library has.
pub const PKG_VERSION: &CStr = c"3.19.0";

/// How mounts are made.
pub const FLAVOR: Flavor = Flavor::FUSE3_19;

/// Which capabilities there are.
pub const DIALECT: Dialect = Dialect::V319;

/// What the path-based API does that other releases do otherwise.
pub fn compat() -> Compat {
    Compat { opendir_caching: true, interrupts_if_asked: true, ..Compat::default() }
}

/// Bytes of `struct fuse_custom_io` that a program of API 3.0 to 3.16 has.
pub const CUSTOM_IO_30: size_t = offset_of!(FuseCustomIo, clone_fd);

/// Notes in a segment that the library has allocated its memory, so many bytes.
pub const fn note_allocation(buf: &mut FuseBuf, size: size_t) {
    buf.mem_size = size;
}

/// Options of `fuse_new` that came after 3.14.
pub fn later_options() -> Vec<FuseOpt> {
    vec![
        FuseOpt::store(c"fmask=", offset_of!(FuseConfig, set_mode), 1),
        FuseOpt::store(c"fmask=%o", offset_of!(FuseConfig, fmask), 0),
        FuseOpt::store(c"dmask=", offset_of!(FuseConfig, set_mode), 1),
        FuseOpt::store(c"dmask=%o", offset_of!(FuseConfig, dmask), 0),
        FuseOpt::store(
            c"parallel_direct_write=%d",
            offset_of!(FuseConfig, parallel_direct_writes),
            0,
        ),
    ]
}

/// Where `error` lies in the private `struct fuse_session` of 3.17, 3.18 and 3.19, in bytes from its beginning.
pub const SESSION_ERROR_AT: &[usize] = &[920, 928, 1000];

/// What a notification goes out by.
pub type NotifyTarget = FuseSession;

/// What becomes of PIPE while signals end a session.
pub const ON_PIPE: OnPipe = OnPipe::DoNothing;

/// Whether threads that never served a request have a context, too.
pub const CONTEXT_ALWAYS: bool = false;

/// `struct libfuse_version`: the release whose headers a program was compiled with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LibfuseVersion {
    /// 3.
    pub major: u32,
    /// 17 and up.
    pub minor: u32,
    /// The third number.
    pub hotfix: u32,
    /// Unused.
    pub padding: u32,
}

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
    /// Unused.
    pub padding3: u32,
    /// The file handle: set by the handler in `open`, `create` and `opendir`, handed back in everything after.
    pub fh: u64,
    /// The lock owner, in `getlk`, `setlk`, `flock`, and in `release` with [`FLOCK_RELEASE`](Self::FLOCK_RELEASE).
    pub lock_owner: u64,
    /// The `POLL*` events asked for, in `poll`.
    pub poll_events: u32,
    /// From the handler, in `open` and `create`: the open file that reads and writes go to, from
    /// `fuse_passthrough_open`; 0 for none.
    pub backing_id: i32,
    /// Unused.
    pub compat_flags: u64,
    /// Unused.
    pub reserved: [u64; 2],
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
    /// From the handler, in `open`: direct writes may run in parallel.
    pub const PARALLEL_DIRECT_WRITES: u32 = bit_field(8);

    /// Whether direct writes may run in parallel.
    pub const fn parallel_direct_writes(&self) -> bool {
        self.has(FuseFileInfo::PARALLEL_DIRECT_WRITES)
    }

    /// Shows whether they may.
    pub const fn set_parallel_direct_writes(&mut self, value: bool) {
        self.set(FuseFileInfo::PARALLEL_DIRECT_WRITES, value);
    }

    /// The open file that reads and writes go to; 0 for none.
    pub const fn backing_id(&self) -> i32 {
        self.backing_id
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
    /// Another descriptor for the same connection, for workers with one each; optional.
    pub clone_fd: Option<CustomClone>,
}

impl FuseCustomIo {
    /// Makes another descriptor for the same messages.
    pub const fn clone_fd(&self) -> Option<CustomClone> {
        self.clone_fd
    }
}

/// Opens another descriptor of the same connection; the descriptor, or -1 with errno.
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

// The protocol's statx is the C library's.
const _: () = {
    assert!(size_of::<Statx>() == size_of::<libc::statx>());
    assert!(offset_of!(Statx, mask) == offset_of!(libc::statx, stx_mask));
    assert!(offset_of!(Statx, mode) == offset_of!(libc::statx, stx_mode));
    assert!(offset_of!(Statx, size) == offset_of!(libc::statx, stx_size));
    assert!(offset_of!(Statx, attributes_mask) == offset_of!(libc::statx, stx_attributes_mask));
    assert!(offset_of!(Statx, mtime) == offset_of!(libc::statx, stx_mtime));
    assert!(offset_of!(Statx, dev_minor) == offset_of!(libc::statx, stx_dev_minor));
};
