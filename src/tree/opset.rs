//! Flag words of the path API.
// The operations' names say what there is to say.
#![allow(missing_docs)]

use bitflags::bitflags;

bitflags! {
    /// Which operations a filesystem has. The bit numbers are the slots of libfuse's
    /// `fuse_operations`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct OpSet: u64 {
        const GETATTR = 1 << 0;
        const READLINK = 1 << 1;
        const MKNOD = 1 << 2;
        const MKDIR = 1 << 3;
        const UNLINK = 1 << 4;
        const RMDIR = 1 << 5;
        const SYMLINK = 1 << 6;
        const RENAME = 1 << 7;
        const LINK = 1 << 8;
        const CHMOD = 1 << 9;
        const CHOWN = 1 << 10;
        const TRUNCATE = 1 << 11;
        const OPEN = 1 << 12;
        const READ = 1 << 13;
        const WRITE = 1 << 14;
        const STATFS = 1 << 15;
        const FLUSH = 1 << 16;
        const RELEASE = 1 << 17;
        const FSYNC = 1 << 18;
        const SETXATTR = 1 << 19;
        const GETXATTR = 1 << 20;
        const LISTXATTR = 1 << 21;
        const REMOVEXATTR = 1 << 22;
        const OPENDIR = 1 << 23;
        const READDIR = 1 << 24;
        const RELEASEDIR = 1 << 25;
        const FSYNCDIR = 1 << 26;
        const INIT = 1 << 27;
        const DESTROY = 1 << 28;
        const ACCESS = 1 << 29;
        const CREATE = 1 << 30;
        const LOCK = 1 << 31;
        const UTIMENS = 1 << 32;
        const BMAP = 1 << 33;
        const IOCTL = 1 << 34;
        const POLL = 1 << 35;
        const WRITE_BUF = 1 << 36;
        const READ_BUF = 1 << 37;
        const FLOCK = 1 << 38;
        const FALLOCATE = 1 << 39;
        const COPY_FILE_RANGE = 1 << 40;
        const LSEEK = 1 << 41;
        const STATX = 1 << 42;
        const SYNCFS = 1 << 43;
    }

    /// How a directory is read. The values are libfuse's `fuse_readdir_flags`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ReaddirFlags: u32 {
        /// The kernel would take attributes with the names (`FUSE_READDIR_PLUS`).
        const PLUS = 1;
    }

    /// What a directory entry comes with. The values are libfuse's `fuse_fill_dir_flags`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FillFlags: u32 {
        /// The attributes are complete (`FUSE_FILL_DIR_PLUS`).
        const PLUS = 2;
        const _ = !0;
    }
}
