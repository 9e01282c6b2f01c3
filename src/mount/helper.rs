//! The set-user-ID helper, `fusermount3`.
//!
//! It is told the number of a socket in `_FUSE_COMMFD`, mounts, and sends one byte together with
//! the device. With `auto_unmount` it then stays, and unmounts when the socket's other end is
//! closed, be it by the death of this process.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::stat::{SFlag, fstat};

use super::{Flavor, MountOptions};
use crate::sys::proc::{self, Command, Exit};
use crate::sys::scm::receive_fds;
use crate::{Errno, Result};

const COMM_FD: &str = "_FUSE_COMMFD";

/// Mounts through the helper. With `auto_unmount` the second result is the socket that must stay
/// open as long as the mount shall.
///
/// # Errors
/// Logged, except that the helper prints its own reasons to standard error.
pub(super) fn mount(
    mountpoint: &Path,
    options: &MountOptions,
) -> Result<(OwnedFd, Option<OwnedFd>)> {
    // An old kernel may refuse a subtype: the first attempt is silent, and if leaving the subtype
    // out does not help either, the second one says why.
    let subtype = options.has_subtype();
    let result = match attempt(mountpoint, options, subtype) {
        Err(Failure::Refused(_)) if subtype => attempt(mountpoint, options, false),
        result => result,
    };
    result.map_err(|failure| {
        let helper = options.flavor().helper;
        let place = mountpoint.display();
        match failure {
            Failure::Refused(how) => {
                log::error!("fuse: {helper} could not mount on {place} ({how})");
                Errno::EPERM
            }
            Failure::Start(error) => {
                log_start_failure(options.flavor(), error);
                error
            }
            Failure::Protocol(what) => {
                log::error!("fuse: {helper} gave an invalid answer ({what}) mounting on {place}");
                Errno::EPROTO
            }
            Failure::System(what, error) => {
                log::error!("fuse: {what} failed: {error} (mounting on {place})");
                error
            }
        }
    })
}

/// Lets the helper unmount `path`, quietly and lazily.
///
/// # Errors
/// `EPERM` if the helper did not succeed; a missing helper is logged.
pub(super) fn unmount(path: &Path, flavor: Flavor) -> Result<()> {
    let args = ["-u", "-q", "-z", "--"].map(OsStr::new);
    let child = start(flavor, &args, path, None, false, false)?;
    match child.wait() {
        Ok(Exit::Code(0)) => Ok(()),
        Ok(_) => Err(Errno::EPERM),
        Err(error) => {
            let error = Errno::from(error);
            log_start_failure(flavor, error);
            Err(error)
        }
    }
}

enum Failure {
    /// The helper ended without an answer, in the way described.
    Refused(String),
    /// The helper could not be executed.
    Start(Errno),
    /// The helper broke the protocol.
    Protocol(&'static str),
    /// A system call of ours failed.
    System(&'static str, Errno),
}

fn attempt(
    mountpoint: &Path,
    options: &MountOptions,
    subtype: bool,
) -> Result<(OwnedFd, Option<OwnedFd>), Failure> {
    // Both ends are close-on-exec; only the helper's copy of `theirs` will not be.
    let (ours, theirs) =
        UnixStream::pair().map_err(|error| Failure::System("socketpair()", error.into()))?;
    let list = options.helper_list(subtype, nix::unistd::getuid().is_root());
    let args = [OsStr::new("-o"), &list, OsStr::new("--")];
    let keep = options.auto_unmount();
    let child = start(options.flavor(), &args, mountpoint, Some(theirs.as_fd()), subtype, keep)
        .map_err(|error| Failure::System("fork()", error))?;
    drop(theirs);

    // A detached helper's `wait` tells at once whether it could be executed. The other kind ends
    // by itself after its answer, so that is read first; a full socket cannot hold it up.
    let (answer, exit) = if keep {
        let exit = child.wait();
        let answer = if exit.is_ok() { receive(ours.as_fd()) } else { Ok(None) };
        (answer, exit)
    } else {
        let answer = receive(ours.as_fd());
        // Nothing more is wanted: a helper that goes on talking gets EPIPE and ends.
        let _ = ours.shutdown(std::net::Shutdown::Both);
        (answer, child.wait())
    };
    let exit = exit.map_err(|error| Failure::Start(error.into()))?;
    match answer? {
        Some(device) => Ok((device, keep.then(|| OwnedFd::from(ours)))),
        None => Err(Failure::Refused(match exit {
            Exit::Code(0) => "it ended without passing a device".to_owned(),
            Exit::Code(code) => format!("exit status {code}"),
            Exit::Signal(signal) => format!("killed by signal {signal}"),
            Exit::Started => "it ended early".to_owned(),
        })),
    }
}

/// Receives the device as the helper passes it over `socket`; `None` if the helper hung up without an
/// answer. `EPROTO` for any other answer; every descriptor that came is closed then.
pub fn receive_device(socket: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    receive(socket).map_err(|failure| match failure {
        Failure::System(_, error) | Failure::Start(error) => error,
        Failure::Protocol(_) | Failure::Refused(_) => Errno::EPROTO,
    })
}

/// The helper's answer; `None` if it hung up without one.
fn receive(socket: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Failure> {
    // Room for more than the one byte, to notice a helper that speaks another protocol.
    let mut data = [0; 16];
    let mut answer = match receive_fds(socket, &mut data) {
        Ok(answer) => answer,
        // The helper died with something of ours unread.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
        Err(error) => return Err(Failure::System("recvmsg()", error.into())),
    };
    if answer.bytes == 0 && answer.fds.is_empty() {
        return Ok(None);
    }
    if answer.truncated {
        return Err(Failure::Protocol("its descriptors could not be received"));
    }
    if answer.bytes != 1 {
        return Err(Failure::Protocol("not one byte"));
    }
    let (Some(device), true) = (answer.fds.pop(), answer.fds.is_empty()) else {
        return Err(Failure::Protocol("not one descriptor"));
    };
    let is_device = fstat(&device).is_ok_and(|stat| {
        SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFCHR
    });
    if is_device { Ok(Some(device)) } else { Err(Failure::Protocol("not a device")) }
}

fn start(
    flavor: Flavor,
    args: &[&OsStr],
    path: &Path,
    socket: Option<BorrowedFd<'_>>,
    quiet: bool,
    detach: bool,
) -> Result<proc::Child> {
    let dirs = search_dirs(flavor);
    let in_dirs = |name: &'static str| dirs.iter().map(move |dir| dir.join(name));
    // Both speak the same language.
    let other = flavor.other_helper.into_iter().flat_map(in_dirs);
    let programs: Vec<PathBuf> = in_dirs(flavor.helper).chain(other).collect();
    let programs = c_strings(programs.iter().map(|program| program.as_os_str()))?;
    let own = [OsStr::new(flavor.helper)];
    let argv = c_strings(own.iter().chain(args).copied().chain([path.as_os_str()]))?;
    let mut env: Vec<OsString> = std::env::vars_os()
        .filter(|(name, _)| name != COMM_FD)
        .map(|(name, value)| [name, "=".into(), value].into_iter().collect())
        .collect();
    if let Some(socket) = socket {
        env.push(format!("{COMM_FD}={}", socket.as_raw_fd()).into());
    }
    let env = c_strings(env.iter().map(OsString::as_os_str))?;
    let command = Command {
        programs: &programs,
        argv: &argv,
        env: &env,
        inherit: socket,
        lone_stdin: None,
        quiet,
        become_effective: false,
        detach,
    };
    Ok(proc::spawn(&command)?)
}

/// Where to look for the helper.
pub(super) fn search_dirs(flavor: Flavor) -> Vec<PathBuf> {
    dirs(flavor, std::env::var_os("PATH").filter(|_| !proc::privileged_exec()))
}

/// Relative elements of `path` are skipped: what is found there depends on the working directory,
/// and this may be running as root.
fn dirs(flavor: Flavor, path: Option<OsString>) -> Vec<PathBuf> {
    let elements = path.iter().flat_map(std::env::split_paths).filter(|dir| dir.is_absolute());
    [PathBuf::from(flavor.helper_dir)].into_iter().chain(elements).collect()
}

pub(super) fn c_strings<'a>(strings: impl Iterator<Item = &'a OsStr>) -> Result<Vec<CString>> {
    strings.map(|s| CString::new(s.as_bytes()).map_err(|_| Errno::EINVAL)).collect()
}

fn log_start_failure(flavor: Flavor, error: Errno) {
    let Flavor { helper, helper_dir, .. } = flavor;
    log::error!("fuse: failed to exec {helper}: {error} (looked for in {helper_dir} and PATH)");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helper_is_looked_for_in_its_directory_then_absolute_path_elements() {
        let flavor = Flavor { helper: "fm", helper_dir: "/opt/bin", ..Flavor::FUSE3 };
        let paths = |path: Option<&str>| dirs(flavor, path.map(OsString::from));
        assert_eq!(paths(None), [Path::new("/opt/bin")]);
        assert_eq!(
            paths(Some("/usr/bin::bin:.:/bin")),
            [Path::new("/opt/bin"), Path::new("/usr/bin"), Path::new("/bin")]
        );
    }
}
