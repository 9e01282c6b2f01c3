//! The `fuse_opt` engine: option parsing as every libfuse program knows it.
//!
//! * [`args`] has the argument vector: `fuse_opt_add_arg`, `fuse_opt_insert_arg`,
//!   `fuse_opt_free_args`
//! * [`list`] has comma-separated option lists: `fuse_opt_add_opt`, `fuse_opt_add_opt_escaped`
//! * [`template`] tells how a template matches an argument: `fuse_opt_match`
//! * [`parse`] has `fuse_opt_parse`
//!
//! Whatever C may keep or free comes from `malloc`.

pub mod args;
pub mod list;
pub mod parse;
mod store;
pub mod template;

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::mem::{offset_of, size_of};
use std::ptr;

pub use args::{fuse_opt_add_arg, fuse_opt_free_args, fuse_opt_insert_arg};
pub use list::{fuse_opt_add_opt, fuse_opt_add_opt_escaped};
pub use parse::{fuse_opt_parse, fuse_opt_parse_29};
pub use template::fuse_opt_match;

/// Key of an option no template matches.
pub const FUSE_OPT_KEY_OPT: c_int = -1;
/// Key of an argument that is not an option.
pub const FUSE_OPT_KEY_NONOPT: c_int = -2;
/// Key of a template whose options are kept without asking.
pub const FUSE_OPT_KEY_KEEP: c_int = -3;
/// Key of a template whose options are dropped without asking.
pub const FUSE_OPT_KEY_DISCARD: c_int = -4;

/// The offset that makes `value` a key: the headers' `FUSE_OPT_KEY` stores `-1U`, 32 bits wide in
/// a 64-bit field.
pub const KEY_OFFSET: c_ulong = u32::MAX as c_ulong;

/// `struct fuse_args`
#[repr(C)]
#[derive(Debug)]
pub struct FuseArgs {
    /// Number of arguments, including the program name.
    pub argc: c_int,
    /// The arguments, followed by NULL; NULL itself if there never was one.
    pub argv: *mut *mut c_char,
    /// Not 0 if `argv` and its strings are `malloc`'ed and belong to this structure.
    pub allocated: c_int,
}

impl FuseArgs {
    /// A vector without arguments that can grow.
    pub const fn empty() -> FuseArgs {
        FuseArgs { argc: 0, argv: ptr::null_mut(), allocated: 0 }
    }
}

/// `struct fuse_opt`: one line of an option table, which ends with a NULL template.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FuseOpt {
    /// `name`, `name=`, `name=%fmt`, `-x`, `-x ` or `-x %fmt`.
    pub templ: *const c_char,
    /// Where in the caller's data the result goes, in bytes, or [`KEY_OFFSET`].
    pub offset: c_ulong,
    /// What to store if the template has no format, or the key.
    pub value: c_int,
}

const _: () = assert!(size_of::<FuseArgs>() == 24 && offset_of!(FuseArgs, allocated) == 16);
const _: () = assert!(size_of::<FuseOpt>() == 24 && offset_of!(FuseOpt, value) == 16);

impl FuseOpt {
    /// The end of a table.
    pub const END: FuseOpt = FuseOpt { templ: ptr::null(), offset: 0, value: 0 };

    /// Stores `value`, or what the template's format reads, at `offset`.
    pub const fn store(templ: &'static CStr, offset: usize, value: c_int) -> FuseOpt {
        FuseOpt { templ: templ.as_ptr(), offset: offset as c_ulong, value }
    }

    /// Reports `key` to the caller's function, or keeps or discards by key.
    pub const fn key(templ: &'static CStr, key: c_int) -> FuseOpt {
        FuseOpt { templ: templ.as_ptr(), offset: KEY_OFFSET, value: key }
    }

    /// Whether `value` is a key. Besides [`KEY_OFFSET`], `ULONG_MAX` counts: the headers document
    /// the offset as "-1", and taken as an offset it would write in front of the data.
    fn is_key(&self) -> bool {
        self.offset == KEY_OFFSET || self.offset == c_ulong::MAX
    }
}

/// `fuse_opt_proc_t`: decides on one argument. Result 0 drops it, -1 fails the parse, others keep
/// it. `arg` is valid during the call only (arguments not from `-o` live as long as the vector).
pub type FuseOptProc = Option<
    unsafe extern "C" fn(
        data: *mut c_void,
        arg: *const c_char,
        key: c_int,
        outargs: *mut FuseArgs,
    ) -> c_int,
>;

/// Why an option function fails; the message has been logged when this is returned.
#[derive(Debug)]
pub(crate) struct Failed;

/// Logs that memory ran out.
pub(crate) fn out_of_memory() -> Failed {
    crate::log::emit(crate::log::FUSE_LOG_ERR, "fuse: memory allocation failed");
    Failed
}

/// Logs a call that libfuse would crash on.
pub(crate) fn misuse(function: &str, what: &str) -> Failed {
    crate::log::emit(crate::log::FUSE_LOG_ERR, &format!("fuse: {function}: {what}"));
    Failed
}

/// 0 or -1, what the option functions return.
pub(crate) fn status(result: Result<(), Failed>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(Failed) => -1,
    }
}

/// A `malloc`'ed C string of `bytes`, which hold no NUL.
pub(crate) fn malloc_string(bytes: &[u8]) -> Result<*mut c_char, Failed> {
    // SAFETY: the allocation is one byte larger than `bytes`, and fresh, so they don't overlap.
    unsafe {
        let copy = libc::malloc(bytes.len() + 1).cast::<u8>();
        if copy.is_null() {
            return Err(out_of_memory());
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        copy.add(bytes.len()).write(0);
        Ok(copy.cast())
    }
}
