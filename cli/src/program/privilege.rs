//! Programs that run with more rights than their caller.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{getgid, getuid};

/// How the program gets more rights than the caller has, if it does.
pub fn of(path: &Path) -> Option<&'static str> {
    let found = path.metadata().ok()?;
    let mode = found.mode();
    if mode & libc::S_ISUID != 0 && found.uid() != getuid().as_raw() {
        return Some("is set-user-ID");
    }
    // Without execution by the group, the bit means something else.
    if mode & libc::S_ISGID != 0 && mode & libc::S_IXGRP != 0 && found.gid() != getgid().as_raw() {
        return Some("is set-group-ID");
    }
    (!getuid().is_root() && has_capabilities(path)).then_some("has file capabilities")
}

fn has_capabilities(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: two C strings; with a length of 0 nothing is written.
    unsafe {
        libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) > 0
    }
}
