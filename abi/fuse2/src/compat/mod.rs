//! Entry points of older interfaces: [`low`], those of low-level programs; [`high`], those of path-based ones.

pub mod high;
pub mod low;

use std::ffi::{c_char, c_int};

use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_add_arg, fuse_opt_free_args};

/// Lends options in the form of `-o` to `use_them` as an argument list; `None` without memory.
///
/// # Safety
/// `options` is NULL or a C string.
unsafe fn with_args<T>(
    options: *const c_char,
    use_them: impl FnOnce(*mut FuseArgs) -> T,
) -> Option<T> {
    let mut args = FuseArgs::empty();
    let mut words = vec![c"".as_ptr()];
    if !options.is_null() {
        words.extend([c"-o".as_ptr(), options]);
    }
    // SAFETY: the list is live and every word a C string.
    let added = words.iter().all(|word| unsafe { fuse_opt_add_arg(&raw mut args, *word) } == 0);
    let result = added.then(|| use_them(&raw mut args));
    // SAFETY: the list is valid and not used any more.
    unsafe { fuse_opt_free_args(&raw mut args) };
    result
}

/// `fuse_version`: `major * 10 + minor` of libfuse 2.9.
pub extern "C" fn fuse_version() -> c_int {
    29
}
