//! What a path-based file system may choose in `init`.

use core::ffi::{c_char, c_double, c_int, c_uint};

use ferrofuse::tree::TreeConfig;

/// `struct fuse_config`. Flags are 0 or not.
#[repr(C)]
#[derive(Debug)]
pub struct FuseConfig {
    /// Report `gid` for everything.
    pub set_gid: c_int,
    /// The group.
    pub gid: c_uint,
    /// Report `uid` for everything.
    pub set_uid: c_int,
    /// The user.
    pub uid: c_uint,
    /// Report permissions from the masks.
    pub set_mode: c_int,
    /// The permission bits that nothing has.
    pub umask: c_uint,
    /// Seconds for which names are valid.
    pub entry_timeout: c_double,
    /// Seconds for which it is valid that there is no such name.
    pub negative_timeout: c_double,
    /// Seconds for which attributes are valid.
    pub attr_timeout: c_double,
    /// Interrupts are delivered by a signal.
    pub intr: c_int,
    /// That signal.
    pub intr_signal: c_int,
    /// Seconds for which forgotten nodes are kept; -1 for ever.
    pub remember: c_int,
    /// Open files are removed at once.
    pub hard_remove: c_int,
    /// Inode numbers are the file system's.
    pub use_ino: c_int,
    /// `readdir` looks for inode numbers in the tree.
    pub readdir_ino: c_int,
    /// Nothing is cached.
    pub direct_io: c_int,
    /// Cached data outlives an open.
    pub kernel_cache: c_int,
    /// It does while size and modification time stay.
    pub auto_cache: c_int,
    /// `ac_attr_timeout` was given.
    pub ac_attr_timeout_set: c_int,
    /// Seconds for which `auto_cache` trusts attributes.
    pub ac_attr_timeout: c_double,
    /// Operations on open files may come without a path.
    pub nullpath_ok: c_int,
    /// The library's: help was asked for.
    pub show_help: c_int,
    /// The library's: the modules asked for, from `malloc`.
    pub modules: *mut c_char,
    /// The library's: debug output was asked for.
    pub debug: c_int,
    /// If not 0, instead of `umask` for what is no directory.
    pub fmask: c_uint,
    /// If not 0, instead of `umask` for directories.
    pub dmask: c_uint,
    /// No `flush` for files opened for reading only.
    pub no_rofd_flush: c_int,
    /// Direct writes to one file may run in parallel.
    pub parallel_direct_writes: c_int,
    /// Unused.
    pub flags: c_uint,
    /// Unused.
    pub reserved: [u64; 48],
}

impl FuseConfig {
    /// What came after 3.14, for the tree.
    pub fn later(&self) -> TreeConfig {
        TreeConfig {
            fmask: self.fmask,
            dmask: self.dmask,
            parallel_direct_writes: self.parallel_direct_writes != 0,
            ..TreeConfig::default()
        }
    }
}
