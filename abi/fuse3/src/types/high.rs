//! What path-based file systems share with the library besides their callbacks.

use core::ffi::{c_char, c_double, c_int, c_uint, c_void};

use ferrofuse_abi_common::opt::FuseArgs;
use libc::{gid_t, mode_t, pid_t, uid_t};

use super::{Fuse, FuseFs};

/// `fuse_module_factory_t`: makes the file system of a module on top of those in `fs`, which ends
/// with NULL. NULL on failure. With `-h` among the arguments it prints its options and fails.
pub type FuseModuleFactory =
    unsafe extern "C" fn(args: *mut FuseArgs, fs: *mut *mut FuseFs) -> *mut FuseFs;

/// `struct fuse_config`: what a path-based file system may choose in `init`. Flags are 0 or not.
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
    /// Report permissions from `umask`.
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
    /// No `flush` for files opened for reading only.
    pub no_rofd_flush: c_int,
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
}

/// `struct fuse_context`: whom the operation at hand serves.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuseContext {
    /// The file system.
    pub fuse: *mut Fuse,
    /// User id of the requester.
    pub uid: uid_t,
    /// Group id of the requester.
    pub gid: gid_t,
    /// Thread id of the requester.
    pub pid: pid_t,
    /// The private data of the file system whose operation runs.
    pub private_data: *mut c_void,
    /// The requester's umask, for operations that create something.
    pub umask: mode_t,
}
