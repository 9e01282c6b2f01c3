//! The options of `fuse_new`.

use std::ffi::{CStr, c_int};
use std::mem::offset_of;

use ferrofuse_abi_common::cmdline::lowlevel_help;
use ferrofuse_abi_common::help::highlevel_help;
use ferrofuse_abi_common::opt::{FUSE_OPT_KEY_KEEP, FuseArgs, FuseOpt, fuse_opt_parse};
use ferrofuse_abi_common::panic::guard;

use super::config;
use super::modules;
use crate::types::FuseConfig;

const FOR_EVER: c_int = -1;

/// Reads options into `config`, and takes them out of `args`; those that are not known stay for the
/// session. False, with a message, if a value is wrong.
///
/// # Safety
/// `args` is NULL or a valid argument vector that no other thread uses.
pub unsafe fn parse(args: *mut FuseArgs, config: &mut FuseConfig) -> bool {
    macro_rules! set {
        ($template:literal, $field:ident, $value:expr) => {
            FuseOpt::store($template, offset_of!(FuseConfig, $field), $value)
        };
    }
    let table = [
        // The session's as well.
        set!(c"debug", debug, 1),
        set!(c"-d", debug, 1),
        FuseOpt::key(c"debug", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"-d", FUSE_OPT_KEY_KEEP),
        set!(c"kernel_cache", kernel_cache, 1),
        set!(c"auto_cache", auto_cache, 1),
        set!(c"noauto_cache", auto_cache, 0),
        set!(c"no_rofd_flush", no_rofd_flush, 1),
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
        set!(c"modules=%s", modules, 0),
        FuseOpt::END,
    ];
    let data = (&raw mut *config).cast();
    // SAFETY: the caller's promise; the table is made for the struct.
    if unsafe { fuse_opt_parse(args, data, table.as_ptr(), None) } == -1 {
        return false;
    }
    if config.ac_attr_timeout_set == 0 {
        config.ac_attr_timeout = config.attr_timeout;
    }
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

/// The names of the modules asked for.
///
/// # Safety
/// `modules` of the configuration is NULL or a C string that lives as long as it.
pub unsafe fn modules_of(config: &FuseConfig) -> Option<&CStr> {
    // SAFETY: the caller's promise.
    (!config.modules.is_null()).then(|| unsafe { CStr::from_ptr(config.modules) })
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
