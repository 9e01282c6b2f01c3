//! What the kernel is told of a character device, and its side of it.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::slice;

use ferrofuse::Errno;
use ferrofuse::session::CharDevice;
use ferrofuse_abi_common::daemonize::fill_standard_streams;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};

use crate::types::CuseInfo;

/// Most bytes of strings that the kernel takes.
const MAX_INFO: usize = 4096;
/// `CUSE_UNRESTRICTED_IOCTL`, in the C struct and in the protocol.
const UNRESTRICTED_IOCTL: u32 = 1;
const DEVICE: &str = "/dev/cuse";

/// The device for the engine; `None`, with a message, if the kernel would not take it.
///
/// # Safety
/// `ci` has as many C strings as it says.
pub unsafe fn describe(ci: &CuseInfo) -> Option<CharDevice> {
    let mut info = Vec::new();
    if !ci.dev_info_argv.is_null() {
        // SAFETY: the caller's promise.
        let strings = unsafe { slice::from_raw_parts(ci.dev_info_argv, ci.dev_info_argc as usize) };
        for string in strings.iter().filter(|string| !string.is_null()) {
            // SAFETY: the caller's promise.
            info.extend_from_slice(unsafe { CStr::from_ptr(*string) }.to_bytes_with_nul());
        }
    }
    if info.len() > MAX_INFO {
        let message = format!("cuse: dev_info ({}) too large, limit={MAX_INFO}", info.len());
        emit(FUSE_LOG_ERR, &message);
        return None;
    }
    let flags = ci.flags & UNRESTRICTED_IOCTL;
    Some(CharDevice { major: ci.dev_major, minor: ci.dev_minor, flags, info })
}

/// Opens the kernel's side of a device; `None`, with a message, on failure.
pub fn open() -> Option<OwnedFd> {
    fill_standard_streams();
    match OpenOptions::new().read(true).write(true).open(DEVICE) {
        Ok(file) => Some(file.into()),
        Err(error) => {
            let message = match Errno::from(error) {
                Errno::ENODEV | Errno::ENOENT => {
                    "cuse: device not found, try 'modprobe cuse' first".to_owned()
                }
                error => format!("cuse: failed to open {DEVICE}: {error}"),
            };
            emit(FUSE_LOG_ERR, &message);
            None
        }
    }
}
