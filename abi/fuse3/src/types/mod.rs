//! The structs that C programs and the library share, with the layout of libfuse 3.14.
//!
//! Files by how long a layout holds:
//!
//! * [`common`], [`buf`] and [`high`]: what is the same for `libfuse.so.2` as well,
//! * this one: what is the same for every `libfuse3.so`,
//! * [`era`]: what grew between `libfuse3.so.3` and `libfuse3.so.4`; code of the ABI layer names these types through
//!   this module and is written once,
//! * [`ops`]: the table of low-level callbacks, whose signatures use both,
//! * [`high_ops`]: what path-based file systems have, [`cuse`]: what devices have.
//!
//! Every size and offset is asserted at compile time against `abi/tables/layout-fuse3-3.14.tsv`. A pointer to one of
//! these structs that comes from a program is trusted to point to one: C offers nothing to check it by.

mod buf;
pub mod common;
pub mod cuse;
pub mod era;
pub mod high;
pub mod high_ops;
pub mod ops;
#[cfg(test)]
mod tests;

use core::ffi::{c_int, c_uint};

pub use ferrofuse_abi_common::conn_info::ConnInfo;

pub use buf::{FuseBuf, FuseBufvec};
pub use common::{
    Fuse, FuseCtx, FuseEntryParam, FuseForgetData, FuseFs, FuseIno, FuseInterruptFunc,
    FusePollhandle, FuseReq, FuseReqHandle, FuseSession, file_ptr,
};
pub use cuse::{CuseInfo, CuseLowlevelOps};
pub use era::{CONTEXT_ALWAYS, FuseCustomIo, FuseFileInfo, FuseFillDir, NotifyTarget, ON_PIPE};
pub use high::{FuseConfig, FuseContext, FuseModuleFactory};
pub use high_ops::FuseOperations;
pub use ops::FuseLowlevelOps;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));

common::opaque! {
    /// `struct fuse_loop_config` as of `FUSE_USE_VERSION` 312: made and freed by the library, set through functions.
    FuseLoopConfig
}

/// `struct fuse_loop_config_v1`; before `FUSE_USE_VERSION` 312 it was `struct fuse_loop_config` itself.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuseLoopConfigV1 {
    /// Non-zero: each worker reads from its own clone of the device descriptor.
    pub clone_fd: c_int,
    /// How many idle workers are kept; the surplus ends.
    pub max_idle_threads: c_uint,
}
