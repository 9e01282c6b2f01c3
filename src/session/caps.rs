//! Capabilities: what the kernel offers, what the filesystem wants, what is answered.
// Capabilities carry the C API's names, which say what there is to say.
#![allow(missing_docs)]

use bitflags::bitflags;

use crate::wire::flags::InitFlags;

bitflags! {
    /// Connection capabilities, with the bit numbers of libfuse's `FUSE_CAP_*`.
    ///
    /// These differ from the bits of INIT ([`InitFlags`]) from bit 19 on, and some of them (the
    /// splice ones, `IOCTL_DIR`) are granted by the protocol's minor alone.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Capabilities: u64 {
        const ASYNC_READ = 1 << 0;
        const POSIX_LOCKS = 1 << 1;
        const ATOMIC_O_TRUNC = 1 << 3;
        const EXPORT_SUPPORT = 1 << 4;
        const DONT_MASK = 1 << 6;
        const SPLICE_WRITE = 1 << 7;
        const SPLICE_MOVE = 1 << 8;
        const SPLICE_READ = 1 << 9;
        const FLOCK_LOCKS = 1 << 10;
        const IOCTL_DIR = 1 << 11;
        const AUTO_INVAL_DATA = 1 << 12;
        const READDIRPLUS = 1 << 13;
        const READDIRPLUS_AUTO = 1 << 14;
        const ASYNC_DIO = 1 << 15;
        const WRITEBACK_CACHE = 1 << 16;
        const NO_OPEN_SUPPORT = 1 << 17;
        const PARALLEL_DIROPS = 1 << 18;
        const POSIX_ACL = 1 << 19;
        const HANDLE_KILLPRIV = 1 << 20;
        const CACHE_SYMLINKS = 1 << 23;
        const NO_OPENDIR_SUPPORT = 1 << 24;
        const EXPLICIT_INVAL_DATA = 1 << 25;
        const EXPIRE_ONLY = 1 << 26;
        const _ = !0;
    }

    /// What a filesystem implements, as far as it decides which capabilities it wants by default.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Features: u32 {
        /// Tests and sets POSIX record locks.
        const POSIX_LOCKS = 1 << 0;
        /// Sets flock(2) locks.
        const FLOCK = 1 << 1;
        /// Lists directories.
        const READDIR = 1 << 2;
        /// Lists directories with attributes.
        const READDIRPLUS = 1 << 3;
        /// Takes write data as a buffer vector, which may name a pipe.
        const WRITE_VECTOR = 1 << 4;
        /// Keeps order in each directory by itself, so that the kernel need not serialise it.
        const PARALLEL_DIROPS = 1 << 5;
    }
}

/// Capabilities that stand for one INIT flag each: offered when the kernel sets the flag, and
/// answered with it when wanted, if the last column says so.
///
/// libfuse 3.14 wants `PARALLEL_DIROPS` and `HANDLE_KILLPRIV` by default and never sends either
/// (`reply_3.14` in `abi/tables/wire-flags.tsv`). Filesystems were written against that: sending
/// them would hand parallel directory operations, and the duty to clear set-user-ID bits, to
/// programs that never saw either. Path-based filesystems are the exception for the first: their
/// operations on the paths of one directory always ran in parallel but for look-ups and listings
/// ([`Features::PARALLEL_DIROPS`]).
const FLAGS: &[(Capabilities, InitFlags, bool)] = &[
    (Capabilities::ASYNC_READ, InitFlags::ASYNC_READ, true),
    (Capabilities::POSIX_LOCKS, InitFlags::POSIX_LOCKS, true),
    (Capabilities::ATOMIC_O_TRUNC, InitFlags::ATOMIC_O_TRUNC, true),
    (Capabilities::EXPORT_SUPPORT, InitFlags::EXPORT_SUPPORT, true),
    (Capabilities::DONT_MASK, InitFlags::DONT_MASK, true),
    (Capabilities::FLOCK_LOCKS, InitFlags::FLOCK_LOCKS, true),
    (Capabilities::AUTO_INVAL_DATA, InitFlags::AUTO_INVAL_DATA, true),
    (Capabilities::READDIRPLUS, InitFlags::DO_READDIRPLUS, true),
    (Capabilities::READDIRPLUS_AUTO, InitFlags::READDIRPLUS_AUTO, true),
    (Capabilities::ASYNC_DIO, InitFlags::ASYNC_DIO, true),
    (Capabilities::WRITEBACK_CACHE, InitFlags::WRITEBACK_CACHE, true),
    (Capabilities::NO_OPEN_SUPPORT, InitFlags::NO_OPEN_SUPPORT, false),
    (Capabilities::PARALLEL_DIROPS, InitFlags::PARALLEL_DIROPS, false),
    (Capabilities::POSIX_ACL, InitFlags::POSIX_ACL, true),
    (Capabilities::HANDLE_KILLPRIV, InitFlags::HANDLE_KILLPRIV, false),
    (Capabilities::CACHE_SYMLINKS, InitFlags::CACHE_SYMLINKS, true),
    (Capabilities::NO_OPENDIR_SUPPORT, InitFlags::NO_OPENDIR_SUPPORT, false),
    (Capabilities::EXPLICIT_INVAL_DATA, InitFlags::EXPLICIT_INVAL_DATA, true),
];

/// What a kernel of this minor offers with these INIT flags; `splice_out` and `splice_in` say what
/// the session's channel can do.
pub fn capable(minor: u32, flags: InitFlags, splice_out: bool, splice_in: bool) -> Capabilities {
    let mut capable: Capabilities =
        FLAGS.iter().filter(|row| flags.contains(row.1)).map(|row| row.0).collect();
    if minor >= 14 {
        capable.set(Capabilities::SPLICE_WRITE | Capabilities::SPLICE_MOVE, splice_out);
        capable.set(Capabilities::SPLICE_READ, splice_in);
    }
    capable.set(Capabilities::IOCTL_DIR, minor >= 18);
    capable.set(Capabilities::EXPIRE_ONLY, minor >= 38);
    capable
}

/// What a filesystem with these features wants before its init handler has had its say: the
/// defaults of libfuse 3.14, as far as offered.
pub fn default_want(capable: Capabilities, features: Features) -> Capabilities {
    let mut want = Capabilities::ASYNC_READ
        | Capabilities::PARALLEL_DIROPS
        | Capabilities::AUTO_INVAL_DATA
        | Capabilities::HANDLE_KILLPRIV
        | Capabilities::ASYNC_DIO
        | Capabilities::IOCTL_DIR
        | Capabilities::ATOMIC_O_TRUNC;
    want.set(Capabilities::SPLICE_READ, features.contains(Features::WRITE_VECTOR));
    want.set(Capabilities::POSIX_LOCKS, features.contains(Features::POSIX_LOCKS));
    want.set(Capabilities::FLOCK_LOCKS, features.contains(Features::FLOCK));
    want.set(Capabilities::READDIRPLUS, features.contains(Features::READDIRPLUS));
    want.set(
        Capabilities::READDIRPLUS_AUTO,
        features.contains(Features::READDIRPLUS | Features::READDIR),
    );
    want & capable
}

/// The INIT flags that answer the wishes of a filesystem with these features.
pub fn reply_flags(want: Capabilities, features: Features) -> InitFlags {
    let sent = |row: &&(Capabilities, InitFlags, bool)| row.2 && want.contains(row.0);
    let mut flags: InitFlags = FLAGS.iter().filter(sent).map(|row| row.1).collect();
    let parallel = features.contains(Features::PARALLEL_DIROPS);
    flags.set(InitFlags::PARALLEL_DIROPS, parallel && want.contains(Capabilities::PARALLEL_DIROPS));
    flags
}

/// The connection as the filesystem's init handler sees and edits it.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// The kernel's major protocol version; read only.
    pub proto_major: u32,
    /// The kernel's minor protocol version; read only.
    pub proto_minor: u32,
    /// Largest data of a WRITE request, in bytes.
    pub max_write: u32,
    /// Largest READ request, in bytes; 0 is no limit. Must stay what the mount option says.
    pub max_read: u32,
    /// Largest read-ahead, in bytes; may only be lowered.
    pub max_readahead: u32,
    /// What the kernel offers; read only.
    pub capable: Capabilities,
    /// What the filesystem wants; a bit outside `capable` ends the session.
    pub want: Capabilities,
    /// How many requests the kernel may have in the background; 0 leaves the kernel's default.
    pub max_background: u32,
    /// At how many of those the kernel calls the connection congested; 0 leaves the default.
    pub congestion_threshold: u32,
    /// Granularity of the filesystem's time stamps in ns, a power of ten up to 1e9.
    pub time_gran: u32,
    /// The library reads the requests, into buffers that grow; an application that reads by itself
    /// has buffers of the size it was told.
    pub library_reads: bool,
    /// Splicing that the user refused by name, whatever `want` says.
    pub refused: Capabilities,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `want` and `capable` of a path-based program without special handlers on Linux 6.18, as
    /// read from libfuse 3.14 (0x14f819 and 0x79fffdb), less what its path layer adds.
    #[test]
    fn defaults_are_those_of_libfuse_3_14() {
        let all = InitFlags::all();
        let capable = capable(45, all, true, true);
        assert_eq!(capable.bits(), 0x79f_ffdb);
        let features = Features::READDIR | Features::READDIRPLUS;
        let want = default_want(capable, features);
        assert_eq!((want | Capabilities::EXPORT_SUPPORT).bits(), 0x14_f819);
    }

    #[test]
    fn parallel_dirops_and_killpriv_are_wanted_but_not_sent() {
        let want = Capabilities::PARALLEL_DIROPS | Capabilities::HANDLE_KILLPRIV;
        assert!(reply_flags(want, Features::empty()).is_empty());
        assert_eq!(reply_flags(want, Features::all()), InitFlags::PARALLEL_DIROPS);
        assert!(reply_flags(Capabilities::empty(), Features::all()).is_empty());
    }
}
