//! The argument vector, `struct fuse_args`.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use super::{Failed, FuseArgs, malloc_string, misuse, out_of_memory, status};
use crate::panic::guard;

/// `fuse_opt_add_arg`: appends a copy of `arg`. 0, or -1 with a message if memory ran out, a
/// pointer is NULL or the vector isn't allocated (libfuse aborts there).
///
/// # Safety
/// `args` is NULL or a valid `struct fuse_args` no other thread uses; `arg` NULL or a C string.
pub unsafe extern "C" fn fuse_opt_add_arg(args: *mut FuseArgs, arg: *const c_char) -> c_int {
    guard("fuse_opt_add_arg", -1, || {
        // SAFETY: as the caller vouches.
        status(unsafe { checked("fuse_opt_add_arg", args, arg) }.and_then(|(args, arg)| {
            let end = args.argc;
            // SAFETY: `checked` refused vectors that aren't our own.
            unsafe { insert(args, end, arg) }
        }))
    })
}

/// `fuse_opt_insert_arg`: inserts a copy of `arg` at `pos`, between 0 and `argc`. 0, or -1 with a
/// message as [`fuse_opt_add_arg`], also for positions outside the vector.
///
/// # Safety
/// As [`fuse_opt_add_arg`].
pub unsafe extern "C" fn fuse_opt_insert_arg(
    args: *mut FuseArgs,
    pos: c_int,
    arg: *const c_char,
) -> c_int {
    guard("fuse_opt_insert_arg", -1, || {
        // SAFETY: as the caller vouches.
        status(unsafe { checked("fuse_opt_insert_arg", args, arg) }.and_then(|(args, arg)| {
            if pos < 0 || pos > args.argc {
                return Err(misuse("fuse_opt_insert_arg", "position outside the vector"));
            }
            // SAFETY: `checked` refused vectors that aren't our own.
            unsafe { insert(args, pos, arg) }
        }))
    })
}

/// `fuse_opt_free_args`: frees an allocated vector and leaves an empty one. NULL is allowed.
///
/// # Safety
/// `args` is NULL or a valid `struct fuse_args` no other thread uses; if `allocated`, the vector
/// and its strings come from `malloc`.
pub unsafe extern "C" fn fuse_opt_free_args(args: *mut FuseArgs) {
    guard("fuse_opt_free_args", (), || {
        // SAFETY: NULL or valid and unshared, as the caller vouches.
        if let Some(args) = unsafe { args.as_mut() } {
            // SAFETY: as the caller vouches.
            unsafe { free_args(args) };
        }
    });
}

/// # Safety
/// If `allocated`, `argv` is NULL or holds `argc` strings, all of it from `malloc`.
pub(crate) unsafe fn free_args(args: &mut FuseArgs) {
    if args.allocated != 0 && !args.argv.is_null() {
        for index in 0..usize::try_from(args.argc).unwrap_or(0) {
            // SAFETY: `index` is below `argc`; free(3) takes NULL too.
            unsafe { libc::free((*args.argv.add(index)).cast()) };
        }
        // SAFETY: the vector itself comes from malloc.
        unsafe { libc::free(args.argv.cast()) };
    }
    *args = FuseArgs::empty();
}

/// # Safety
/// `args` is NULL or valid and unshared for `'a`, `arg` NULL or a C string.
unsafe fn checked<'a>(
    function: &str,
    args: *mut FuseArgs,
    arg: *const c_char,
) -> Result<(&'a mut FuseArgs, &'a CStr), Failed> {
    // SAFETY: NULL or valid, as the caller vouches.
    let Some(args) = (unsafe { args.as_mut() }) else {
        return Err(misuse(function, "NULL argument vector"));
    };
    if arg.is_null() {
        return Err(misuse(function, "NULL argument"));
    }
    if !args.argv.is_null() && args.allocated == 0 {
        return Err(misuse(function, "the argument vector isn't allocated, so it can't grow"));
    }
    // SAFETY: not NULL, so a C string.
    Ok((args, unsafe { CStr::from_ptr(arg) }))
}

/// Appends a copy of `arg` to a vector of the parser's own.
///
/// # Safety
/// As [`insert`].
pub(crate) unsafe fn append(args: &mut FuseArgs, arg: &CStr) -> Result<(), Failed> {
    let end = args.argc;
    // SAFETY: as the caller vouches.
    unsafe { insert(args, end, arg) }
}

/// Inserts a copy of `arg` at `pos`, at most `argc`. On failure the vector is unchanged.
///
/// # Safety
/// `argv` is NULL (and `argc` then counts nothing), or from `malloc` with `argc` strings and room
/// for the NULL that follows them.
pub(crate) unsafe fn insert(args: &mut FuseArgs, pos: c_int, arg: &CStr) -> Result<(), Failed> {
    // A vector that never was has no arguments, whatever the count says.
    let count = if args.argv.is_null() { 0 } else { usize::try_from(args.argc).unwrap_or(0) };
    let pos = usize::try_from(pos).unwrap_or(0).min(count);
    let Ok(argc) = c_int::try_from(count + 1) else { return Err(out_of_memory()) };
    let copy = malloc_string(arg.to_bytes())?;
    // SAFETY: the vector is grown to hold `count + 1` strings and the NULL; the move shifts those
    // from `pos` on within it.
    unsafe {
        let bytes = (count + 2) * size_of::<*mut c_char>();
        let argv = libc::realloc(args.argv.cast(), bytes).cast::<*mut c_char>();
        if argv.is_null() {
            libc::free(copy.cast());
            return Err(out_of_memory());
        }
        ptr::copy(argv.add(pos), argv.add(pos + 1), count - pos);
        argv.add(pos).write(copy);
        argv.add(count + 1).write(ptr::null_mut());
        *args = FuseArgs { argc, argv, allocated: 1 };
    }
    Ok(())
}
