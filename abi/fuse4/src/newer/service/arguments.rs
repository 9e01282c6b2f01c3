//! The command line of a file system that was started as a service: its own and that of the mount helper.

use std::ffi::{CStr, CString, c_char, c_int};
use std::{ptr, slice};

use ferrofuse::mount::service::arguments;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::cmdline::{self, CmdlineOpts};
use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_add_arg, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;

use super::{FuseService, service, status};

/// The strings of a vector.
///
/// # Safety
/// `argv` is NULL or has `argc` elements, each NULL or a C string, all of which live as long as the result is used.
unsafe fn strings<'a>(argc: c_int, argv: *const *const c_char) -> Vec<&'a CStr> {
    let count = usize::try_from(argc).unwrap_or(0);
    if argv.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    let vector = unsafe { slice::from_raw_parts(argv, count) };
    // SAFETY: as above.
    vector.iter().filter(|arg| !arg.is_null()).map(|arg| unsafe { CStr::from_ptr(*arg) }).collect()
}

/// `fuse_service_append_args`: appends the helper's arguments to those of the program; the first becomes the type of the
/// file system that the helper was asked for. The vector is allocated then. Can be done once.
///
/// Returns 0 or a negative errno, with a message; the vector is as before then.
///
/// # Safety
/// `sf` is NULL or a live service; `args` is NULL or a valid argument vector.
pub unsafe extern "C" fn fuse_service_append_args(
    sf: *mut FuseService,
    args: *mut FuseArgs,
) -> c_int {
    let function = "fuse_service_append_args";
    status(function, || {
        // SAFETY: the caller's promise.
        let sf = unsafe { service(function, sf) }?;
        // SAFETY: as above.
        let Some(args) = (unsafe { args.as_mut() }) else { return Err(Errno::EINVAL) };
        let file = sf.belongings.lock().arguments.take().ok_or(Errno::EBADF)?;
        let helpers = arguments(file)?;
        // SAFETY: as above.
        let own = unsafe { strings(args.argc, args.argv.cast_const().cast()) };
        let own: Vec<CString> = own.into_iter().map(CStr::to_owned).collect();
        let (kind, rest) = helpers.split_first().unzip();
        let mut all = own;
        if let Some(kind) = kind {
            all.splice(..all.len().min(1), [kind.clone()]);
        }
        all.extend_from_slice(rest.unwrap_or_default());
        let joined = vector(&all)?;
        // SAFETY: the vector is valid, by the caller's promise, and replaced.
        unsafe { fuse_opt_free_args(args) };
        *args = joined;
        Ok(())
    })
}

/// A vector of copies.
fn vector(strings: &[CString]) -> Result<FuseArgs> {
    let mut args = FuseArgs::empty();
    for string in strings {
        // SAFETY: the vector is ours, and the string one of C.
        if unsafe { fuse_opt_add_arg(&raw mut args, string.as_ptr()) } != 0 {
            // SAFETY: as above.
            unsafe { fuse_opt_free_args(&raw mut args) };
            return Err(Errno::ENOMEM);
        }
    }
    Ok(args)
}

/// `fuse_service_cmdline`: the command line as one string, for the title of the process: the program, `-t`, and the
/// arguments, of which the first is the type of the file system. From malloc, or NULL without arguments or memory.
///
/// # Safety
/// `argv` is NULL or has `argc` C strings; `args` is NULL or a valid argument vector.
pub unsafe extern "C" fn fuse_service_cmdline(
    argc: c_int,
    argv: *const *const c_char,
    args: *mut FuseArgs,
) -> *mut c_char {
    guard("fuse_service_cmdline", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let Some(args) = (unsafe { args.as_ref() }) else { return ptr::null_mut() };
        // SAFETY: as above.
        let (program, args) =
            unsafe { (strings(argc, argv), strings(args.argc, args.argv.cast_const().cast())) };
        let (Some(first), false) = (program.first().or(args.first()), args.is_empty()) else {
            return ptr::null_mut();
        };
        let mut line = [first.to_bytes(), b" -t"].concat();
        for arg in args {
            line.push(b' ');
            line.extend_from_slice(arg.to_bytes());
        }
        // SAFETY: a copy of a C string.
        CString::new(line).map_or(ptr::null_mut(), |line| unsafe { libc::strdup(line.as_ptr()) })
    })
}

/// `fuse_service_parse_cmdline_opts`: as `fuse_parse_cmdline`, but the mount point is what was given.
///
/// # Safety
/// As for `fuse_parse_cmdline`.
pub unsafe extern "C" fn fuse_service_parse_cmdline_opts(
    args: *mut FuseArgs,
    opts: *mut CmdlineOpts,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { cmdline::parse_cmdline_service(args, opts) }
}
