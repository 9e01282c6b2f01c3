//! The version this library claims, and who prints it.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use ferrofuse::{Errno, Result};

use crate::log::{FUSE_LOG_ERR, emit};
use crate::panic::guard;
use crate::stdio::print;

/// What `fuse_pkgversion` returns: the libfuse release whose behaviour this library has.
pub const PKG_VERSION: &CStr = c"3.14.0";

/// What `fuse_version` returns: `major * 100 + minor` of [`PKG_VERSION`].
pub const VERSION_NUMBER: c_int = 314;

/// The line about the kernel interface that `--version` prints with [`PKG_VERSION`].
const KERNEL_INTERFACE: &CStr = c"using FUSE kernel interface version 7.31\n";

/// The mount helper of libfuse 3.
const HELPER_NAME: &CStr = c"fusermount3";

/// `fuse_pkgversion`: a static string.
pub extern "C" fn fuse_pkgversion() -> *const c_char {
    PKG_VERSION.as_ptr()
}

/// `fuse_version`: see [`VERSION_NUMBER`].
pub extern "C" fn fuse_version() -> c_int {
    VERSION_NUMBER
}

/// `fuse_lowlevel_version`: prints the kernel interface version on stdout, then lets the mount
/// helper print its own.
///
/// stdout isn't flushed in between, so into a pipe the helper's line comes first, which is what
/// users of libfuse see.
pub extern "C" fn fuse_lowlevel_version() {
    lowlevel_version_of(KERNEL_INTERFACE);
}

/// The same for another kernel interface, a whole line.
pub fn lowlevel_version_of(interface: &CStr) {
    guard("fuse_lowlevel_version", (), || {
        print(interface);
        print_helper_version(&[HELPER_NAME]);
    });
}

/// Where distributions install the mount helpers; looked into before the `PATH`.
const HELPER_DIR: &str = "/usr/bin";

/// Runs `<name> --version`, with the first of the names that there is, with this process's stdout, and waits for it.
pub fn print_helper_version(names: &[&CStr]) {
    let mut failed = None;
    for name in names {
        match start_helper(name) {
            Ok(pid) => return wait_for(pid),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(reason) = failed {
        let name = names.first().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        emit(FUSE_LOG_ERR, &format!("fuse: failed to exec {name}: {reason}"));
    }
}

/// Starts `<name> --version`.
fn start_helper(name: &CStr) -> Result<libc::pid_t> {
    let mut pid = 0;
    let argv = [name.as_ptr().cast_mut(), c"--version".as_ptr().cast_mut(), ptr::null_mut()];
    let path = format!("{HELPER_DIR}/{}", name.to_string_lossy());
    let path = CString::new(path).unwrap_or_default();
    // SAFETY: path, name and vector are NUL- and NULL-terminated, live until the call returns and aren't written to by it;
    // NULL means no file actions and default attributes. `environ` is read as exec would read it.
    let error = unsafe {
        let (actions, attributes, argv) = (ptr::null(), ptr::null(), argv.as_ptr());
        match spawn_env(|environ| {
            libc::posix_spawn(&mut pid, path.as_ptr(), actions, attributes, argv, environ)
        }) {
            0 => 0,
            _ => spawn_env(|environ| {
                libc::posix_spawnp(&mut pid, name.as_ptr(), actions, attributes, argv, environ)
            }),
        }
    };
    if error == 0 { Ok(pid) } else { Err(Errno::from_raw(error)) }
}

/// Waits for a child just started.
fn wait_for(pid: libc::pid_t) {
    // SAFETY: a NULL status is allowed.
    while unsafe { libc::waitpid(pid, ptr::null_mut(), 0) } == -1 && Errno::last() == Errno::EINTR {
    }
}

/// Calls `spawn` with the process environment.
///
/// # Safety
/// No other thread may be changing the environment, as for any use of `environ(7)`.
unsafe fn spawn_env(spawn: impl FnOnce(*const *mut c_char) -> c_int) -> c_int {
    unsafe extern "C" {
        static environ: *const *mut c_char;
    }
    // SAFETY: reading the C library's variable; see the function's contract.
    spawn(unsafe { environ })
}
