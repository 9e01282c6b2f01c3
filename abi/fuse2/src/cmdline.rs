//! `fuse_parse_cmdline`, with a result in single words.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::offset_of;
use std::ptr;

use ferrofuse_abi_common::cmdline::{default_subtype, take_mountpoint_into};
use ferrofuse_abi_common::opt::{
    FUSE_OPT_KEY_KEEP, FUSE_OPT_KEY_NONOPT, FuseArgs, FuseOpt, fuse_opt_add_arg, fuse_opt_parse,
};
use ferrofuse_abi_common::panic::guard;

use crate::help;

#[repr(C)]
struct Parsed {
    singlethread: c_int,
    foreground: c_int,
    nodefault_subtype: c_int,
    /// From `malloc`.
    mountpoint: *mut c_char,
}

const KEY_HELP: c_int = 1;
const KEY_HELP_NOHEADER: c_int = 2;
const KEY_VERSION: c_int = 3;

fn table() -> [FuseOpt; 15] {
    macro_rules! set {
        ($template:literal, $field:ident) => {
            FuseOpt::store($template, offset_of!(Parsed, $field), 1)
        };
    }
    [
        set!(c"-d", foreground),
        set!(c"debug", foreground),
        set!(c"-f", foreground),
        set!(c"-s", singlethread),
        set!(c"fsname=", nodefault_subtype),
        set!(c"subtype=", nodefault_subtype),
        FuseOpt::key(c"-h", KEY_HELP),
        FuseOpt::key(c"--help", KEY_HELP),
        FuseOpt::key(c"-ho", KEY_HELP_NOHEADER),
        FuseOpt::key(c"-V", KEY_VERSION),
        FuseOpt::key(c"--version", KEY_VERSION),
        FuseOpt::key(c"-d", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"debug", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"fsname=", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"subtype=", FUSE_OPT_KEY_KEEP),
    ]
}

/// The parser's callback. Help is asked for again of the layers below, as `-h`.
unsafe extern "C" fn decide(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    out: *mut FuseArgs,
) -> c_int {
    guard("fuse_parse_cmdline", -1, || {
        // SAFETY: the parser passes its own list, which begins with the program, the data of `fuse_parse_cmdline` and
        // a C string.
        unsafe {
            match key {
                KEY_HELP | KEY_HELP_NOHEADER => {
                    if key == KEY_HELP {
                        help::usage(CStr::from_ptr(*(*out).argv));
                    }
                    help::command_line();
                    fuse_opt_add_arg(out, c"-h".as_ptr())
                }
                KEY_VERSION => {
                    help::library_version();
                    1
                }
                FUSE_OPT_KEY_NONOPT => {
                    let parsed = &mut *data.cast::<Parsed>();
                    take_mountpoint_into(&mut parsed.mountpoint, CStr::from_ptr(arg))
                }
                _ => 1,
            }
        }
    })
}

/// `fuse_parse_cmdline`: takes the standard options out of `args`, and appends `-osubtype=<program>` unless the user named
/// a type or source. `*mountpoint` becomes an absolute path, the caller's to free, or NULL if none was given;
/// `*multithreaded` 0 for `-s`, else 1; `*foreground` 1 for `-f` and debug output. Each may be NULL.
///
/// Returns 0, or -1 with a message. Help and version are printed, and asked for in the layers below again.
///
/// # Safety
/// `args` is NULL or a valid argument list; the others are NULL or may be written.
pub unsafe extern "C" fn fuse_parse_cmdline(
    args: *mut FuseArgs,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    foreground: *mut c_int,
) -> c_int {
    ferrofuse_abi_common::log::install();
    guard("fuse_parse_cmdline", -1, || {
        let mut parsed = Parsed {
            singlethread: 0,
            foreground: 0,
            nodefault_subtype: 0,
            mountpoint: ptr::null_mut(),
        };
        let table: Vec<FuseOpt> = table().into_iter().chain([FuseOpt::END]).collect();
        // SAFETY: the caller's promise; the table is made for the struct, whose string is ours until it is given away.
        unsafe {
            let data = (&raw mut parsed).cast();
            let mut done = !args.is_null()
                && (*args).argc > 0
                && !(*args).argv.is_null()
                && fuse_opt_parse(args, data, table.as_ptr(), Some(decide)) != -1;
            if done && parsed.nodefault_subtype == 0 {
                let subtype = default_subtype(CStr::from_ptr(*(*args).argv));
                done = fuse_opt_add_arg(args, subtype.as_ptr()) != -1;
            }
            if !done || mountpoint.is_null() {
                libc::free(parsed.mountpoint.cast());
            }
            if !done {
                return -1;
            }
            for (out, value) in [
                (multithreaded, (parsed.singlethread == 0).into()),
                (foreground, parsed.foreground),
            ] {
                if !out.is_null() {
                    out.write(value);
                }
            }
            if !mountpoint.is_null() {
                mountpoint.write(parsed.mountpoint);
            }
        }
        0
    })
}
