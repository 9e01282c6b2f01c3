//! The options of `fuse_new`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::offset_of;

use ferrofuse_abi_common::opt::{
    FUSE_OPT_KEY_KEEP, FuseArgs, FuseOpt, fuse_opt_match, fuse_opt_parse,
};
use ferrofuse_abi_common::panic::guard;

use crate::help;
use crate::options::fuse_lowlevel_is_lib_option;
use crate::types::FuseConfig;

const FOR_EVER: c_int = -1;
const KEY_HELP: c_int = 1;

fn table() -> [FuseOpt; 31] {
    macro_rules! set {
        ($template:literal, $field:ident, $value:expr) => {
            FuseOpt::store($template, offset_of!(FuseConfig, $field), $value)
        };
    }
    [
        FuseOpt::key(c"-h", KEY_HELP),
        FuseOpt::key(c"--help", KEY_HELP),
        // The session's as well.
        FuseOpt::key(c"debug", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"-d", FUSE_OPT_KEY_KEEP),
        set!(c"debug", debug, 1),
        set!(c"-d", debug, 1),
        set!(c"hard_remove", hard_remove, 1),
        set!(c"use_ino", use_ino, 1),
        set!(c"readdir_ino", readdir_ino, 1),
        set!(c"direct_io", direct_io, 1),
        set!(c"kernel_cache", kernel_cache, 1),
        set!(c"auto_cache", auto_cache, 1),
        set!(c"noauto_cache", auto_cache, 0),
        set!(c"umask=", set_mode, 1),
        set!(c"umask=%o", umask, 0),
        set!(c"uid=", set_uid, 1),
        set!(c"uid=%d", uid, 0),
        set!(c"gid=", set_gid, 1),
        set!(c"gid=%d", gid, 0),
        set!(c"entry_timeout=%lf", entry_timeout, 0),
        set!(c"attr_timeout=%lf", attr_timeout, 0),
        set!(c"ac_attr_timeout=%lf", ac_attr_timeout, 0),
        set!(c"ac_attr_timeout=", ac_attr_timeout_set, 1),
        set!(c"negative_timeout=%lf", negative_timeout, 0),
        set!(c"noforget", remember, FOR_EVER),
        set!(c"remember=%u", remember, 0),
        set!(c"nopath", nullpath_ok, 1),
        set!(c"intr", intr, 1),
        set!(c"intr_signal=%d", intr_signal, 0),
        set!(c"modules=%s", modules, 0),
        FuseOpt::END,
    ]
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
    if config.ac_attr_timeout_set == 0 {
        config.ac_attr_timeout = config.attr_timeout;
    }
    true
}

/// The names of the modules asked for.
///
/// # Safety
/// `modules` of the configuration is NULL or a C string that lives as long as it.
pub unsafe fn modules_of(config: &FuseConfig) -> Option<&CStr> {
    // SAFETY: the caller's promise.
    (!config.modules.is_null()).then(|| unsafe { CStr::from_ptr(config.modules) })
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
