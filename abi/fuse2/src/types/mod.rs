//! The structs that C programs and the library share, with the layout of libfuse 2.9.
//!
//! What libfuse 3 has with the same layout is written once, in `abi/fuse3`: [`common`], [`buf`], [`high`] and
//! [`cuse`]. The rest:
//!
//! * [`era`]: structs that libfuse 3 has otherwise, or not at all,
//! * [`ops`] and [`high_ops`]: the tables of callbacks, [`old`]: those of API 2.5 and older.
//!
//! Every size and offset is asserted at compile time against `abi/tables/layout-fuse2-2.9.tsv`.

#[path = "../../../fuse3/src/types/buf.rs"]
mod buf;
#[path = "../../../fuse3/src/types/common.rs"]
pub mod common;
#[path = "../../../fuse3/src/types/config.rs"]
mod config;
#[path = "../../../fuse3/src/types/cuse.rs"]
pub mod cuse;
pub mod era;
#[path = "../../../fuse3/src/types/high.rs"]
pub mod high;
pub mod high_ops;
pub mod old;
pub mod ops;

pub use buf::{FuseBuf, FuseBufvec, vector};
pub use common::{
    Fuse, FuseCtx, FuseEntryParam, FuseForgetData, FuseFs, FuseIno, FuseInterruptFunc,
    FusePollhandle, FuseReq, FuseReqHandle, FuseSession, file_ptr,
};
pub use config::FuseConfig;
pub use cuse::{CuseInfo, CuseLowlevelOps};
pub use era::{
    CONTEXT_ALWAYS, ConnInfo, FuseChan, FuseChanOps, FuseChanOpsCompat24, FuseCmd, FuseFileInfo,
    FuseFileInfoCompat, FuseFillDir, FuseModule, FuseSessionOps, NotifyTarget, ON_PIPE,
};
pub use high::{FuseContext, FuseModuleFactory};
pub use high_ops::FuseOperations;
pub use old::FuseStatfsCompat1;
pub use ops::FuseLowlevelOps;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
