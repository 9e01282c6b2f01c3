//! `fuse_mount` and `fuse_unmount`.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use ferrofuse::mount::{self, Flavor, MountOptions};
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::opt::{self, FuseArgs, fuse_opt_parse};
use ferrofuse_abi_common::panic::guard;

use crate::channel::{CChan, channel, fuse_chan_destroy};
use crate::help;
use crate::types::FuseChan;

/// Options of a mount, as they are read.
struct Options {
    mount: MountOptions,
    allow_other: bool,
    allow_root: bool,
    /// Help or the version was asked for, and printed: nothing is to be mounted.
    informed: bool,
    /// A value makes no sense.
    invalid: bool,
}

impl Options {
    fn new() -> Options {
        Options {
            mount: MountOptions::new(Flavor::FUSE2),
            allow_other: false,
            allow_root: false,
            informed: false,
            invalid: false,
        }
    }

    /// Takes an option; true if it stays for the session.
    fn accept(&mut self, option: &[u8]) -> bool {
        match option {
            b"-h" | b"--help" => {
                help::mount();
                self.informed = true;
                return true;
            }
            b"-V" | b"--version" => {
                help::helper_version();
                self.informed = true;
                return true;
            }
            b"allow_root" => {
                self.allow_root = true;
                self.take(b"allow_other");
                return true;
            }
            b"allow_other" => self.allow_other = true,
            // An option of libfuse 3.
            b"-n" => return true,
            _ => {}
        }
        // The session looks at the limit of reads as well.
        !self.take(option) || option.starts_with(b"max_read=")
    }

    fn take(&mut self, option: &[u8]) -> bool {
        if let Some(value) = option.strip_prefix(b"max_read=")
            && (value.is_empty() || !value.iter().all(u8::is_ascii_digit))
        {
            self.invalid = true;
            return true;
        }
        self.mount.accept(OsStr::from_bytes(option)).unwrap_or_else(|_| {
            self.invalid = true;
            true
        })
    }
}

/// The parser's callback: drops what is the mount's, keeps the rest.
unsafe extern "C" fn decide(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _args: *mut FuseArgs,
) -> c_int {
    guard("fuse_mount", -1, || {
        // SAFETY: `data` is what `parse` passed; the parser passes a C string.
        let (options, arg) = unsafe { (&mut *data.cast::<Options>(), CStr::from_ptr(arg)) };
        (key != opt::FUSE_OPT_KEY_OPT || options.accept(arg.to_bytes())).into()
    })
}

/// Takes the mount's options out of `args`; `None`, with a message, if they make no sense.
///
/// # Safety
/// `args` is NULL or a valid argument list.
unsafe fn parse(args: *mut FuseArgs) -> Option<Options> {
    let mut options = Options::new();
    let data = (&raw mut options).cast();
    // SAFETY: the caller's promise; no template table, so every option goes to the callback.
    if unsafe { fuse_opt_parse(args, data, ptr::null(), Some(decide)) } == -1 {
        return None;
    }
    if options.allow_other && options.allow_root {
        let message = "fuse: 'allow_other' and 'allow_root' options are mutually exclusive";
        emit(FUSE_LOG_ERR, message);
        return None;
    }
    Some(options)
}

/// The path behind a C string.
///
/// # Safety
/// `path` is a C string that lives as long as the result is used.
unsafe fn path<'a>(path: *const c_char) -> &'a Path {
    // SAFETY: the caller's promise.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

/// Where to mount and with which options; `None`, with a message, if that can't be done.
///
/// # Safety
/// `mountpoint` is NULL or a C string; `args` is NULL or a valid argument list.
unsafe fn prepare<'a>(
    mountpoint: *const c_char,
    args: *mut FuseArgs,
) -> Option<(Options, Option<&'a Path>)> {
    // SAFETY: the caller's promise.
    let options = unsafe { parse(args) }?;
    if options.informed {
        return Some((options, None));
    }
    if mountpoint.is_null() {
        emit(FUSE_LOG_ERR, "fuse: missing mountpoint parameter");
        return None;
    }
    // The kernel would refuse it.
    if options.invalid {
        emit(FUSE_LOG_ERR, "fuse: mount failed: Invalid argument");
        return None;
    }
    // SAFETY: not NULL, so a C string.
    Some((options, Some(unsafe { path(mountpoint) })))
}

/// `fuse_mount` from API 2.6 on: mounts on `mountpoint`, with the mount's options taken out of `args`. The channel is the
/// caller's, to be given to a session and to be freed by `fuse_unmount`; NULL on failure, with a message.
///
/// # Safety
/// `mountpoint` is NULL or a C string; `args` is NULL or a valid argument list.
pub unsafe extern "C" fn fuse_mount(
    mountpoint: *const c_char,
    args: *mut FuseArgs,
) -> *mut FuseChan {
    ferrofuse_abi_common::log::install();
    guard("fuse_mount", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let Some((options, target)) = (unsafe { prepare(mountpoint, args) }) else {
            return ptr::null_mut();
        };
        let chan = match target.map(|target| mount::mount(target, &options.mount)) {
            None => CChan::pretended(),
            Some(Ok(mounted)) => {
                let (device, point) = mounted.into_parts();
                let chan = CChan::device(Some(device));
                *chan.mounted.lock() = Some(point);
                chan
            }
            // Logged where it failed.
            Some(Err(_)) => return ptr::null_mut(),
        };
        Box::into_raw(chan).cast()
    })
}

/// `fuse_mount` of API 2.5, which hands out the device itself; -1 on failure, with a message.
///
/// # Safety
/// As for [`fuse_mount`].
pub unsafe extern "C" fn fuse_mount_compat25(
    mountpoint: *const c_char,
    args: *mut FuseArgs,
) -> c_int {
    use std::os::fd::IntoRawFd;
    ferrofuse_abi_common::log::install();
    guard("fuse_mount", -1, || {
        // SAFETY: the caller's promise.
        let Some((options, target)) = (unsafe { prepare(mountpoint, args) }) else { return -1 };
        // Asked for help, standard input stands for the device.
        let Some(target) = target else { return 0 };
        mount::open_channel(target, &options.mount).map_or(-1, IntoRawFd::into_raw_fd)
    })
}

/// `fuse_unmount` from API 2.6 on: closes the channel's device, unmounts and destroys the channel. Either may be NULL.
///
/// # Safety
/// `mountpoint` is NULL or a C string; `ch` is NULL or a live channel, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_unmount(mountpoint: *const c_char, ch: *mut FuseChan) {
    guard("fuse_unmount", (), || {
        // SAFETY: the caller's promise.
        let chan = (!ch.is_null()).then(|| unsafe { channel("fuse_unmount", ch) }).flatten();
        let point = chan.and_then(|chan| chan.mounted.lock().take());
        let pretended = chan.is_some_and(CChan::is_pretended);
        // Unmounting asks the device whether the connection is gone, and then lets go of it: of the last descriptor,
        // since the channel's own goes first.
        let device = chan.and_then(CChan::duplicate);
        if chan.is_some() {
            // SAFETY: the caller's promise.
            unsafe { fuse_chan_destroy(ch) };
        }
        // What is on the mountpoint of a program that was asked for help is not its own.
        if mountpoint.is_null() || pretended {
            return;
        }
        // Logged where it failed; the connection is closed in any case.
        let _ = match point {
            Some(point) => point.unmount(device),
            // SAFETY: the caller's promise.
            None => mount::unmount_path(unsafe { path(mountpoint) }, device, Flavor::FUSE2),
        };
    });
}
