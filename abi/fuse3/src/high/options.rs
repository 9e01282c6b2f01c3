//! The options of `fuse_new`.

use std::ffi::c_int;
use std::mem::offset_of;

use ferrofuse_abi_common::opt::{FuseArgs, FuseOpt, fuse_opt_parse};
use ferrofuse_abi_common::panic::guard;

use super::config;
use super::modules;
use super::option_table::{self, modules_of};
use crate::texts::{highlevel_help, lowlevel_help};
use crate::types::{FuseConfig, later_options};

/// Reads options into `config`, and takes them out of `args`; those that are not known stay for the
/// session. False, with a message, if a value is wrong.
///
/// # Safety
/// `args` is NULL or a valid argument vector that no other thread uses.
pub unsafe fn parse(args: *mut FuseArgs, config: &mut FuseConfig) -> bool {
    let mut table = option_table::common();
    table.push(FuseOpt::store(c"no_rofd_flush", offset_of!(FuseConfig, no_rofd_flush), 1));
    table.extend(later_options());
    table.push(FuseOpt::END);
    let data = (&raw mut *config).cast();
    // SAFETY: the caller's promise; the table is made for the struct.
    if unsafe { fuse_opt_parse(args, data, table.as_ptr(), None) } == -1 {
        return false;
    }
    option_table::settle(config);
    true
}

/// Takes `-h` and `--help` out of `args`, and says whether they were there.
///
/// # Safety
/// As for [`parse`].
pub unsafe fn wants_help(args: *mut FuseArgs) -> Option<bool> {
    let mut help: c_int = 0;
    let table = [FuseOpt::store(c"-h", 0, 1), FuseOpt::store(c"--help", 0, 1), FuseOpt::END];
    let data = (&raw mut help).cast();
    // SAFETY: the caller's promise; the table is made for one `int`.
    let parsed = unsafe { fuse_opt_parse(args, data, table.as_ptr(), None) } != -1;
    parsed.then_some(help != 0)
}

/// `fuse_lib_help`: prints the options of `fuse_new`, of sessions and of modules, those that `args`
/// asks for among them.
///
/// # Safety
/// `args` is NULL or a valid argument vector that no other thread uses.
pub unsafe extern "C" fn fuse_lib_help(args: *mut FuseArgs) {
    guard("fuse_lib_help", (), || {
        highlevel_help();
        lowlevel_help();
        let mut config = config::defaults();
        let table =
            [FuseOpt::store(c"modules=%s", offset_of!(FuseConfig, modules), 0), FuseOpt::END];
        let data = (&raw mut *config).cast();
        // SAFETY: the caller's promise; the table is made for the struct. The parser allocates the
        // string of modules, and gives it away.
        unsafe {
            fuse_opt_parse(args, data, table.as_ptr(), None);
            modules::help(modules_of(&config));
            libc::free(config.modules.cast());
        }
    });
}
