//! Path-based programs of API 1.x to 2.5.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::with_args;
use crate::channel::fuse_kern_chan_new;
use crate::high::aged::{Age, layers};
use crate::high::fuse::over;
use crate::high::setup::{fuse_teardown, hand_out, serve, set_up};
use crate::mount::{fuse_mount_compat25, fuse_unmount};
use crate::types::old::{FULL_SIZE_1, SIZE_2};
use crate::types::{Fuse, FuseChan};

/// The debug flag of API 1.x.
const DEBUG_COMPAT1: c_int = 1 << 1;

/// A program's table of callbacks, of some age.
#[derive(Clone, Copy)]
struct Program {
    age: Age,
    op: *const c_void,
    op_size: size_t,
}

impl Program {
    /// A file system over a channel, which becomes the session's.
    ///
    /// # Safety
    /// The table has as many bytes as it says; `args` is NULL or a valid argument list.
    unsafe fn file_system(self, ch: *mut FuseChan, args: *mut FuseArgs) -> *mut Fuse {
        // SAFETY: the caller's promise.
        unsafe { over(ch, args, layers(self.age, self.op, self.op_size), ptr::null_mut(), true) }
    }

    /// The same over a device, which becomes the file system's.
    ///
    /// # Safety
    /// As for [`Program::file_system`]; `fd` is open and nobody else's from here on.
    unsafe fn over_device(self, fd: c_int, args: *mut FuseArgs) -> *mut Fuse {
        guard("fuse_new", ptr::null_mut(), || {
            // SAFETY: the caller's promise. Without a file system the device stays open, as in libfuse.
            unsafe { self.file_system(fuse_kern_chan_new(fd), args) }
        })
    }

    /// The same with options in the form of `-o`.
    ///
    /// # Safety
    /// As for [`Program::over_device`]; `opts` is NULL or a C string.
    unsafe fn over_device_with(self, fd: c_int, opts: *const c_char) -> *mut Fuse {
        // SAFETY: the caller's promise.
        unsafe { with_args(opts, |args| self.over_device(fd, args)).unwrap_or(ptr::null_mut()) }
    }

    /// Sets the program up.
    ///
    /// # Safety
    /// As for `fuse_setup`; `fd` is NULL or may be written.
    unsafe fn set_up(
        self,
        (argc, argv): (c_int, *mut *mut c_char),
        mountpoint: *mut *mut c_char,
        multithreaded: *mut c_int,
        fd: *mut c_int,
    ) -> *mut Fuse {
        guard("fuse_setup", ptr::null_mut(), || {
            // SAFETY: the caller's promise.
            unsafe {
                let ready = set_up(argc, argv, |ch, args| self.file_system(ch, args));
                hand_out(ready, mountpoint, multithreaded, fd)
            }
        })
    }

    /// Sets the program up, and serves requests until the end.
    ///
    /// # Safety
    /// As for `fuse_main_real`.
    unsafe fn main(self, argc: c_int, argv: *mut *mut c_char) -> c_int {
        guard("fuse_main", 1, || {
            // SAFETY: the caller's promise; what was set up is ours until it is torn down.
            unsafe {
                set_up(argc, argv, |ch, args| self.file_system(ch, args))
                    .map_or(1, |ready| serve(&ready))
            }
        })
    }
}

/// `fuse_new` of API 2.5, over the device that `fuse_mount` gave.
///
/// # Safety
/// `fd` is open and becomes the file system's; `args` is NULL or a valid argument list; `op` is NULL or has `op_size`
/// bytes.
pub unsafe extern "C" fn fuse_new_compat25(
    fd: c_int,
    args: *mut FuseArgs,
    op: *const c_void,
    op_size: size_t,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V25, op, op_size }.over_device(fd, args) }
}

/// `fuse_new` of API 2.2 to 2.4, with options in the form of `-o`.
///
/// # Safety
/// As for [`fuse_new_compat25`]; `opts` is NULL or a C string.
pub unsafe extern "C" fn fuse_new_compat22(
    fd: c_int,
    opts: *const c_char,
    op: *const c_void,
    op_size: size_t,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V22, op, op_size }.over_device_with(fd, opts) }
}

/// `fuse_new` of API 2.1.
///
/// # Safety
/// As for [`fuse_new_compat22`], with a whole table.
pub unsafe extern "C" fn fuse_new_compat2(
    fd: c_int,
    opts: *const c_char,
    op: *const c_void,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V2, op, op_size: SIZE_2 }.over_device_with(fd, opts) }
}

/// `fuse_new` of API 1.x, whose one flag that still counts is the one for debug output.
///
/// # Safety
/// As for [`fuse_new_compat22`], with a whole table.
pub unsafe extern "C" fn fuse_new_compat1(fd: c_int, flags: c_int, op: *const c_void) -> *mut Fuse {
    let opts = if flags & DEBUG_COMPAT1 != 0 { c"debug".as_ptr() } else { ptr::null() };
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V1, op, op_size: FULL_SIZE_1 }.over_device_with(fd, opts) }
}

/// `fuse_setup` of API 2.5. `*fd` becomes the device, which stays the file system's.
///
/// # Safety
/// As for [`fuse_setup`](crate::high::setup::fuse_setup); `fd` is NULL or may be written.
pub unsafe extern "C" fn fuse_setup_compat25(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
    op_size: size_t,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    fd: *mut c_int,
) -> *mut Fuse {
    let program = Program { age: Age::V25, op, op_size };
    // SAFETY: the caller's promise.
    unsafe { program.set_up((argc, argv), mountpoint, multithreaded, fd) }
}

/// `fuse_setup` of API 2.2 to 2.4.
///
/// # Safety
/// As for [`fuse_setup_compat25`].
pub unsafe extern "C" fn fuse_setup_compat22(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
    op_size: size_t,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    fd: *mut c_int,
) -> *mut Fuse {
    let program = Program { age: Age::V22, op, op_size };
    // SAFETY: the caller's promise.
    unsafe { program.set_up((argc, argv), mountpoint, multithreaded, fd) }
}

/// `__fuse_setup` of API 2.1.
///
/// # Safety
/// As for [`fuse_setup_compat25`], with a whole table.
pub unsafe extern "C" fn fuse_setup_compat2(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
    mountpoint: *mut *mut c_char,
    multithreaded: *mut c_int,
    fd: *mut c_int,
) -> *mut Fuse {
    let program = Program { age: Age::V2, op, op_size: SIZE_2 };
    // SAFETY: the caller's promise.
    unsafe { program.set_up((argc, argv), mountpoint, multithreaded, fd) }
}

/// `fuse_teardown` of API 2.2 to 2.5; the device is the file system's and goes with it.
///
/// # Safety
/// As for [`fuse_teardown`].
pub unsafe extern "C" fn fuse_teardown_compat22(f: *mut Fuse, _fd: c_int, mountpoint: *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { fuse_teardown(f, mountpoint) };
}

/// `fuse_main` of API 2.5.
///
/// # Safety
/// As for [`fuse_main_real`](crate::high::setup::fuse_main_real).
pub unsafe extern "C" fn fuse_main_real_compat25(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
    op_size: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V25, op, op_size }.main(argc, argv) }
}

/// `fuse_main` of API 2.2 to 2.4.
///
/// # Safety
/// As for [`fuse_main_real_compat25`].
pub unsafe extern "C" fn fuse_main_real_compat22(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
    op_size: size_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V22, op, op_size }.main(argc, argv) }
}

/// `fuse_main` of API 2.1.
///
/// # Safety
/// As for [`fuse_main_real_compat25`], with a whole table.
pub unsafe extern "C" fn fuse_main_compat2(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V2, op, op_size: SIZE_2 }.main(argc, argv) }
}

/// `fuse_main` of API 1.x, which returns nothing.
///
/// # Safety
/// As for [`fuse_main_real_compat25`], with a whole table.
pub unsafe extern "C" fn fuse_main_compat1(argc: c_int, argv: *mut *mut c_char, op: *const c_void) {
    // SAFETY: the caller's promise.
    unsafe { Program { age: Age::V1, op, op_size: FULL_SIZE_1 }.main(argc, argv) };
}

/// `fuse_main` as a function without arguments, which it never was: it only complains and returns -1.
pub extern "C" fn fuse_main() -> c_int {
    emit(FUSE_LOG_ERR, "fuse_main(): This function does not exist");
    -1
}

/// `fuse_mount` of API 2.2 to 2.4, with options in the form of `-o`, which hands out the device; -1 on failure, with a
/// message.
///
/// # Safety
/// `mountpoint` and `opts` are NULL or C strings.
pub unsafe extern "C" fn fuse_mount_compat22(
    mountpoint: *const c_char,
    opts: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with_args(opts, |args| fuse_mount_compat25(mountpoint, args)).unwrap_or(-1) }
}

/// `fuse_mount` of API 1.x, whose arguments for the mount helper have no meaning any more.
///
/// # Safety
/// `mountpoint` is NULL or a C string.
pub unsafe extern "C" fn fuse_mount_compat1(
    mountpoint: *const c_char,
    _args: *mut *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fuse_mount_compat22(mountpoint, ptr::null()) }
}

/// `fuse_unmount` of API 2.2 to 2.5.
///
/// # Safety
/// `mountpoint` is NULL or a C string.
pub unsafe extern "C" fn fuse_unmount_compat22(mountpoint: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe { fuse_unmount(mountpoint, ptr::null_mut()) };
}
