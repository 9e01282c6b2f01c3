//! What path-based file systems share with the library besides their callbacks.

use core::ffi::c_void;

use ferrofuse_abi_common::opt::FuseArgs;
use libc::{gid_t, mode_t, pid_t, uid_t};

use super::{Fuse, FuseFs};

/// `fuse_module_factory_t`: makes the file system of a module on top of those in `fs`, which ends
/// with NULL. NULL on failure. With `-h` among the arguments it prints its options and fails.
pub type FuseModuleFactory =
    unsafe extern "C" fn(args: *mut FuseArgs, fs: *mut *mut FuseFs) -> *mut FuseFs;

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
