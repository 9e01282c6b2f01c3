//! The machine, as far as it is looked at; a folder can stand in for it in tests.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::program;

/// A device's mode and whether this user can open it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFile {
    /// Permission bits.
    pub mode: u32,
    /// Whether it can be opened for reading and writing.
    pub opens: bool,
}

/// Where everything is looked up.
#[derive(Clone, Debug)]
pub struct System {
    root: PathBuf,
    /// Whether the user is root.
    pub is_root: bool,
}

impl System {
    /// This machine and user.
    pub fn of_this_machine() -> System {
        System { root: "/".into(), is_root: nix::unistd::geteuid().is_root() }
    }

    #[cfg(test)]
    pub fn at(root: &Path, is_root: bool) -> System {
        System { root: root.into(), is_root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// A file's text, without what is white at its ends.
    pub fn text(&self, path: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.path(path)).ok()?.trim().to_owned())
    }

    /// A number in a file.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// The kernel's release, and its version as two numbers.
    pub fn kernel(&self) -> (String, (u32, u32)) {
        let release = self.text("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        let version = (next(), next());
        (release, version)
    }

    /// A device.
    pub fn device(&self, path: &str) -> Option<DeviceFile> {
        let path = self.path(path);
        let found = path.metadata().ok().filter(|found| found.file_type().is_char_device())?;
        let opens = std::fs::File::options().read(true).write(true).open(&path).is_ok();
        Some(DeviceFile { mode: found.mode() & 0o777, opens })
    }

    /// A program in the PATH, its mode and owner.
    pub fn program(&self, name: &str) -> Option<(PathBuf, u32, u32)> {
        let path = if self.root == Path::new("/") {
            program::find(name)?
        } else {
            self.path(&format!("/usr/bin/{name}"))
        };
        let found = path.metadata().ok()?;
        Some((path, found.mode(), found.uid()))
    }
}
