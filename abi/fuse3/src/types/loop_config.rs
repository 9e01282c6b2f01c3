//! Settings of the multi-threaded loops.

use core::ffi::{c_int, c_uint};

use super::common::opaque;

opaque! {
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
