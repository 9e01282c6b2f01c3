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
        const HANDLE_KILLPRIV_V2 = 1 << 21;
        const CACHE_SYMLINKS = 1 << 23;
        const NO_OPENDIR_SUPPORT = 1 << 24;
        const EXPLICIT_INVAL_DATA = 1 << 25;
        const EXPIRE_ONLY = 1 << 26;
        const SETXATTR_EXT = 1 << 27;
        const DIRECT_IO_ALLOW_MMAP = 1 << 28;
        const PASSTHROUGH = 1 << 29;
        const NO_EXPORT_SUPPORT = 1 << 30;
        const OVER_IO_URING = 1 << 31;
        const ALLOW_IDMAP = 1 << 32;
        const SECURITY_CTX = 1 << 33;
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

/// Which capabilities there are, and which of them a filesystem gets without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Those of libfuse 3.14.
    #[default]
    V314,
    /// Those of libfuse 3.19.
    V319,
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

/// The same for what came after 3.14. `OVER_IO_URING` is answered by whoever has made the rings.
const NEW_FLAGS: &[(Capabilities, InitFlags, bool)] = &[
    (Capabilities::HANDLE_KILLPRIV_V2, InitFlags::HANDLE_KILLPRIV_V2, true),
    (Capabilities::SETXATTR_EXT, InitFlags::SETXATTR_EXT, true),
    (Capabilities::DIRECT_IO_ALLOW_MMAP, InitFlags::DIRECT_IO_ALLOW_MMAP, true),
    (Capabilities::PASSTHROUGH, InitFlags::PASSTHROUGH, true),
    (Capabilities::NO_EXPORT_SUPPORT, InitFlags::NO_EXPORT_SUPPORT, true),
    (Capabilities::OVER_IO_URING, InitFlags::OVER_IO_URING, false),
    (Capabilities::ALLOW_IDMAP, InitFlags::ALLOW_IDMAP, true),
    (Capabilities::SECURITY_CTX, InitFlags::SECURITY_CTX, true),
];

/// Old flags that 3.17 and later do answer: there they are not wanted by default.
const ANSWERED_SINCE_3_17: [(Capabilities, InitFlags); 2] = [
    (Capabilities::PARALLEL_DIROPS, InitFlags::PARALLEL_DIROPS),
    (Capabilities::HANDLE_KILLPRIV, InitFlags::HANDLE_KILLPRIV),
];

impl Dialect {
    fn flags(self) -> impl Iterator<Item = &'static (Capabilities, InitFlags, bool)> {
        let new = if self == Dialect::V319 { NEW_FLAGS } else { &[] };
        FLAGS.iter().chain(new)
    }
}

/// What a kernel of this minor offers with these INIT flags; `splice_out` and `splice_in` say what
/// the session's channel can do.
pub fn capable(
    dialect: Dialect,
    minor: u32,
    flags: InitFlags,
    splice_out: bool,
    splice_in: bool,
) -> Capabilities {
    let mut capable: Capabilities =
        dialect.flags().filter(|row| flags.contains(row.1)).map(|row| row.0).collect();
    if minor >= 14 {
        capable.set(Capabilities::SPLICE_WRITE | Capabilities::SPLICE_MOVE, splice_out);
        capable.set(Capabilities::SPLICE_READ, splice_in);
    }
    capable.set(Capabilities::IOCTL_DIR, minor >= 18);
    capable.set(Capabilities::EXPIRE_ONLY, minor >= 38);
    capable
}

/// What a filesystem with these features wants before its init handler has had its say: the
/// defaults of its libfuse, as far as offered.
pub fn default_want(dialect: Dialect, capable: Capabilities, features: Features) -> Capabilities {
    let mut want = Capabilities::ASYNC_READ
        | Capabilities::AUTO_INVAL_DATA
        | Capabilities::ASYNC_DIO
        | Capabilities::IOCTL_DIR
        | Capabilities::ATOMIC_O_TRUNC;
    want |= match dialect {
        Dialect::V314 => Capabilities::PARALLEL_DIROPS | Capabilities::HANDLE_KILLPRIV,
        Dialect::V319 => Capabilities::OVER_IO_URING,
    };
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
pub fn reply_flags(dialect: Dialect, want: Capabilities, features: Features) -> InitFlags {
    let sent = |row: &&(Capabilities, InitFlags, bool)| row.2 && want.contains(row.0);
    let mut flags: InitFlags = dialect.flags().filter(sent).map(|row| row.1).collect();
    let parallel = features.contains(Features::PARALLEL_DIROPS);
    match dialect {
        Dialect::V314 => {
            let wanted = want.contains(Capabilities::PARALLEL_DIROPS);
            flags.set(InitFlags::PARALLEL_DIROPS, parallel && wanted);
        }
        Dialect::V319 => {
            let wanted = ANSWERED_SINCE_3_17.iter().filter(|row| want.contains(row.0));
            flags |= wanted.map(|row| row.1).collect::<InitFlags>();
            // The tree keeps order by itself, whatever was asked for.
            flags.set(
                InitFlags::PARALLEL_DIROPS,
                parallel || flags.contains(InitFlags::PARALLEL_DIROPS),
            );
        }
    }
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
    /// How many filesystems may be stacked below one that is passed through to, see
    /// [`Capabilities::PASSTHROUGH`]: 0 or 1.
    pub max_backing_stack_depth: u32,
    /// The kernel is told to send no INTERRUPT.
    pub no_interrupt: bool,
    /// Seconds after which the kernel gives up on a request and aborts the connection; 0: never.
    pub request_timeout: u16,
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
        let capable = capable(Dialect::V314, 45, all, true, true);
        assert_eq!(capable.bits(), 0x79f_ffdb);
        let features = Features::READDIR | Features::READDIRPLUS;
        let want = default_want(Dialect::V314, capable, features);
        assert_eq!((want | Capabilities::EXPORT_SUPPORT).bits(), 0x14_f819);
    }

    /// The same of libfuse 3.19: 0x8000f819 and 0x3ffbfffdb.
    #[test]
    fn defaults_are_those_of_libfuse_3_19() {
        let capable = capable(Dialect::V319, 45, InitFlags::all(), true, true);
        assert_eq!(capable.bits(), 0x3_ffbf_ffdb);
        let features = Features::READDIR | Features::READDIRPLUS;
        let want = default_want(Dialect::V319, capable, features);
        assert_eq!((want | Capabilities::EXPORT_SUPPORT).bits(), 0x8000_f819);
    }

    #[test]
    fn what_3_19_wants_is_sent() {
        let reply = |want| reply_flags(Dialect::V319, want, Features::empty());
        assert_eq!(reply(Capabilities::PARALLEL_DIROPS), InitFlags::PARALLEL_DIROPS);
        assert_eq!(reply(Capabilities::HANDLE_KILLPRIV), InitFlags::HANDLE_KILLPRIV);
        assert_eq!(reply(Capabilities::ALLOW_IDMAP), InitFlags::ALLOW_IDMAP);
        assert_eq!(reply(Capabilities::OVER_IO_URING), InitFlags::empty());
        let tree = reply_flags(Dialect::V319, Capabilities::empty(), Features::all());
        assert_eq!(tree, InitFlags::PARALLEL_DIROPS);
    }

    #[test]
    fn parallel_dirops_and_killpriv_are_wanted_but_not_sent() {
        let want = Capabilities::PARALLEL_DIROPS | Capabilities::HANDLE_KILLPRIV;
        assert!(reply_flags(Dialect::V314, want, Features::empty()).is_empty());
        assert_eq!(reply_flags(Dialect::V314, want, Features::all()), InitFlags::PARALLEL_DIROPS);
        assert!(reply_flags(Dialect::V314, Capabilities::empty(), Features::all()).is_empty());
    }
}
