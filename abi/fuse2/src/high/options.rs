//! The options of `fuse_new`.

use std::ffi::{c_char, c_int, c_void};
use std::mem::offset_of;

use ferrofuse_abi_common::opt::{FuseArgs, FuseOpt, fuse_opt_match, fuse_opt_parse};
use ferrofuse_abi_common::panic::guard;

use super::option_table;
use crate::help;
use crate::options::fuse_lowlevel_is_lib_option;
use crate::types::FuseConfig;

const KEY_HELP: c_int = 1;

fn table() -> Vec<FuseOpt> {
    macro_rules! set {
        ($template:literal, $field:ident) => {
            FuseOpt::store($template, offset_of!(FuseConfig, $field), 1)
        };
    }
    let mut table = option_table::common();
    table.extend([
        FuseOpt::key(c"-h", KEY_HELP),
        FuseOpt::key(c"--help", KEY_HELP),
        set!(c"hard_remove", hard_remove),
        set!(c"use_ino", use_ino),
        set!(c"readdir_ino", readdir_ino),
        set!(c"direct_io", direct_io),
        set!(c"nopath", nullpath_ok),
        set!(c"intr", intr),
        set!(c"intr_signal=%d", intr_signal),
        FuseOpt::END,
    ]);
    table
}

/// The parser's callback. Help is asked for again of the session.
unsafe extern "C" fn decide(
    data: *mut c_void,
    _arg: *const c_char,
    key: c_int,
    _args: *mut FuseArgs,
) -> c_int {
    guard("fuse_new", -1, || {
        if key == KEY_HELP {
            help::paths();
            // SAFETY: `data` is what `parse` passed.
            unsafe { (*data.cast::<FuseConfig>()).show_help = 1 };
        }
        1
    })
}

/// Reads options into `config`, and takes them out of `args`; those that are not known stay for the
/// session. False, with a message, if a value is wrong.
///
/// # Safety
/// `args` is NULL or a valid argument vector that no other thread uses.
pub unsafe fn parse(args: *mut FuseArgs, config: &mut FuseConfig) -> bool {
    let data = (&raw mut *config).cast();
    // SAFETY: the caller's promise; the table is made for the struct.
    if unsafe { fuse_opt_parse(args, data, table().as_ptr(), Some(decide)) } == -1 {
        return false;
    }
    option_table::settle(config);
    true
}

/// `fuse_is_lib_option`: 1 for an option of sessions or of `fuse_new`, else 0.
///
/// # Safety
/// `opt` is NULL or a C string.
pub unsafe extern "C" fn fuse_is_lib_option(opt: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        (fuse_lowlevel_is_lib_option(opt) != 0 || fuse_opt_match(table().as_ptr(), opt) != 0).into()
    }
}
