//! What a filesystem provides: one method per request.

use std::ffi::CStr;

use super::caps::{ConnInfo, Features};
use super::request::{PollHandle, Request};
use crate::buf::Vector;
use crate::errno::Errno;
use crate::wire::flags::{IoctlFlags, SetattrValid};
use crate::wire::layout::{FileLock, SetattrIn};

/// A node number as the filesystem chose it; 1 is the root.
pub type NodeId = u64;

/// An open file as a request describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// open(2) flags, where the request carries them.
    pub flags: i32,
    /// The handle that the open reply gave.
    pub fh: u64,
    /// Lock owner, 0 where the request has none.
    pub lock_owner: u64,
    /// Events a POLL request asks for.
    pub poll_events: u32,
    /// WRITE: the data comes from the page cache, so owner and handle may be another's.
    pub writepage: bool,
    /// RELEASE: the file must be flushed first.
    pub flush: bool,
    /// RELEASE: flock locks of this owner must be dropped.
    pub flock_release: bool,
}

/// One node of a FORGET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forget {
    /// The node.
    pub node: NodeId,
    /// By how much its lookup count falls.
    pub nlookup: u64,
}

/// The fixed part of an IOCTL.
#[derive(Clone, Copy, Debug)]
pub struct IoctlCall {
    /// Command number.
    pub cmd: u32,
    /// The caller's argument, an address in the caller for most commands.
    pub arg: u64,
    /// Flags.
    pub flags: IoctlFlags,
    /// Bytes that the reply may carry.
    pub out_size: usize,
}

/// Both ends of a COPY_FILE_RANGE.
#[derive(Clone, Copy, Debug)]
pub struct CopyRange {
    /// Source node.
    pub node_in: NodeId,
    /// Source offset in bytes.
    pub off_in: u64,
    /// Source file.
    pub file_in: FileInfo,
    /// Target node.
    pub node_out: NodeId,
    /// Target offset in bytes.
    pub off_out: u64,
    /// Target file.
    pub file_out: FileInfo,
    /// Bytes wanted.
    pub len: u64,
    /// Flags of copy_file_range(2).
    pub flags: u64,
}

/// A filesystem over the low-level API.
///
/// Every method but [`init`](Self::init) and [`destroy`](Self::destroy) gets a [`Request`] that it
/// must answer, at once or later from any thread; a request dropped without an answer is answered
/// `EIO`. In a multi-threaded loop the methods are called concurrently. The default methods answer
/// as a filesystem without the operation does: `ENOSYS`, except open, opendir (success), release,
/// releasedir (success), statfs (a fixed answer) and forget.
#[allow(unused_variables, missing_docs)] // one method per request; the names are the protocol's
pub trait LowLevelOps: Send + Sync {
    /// What is implemented, where that decides default capabilities.
    fn features(&self) -> Features;

    /// Called once, while the INIT request is processed and before its reply.
    fn init(&self, conn: &mut ConnInfo) {}

    /// Called once, when INIT is about to be answered: `conn` is what was agreed.
    fn negotiated(&self, conn: &ConnInfo) {}

    /// Called once, after the last request, if [`init`](Self::init) was called.
    fn destroy(&self) {}

    /// Called once, when a character device has been announced to the kernel; never for a
    /// filesystem.
    fn device_ready(&self) {}

    fn lookup(&self, req: Request, parent: NodeId, name: &CStr) {
        req.not_implemented();
    }
    /// One or many nodes; the request is not answered ([`Request::finish`]).
    fn forget(&self, req: Request, forgets: &mut dyn ExactSizeIterator<Item = Forget>) {
        req.finish();
    }
    fn getattr(&self, req: Request, node: NodeId, file: Option<&FileInfo>) {
        req.not_implemented();
    }
    fn setattr(
        &self,
        req: Request,
        node: NodeId,
        attr: &SetattrIn,
        valid: SetattrValid,
        file: Option<&FileInfo>,
    ) {
        req.not_implemented();
    }
    fn readlink(&self, req: Request, node: NodeId) {
        req.not_implemented();
    }
    fn mknod(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, rdev: u32) {
        req.not_implemented();
    }
    fn mkdir(&self, req: Request, parent: NodeId, name: &CStr, mode: u32) {
        req.not_implemented();
    }
    fn unlink(&self, req: Request, parent: NodeId, name: &CStr) {
        req.not_implemented();
    }
    fn rmdir(&self, req: Request, parent: NodeId, name: &CStr) {
        req.not_implemented();
    }
    fn symlink(&self, req: Request, target: &CStr, parent: NodeId, name: &CStr) {
        req.not_implemented();
    }
    fn rename(
        &self,
        req: Request,
        parent: NodeId,
        name: &CStr,
        newparent: NodeId,
        newname: &CStr,
        flags: u32,
    ) {
        req.not_implemented();
    }
    fn link(&self, req: Request, node: NodeId, newparent: NodeId, newname: &CStr) {
        req.not_implemented();
    }
    fn open(&self, req: Request, node: NodeId, file: &FileInfo) {
        req.opened_without_handler(file);
    }
    fn read(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        req.not_implemented();
    }
    /// Called instead of [`write_vector`](Self::write_vector) where
    /// [`Features::WRITE_VECTOR`] is not set.
    fn write(&self, req: Request, node: NodeId, data: &[u8], offset: u64, file: &FileInfo) {
        req.not_implemented();
    }
    /// `data` may name a pipe and is valid during the call only.
    fn write_vector(
        &self,
        req: Request,
        node: NodeId,
        data: Vector<'_>,
        offset: u64,
        file: &FileInfo,
    ) {
        req.not_implemented();
    }
    fn flush(&self, req: Request, node: NodeId, file: &FileInfo) {
        req.not_implemented();
    }
    fn release(&self, req: Request, node: NodeId, file: &FileInfo) {
        req.done();
    }
    fn fsync(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        req.not_implemented();
    }
    fn opendir(&self, req: Request, node: NodeId, file: &FileInfo) {
        req.opened_without_handler(file);
    }
    fn readdir(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        req.not_implemented();
    }
    fn readdirplus(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        req.not_implemented();
    }
    fn releasedir(&self, req: Request, node: NodeId, file: &FileInfo) {
        req.done();
    }
    fn fsyncdir(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        req.not_implemented();
    }
    fn statfs(&self, req: Request, node: NodeId) {
        req.reply_default_statfs();
    }
    fn setxattr(&self, req: Request, node: NodeId, name: &CStr, value: &[u8], flags: u32) {
        req.not_implemented();
    }
    fn getxattr(&self, req: Request, node: NodeId, name: &CStr, size: usize) {
        req.not_implemented();
    }
    fn listxattr(&self, req: Request, node: NodeId, size: usize) {
        req.not_implemented();
    }
    fn removexattr(&self, req: Request, node: NodeId, name: &CStr) {
        req.not_implemented();
    }
    fn access(&self, req: Request, node: NodeId, mask: u32) {
        req.not_implemented();
    }
    fn create(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, file: &FileInfo) {
        req.not_implemented();
    }
    fn getlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock) {
        req.not_implemented();
    }
    fn setlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock, sleep: bool) {
        req.not_implemented();
    }
    /// `op` is that of flock(2), `LOCK_NB` included.
    fn flock(&self, req: Request, node: NodeId, file: &FileInfo, op: i32) {
        req.not_implemented();
    }
    fn bmap(&self, req: Request, node: NodeId, blocksize: usize, block: u64) {
        req.not_implemented();
    }
    fn ioctl(&self, req: Request, node: NodeId, call: &IoctlCall, data: &[u8], file: &FileInfo) {
        req.not_implemented();
    }
    /// `handle` is there if the kernel wants to be notified.
    fn poll(&self, req: Request, node: NodeId, file: &FileInfo, handle: Option<PollHandle>) {
        req.not_implemented();
    }
    /// The answer to a retrieve notification; not answered in turn ([`Request::finish`]).
    fn retrieve_reply(
        &self,
        req: Request,
        cookie: usize,
        node: NodeId,
        offset: u64,
        data: Vector<'_>,
    ) {
        req.finish();
    }
    fn fallocate(
        &self,
        req: Request,
        node: NodeId,
        mode: u32,
        offset: u64,
        length: u64,
        file: &FileInfo,
    ) {
        req.not_implemented();
    }
    fn copy_file_range(&self, req: Request, range: &CopyRange) {
        req.not_implemented();
    }
    fn lseek(&self, req: Request, node: NodeId, offset: u64, whence: u32, file: &FileInfo) {
        req.not_implemented();
    }
    fn syncfs(&self, req: Request, node: NodeId) {
        req.not_implemented();
    }
    /// Attributes as statx(2) has them: `flags` are its synchronisation flags, `mask` the fields asked
    /// for. Without it the kernel makes do with getattr.
    fn statx(&self, req: Request, node: NodeId, flags: u32, mask: u32, file: Option<&FileInfo>) {
        req.not_implemented();
    }
    fn tmpfile(&self, req: Request, parent: NodeId, mode: u32, file: &FileInfo) {
        req.not_implemented();
    }
}

/// What [`LowLevelOps`] answers for an operation it does not have.
pub const NOT_IMPLEMENTED: Errno = Errno::ENOSYS;
