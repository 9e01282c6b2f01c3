//! A watch over an `auto_unmount` mount: the only one where this process has made the mount, and a second one over an
//! ordinary user's.
//!
//! The helper's own watch only unmounts what it finds dead (`ENOTCONN`), and looks as root: a user's
//! mount answers root `EACCES`, dead or alive, unless it was made with `allow_other`. So the mount
//! would stay, and programs have quietly added `allow_other` for it. Instead a shell waits beside
//! the helper as the user, who gets the true answer, and lets the helper unmount.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::{getuid, pipe2};

use super::helper::{c_strings, search_dirs};
use super::{Flavor, MountOptions};
use crate::Result;
use crate::sys::proc::{self, Child, Command};

/// Waits for the end of standard input. `$0` is the helper, `$1` the mount point. A mount point
/// that answers is not mounted any more or has a new, living filesystem. Its attributes
/// may be cached, so they are no answer; statistics are not.
const SCRIPT: &str = r#"trap "" HUP INT QUIT TERM
cd /
read -r end
if command -v stat >/dev/null; then stat -f "$1"; else [ -e "$1" ]; fi || exec "$0" -u -q -z -- "$1""#;

/// Starts the watch where the helper's own is blind. The result must stay open as long as the mount
/// shall; failing to start one is logged and leaves the helper's watch alone.
pub(super) fn beside_helper(mountpoint: &Path, options: &MountOptions) -> Option<OwnedFd> {
    let blind = !getuid().is_root() && !options.allow_other();
    blind.then(|| start(mountpoint, options)).flatten()
}

/// Starts the watch. As above.
pub(super) fn start(mountpoint: &Path, options: &MountOptions) -> Option<OwnedFd> {
    let place = mountpoint.display();
    spawn(mountpoint, options.flavor())
        .inspect_err(|error| log::warn!("fuse: no watch over {place}: {error}"))
        .ok()
}

fn spawn(mountpoint: &Path, flavor: Flavor) -> Result<OwnedFd> {
    let (end, keeper) = pipe2(OFlag::O_CLOEXEC)?;
    let dirs = search_dirs(flavor);
    let dirs = dirs.iter().filter(|dir| !dir.as_os_str().as_encoded_bytes().contains(&b':'));
    let mut path = OsString::from("PATH=");
    for (i, dir) in dirs.enumerate() {
        path.push(if i > 0 { ":" } else { "" });
        path.push(dir);
    }
    let argv = ["sh", "-c", SCRIPT, flavor.helper].map(OsStr::new);
    let argv = c_strings(argv.into_iter().chain([mountpoint.as_os_str()]))?;
    let command = Command {
        programs: &c_strings([OsStr::new("/bin/sh")].into_iter())?,
        argv: &argv,
        env: &c_strings([path.as_os_str()].into_iter())?,
        inherit: None,
        lone_stdin: Some(end.as_fd()),
        quiet: true,
        become_effective: false,
        detach: true,
    };
    proc::spawn(&command).and_then(Child::wait)?;
    Ok(keeper)
}
