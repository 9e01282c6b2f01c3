//! What `--help` and `--version` print, and who says which version this is.

pub use ferrofuse_abi_common::help::{
    cmdline_help, highlevel_help, lowlevel_help, main_usage, main_version,
};
pub use ferrofuse_abi_common::version::{fuse_lowlevel_version, fuse_pkgversion, fuse_version};
