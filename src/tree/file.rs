//! An open file as path operations see it.

use crate::session::ops::FileInfo;
use crate::wire::flags::OpenFlags;

/// An open file: what a request says of it, and what open says to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFile {
    /// open(2) flags, where the request carries them (open, create, opendir, read, write, release).
    pub flags: i32,
    /// The filesystem's handle, set by open, create or opendir.
    pub fh: u64,
    /// Owner of the lock, 0 where the request has none.
    pub lock_owner: u64,
    /// Events a poll asks for.
    pub poll_events: u32,
    /// write: the data comes from the page cache, so owner and handle may be another's.
    pub writepage: bool,
    /// release: the file must be flushed first. Set in flush too.
    pub flush: bool,
    /// release: flock(2) locks of this owner must be dropped.
    pub flock_release: bool,
    /// To the kernel: don't cache the data.
    pub direct_io: bool,
    /// To the kernel: cached data is still good.
    pub keep_cache: bool,
    /// To the kernel: the file has no position.
    pub nonseekable: bool,
    /// To the kernel: the directory may be cached.
    pub cache_readdir: bool,
    /// To the kernel: don't send flush on close.
    pub noflush: bool,
    /// To the kernel: direct writes may run in parallel.
    pub parallel_direct_writes: bool,
    /// To the kernel: the open file that reads and writes go to, see
    /// [`Session::open_backing`](crate::session::Session::open_backing); 0: none.
    pub backing_id: i32,
}

impl OpenFile {
    /// From a request.
    pub(super) fn new(file: &FileInfo) -> OpenFile {
        OpenFile {
            flags: file.flags,
            fh: file.fh,
            lock_owner: file.lock_owner,
            poll_events: file.poll_events,
            writepage: file.writepage,
            flush: file.flush,
            flock_release: file.flock_release,
            ..OpenFile::default()
        }
    }

    /// What the kernel is told.
    pub(super) fn open_flags(&self) -> OpenFlags {
        let mut flags = OpenFlags::empty();
        flags.set(OpenFlags::DIRECT_IO, self.direct_io);
        flags.set(OpenFlags::KEEP_CACHE, self.keep_cache);
        flags.set(OpenFlags::NONSEEKABLE, self.nonseekable);
        flags.set(OpenFlags::CACHE_DIR, self.cache_readdir);
        flags.set(OpenFlags::NOFLUSH, self.noflush);
        flags.set(OpenFlags::PARALLEL_DIRECT_WRITES, self.parallel_direct_writes);
        flags
    }
}

/// What a time stamp is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// Left alone (`UTIME_OMIT`).
    Omit,
    /// The present (`UTIME_NOW`).
    Now,
    /// This time.
    At {
        /// Seconds since the epoch.
        secs: i64,
        /// Nanoseconds, below 1,000,000,000 from a sane kernel.
        nanos: u32,
    },
}
