//! The table of low-level callbacks of API 2.6 to 2.9.

use core::ffi::{c_char, c_int, c_uint, c_void};

use libc::{dev_t, flock, mode_t, off_t, size_t, stat};

use super::ConnInfo;
use super::{FuseBufvec, FuseFileInfo, FuseForgetData, FusePollhandle};
use super::{FuseIno as Ino, FuseReqHandle as Req};

/// A callback argument: a NUL-terminated string, valid during the call.
type Str = *const c_char;

/// A callback argument: the open file, valid during the call.
type Fi = *mut FuseFileInfo;

/// `struct fuse_lowlevel_ops`: the callbacks of a file system, each with the reply that ends it.
///
/// Every request may be ended by `fuse_reply_err` instead, from any thread, at any later time. A slot
/// that is `None` makes the library answer `ENOSYS`, but for those that say otherwise. Slots are only
/// ever added at the end: a program says how many bytes of the table it knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseLowlevelOps {
    /// Session start: `conn` may be edited until the callback returns. No request, no reply.
    pub init: Option<unsafe extern "C" fn(userdata: *mut c_void, conn: *mut ConnInfo)>,
    /// Session end. No request, no reply.
    pub destroy: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    /// A name in a directory: `fuse_reply_entry`.
    pub lookup: Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str)>,
    /// The kernel gives back `nlookup` lookups: `fuse_reply_none`.
    pub forget: Option<unsafe extern "C" fn(req: Req, ino: Ino, nlookup: u64)>,
    /// Attributes: `fuse_reply_attr`. `fi` is NULL or the open file asked about.
    pub getattr: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// Attributes named by `to_set` are set: `fuse_reply_attr`. `fi` as in `getattr`.
    pub setattr:
        Option<unsafe extern "C" fn(req: Req, ino: Ino, attr: *mut stat, to_set: c_int, fi: Fi)>,
    /// The target of a symbolic link: `fuse_reply_readlink`.
    pub readlink: Option<unsafe extern "C" fn(req: Req, ino: Ino)>,
    /// A new file, device, FIFO or socket: `fuse_reply_entry`.
    pub mknod:
        Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str, mode: mode_t, rdev: dev_t)>,
    /// A new directory: `fuse_reply_entry`.
    pub mkdir: Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str, mode: mode_t)>,
    /// A name that is no directory goes away: `fuse_reply_err`.
    pub unlink: Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str)>,
    /// A directory goes away: `fuse_reply_err`.
    pub rmdir: Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str)>,
    /// A new symbolic link with target `link`: `fuse_reply_entry`.
    pub symlink: Option<unsafe extern "C" fn(req: Req, link: Str, parent: Ino, name: Str)>,
    /// A name moves: `fuse_reply_err`.
    pub rename: Option<
        unsafe extern "C" fn(req: Req, parent: Ino, name: Str, newparent: Ino, newname: Str),
    >,
    /// A second name: `fuse_reply_entry`.
    pub link: Option<unsafe extern "C" fn(req: Req, ino: Ino, newparent: Ino, newname: Str)>,
    /// A file is opened: `fuse_reply_open`. Absent: it succeeds.
    pub open: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// Data: `fuse_reply_buf`, `fuse_reply_data` or `fuse_reply_iov`.
    pub read: Option<unsafe extern "C" fn(req: Req, ino: Ino, size: size_t, off: off_t, fi: Fi)>,
    /// Data to be written: `fuse_reply_write`. Not called if `write_buf` is there.
    pub write: Option<
        unsafe extern "C" fn(req: Req, ino: Ino, buf: Str, size: size_t, off: off_t, fi: Fi),
    >,
    /// A descriptor was closed: `fuse_reply_err`.
    pub flush: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// The last descriptor was closed: `fuse_reply_err`, whose error nobody sees.
    pub release: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// `fsync`, or `fdatasync` if `datasync`: `fuse_reply_err`.
    pub fsync: Option<unsafe extern "C" fn(req: Req, ino: Ino, datasync: c_int, fi: Fi)>,
    /// A directory is opened: `fuse_reply_open`. Absent: it succeeds.
    pub opendir: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// Entries from offset `off` on, made with `fuse_add_direntry`: `fuse_reply_buf`.
    pub readdir: Option<unsafe extern "C" fn(req: Req, ino: Ino, size: size_t, off: off_t, fi: Fi)>,
    /// The directory was closed: `fuse_reply_err`.
    pub releasedir: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi)>,
    /// `fsync` of a directory: `fuse_reply_err`.
    pub fsyncdir: Option<unsafe extern "C" fn(req: Req, ino: Ino, datasync: c_int, fi: Fi)>,
    /// Statistics of the file system: `fuse_reply_statfs`. Absent: fixed values.
    pub statfs: Option<unsafe extern "C" fn(req: Req, ino: Ino)>,
    /// An extended attribute is set: `fuse_reply_err`.
    pub setxattr: Option<
        unsafe extern "C" fn(req: Req, ino: Ino, name: Str, value: Str, size: size_t, flags: c_int),
    >,
    /// An extended attribute; with `size` 0 only its length: `fuse_reply_buf` or `fuse_reply_xattr`.
    pub getxattr: Option<unsafe extern "C" fn(req: Req, ino: Ino, name: Str, size: size_t)>,
    /// The names of the extended attributes, sized as in `getxattr`.
    pub listxattr: Option<unsafe extern "C" fn(req: Req, ino: Ino, size: size_t)>,
    /// An extended attribute goes away: `fuse_reply_err`.
    pub removexattr: Option<unsafe extern "C" fn(req: Req, ino: Ino, name: Str)>,
    /// `access(2)`: `fuse_reply_err`.
    pub access: Option<unsafe extern "C" fn(req: Req, ino: Ino, mask: c_int)>,
    /// A file is created and opened: `fuse_reply_create`. Absent: `mknod` and `open`.
    pub create:
        Option<unsafe extern "C" fn(req: Req, parent: Ino, name: Str, mode: mode_t, fi: Fi)>,
    /// Which POSIX lock is in the way: `fuse_reply_lock`.
    pub getlk: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi, lock: *mut flock)>,
    /// A POSIX lock is taken or dropped, waiting for it if `sleep`: `fuse_reply_err`.
    pub setlk:
        Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi, lock: *mut flock, sleep: c_int)>,
    /// A block of the file on its device: `fuse_reply_bmap`.
    pub bmap: Option<unsafe extern "C" fn(req: Req, ino: Ino, blocksize: size_t, idx: u64)>,
    /// `ioctl`: `fuse_reply_ioctl`, `fuse_reply_ioctl_retry`. `cmd` was an `int` before API 35.
    pub ioctl: Option<
        unsafe extern "C" fn(
            req: Req,
            ino: Ino,
            cmd: c_int,
            arg: *mut c_void,
            fi: Fi,
            flags: c_uint,
            in_buf: *const c_void,
            in_bufsz: size_t,
            out_bufsz: size_t,
        ),
    >,
    /// Which events are ready: `fuse_reply_poll`. `ph`, if not NULL, becomes the handler's.
    pub poll: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi, ph: *mut FusePollhandle)>,
    /// Data to be written, perhaps in a pipe, valid during the call: `fuse_reply_write`.
    pub write_buf:
        Option<unsafe extern "C" fn(req: Req, ino: Ino, bufv: *mut FuseBufvec, off: off_t, fi: Fi)>,
    /// What `fuse_lowlevel_notify_retrieve` asked for: `fuse_reply_none`.
    pub retrieve_reply: Option<
        unsafe extern "C" fn(
            req: Req,
            cookie: *mut c_void,
            ino: Ino,
            offset: off_t,
            bufv: *mut FuseBufvec,
        ),
    >,
    /// Many nodes are forgotten at once: `fuse_reply_none`. Absent: `forget` for each.
    pub forget_multi:
        Option<unsafe extern "C" fn(req: Req, count: size_t, forgets: *mut FuseForgetData)>,
    /// `flock(2)`: `fuse_reply_err`.
    pub flock: Option<unsafe extern "C" fn(req: Req, ino: Ino, fi: Fi, op: c_int)>,
    /// `fallocate(2)`: `fuse_reply_err`.
    pub fallocate: Option<
        unsafe extern "C" fn(req: Req, ino: Ino, mode: c_int, offset: off_t, length: off_t, fi: Fi),
    >,
}
