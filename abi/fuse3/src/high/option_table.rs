//! Options of `fuse_new` in every generation of the API.

use std::ffi::{CStr, c_int};
use std::mem::offset_of;

use ferrofuse_abi_common::opt::{FUSE_OPT_KEY_KEEP, FuseOpt};

use crate::types::FuseConfig;

const FOR_EVER: c_int = -1;

/// The options, without the end of a table.
pub fn common() -> Vec<FuseOpt> {
    macro_rules! set {
        ($template:literal, $field:ident, $value:expr) => {
            FuseOpt::store($template, offset_of!(FuseConfig, $field), $value)
        };
    }
    vec![
        // The session's as well.
        set!(c"debug", debug, 1),
        set!(c"-d", debug, 1),
        FuseOpt::key(c"debug", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"-d", FUSE_OPT_KEY_KEEP),
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
        set!(c"modules=%s", modules, 0),
    ]
}

/// What follows from the options read.
pub fn settle(config: &mut FuseConfig) {
    if config.ac_attr_timeout_set == 0 {
        config.ac_attr_timeout = config.attr_timeout;
    }
}

/// The names of the modules asked for.
///
/// # Safety
/// `modules` of the configuration is NULL or a C string that lives as long as it.
pub unsafe fn modules_of(config: &FuseConfig) -> Option<&CStr> {
    // SAFETY: the caller's promise.
    (!config.modules.is_null()).then(|| unsafe { CStr::from_ptr(config.modules) })
}
