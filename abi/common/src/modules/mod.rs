//! What the built-in filesystem modules do to names, whatever the API generation.
//!
//! * [`subdir`]: a directory of the file system below becomes the root
//! * [`iconv`]: names get another character set
//!
//! The generations have operation tables of their own; each puts a [`NameMap`] behind its table.

pub mod iconv;
pub mod subdir;

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use ferrofuse::Result;

use crate::opt::{self, FuseArgs, FuseOpt, fuse_opt_parse};

/// Translates names between the users of a module and the file system below it.
pub trait NameMap: Send + Sync + Sized + 'static {
    /// Reads the module's options, and takes them out of `args`. `None` with a message where they
    /// make no module, or after the help that they ask for.
    ///
    /// # Safety
    /// `args` is a valid argument vector that no other thread uses.
    unsafe fn from_args(args: *mut FuseArgs) -> Option<Self>;

    /// The path below for a path that a user names.
    fn path(&self, path: &CStr) -> Result<CString>;

    /// The target to store below for a symbolic link that a user makes.
    fn stored_target(&self, target: &CStr) -> Result<CString>;

    /// The target to show of the symbolic link `path` below, in at most `room` bytes with its NUL.
    fn shown_target(&self, path: Option<&CStr>, target: &CStr, room: usize) -> Result<CString>;

    /// The name to show of a directory entry below; `None` for one that has no name above.
    fn shown_name(&self, name: &CStr) -> Option<CString>;
}

/// Key of the options that ask for help.
const HELP: c_int = 0;

/// Reads options by a table that has `-h` and `--help` as [`HELP`]; false on failure and after help.
///
/// # Safety
/// `args` is a valid vector that no other thread uses; `table` is made for `data` and ends in
/// [`FuseOpt::END`].
unsafe fn parse<T>(
    args: *mut FuseArgs,
    data: &mut T,
    table: &[FuseOpt],
    help: unsafe extern "C" fn(
        data: *mut c_void,
        arg: *const c_char,
        key: c_int,
        outargs: *mut FuseArgs,
    ) -> c_int,
) -> bool {
    // SAFETY: the caller's promise.
    unsafe { fuse_opt_parse(args, (&raw mut *data).cast(), table.as_ptr(), Some(help)) != -1 }
}

/// The lines of every module's table that ask for help.
const HELP_OPTIONS: [FuseOpt; 2] = [FuseOpt::key(c"-h", HELP), FuseOpt::key(c"--help", HELP)];

/// A string that the option parser allocated, which is freed; `None` for NULL.
///
/// # Safety
/// `text` is NULL or a C string from `malloc` that nobody else has.
unsafe fn take_string(text: *mut c_char) -> Option<CString> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let copy = CStr::from_ptr(text).to_owned();
        libc::free(text.cast());
        Some(copy)
    }
}

/// What a parser's callback returns: help ends the parse, everything else is another's.
fn verdict(key: c_int) -> c_int {
    debug_assert!(key == HELP || key == opt::FUSE_OPT_KEY_OPT || key == opt::FUSE_OPT_KEY_NONOPT);
    if key == HELP { -1 } else { 1 }
}
