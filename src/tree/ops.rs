//! What a path-based filesystem provides: one method per operation.

use std::ffi::CStr;

use super::config::TreeConfig;
use super::file::{OpenFile, SetTime};
use super::opset::{FillFlags, OpSet, ReaddirFlags};
use crate::buf::Vector;
use crate::errno::{Errno, Result};
use crate::session::caps::ConnInfo;
use crate::session::{Handle, PollHandle};
use crate::wire::flags::IoctlFlags;
use crate::wire::layout::{Attr, FileLock, Kstatfs, Statx};

/// Whom the operations of a thread serve, between [`PathOps::enter`] and [`PathOps::leave`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestContext {
    /// User id of the requester.
    pub uid: u32,
    /// Group id of the requester.
    pub gid: u32,
    /// Thread id of the requester, 0 where it is unknown. Its supplementary groups are
    /// [`groups::of_process`](crate::session::groups::of_process) of it.
    pub pid: i32,
    /// The requester's umask; 0 but for mknod, mkdir and create.
    pub umask: u32,
    /// The request, to ask [`Peek::is_interrupted`](crate::session::Peek::is_interrupted) of;
    /// `None` where the library calls on its own account (destroy, removing hidden files).
    pub handle: Option<Handle>,
}

/// Takes directory entries from [`PathOps::readdir`]. To be used by the thread that got it, and
/// during that call only.
pub trait Filler {
    /// Adds an entry. Returns true when it was not taken and no more will be, so that `readdir`
    /// should return success.
    ///
    /// `offset` 0 collects the whole directory; another number is where reading goes on *after*
    /// this entry, and is given back as `readdir`'s offset. Mixing both in one directory fails it
    /// with `EIO`, as do flags other than [`FillFlags::PLUS`].
    fn fill(&mut self, name: &CStr, stat: Option<&Attr>, offset: i64, flags: FillFlags) -> bool;
}

/// Data that a [`PathOps::read_buf`] gave; whatever holds it is freed when this is dropped.
pub trait ReadData {
    /// The data, in memory or behind descriptors. Called once.
    fn vector(&mut self) -> Vector<'_>;
}

/// A filesystem over paths.
///
/// Paths are absolute, in the filesystem's own names, and stay valid during the call: no other
/// request renames or removes a component meanwhile. A path is `None` only for operations that
/// have a file, and only if it was deleted or [`TreeConfig::nullpath_ok`] is set.
///
/// Methods are called concurrently from the session's threads. An operation outside
/// [`implements`](Self::implements) is never called; the tree then answers as libfuse does. Init and
/// destroy are called in any case.
#[allow(unused_variables, missing_docs)] // one method per operation; the names say which
pub trait PathOps: Send + Sync {
    /// What `read_buf` hands out.
    type Data: ReadData;

    /// What is there. Must not change after the filesystem was given to a tree.
    fn implements(&self) -> OpSet;

    /// Called before the operations of one request, in the thread that makes them. A request may
    /// need several (mknod: create, release, getattr) or none at all.
    fn enter(&self, context: &RequestContext) {}

    /// Called after the operations of one request, before it is answered or after; also when one of
    /// them panicked. Calls of `enter` and `leave` come in pairs and are not nested in a thread.
    fn leave(&self) {}

    /// Called once, before any other operation. `config` may be edited.
    fn init(&self, conn: &mut ConnInfo, config: &mut TreeConfig) {}
    /// Called once, when the connection is about to be agreed on: `conn` is the outcome.
    fn negotiated(&self, conn: &ConnInfo) {}
    /// Called once, after every other operation.
    fn destroy(&self) {}

    fn getattr(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<Attr> {
        Err(Errno::ENOSYS)
    }
    /// Writes the target with a NUL behind it to `buf`, cut to fit.
    fn readlink(&self, path: &CStr, buf: &mut [u8]) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// `rdev` is in the kernel's 32-bit encoding.
    fn mknod(&self, path: &CStr, mode: u32, rdev: u32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn mkdir(&self, path: &CStr, mode: u32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn unlink(&self, path: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn rmdir(&self, path: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn symlink(&self, target: &CStr, path: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// `flags` are those of renameat2(2).
    fn rename(&self, from: &CStr, to: &CStr, flags: u32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn link(&self, from: &CStr, to: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn chmod(&self, path: Option<&CStr>, mode: u32, file: Option<&OpenFile>) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// `u32::MAX` leaves an id as it is.
    fn chown(
        &self,
        path: Option<&CStr>,
        uid: u32,
        gid: u32,
        file: Option<&OpenFile>,
    ) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn truncate(&self, path: Option<&CStr>, size: i64, file: Option<&OpenFile>) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Access time, then modification time.
    fn utimens(
        &self,
        path: Option<&CStr>,
        times: [SetTime; 2],
        file: Option<&OpenFile>,
    ) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// May set handle and caching bits of `file`, which the kernel is told.
    fn open(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        Ok(())
    }
    /// Likewise.
    fn create(&self, path: &CStr, mode: u32, file: &mut OpenFile) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Fills `buf` and returns how many bytes; fewer than asked for is the end of the file, unless
    /// the file is read directly.
    fn read(
        &self,
        path: Option<&CStr>,
        buf: &mut [u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    /// Preferred to `read` where both are there.
    fn read_buf(
        &self,
        path: Option<&CStr>,
        size: usize,
        offset: i64,
        file: &OpenFile,
    ) -> Result<Self::Data> {
        Err(Errno::ENOSYS)
    }
    fn write(
        &self,
        path: Option<&CStr>,
        data: &[u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    /// Preferred to `write` where both are there. `data` may name a pipe and is valid during the
    /// call only.
    fn write_buf(
        &self,
        path: Option<&CStr>,
        data: Vector<'_>,
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    fn statfs(&self, path: &CStr) -> Result<Kstatfs> {
        Err(Errno::ENOSYS)
    }
    fn flush(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Nobody is told the result.
    fn release(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        Ok(())
    }
    fn fsync(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn setxattr(&self, path: &CStr, name: &CStr, value: &[u8], flags: i32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Fills `buf` and returns the length; an empty `buf` only asks for the length.
    fn getxattr(&self, path: &CStr, name: &CStr, buf: &mut [u8]) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    /// Likewise, with NUL-terminated names.
    fn listxattr(&self, path: &CStr, buf: &mut [u8]) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    fn removexattr(&self, path: &CStr, name: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// May set handle and caching bits of `file`. The handle stays the tree's secret: the
    /// directory's other operations get it back in `file`.
    fn opendir(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        Ok(())
    }
    fn readdir(
        &self,
        path: Option<&CStr>,
        filler: &mut dyn Filler,
        offset: i64,
        file: &OpenFile,
        flags: ReaddirFlags,
    ) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Nobody is told the result.
    fn releasedir(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        Ok(())
    }
    fn fsyncdir(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    fn access(&self, path: &CStr, mask: i32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// `command` is `F_GETLK`, `F_SETLK` or `F_SETLKW`; the owner is in `file`. `lock.kind` is one
    /// of `F_RDLCK`, `F_WRLCK`, `F_UNLCK`, `lock.end` is inclusive, `i64::MAX` for the end of file.
    fn lock(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        command: i32,
        lock: &mut FileLock,
    ) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// `op` is that of flock(2), `LOCK_NB` included; the owner is in `file`.
    fn flock(&self, path: Option<&CStr>, file: &OpenFile, op: i32) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// The device's block for the file's block `index`.
    fn bmap(&self, path: &CStr, blocksize: usize, index: u64) -> Result<u64> {
        Err(Errno::ENOSYS)
    }
    /// `data` is what goes in and comes out, empty if neither. The result is ioctl(2)'s.
    fn ioctl(
        &self,
        path: Option<&CStr>,
        command: u32,
        arg: u64,
        file: &OpenFile,
        flags: IoctlFlags,
        data: &mut [u8],
    ) -> Result<i32> {
        Err(Errno::ENOSYS)
    }
    /// Returns the events that are ready. `handle` is there if the kernel wants to be notified.
    fn poll(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        handle: Option<PollHandle>,
    ) -> Result<u32> {
        Err(Errno::ENOSYS)
    }
    fn fallocate(
        &self,
        path: Option<&CStr>,
        mode: i32,
        offset: i64,
        length: i64,
        file: &OpenFile,
    ) -> Result<()> {
        Err(Errno::ENOSYS)
    }
    /// Returns how many bytes were copied.
    fn copy_file_range(
        &self,
        from: FileRange<'_>,
        to: FileRange<'_>,
        size: usize,
        flags: i32,
    ) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    /// Returns the new position.
    fn lseek(&self, path: Option<&CStr>, offset: i64, whence: i32, file: &OpenFile) -> Result<i64> {
        Err(Errno::ENOSYS)
    }
    /// Attributes as statx(2) has them. `flags` and `mask` are its own, with `AT_EMPTY_PATH` if there
    /// is no path.
    fn statx(
        &self,
        path: Option<&CStr>,
        flags: u32,
        mask: u32,
        file: Option<&OpenFile>,
    ) -> Result<Statx> {
        Err(Errno::ENOSYS)
    }
    fn syncfs(&self, path: &CStr) -> Result<()> {
        Err(Errno::ENOSYS)
    }
}

/// One end of a copy_file_range.
#[derive(Clone, Copy, Debug)]
pub struct FileRange<'a> {
    /// Path.
    pub path: Option<&'a CStr>,
    /// Open file.
    pub file: &'a OpenFile,
    /// Offset in bytes.
    pub offset: i64,
}
