//! Mount options: which of them belong to the mount layer, and the strings made of them.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::mount::MsFlags;

use super::Flavor;
use crate::{Errno, Result};

/// The device a mount talks to.
pub(super) const DEVICE: &str = "/dev/fuse";

/// What a program asked for with `-o` about the mount itself.
///
/// The default has no option set, which still means `nosuid,nodev` as for every FUSE mount.
#[derive(Clone, Debug)]
pub struct MountOptions {
    flavor: Flavor,
    flags: MsFlags,
    /// Options the kernel's fuse filesystem parses itself, in the order given.
    kernel: Vec<OsString>,
    /// Options that only a mount table shows.
    table: Vec<OsString>,
    fsname: Option<OsString>,
    subtype: Option<OsString>,
    blkdev: bool,
    auto_unmount: bool,
    nonempty: bool,
    max_read: u32,
}

impl Default for MountOptions {
    fn default() -> MountOptions {
        MountOptions::new(Flavor::FUSE3)
    }
}

/// Every option that is a flag of `mount(2)`: its name, the flag, and whether it sets the flag.
const FLAGS: &[(&str, MsFlags, bool)] = &[
    ("rw", MsFlags::MS_RDONLY, false),
    ("ro", MsFlags::MS_RDONLY, true),
    ("suid", MsFlags::MS_NOSUID, false),
    ("nosuid", MsFlags::MS_NOSUID, true),
    ("dev", MsFlags::MS_NODEV, false),
    ("nodev", MsFlags::MS_NODEV, true),
    ("exec", MsFlags::MS_NOEXEC, false),
    ("noexec", MsFlags::MS_NOEXEC, true),
    ("async", MsFlags::MS_SYNCHRONOUS, false),
    ("sync", MsFlags::MS_SYNCHRONOUS, true),
    ("atime", MsFlags::MS_NOATIME, false),
    ("noatime", MsFlags::MS_NOATIME, true),
    ("dirsync", MsFlags::MS_DIRSYNC, true),
];

/// Kernel options with a value that is passed on as it is.
const KERNEL_VALUES: &[&str] =
    &["blksize=", "context=", "fscontext=", "defcontext=", "rootcontext="];

impl MountOptions {
    /// No option given yet, for programs of the generation `flavor`.
    pub fn new(flavor: Flavor) -> MountOptions {
        MountOptions {
            flavor,
            flags: MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
            kernel: Vec::new(),
            table: Vec::new(),
            fsname: None,
            subtype: None,
            blkdev: false,
            auto_unmount: false,
            nonempty: false,
            max_read: 0,
        }
    }

    /// Takes one option: a single, unescaped element of an `-o` list such as `allow_other` or
    /// `max_read=65536`, or one of the arguments `-r` and `-n`. False if it is not a mount option.
    ///
    /// # Errors
    /// `EINVAL`, logged, if the option is a mount option but its value makes no sense.
    pub fn accept(&mut self, option: impl AsRef<OsStr>) -> Result<bool> {
        let option = option.as_ref();
        if let Some((_, flag, on)) = FLAGS.iter().find(|(name, ..)| option == *name) {
            self.flags.set(*flag, *on);
            return Ok(true);
        }
        match option.as_bytes() {
            b"-r" => self.flags.insert(MsFlags::MS_RDONLY),
            b"-n" => self.table.push(option.to_owned()),
            b"allow_other" | b"default_permissions" => self.kernel.push(option.to_owned()),
            b"blkdev" => self.blkdev = true,
            b"auto_unmount" => self.auto_unmount = true,
            // Options of libfuse 2. The second is one of Linux 2.4.
            b"nonempty" if !self.flavor.sits_on_contents => self.nonempty = true,
            b"large_read" if !self.flavor.sits_on_contents => {}
            bytes => {
                if let Some(value) = bytes.strip_prefix(b"fsname=") {
                    self.fsname = Some(OsString::from_vec(value.to_vec()));
                } else if let Some(value) = bytes.strip_prefix(b"subtype=") {
                    self.subtype = Some(OsString::from_vec(value.to_vec()));
                } else if let Some(value) = bytes.strip_prefix(b"max_read=") {
                    self.max_read = decimal(value).ok_or_else(|| {
                        log::error!(
                            "fuse: invalid parameter in option `{}'",
                            option.to_string_lossy()
                        );
                        Errno::EINVAL
                    })?;
                    self.kernel.push(option.to_owned());
                } else if bytes.starts_with(b"user=") {
                    self.table.push(option.to_owned());
                } else if KERNEL_VALUES.iter().any(|name| bytes.starts_with(name.as_bytes())) {
                    self.kernel.push(option.to_owned());
                } else {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The largest read the mount allows, in bytes; 0 if `max_read=` was not given.
    pub fn max_read(&self) -> u32 {
        self.max_read
    }

    /// Whether the filesystem shall be unmounted when its process ends, however that happens.
    pub fn auto_unmount(&self) -> bool {
        self.auto_unmount
    }

    /// Whether a mount point may have contents.
    pub(super) fn sits_on_contents(&self) -> bool {
        self.flavor.sits_on_contents || self.nonempty
    }

    /// Whether users other than the mount's owner may access it.
    pub fn allow_other(&self) -> bool {
        self.kernel.iter().any(|option| option == "allow_other")
    }

    pub(super) fn flavor(&self) -> Flavor {
        self.flavor
    }

    pub(super) fn flags(&self) -> MsFlags {
        self.flags
    }

    pub(super) fn blkdev(&self) -> bool {
        self.blkdev
    }

    pub(super) fn has_subtype(&self) -> bool {
        self.subtype.is_some()
    }

    /// Source and type of the mount. Without `subtype` they are those for a kernel that does not
    /// know `type.subtype` (before 2.6.24); there the subtype shows in the source.
    pub(super) fn source_and_type(&self, subtype: bool) -> (OsString, OsString) {
        let mut kind = OsString::from(if self.blkdev { "fuseblk" } else { "fuse" });
        match (&self.subtype, subtype) {
            (Some(name), false) => {
                let source = match &self.fsname {
                    Some(fsname) if self.blkdev => fsname.clone(),
                    Some(fsname) => {
                        [name.as_os_str(), OsStr::new("#"), fsname].into_iter().collect()
                    }
                    None => kind.clone(),
                };
                (source, kind)
            }
            (name, _) => {
                if let Some(name) = name {
                    kind.push(".");
                    kind.push(name);
                }
                let source = self.fsname.as_ref().or(name.as_ref()).cloned();
                (source.unwrap_or_else(|| DEVICE.into()), kind)
            }
        }
    }

    /// Source and subtype of a mount that is told both.
    pub(super) fn source_and_subtype(&self) -> (OsString, Option<&OsStr>) {
        let source = self.fsname.as_ref().or(self.subtype.as_ref()).cloned();
        (source.unwrap_or_else(|| DEVICE.into()), self.subtype.as_deref())
    }

    /// Options that the kernel's fuse filesystem parses itself.
    pub(super) fn kernel_options(&self) -> &[OsString] {
        &self.kernel
    }

    /// The data argument of `mount(2)`.
    pub(super) fn kernel_data(
        &self,
        device: BorrowedFd<'_>,
        root_mode: u32,
        (uid, gid): (u32, u32),
    ) -> OsString {
        let fd = device.as_raw_fd();
        let own = format!("fd={fd},rootmode={root_mode:o},user_id={uid},group_id={gid}");
        join(self.kernel.iter().cloned().chain([own.into()]))
    }

    /// The option list for the helper. The options that only concern a mount table are left out:
    /// no helper knows them, each would refuse the mount for them. Only of root does it take `suid` and `dev`.
    pub(super) fn helper_list(&self, subtype: bool, root: bool) -> OsString {
        let mut list = self.flag_names();
        if root {
            let wanted = [("suid", MsFlags::MS_NOSUID), ("dev", MsFlags::MS_NODEV)];
            let wanted = wanted.into_iter().filter(|(_, flag)| !self.flags.contains(*flag));
            list.extend(wanted.map(|(name, _)| OsString::from(name)));
        }
        list.extend(self.kernel.iter().cloned());
        if self.blkdev {
            list.push("blkdev".into());
        }
        if self.auto_unmount {
            list.push("auto_unmount".into());
        }
        if self.nonempty {
            list.push("nonempty".into());
        }
        if let Some(fsname) = &self.fsname {
            list.push(escaped("fsname=", fsname));
        }
        if let (Some(name), true) = (&self.subtype, subtype) {
            list.push(escaped("subtype=", name));
        }
        join(list)
    }

    /// The option list for a mount table.
    pub(super) fn table_list(&self) -> OsString {
        let table = self.table.iter().filter(|option| *option != "-n").cloned();
        join(self.flag_names().into_iter().chain(self.kernel.iter().cloned()).chain(table))
    }

    /// The options that the kernel's fuse filesystem parses itself, as one list.
    pub(super) fn kernel_list(&self) -> OsString {
        join(self.kernel.iter().cloned())
    }

    /// The options that only a mount table shows, as one list.
    pub(super) fn table_only_list(&self) -> OsString {
        join(self.table.iter().cloned())
    }

    /// Whether `-n` asked for the mount table to be left alone.
    pub(super) fn no_table(&self) -> bool {
        self.table.iter().any(|option| option == "-n")
    }

    fn flag_names(&self) -> Vec<OsString> {
        let read_only = self.flags.contains(MsFlags::MS_RDONLY);
        let mut names = vec![OsString::from(if read_only { "ro" } else { "rw" })];
        let set = FLAGS
            .iter()
            .filter(|(name, flag, on)| *on && *name != "ro" && self.flags.contains(*flag));
        names.extend(set.map(|(name, ..)| OsString::from(name)));
        names
    }
}

/// A whole decimal number.
fn decimal(text: &[u8]) -> Option<u32> {
    // `parse` would take a leading plus sign.
    text.iter()
        .all(u8::is_ascii_digit)
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())
        .flatten()
}

fn join(list: impl IntoIterator<Item = OsString>) -> OsString {
    let mut joined = OsString::new();
    for (i, option) in list.into_iter().enumerate() {
        if i > 0 {
            joined.push(",");
        }
        joined.push(option);
    }
    joined
}

/// `name` and `value` with the characters escaped that would end the option or the escape.
fn escaped(name: &str, value: &OsStr) -> OsString {
    let mut bytes = name.as_bytes().to_vec();
    for &byte in value.as_bytes() {
        if matches!(byte, b',' | b'\\') {
            bytes.push(b'\\');
        }
        bytes.push(byte);
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn options(list: &[&str]) -> MountOptions {
        let mut options = MountOptions::default();
        for option in list {
            assert_eq!(options.accept(option), Ok(true), "{option}");
        }
        options
    }

    fn data(list: &[&str]) -> String {
        let file = std::fs::File::open("/dev/null").unwrap();
        let data = options(list).kernel_data(file.as_fd(), 0o040000, (7, 8));
        data.into_string().unwrap().replace(&format!("fd={}", file.as_raw_fd()), "fd=N")
    }

    fn names(list: &[&str], subtype: bool) -> (String, String) {
        let (source, kind) = options(list).source_and_type(subtype);
        (source.into_string().unwrap(), kind.into_string().unwrap())
    }

    #[test]
    fn leaves_other_layers_options_alone() {
        let mut options = MountOptions::default();
        // From `x-foo` on, mount options of other generations.
        for option in [
            "",
            "debug",
            "allow_root",
            "fsname",
            "max_read",
            "ROFS",
            "rox",
            "modules=subdir",
            "-d",
            "r",
            "n",
            "noasync",
            "x-foo=bar",
            "nodiratime",
            "nonempty",
            "large_read",
        ] {
            assert_eq!(options.accept(option), Ok(false), "{option}");
        }
        assert_eq!(options.helper_list(true, true), "rw,nosuid,nodev");
    }

    #[test]
    fn refuses_values_that_are_no_number() {
        for option in [
            "max_read=",
            "max_read=abc",
            "max_read=1k",
            "max_read=-1",
            "max_read=+1",
            "max_read=4294967296",
        ] {
            assert_eq!(MountOptions::default().accept(option), Err(Errno::EINVAL), "{option}");
        }
    }

    #[test]
    fn later_flags_override_earlier_ones() {
        let flags = |list: &[&str]| options(list).flags();
        let base = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        assert_eq!(flags(&[]), base);
        assert_eq!(flags(&["ro", "rw"]), base);
        assert_eq!(flags(&["rw", "-r"]), base | MsFlags::MS_RDONLY);
        assert_eq!(flags(&["suid", "dev"]), MsFlags::empty());
        assert_eq!(flags(&["suid", "nosuid", "noexec", "exec", "noatime", "atime"]), base);
        assert_eq!(
            flags(&["sync", "async", "dirsync", "noexec", "noatime"]),
            base | MsFlags::MS_DIRSYNC | MsFlags::MS_NOEXEC | MsFlags::MS_NOATIME
        );
    }

    #[test]
    fn kernel_sees_its_options_in_order_and_ours_last() {
        let own = "fd=N,rootmode=40000,user_id=7,group_id=8";
        assert_eq!(data(&["ro", "fsname=x", "auto_unmount", "user=me", "-n"]), own);
        assert_eq!(
            data(&["max_read=65536", "allow_other", "blksize=512", "context=\"a,b\""]),
            format!("max_read=65536,allow_other,blksize=512,context=\"a,b\",{own}")
        );
        assert_eq!(options(&["max_read=65536", "max_read=4096"]).max_read(), 4096);
        assert!(options(&["allow_other"]).allow_other());
        assert!(!options(&["default_permissions"]).allow_other());
    }

    #[test]
    fn source_and_type_follow_fsname_and_subtype() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(names(&[], true), pair("/dev/fuse", "fuse"));
        assert_eq!(names(&["subtype=s"], true), pair("s", "fuse.s"));
        assert_eq!(names(&["fsname=a,b"], true), pair("a,b", "fuse"));
        assert_eq!(names(&["fsname="], true), pair("", "fuse"));
        assert_eq!(names(&["fsname=a", "subtype=s"], true), pair("a", "fuse.s"));
        assert_eq!(
            names(&["blkdev", "fsname=/dev/b", "subtype=s"], true),
            pair("/dev/b", "fuseblk.s")
        );
        assert_eq!(names(&["subtype=s"], false), pair("fuse", "fuse"));
        assert_eq!(names(&["fsname=a", "subtype=s"], false), pair("s#a", "fuse"));
        assert_eq!(
            names(&["blkdev", "fsname=/dev/b", "subtype=s"], false),
            pair("/dev/b", "fuseblk")
        );
    }

    #[test]
    fn helper_gets_flags_kernel_options_and_escaped_names() {
        assert_eq!(options(&[]).helper_list(true, true), "rw,nosuid,nodev");
        let all = options(&[
            "dirsync",
            "noatime",
            "sync",
            "noexec",
            "suid",
            "-r",
            "max_read=1",
            "allow_other",
            "user=me",
            "-n",
            "auto_unmount",
            r"fsname=a,b\c",
            "subtype=s,t",
            "blkdev",
        ]);
        assert_eq!(
            all.helper_list(true, false),
            r"ro,nodev,noexec,sync,noatime,dirsync,max_read=1,allow_other,blkdev,auto_unmount,fsname=a\,b\\c,subtype=s\,t"
        );
        assert!(
            all.helper_list(true, true).to_string_lossy().contains(",dirsync,suid,max_read=1,")
        );
        assert!(!all.helper_list(false, false).to_string_lossy().contains("subtype"));
        assert_eq!(
            all.table_list(),
            "ro,nodev,noexec,sync,noatime,dirsync,max_read=1,allow_other,user=me"
        );
        assert!(all.no_table());
    }
}
