//! The options of a session and of its mount, out of a program's arguments.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::slice;

use ferrofuse::mount::MountOptions;
use ferrofuse::transport::uring::{TransportChoice, TransportOptions};
use ferrofuse_abi_common::opt::{self, FuseArgs};
use ferrofuse_abi_common::panic::guard;

use crate::types;

/// Options that belong to the session; the rest is for the mount.
pub(super) struct Options {
    pub debug: bool,
    pub allow_root: bool,
    pub transport: TransportOptions,
    pub mount: MountOptions,
    /// The mount layer rejected an option's value, and has said so.
    pub invalid: bool,
}

impl Options {
    pub fn new() -> Options {
        let mount = MountOptions::new(types::FLAVOR);
        Options {
            debug: false,
            allow_root: false,
            transport: TransportOptions::default(),
            mount,
            invalid: false,
        }
    }

    /// Takes an option of the session's; false if it is not one.
    fn accept_session(&mut self, option: &OsStr) -> bool {
        match option.as_bytes() {
            b"debug" | b"-d" | b"--debug" => self.debug = true,
            b"allow_root" => {
                self.allow_root = true;
                return self.accept_mount(OsStr::new("allow_other"));
            }
            b"io_uring" => self.transport.choice = TransportChoice::Uring,
            b"no_io_uring" => self.transport.choice = TransportChoice::Dev,
            option => match option.strip_prefix(b"io_uring_q_depth=") {
                Some(depth) => self.accept_depth(depth),
                None => return false,
            },
        }
        true
    }

    /// Takes the number of entries for each of the kernel's queues.
    fn accept_depth(&mut self, depth: &[u8]) {
        match str::from_utf8(depth).ok().and_then(|depth| depth.parse().ok()) {
            Some(depth) if depth > 0 => self.transport.depth = depth,
            _ => {
                let depth = String::from_utf8_lossy(depth);
                log::error!("fuse: invalid io_uring_q_depth `{depth}'");
                self.invalid = true;
            }
        }
    }

    /// Takes an option of the mount's; false if it is not one.
    pub fn accept_mount(&mut self, option: &OsStr) -> bool {
        self.mount.accept(option).unwrap_or_else(|_| {
            self.invalid = true;
            true
        })
    }
}

/// One of the methods above.
pub(super) type Accept = fn(&mut Options, &OsStr) -> bool;

/// The parser's callback: drops what is known, keeps the rest.
unsafe extern "C" fn take_option(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _args: *mut FuseArgs,
) -> c_int {
    guard("fuse_session_new", -1, || {
        // SAFETY: `data` is what `parse` passed; the parser passes a C string.
        let (pass, arg) =
            unsafe { (&mut *data.cast::<(&mut Options, Accept)>(), CStr::from_ptr(arg)) };
        let (options, accept) = pass;
        let arg = OsStr::from_bytes(arg.to_bytes());
        let known = key == opt::FUSE_OPT_KEY_OPT && accept(options, arg);
        (!known).into()
    })
}

/// Takes out of `args` what one layer accepts; false if that failed, with a message.
///
/// # Safety
/// `args` points to a valid argument list.
pub(super) unsafe fn pass(args: *mut FuseArgs, options: &mut Options, accept: Accept) -> bool {
    let mut pass = (options, accept);
    let data = ptr::from_mut(&mut pass).cast();
    // SAFETY: the caller's promise; no template table, so every option goes to the callback.
    unsafe { opt::fuse_opt_parse(args, data, ptr::null(), Some(take_option)) != -1 }
}

/// Reads the session's and the mount's options out of `args`.
///
/// # Safety
/// `args` points to a valid argument list.
pub(super) unsafe fn parse(args: *mut FuseArgs) -> Option<Options> {
    let mut options = Options::new();
    // One pass for each layer, as in libfuse: a pass joins the options it keeps, and what is
    // joined with an empty option swallows it.
    for accept in [Options::accept_session as Accept, Options::accept_mount] {
        // SAFETY: the caller's promise.
        if !unsafe { pass(args, &mut options, accept) } {
            return None;
        }
    }
    // SAFETY: the parser left a valid list.
    let left = unsafe { arguments(&*args) };
    if let Some((_, unknown)) = left.split_first()
        && !unknown.is_empty()
    {
        let unknown: Vec<_> = unknown.iter().map(|arg| arg.to_string_lossy()).collect();
        log::error!("fuse: unknown option(s): `{}'", unknown.join(" "));
        // SAFETY: the caller's promise.
        unsafe { opt::fuse_opt_free_args(args) };
        return None;
    }
    (!options.invalid).then_some(options)
}

/// The arguments of a list.
///
/// # Safety
/// `args` is valid: `argc` C strings in `argv`.
unsafe fn arguments(args: &FuseArgs) -> Vec<&CStr> {
    let count = usize::try_from(args.argc).unwrap_or(0);
    if args.argv.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        slice::from_raw_parts(args.argv, count)
            .iter()
            .take_while(|arg| !arg.is_null())
            .map(|arg| CStr::from_ptr(*arg))
            .collect()
    }
}
