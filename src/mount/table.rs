//! `/etc/mtab` where it still is a file of its own.
//!
//! Nearly everywhere it is a symbolic link into `/proc` and there is nothing to do. Where it is a
//! regular file, `/bin/mount` and `/bin/umount` are asked to edit it, as root only.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::unistd::{AccessFlags, access, geteuid};

use super::{MountOptions, MountPoint};
use crate::sys::proc::{self, Child, Command, Exit};
use crate::{Errno, Result};

const TABLE: &str = "/etc/mtab";

/// Adds a mount just made. Failing to do so costs a line in a listing, not the mount.
pub(super) fn add(point: &MountPoint, options: &MountOptions) {
    if options.no_table() || !is_kept(point.path()) {
        return;
    }
    let (source, kind) = options.source_and_type(true);
    let list = options.table_list();
    let args = [OsStr::new("-t"), &kind, OsStr::new("-o"), &list, OsStr::new("--"), &source];
    report(point.path(), run(Path::new("/bin/mount"), &["-i", "-f"], &args, point.path()));
}

/// Removes a mount just undone.
pub(super) fn remove(path: &Path) {
    if is_kept(path) {
        let args = [OsStr::new("--")];
        report(path, run(Path::new("/bin/umount"), &["-i", "--fake"], &args, path));
    }
}

fn is_kept(mountpoint: &Path) -> bool {
    geteuid().is_root()
        // A table inside the mount would be asked of the filesystem that nobody serves yet.
        && !Path::new(TABLE).starts_with(mountpoint)
        && fs::symlink_metadata(TABLE).is_ok_and(|table| table.is_file())
        && access(TABLE, AccessFlags::W_OK).is_ok()
}

fn run(program: &Path, flags: &[&str], args: &[&OsStr], path: &Path) -> Result<Exit> {
    let c_string = |s: &OsStr| CString::new(s.as_bytes()).map_err(|_| Errno::EINVAL);
    let own = [program.as_os_str(), OsStr::new("--no-canonicalize")];
    let argv = own
        .into_iter()
        .chain(flags.iter().map(OsStr::new))
        .chain(args.iter().copied())
        .chain([path.as_os_str()])
        .map(c_string)
        .collect::<Result<Vec<_>>>()?;
    let command = Command {
        programs: &[c_string(program.as_os_str())?],
        argv: &argv,
        env: &[],
        inherit: None,
        lone_stdin: None,
        quiet: false,
        // `mount` takes such orders only from root itself.
        become_effective: true,
        detach: false,
    };
    Ok(proc::spawn(&command).and_then(Child::wait)?)
}

fn report(path: &Path, result: Result<Exit>) {
    match result {
        Ok(Exit::Code(0)) => {}
        Ok(exit) => log::warn!("fuse: {TABLE} not updated for {}: {exit:?}", path.display()),
        Err(error) => log::warn!("fuse: {TABLE} not updated for {}: {error}", path.display()),
    }
}
