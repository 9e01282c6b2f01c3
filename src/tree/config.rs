//! How a tree behaves: the options of libfuse's high-level API.

use crate::errno::Errno;

/// Options of a tree. The fields are those of libfuse's `fuse_config`; the filesystem's init may
/// edit them, after which they are fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeConfig {
    /// Report this group for everything.
    pub set_gid: Option<u32>,
    /// Report this user for everything.
    pub set_uid: Option<u32>,
    /// Report permissions from the masks below, whatever the filesystem says.
    pub set_mode: bool,
    /// With `set_mode`: permission bits taken away.
    pub umask: u32,
    /// With `set_mode`, if not 0: instead of `umask`, for what is no directory.
    pub fmask: u32,
    /// With `set_mode`, if not 0: instead of `umask`, for directories.
    pub dmask: u32,
    /// Seconds for which names may be cached.
    pub entry_timeout: f64,
    /// Seconds for which it may be cached that a name does not exist; 0: not at all.
    pub negative_timeout: f64,
    /// Seconds for which attributes may be cached.
    pub attr_timeout: f64,
    /// Interrupt operations by a signal to their thread.
    pub intr: bool,
    /// That signal.
    pub intr_signal: i32,
    /// Seconds for which nodes the kernel forgot are kept; -1: for ever; 0: not at all.
    pub remember: i32,
    /// Remove open files at once instead of hiding them.
    pub hard_remove: bool,
    /// Report the filesystem's own inode numbers.
    pub use_ino: bool,
    /// Look up inode numbers for readdir in the tree.
    pub readdir_ino: bool,
    /// Open every file for direct I/O.
    pub direct_io: bool,
    /// Keep cached data of every file over opens.
    pub kernel_cache: bool,
    /// Keep cached data over opens while modification time and size stay.
    pub auto_cache: bool,
    /// Don't flush files opened for reading only.
    pub no_rofd_flush: bool,
    /// `auto_cache`: seconds after which attributes are asked for again; `None`: `attr_timeout`.
    pub ac_attr_timeout: Option<f64>,
    /// The filesystem needs no paths where it has an open file.
    pub nullpath_ok: bool,
    /// Let direct writes to one file run in parallel.
    pub parallel_direct_writes: bool,
    /// Log what becomes of nodes and names.
    pub debug: bool,
}

impl Default for TreeConfig {
    fn default() -> TreeConfig {
        TreeConfig {
            set_gid: None,
            set_uid: None,
            set_mode: false,
            umask: 0,
            fmask: 0,
            dmask: 0,
            entry_timeout: 1.0,
            negative_timeout: 0.0,
            attr_timeout: 1.0,
            intr: false,
            intr_signal: libc::SIGUSR1,
            remember: 0,
            hard_remove: false,
            use_ino: false,
            readdir_ino: false,
            direct_io: false,
            kernel_cache: false,
            auto_cache: false,
            no_rofd_flush: false,
            ac_attr_timeout: None,
            nullpath_ok: false,
            parallel_direct_writes: false,
            debug: false,
        }
    }
}

/// Where releases of libfuse differ and programs can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compat {
    /// The error of an operation on a deleted file that needs a path: `ESTALE` in 3.x.
    pub deleted: Errno,
    /// The kernel is told of the caching bits that opendir set; from 3.16.2 on.
    pub opendir_caching: bool,
    /// Operations on an open file that was deleted run without a path; otherwise they fail with
    /// `deleted`, but for release and releasedir, which get the path `-`.
    pub deleted_open: bool,
    /// getattr and setattr of an open file need no path more than its other operations.
    pub open_attributes: bool,
    /// utimens is called for one of the times only, and may be told to leave one or to take the
    /// present.
    pub utime_omit: bool,
    /// The kernel is told to send no interrupts unless [`TreeConfig::intr`] is set; from 3.17 on.
    pub interrupts_if_asked: bool,
}

impl Default for Compat {
    /// libfuse 3.14.
    fn default() -> Compat {
        Compat {
            deleted: Errno::ESTALE,
            opendir_caching: false,
            deleted_open: true,
            open_attributes: true,
            utime_omit: true,
            interrupts_if_asked: false,
        }
    }
}
