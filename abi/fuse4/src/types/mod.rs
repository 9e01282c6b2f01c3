//! The structs that C programs and the library share, with the layout of libfuse 3.17 to 3.19.
//!
//! What libfuse 3.14 has with the same layout is written once, in `abi/fuse3`. Larger here are [`era`], buffers,
//! [`conn`] and the configuration of `fuse_new`; [`ops`] and [`path_ops`] are the tables of callbacks, which begin
//! with those of 3.14 ([`low`], [`high_ops`]).
//!
//! Every size and offset is asserted at compile time against `abi/tables/layout-fuse3-3.19.tsv`.

mod buf;
#[path = "../../../fuse3/src/types/common.rs"]
pub mod common;
mod config;
mod conn;
#[path = "../../../fuse3/src/types/cuse.rs"]
pub mod cuse;
pub mod era;
#[path = "../../../fuse3/src/types/high.rs"]
pub mod high;
#[path = "../../../fuse3/src/types/high_ops.rs"]
pub mod high_ops;
#[path = "../../../fuse3/src/types/loop_config.rs"]
mod loop_config;
#[path = "../../../fuse3/src/types/ops.rs"]
pub mod low;
pub mod ops;
mod path_ops;

pub use buf::{FuseBuf, FuseBufvec, vector};
pub use common::{
    Fuse, FuseCtx, FuseEntryParam, FuseForgetData, FuseFs, FuseIno, FuseInterruptFunc,
    FusePollhandle, FuseReq, FuseReqHandle, FuseSession, file_ptr,
};
pub use config::FuseConfig;
pub use conn::ConnInfo;
pub use cuse::{CuseInfo, CuseLowlevelOps};
pub use era::{
    CONTEXT_ALWAYS, CUSTOM_IO_30, DIALECT, FLAVOR, FuseCustomIo, FuseFileInfo, FuseFillDir,
    LibfuseVersion, NotifyTarget, ON_PIPE, PKG_VERSION, SESSION_ERROR_AT, compat, later_options,
    note_allocation,
};
pub use high::{FuseContext, FuseModuleFactory};
pub use loop_config::{FuseLoopConfig, FuseLoopConfigV1};
pub use ops::FuseLowlevelOps;
pub use path_ops::FuseOperations;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
