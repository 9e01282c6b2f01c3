//! The mount made by this process itself, step by step (Linux 5.2).
//!
//! Unlike `mount(2)` it has no limit of a page for options, no separators in values, and says `subtype` as what it is.
//! Whatever goes wrong, `mount(2)` is tried after it, and says what the matter is.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::mount::MsFlags;

use super::MountOptions;
use super::point::Target;
use crate::sys::fsmount::{self, Context, attr};
use crate::{Errno, Result};

/// Flags of `mount(2)` that are attributes of the mount.
const ATTRIBUTES: &[(MsFlags, u32)] = &[
    (MsFlags::MS_RDONLY, attr::RDONLY),
    (MsFlags::MS_NOSUID, attr::NOSUID),
    (MsFlags::MS_NODEV, attr::NODEV),
    (MsFlags::MS_NOEXEC, attr::NOEXEC),
    (MsFlags::MS_NOATIME, attr::NOATIME),
];

/// Those that are parameters of the filesystem.
const PARAMETERS: &[(MsFlags, &std::ffi::CStr)] = &[
    (MsFlags::MS_RDONLY, c"ro"),
    (MsFlags::MS_SYNCHRONOUS, c"sync"),
    (MsFlags::MS_DIRSYNC, c"dirsync"),
];

fn c_string(bytes: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// Mounts `device`.
///
/// # Errors
/// `ENOSYS` for an old kernel, `EPERM` without the privilege, `EINVAL` for options that this kernel wants otherwise.
pub(super) fn mount(
    target: &Target,
    options: &MountOptions,
    device: BorrowedFd<'_>,
    (uid, gid): (u32, u32),
) -> Result<()> {
    let context = Context::open(if options.blkdev() { c"fuseblk" } else { c"fuse" })?;
    let (source, subtype) = options.source_and_subtype();
    if let Some(subtype) = subtype {
        context.set(c"subtype", &c_string(subtype.as_encoded_bytes())?)?;
    }
    context.set(c"source", &c_string(source.as_encoded_bytes())?)?;
    for (_, name) in PARAMETERS.iter().filter(|(flag, _)| options.flags().contains(*flag)) {
        context.flag(name)?;
    }
    for option in options.kernel_options() {
        let bytes = option.as_encoded_bytes();
        match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                // Those of security modules may be quoted for `mount(2)`.
                let value = bytes[at + 1..].trim_ascii();
                let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
                context.set(&c_string(&bytes[..at])?, &c_string(bare.unwrap_or(value))?)?;
            }
            None => context.flag(&c_string(bytes)?)?,
        }
    }
    for (key, value) in [
        (c"fd", device.as_raw_fd().to_string()),
        (c"rootmode", format!("{:o}", target.root_mode())),
        (c"user_id", uid.to_string()),
        (c"group_id", gid.to_string()),
    ] {
        context.set(key, &c_string(value)?)?;
    }
    let attributes = ATTRIBUTES
        .iter()
        .filter(|(flag, _)| options.flags().contains(*flag))
        .fold(0, |all, (_, attribute)| all | attribute);
    let mount = context.mount(attributes)?;
    fsmount::attach(mount.as_fd(), target.as_fd())
}
