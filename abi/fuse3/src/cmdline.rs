//! The command line, in the two forms of its result.

use std::ffi::c_int;

use ferrofuse_abi_common::cmdline::{self, CmdlineOpts};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;

/// `fuse_parse_cmdline` from API 3.12 on, 48 bytes of result. Returns 0, or -1 with a message.
///
/// # Safety
/// `args` is NULL or a valid argument list, `opts` NULL or room for the result.
pub unsafe extern "C" fn fuse_parse_cmdline_312(
    args: *mut FuseArgs,
    opts: *mut CmdlineOpts,
) -> c_int {
    ferrofuse_abi_common::log::install();
    // SAFETY: the caller's promise.
    guard("fuse_parse_cmdline", -1, || unsafe { cmdline::parse_cmdline(args, opts) })
}

/// `fuse_parse_cmdline` before API 3.12, whose result has 40 bytes.
///
/// # Safety
/// As for [`fuse_parse_cmdline_312`], with room for 40 bytes.
pub unsafe extern "C" fn fuse_parse_cmdline_30(
    args: *mut FuseArgs,
    opts: *mut CmdlineOpts,
) -> c_int {
    ferrofuse_abi_common::log::install();
    // SAFETY: the caller's promise.
    guard("fuse_parse_cmdline", -1, || unsafe { cmdline::parse_cmdline_30(args, opts) })
}
