//! Structs of API 1.x to 2.5.

use core::ffi::c_long;

use super::{FuseLowlevelOps, FuseOperations};

/// `struct fuse_statfs` of API 1.x.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuseStatfsCompat1 {
    /// Bytes in a block.
    pub block_size: c_long,
    /// Blocks.
    pub blocks: c_long,
    /// Blocks that are free.
    pub blocks_free: c_long,
    /// Nodes.
    pub files: c_long,
    /// Nodes that are free.
    pub files_free: c_long,
    /// Longest name.
    pub namelen: c_long,
}

/// Operations of API 2.5, as a prefix of today's: up to `fgetattr`.
pub const SIZE_25: usize = core::mem::offset_of!(FuseOperations, lock);
/// Those of API 2.2 to 2.4: up to `destroy`.
pub const SIZE_22: usize = core::mem::offset_of!(FuseOperations, access);
/// Those of API 2.1: up to `removexattr`.
pub const SIZE_2: usize = core::mem::offset_of!(FuseOperations, opendir);
/// Those of API 1.x that stand where they do today: up to `statfs`.
pub const SIZE_1: usize = core::mem::offset_of!(FuseOperations, flush);
/// All of API 1.x: `release` and `fsync` follow.
pub const FULL_SIZE_1: usize = SIZE_1 + 2 * size_of::<usize>();
/// Low-level operations of API 2.4 and 2.5: up to `create`.
pub const LOWLEVEL_SIZE_25: usize = core::mem::offset_of!(FuseLowlevelOps, getlk);

const _: () = assert!(SIZE_25 == 280 && SIZE_22 == 248 && SIZE_2 == 200 && FULL_SIZE_1 == 160);
const _: () = assert!(LOWLEVEL_SIZE_25 == 248);
