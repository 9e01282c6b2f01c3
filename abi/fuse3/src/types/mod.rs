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
mod config;
pub mod cuse;
pub mod era;
pub mod high;
pub mod high_ops;
mod loop_config;
pub mod ops;
#[cfg(test)]
mod tests;

pub use ferrofuse_abi_common::conn_info::ConnInfo;

pub use buf::{FuseBuf, FuseBufvec, vector};
pub use common::{
    Fuse, FuseCtx, FuseEntryParam, FuseForgetData, FuseFs, FuseIno, FuseInterruptFunc,
    FusePollhandle, FuseReq, FuseReqHandle, FuseSession, file_ptr,
};
pub use config::FuseConfig;
pub use cuse::{CuseInfo, CuseLowlevelOps};
pub use era::{
    CONTEXT_ALWAYS, CUSTOM_IO_30, DIALECT, FLAVOR, FuseCustomIo, FuseFileInfo, FuseFillDir,
    NotifyTarget, ON_PIPE, PKG_VERSION, SESSION_ERROR_AT, compat, later_options, note_allocation,
};
pub use high::{FuseContext, FuseModuleFactory};
pub use high_ops::FuseOperations;
pub use loop_config::{FuseLoopConfig, FuseLoopConfigV1};
pub use ops::FuseLowlevelOps;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
