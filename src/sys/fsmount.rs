//! The system calls that make a mount step by step (Linux 5.2). nix has none of them.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::errno::{Errno, Result};

const FSOPEN_CLOEXEC: libc::c_uint = 1;
const FSMOUNT_CLOEXEC: libc::c_uint = 1;
const SET_FLAG: libc::c_uint = 0;
const SET_STRING: libc::c_uint = 1;
const CMD_CREATE: libc::c_uint = 6;
const MOVE_FROM_EMPTY_PATH: libc::c_uint = 0x04;
const MOVE_TO_EMPTY_PATH: libc::c_uint = 0x40;

/// Attributes of a mount, not of the filesystem (`MOUNT_ATTR_*`).
pub mod attr {
    #![allow(missing_docs)] // the kernel's names
    pub const RDONLY: u32 = 0x01;
    pub const NOSUID: u32 = 0x02;
    pub const NODEV: u32 = 0x04;
    pub const NOEXEC: u32 = 0x08;
    pub const NOATIME: u32 = 0x10;
}

/// A filesystem in the making.
#[derive(Debug)]
pub struct Context(OwnedFd);

fn checked(result: libc::c_long) -> Result<libc::c_long> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

/// The descriptor that a system call has returned.
///
/// # Safety
/// It is open, and nobody else's.
unsafe fn owned(result: libc::c_long) -> Result<OwnedFd> {
    let fd = i32::try_from(checked(result)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Context {
    /// Begins with a filesystem of this type. `ENOSYS` where the kernel has no such call, `EPERM` without the
    /// privilege, `ENODEV` for a type it does not know.
    pub fn open(kind: &CStr) -> Result<Context> {
        // SAFETY: the kernel reads a C string; what it returns is a new descriptor.
        let fd = unsafe { owned(libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC)) };
        fd.map(Context)
    }

    fn configure(
        &self,
        command: libc::c_uint,
        key: *const libc::c_char,
        value: *const libc::c_char,
    ) -> Result<()> {
        let fd = self.0.as_raw_fd();
        // SAFETY: `key` and `value` are NULL or C strings, as the command wants them.
        checked(unsafe { libc::syscall(libc::SYS_fsconfig, fd, command, key, value, 0) }).map(drop)
    }

    /// Sets a parameter that has no value.
    pub fn flag(&self, key: &CStr) -> Result<()> {
        self.configure(SET_FLAG, key.as_ptr(), ptr::null())
    }

    /// Sets a parameter.
    pub fn set(&self, key: &CStr, value: &CStr) -> Result<()> {
        self.configure(SET_STRING, key.as_ptr(), value.as_ptr())
    }

    /// Makes the filesystem, and a mount of it with these attributes ([`attr`]), which is nowhere yet.
    pub fn mount(self, attributes: u32) -> Result<OwnedFd> {
        self.configure(CMD_CREATE, ptr::null(), ptr::null())?;
        let fd = self.0.as_raw_fd();
        // SAFETY: plain numbers; what it returns is a new descriptor.
        unsafe { owned(libc::syscall(libc::SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes)) }
    }
}

/// Puts a mount on an open directory or file.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    let (from, to) = (mount.as_raw_fd(), target.as_raw_fd());
    let flags = MOVE_FROM_EMPTY_PATH | MOVE_TO_EMPTY_PATH;
    let empty = c"".as_ptr();
    // SAFETY: the kernel reads two C strings.
    checked(unsafe { libc::syscall(libc::SYS_move_mount, from, empty, to, empty, flags) }).map(drop)
}
