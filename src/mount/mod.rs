//! Mounting and unmounting.
//!
//! A mount is made with `mount(2)` where the kernel lets this process do so, otherwise by the
//! set-user-ID helper `fusermount3`, which passes the device back over a socket. Either way the
//! result is a [`Mount`]: the device and what is needed to undo it. Unmounting acts on the very
//! filesystem that was mounted, even if someone moved directories around in the meantime.
//!
//! Failures are logged here with the mount point and the reason; callers only hand the error on.

mod direct;
mod helper;
mod options;
mod point;
pub mod service;
mod steps;
mod table;
mod unmount;
mod watch;

use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

pub use helper::receive_device;
pub use options::MountOptions;
pub use unmount::{MountPoint, unmount_path};

use crate::sys::proc;
use crate::{Errno, Result};
use point::Target;

/// What differs between the library generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flavor {
    /// File name of the set-user-ID helper.
    pub helper: &'static str,
    /// Directory in which the helper is looked for before `PATH`.
    pub helper_dir: &'static str,
    /// File name of a helper that serves where the first is not installed.
    pub other_helper: Option<&'static str>,
    /// Mounts are made by the newer system calls where the kernel has them.
    pub by_steps: bool,
    /// A mount with `auto_unmount` is made by this process where it may, and watched by one of its own.
    pub watches_itself: bool,
    /// A mount point that is not empty is accepted without the option `nonempty`.
    pub sits_on_contents: bool,
}

impl Flavor {
    /// libfuse 3. The build may set `FERROFUSE_HELPER_DIR` to where its helper is installed.
    pub const FUSE3: Flavor = Flavor {
        helper: "fusermount3",
        helper_dir: match option_env!("FERROFUSE_HELPER_DIR") {
            Some(dir) => dir,
            None => "/usr/bin",
        },
        other_helper: None,
        by_steps: false,
        watches_itself: false,
        sits_on_contents: true,
    };

    /// libfuse 3.19.
    pub const FUSE3_19: Flavor = Flavor { by_steps: true, watches_itself: true, ..Flavor::FUSE3 };

    /// libfuse 2.
    pub const FUSE2: Flavor = Flavor {
        helper: "fusermount",
        other_helper: Some("fusermount3"),
        sits_on_contents: false,
        ..Flavor::FUSE3
    };
}

/// A mounted filesystem waiting for its server.
///
/// Dropping it closes the device, which makes the filesystem fail every access, but does not
/// unmount it (with `auto_unmount` the helper then does); see [`MountPoint::unmount`].
#[derive(Debug)]
pub struct Mount {
    device: OwnedFd,
    point: MountPoint,
}

impl Mount {
    /// The mount point and what is needed to unmount.
    pub fn point(&self) -> &MountPoint {
        &self.point
    }

    /// The device and the rest, for a session that owns them separately.
    pub fn into_parts(self) -> (OwnedFd, MountPoint) {
        (self.device, self.point)
    }

    /// Closes the device and unmounts.
    ///
    /// # Errors
    /// As [`MountPoint::unmount`].
    pub fn unmount(self) -> Result<()> {
        self.point.unmount(Some(self.device))
    }
}

impl AsFd for Mount {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// Mounts on `mountpoint`.
///
/// The exact form `/dev/fd/N` names no mount point but an open descriptor of an already mounted
/// device: it is taken over, and nothing will be unmounted later.
///
/// # Errors
/// Logged. `EPERM` also stands for a refusal by the helper (which gives its reason on standard
/// error), `EPROTO` for a helper that answers nonsense, `ENOENT` for a missing mount point, device
/// or helper.
pub fn mount(mountpoint: &Path, options: &MountOptions) -> Result<Mount> {
    mount_watched(mountpoint, options, &mut Unwatched)
}

/// Is told of the devices that this process tries to mount by itself.
pub trait Watcher {
    /// `device` is open and about to be mounted.
    fn opened(&mut self, device: BorrowedFd<'_>);
    /// It was not mounted after all, and will be closed.
    fn given_up(&mut self);
}

struct Unwatched;

impl Watcher for Unwatched {
    fn opened(&mut self, _device: BorrowedFd<'_>) {}
    fn given_up(&mut self) {}
}

/// As [`mount`], with someone who may serve requests while the mount is being made.
///
/// # Errors
/// As [`mount`].
pub fn mount_watched(
    mountpoint: &Path,
    options: &MountOptions,
    watcher: &mut dyn Watcher,
) -> Result<Mount> {
    fill_standard_fds()?;
    if let Some(number) = device_number(mountpoint) {
        let device = proc::adopt_fd(number).map_err(|error| {
            log::error!("fuse: Invalid file descriptor /dev/fd/{number}");
            Errno::from(error)
        })?;
        return Ok(Mount { device, point: MountPoint::external(mountpoint) });
    }
    let target = Target::open(mountpoint)?;
    if !options.sits_on_contents() && target.has_contents() {
        log::error!("fuse: mountpoint is not empty");
        log::error!("fuse: if you are sure this is safe, use the 'nonempty' mount option");
        return Err(Errno::ENOTEMPTY);
    }
    // The helper of libfuse 3.14 watches over a mount only if it made it, whoever is asking.
    if !options.auto_unmount() || options.flavor().watches_itself {
        match direct::mount(&target, options, watcher) {
            Err(Errno::EPERM) => {}
            result => {
                let device = result?;
                let mut keepers = Vec::new();
                if options.auto_unmount() {
                    keepers.extend(watch::start(target.absolute(), options));
                }
                let point = MountPoint::new(&target, options, device.as_fd(), keepers);
                table::add(&point, options);
                return Ok(Mount { device, point });
            }
        }
    }
    let (device, keeper) = helper::mount(mountpoint, options)?;
    let mut keepers: Vec<OwnedFd> = keeper.into_iter().collect();
    if options.auto_unmount() {
        keepers.extend(watch::beside_helper(target.absolute(), options));
    }
    let point = MountPoint::new(&target, options, device.as_fd(), keepers);
    Ok(Mount { device, point })
}

/// Mounts and hands out the bare device, which the caller closes and unmounts by itself.
///
/// With `auto_unmount` the connection to those who watch stays open until this process ends, also across
/// `exec`: the usual caller executes the real filesystem server, which inherits the device.
///
/// # Errors
/// As [`mount`].
pub fn open_channel(mountpoint: &Path, options: &MountOptions) -> Result<OwnedFd> {
    let (device, mut point) = mount(mountpoint, options)?.into_parts();
    for keeper in point.take_keepers() {
        fcntl(&keeper, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let _ = keeper.into_raw_fd();
    }
    Ok(device)
}

/// N if `path` is exactly `/dev/fd/N`.
fn device_number(path: &Path) -> Option<RawFd> {
    let digits = path.as_os_str().as_bytes().strip_prefix(b"/dev/fd/")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Opens `/dev/null` in place of each closed standard descriptor: otherwise the device would
/// become one of them, and the next message printed would be taken for a reply to the kernel.
fn fill_standard_fds() -> Result<()> {
    let closed = |fd: BorrowedFd<'_>| fcntl(fd, FcntlArg::F_GETFD).is_err();
    let standard = [std::io::stdin().as_fd(), std::io::stdout().as_fd(), std::io::stderr().as_fd()]
        .map(closed);
    for _ in standard.iter().filter(|closed| **closed) {
        // The lowest free number is one of the three. Not close-on-exec, as befits them.
        let null = nix::fcntl::open("/dev/null", OFlag::O_RDWR, nix::sys::stat::Mode::empty());
        let null = null.inspect_err(|error| {
            log::error!("fuse: failed to open /dev/null: {}", Errno::from(*error));
        })?;
        let _ = null.into_raw_fd();
    }
    Ok(())
}

/// Opens the FUSE device.
fn open_device() -> Result<OwnedFd> {
    let file = OpenOptions::new().read(true).write(true).open(options::DEVICE);
    file.map(OwnedFd::from).map_err(|error| {
        let error = Errno::from(error);
        match error {
            Errno::ENOENT | Errno::ENODEV | Errno::ENXIO => {
                log::error!("fuse: device not found, try 'modprobe fuse' first");
            }
            _ => log::error!("fuse: failed to open {}: {error}", options::DEVICE),
        }
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_names_a_descriptor() {
        let number = |path: &str| device_number(Path::new(path));
        assert_eq!(number("/dev/fd/0"), Some(0));
        assert_eq!(number("/dev/fd/17"), Some(17));
        for path in [
            "/dev/fd/",
            "/dev/fd/7x",
            "/dev/fd/-1",
            "/dev/fd/+1",
            "/dev/fd/ 1",
            "/dev/fd/7/",
            "dev/fd/7",
            "/dev//fd/7",
            "/proc/self/fd/7",
            "/dev/fd/4294967295",
            "",
        ] {
            assert_eq!(number(path), None, "{path}");
        }
    }
}
