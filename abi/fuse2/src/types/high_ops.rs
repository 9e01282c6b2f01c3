//! The table of path-based callbacks of API 2.6 to 2.9.

use core::ffi::{c_char, c_int, c_uint, c_void};

use ferrofuse_abi_common::bits::bit_field;
use libc::{
    dev_t, flock, gid_t, ino_t, mode_t, off_t, size_t, stat, statvfs, timespec, uid_t, utimbuf,
};

use super::{ConnInfo, FuseBufvec, FuseFileInfo, FuseFillDir, FusePollhandle};

/// A callback argument: a path, or NULL for an open file that has none; valid during the call.
type Path = *const c_char;

/// A callback argument: a NUL-terminated string, valid during the call.
type Str = *const c_char;

/// A callback argument: the open file, valid during the call.
type Fi = *mut FuseFileInfo;

/// `fuse_dirfil_t`: takes an entry from `getdir`; `kind` is the `DT_*` value or 0.
pub type FuseDirFil = unsafe extern "C" fn(
    handle: *mut c_void,
    name: *const c_char,
    kind: c_int,
    ino: ino_t,
) -> c_int;

/// `struct fuse_operations`: the callbacks of a path-based file system.
///
/// They return 0 or what is asked for, or a negated errno. Slots are only ever added at the end: a
/// program says how many bytes of the table it knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseOperations {
    /// Attributes.
    pub getattr: Option<unsafe extern "C" fn(path: Path, stbuf: *mut stat) -> c_int>,
    /// The target of a symbolic link, NUL-terminated and cut to `size`.
    pub readlink: Option<unsafe extern "C" fn(path: Path, buf: *mut c_char, size: size_t) -> c_int>,
    /// The entries of a directory, as API 2.2 had it; `readdir` is preferred.
    pub getdir:
        Option<unsafe extern "C" fn(path: Path, handle: *mut c_void, filler: FuseDirFil) -> c_int>,
    /// A new file, device, FIFO or socket.
    pub mknod: Option<unsafe extern "C" fn(path: Path, mode: mode_t, rdev: dev_t) -> c_int>,
    /// A new directory.
    pub mkdir: Option<unsafe extern "C" fn(path: Path, mode: mode_t) -> c_int>,
    /// A name that is no directory goes away.
    pub unlink: Option<unsafe extern "C" fn(path: Path) -> c_int>,
    /// A directory goes away.
    pub rmdir: Option<unsafe extern "C" fn(path: Path) -> c_int>,
    /// A new symbolic link; the first argument is its target.
    pub symlink: Option<unsafe extern "C" fn(target: Str, path: Path) -> c_int>,
    /// A name moves.
    pub rename: Option<unsafe extern "C" fn(from: Path, to: Path) -> c_int>,
    /// A new name for a file.
    pub link: Option<unsafe extern "C" fn(from: Path, to: Path) -> c_int>,
    /// Permissions are set.
    pub chmod: Option<unsafe extern "C" fn(path: Path, mode: mode_t) -> c_int>,
    /// Owner and group are set, but for those that are -1.
    pub chown: Option<unsafe extern "C" fn(path: Path, uid: uid_t, gid: gid_t) -> c_int>,
    /// The size is set.
    pub truncate: Option<unsafe extern "C" fn(path: Path, size: off_t) -> c_int>,
    /// Time stamps are set; `utimens` is preferred.
    pub utime: Option<unsafe extern "C" fn(path: Path, times: *mut utimbuf) -> c_int>,
    /// A file is opened. Absent: it succeeds.
    pub open: Option<unsafe extern "C" fn(path: Path, fi: Fi) -> c_int>,
    /// Reads; returns the number of bytes.
    pub read: Option<
        unsafe extern "C" fn(
            path: Path,
            buf: *mut c_char,
            size: size_t,
            off: off_t,
            fi: Fi,
        ) -> c_int,
    >,
    /// Writes; returns the number of bytes.
    pub write: Option<
        unsafe extern "C" fn(path: Path, buf: Str, size: size_t, off: off_t, fi: Fi) -> c_int,
    >,
    /// Statistics of the file system. Absent: fixed values.
    pub statfs: Option<unsafe extern "C" fn(path: Path, stbuf: *mut statvfs) -> c_int>,
    /// A descriptor is closed.
    pub flush: Option<unsafe extern "C" fn(path: Path, fi: Fi) -> c_int>,
    /// The last descriptor was closed. The result does not matter.
    pub release: Option<unsafe extern "C" fn(path: Path, fi: Fi) -> c_int>,
    /// `fsync`, or `fdatasync` if `datasync`.
    pub fsync: Option<unsafe extern "C" fn(path: Path, datasync: c_int, fi: Fi) -> c_int>,
    /// An extended attribute is set.
    pub setxattr: Option<
        unsafe extern "C" fn(
            path: Path,
            name: Str,
            value: Str,
            size: size_t,
            flags: c_int,
        ) -> c_int,
    >,
    /// An extended attribute; with `size` 0 only its length. Returns the length.
    pub getxattr: Option<
        unsafe extern "C" fn(path: Path, name: Str, value: *mut c_char, size: size_t) -> c_int,
    >,
    /// The names of the extended attributes, sized as in `getxattr`.
    pub listxattr:
        Option<unsafe extern "C" fn(path: Path, list: *mut c_char, size: size_t) -> c_int>,
    /// An extended attribute goes away.
    pub removexattr: Option<unsafe extern "C" fn(path: Path, name: Str) -> c_int>,
    /// A directory is opened. Absent: it succeeds.
    pub opendir: Option<unsafe extern "C" fn(path: Path, fi: Fi) -> c_int>,
    /// Gives entries to `filler`, with `buf` as its first argument.
    pub readdir: Option<
        unsafe extern "C" fn(
            path: Path,
            buf: *mut c_void,
            filler: FuseFillDir,
            off: off_t,
            fi: Fi,
        ) -> c_int,
    >,
    /// The directory was closed. The result does not matter.
    pub releasedir: Option<unsafe extern "C" fn(path: Path, fi: Fi) -> c_int>,
    /// `fsync` of a directory.
    pub fsyncdir: Option<unsafe extern "C" fn(path: Path, datasync: c_int, fi: Fi) -> c_int>,
    /// Session start; the result becomes the private data.
    pub init: Option<unsafe extern "C" fn(conn: *mut ConnInfo) -> *mut c_void>,
    /// Session end.
    pub destroy: Option<unsafe extern "C" fn(private_data: *mut c_void)>,
    /// `access(2)`.
    pub access: Option<unsafe extern "C" fn(path: Path, mask: c_int) -> c_int>,
    /// A file is created and opened. Absent: `mknod` and `open`.
    pub create: Option<unsafe extern "C" fn(path: Path, mode: mode_t, fi: Fi) -> c_int>,
    /// The size of an open file is set. Absent: `truncate`.
    pub ftruncate: Option<unsafe extern "C" fn(path: Path, size: off_t, fi: Fi) -> c_int>,
    /// Attributes of an open file. Absent: `getattr`.
    pub fgetattr: Option<unsafe extern "C" fn(path: Path, stbuf: *mut stat, fi: Fi) -> c_int>,
    /// A POSIX lock is tested, taken or dropped: `F_GETLK`, `F_SETLK`, `F_SETLKW`.
    pub lock:
        Option<unsafe extern "C" fn(path: Path, fi: Fi, cmd: c_int, lock: *mut flock) -> c_int>,
    /// Time stamps are set, as by `utimensat(2)`.
    pub utimens: Option<unsafe extern "C" fn(path: Path, tv: *const timespec) -> c_int>,
    /// A block of the file on its device.
    pub bmap: Option<unsafe extern "C" fn(path: Path, blocksize: size_t, idx: *mut u64) -> c_int>,
    /// The bit-fields, lowest bit first, one mask each.
    pub bits: u32,
    /// `ioctl`; `data` goes in and comes out.
    pub ioctl: Option<
        unsafe extern "C" fn(
            path: Path,
            cmd: c_int,
            arg: *mut c_void,
            fi: Fi,
            flags: c_uint,
            data: *mut c_void,
        ) -> c_int,
    >,
    /// Which events are ready. `ph`, if not NULL, becomes the handler's.
    pub poll: Option<
        unsafe extern "C" fn(
            path: Path,
            fi: Fi,
            ph: *mut FusePollhandle,
            reventsp: *mut c_uint,
        ) -> c_int,
    >,
    /// Writes data that may be in a pipe; returns the number of bytes.
    pub write_buf:
        Option<unsafe extern "C" fn(path: Path, buf: *mut FuseBufvec, off: off_t, fi: Fi) -> c_int>,
    /// Reads into a vector that the handler allocates with `malloc`, as its memory.
    pub read_buf: Option<
        unsafe extern "C" fn(
            path: Path,
            bufp: *mut *mut FuseBufvec,
            size: size_t,
            off: off_t,
            fi: Fi,
        ) -> c_int,
    >,
    /// `flock(2)`.
    pub flock: Option<unsafe extern "C" fn(path: Path, fi: Fi, op: c_int) -> c_int>,
    /// `fallocate(2)`.
    pub fallocate: Option<
        unsafe extern "C" fn(
            path: Path,
            mode: c_int,
            offset: off_t,
            length: off_t,
            fi: Fi,
        ) -> c_int,
    >,
}

impl FuseOperations {
    /// Operations on an open file that was deleted may come without a path.
    pub const FLAG_NULLPATH_OK: u32 = bit_field(0);
    /// Operations on open files need no path at all.
    pub const FLAG_NOPATH: u32 = bit_field(1);
    /// `utimens` knows `UTIME_NOW` and `UTIME_OMIT`.
    pub const FLAG_UTIME_OMIT_OK: u32 = bit_field(2);

    /// Bits without a meaning.
    pub const FLAG_RESERVED: u32 =
        !(Self::FLAG_NULLPATH_OK | Self::FLAG_NOPATH | Self::FLAG_UTIME_OMIT_OK);

    /// Whether the bit of `mask` is set.
    #[must_use]
    pub const fn has(&self, mask: u32) -> bool {
        self.bits & mask == mask
    }
}
