//! A C program's table of callbacks as a [`LowLevelOps`]. Callbacks that differ between generations
//! of the API are called by `extra`.

use std::ffi::{CStr, c_void};
use std::ptr;

use ferrofuse::buf::{Segment, Vector};
use ferrofuse::session::caps::{Capabilities, ConnInfo, Features};
use ferrofuse::session::ops::{CopyRange, FileInfo, Forget, IoctlCall, LowLevelOps, NodeId};
use ferrofuse::session::{PollHandle, Request};
use ferrofuse::sys::lock::Mutex;
use ferrofuse::wire::flags::SetattrValid;
use ferrofuse::wire::layout::{FileLock, SetattrIn};

use crate::types::ConnInfo as CConnInfo;
use crate::types::{self, FuseBuf, FuseBufvec, FuseForgetData, FuseLowlevelOps, FuseReq};
use crate::{convert, extra, later, polls};

/// The callbacks and what they were registered with.
pub struct Filesystem {
    pub(crate) ops: FuseLowlevelOps,
    userdata: *mut c_void,
    /// The `fuse_conn_info` that init gets; kept, because programs keep the pointer.
    pub(crate) conn: Mutex<Box<CConnInfo>>,
}

// SAFETY: `userdata` is the program's own and only ever handed back to it; libfuse's contract is
// that callbacks may run in any thread.
unsafe impl Send for Filesystem {}
// SAFETY: as above; `conn` is behind a mutex.
unsafe impl Sync for Filesystem {}

impl Filesystem {
    /// `ops` was copied from the program; `userdata` stays the program's.
    pub fn new(ops: FuseLowlevelOps, userdata: *mut c_void) -> Filesystem {
        Filesystem { ops, userdata, conn: Mutex::new(Box::default()) }
    }
}

/// The request as the number that C code carries.
pub fn raw(req: Request) -> *mut FuseReq {
    ptr::without_provenance_mut(req.into_handle().to_raw())
}

/// Calls the handler of an operation with the request and the arguments given, or the trait's
/// default method where the program has none.
macro_rules! call {
    ($self:ident, $op:ident, $req:ident, ($($arg:expr),*), else $default:expr) => {
        match $self.ops.$op {
            // SAFETY: the program gave this pointer as a handler of this type; the arguments live
            // until it returns, which is all that the API promises.
            Some(handler) => unsafe { handler($crate::filesystem::raw($req), $($arg),*) },
            None => $default,
        }
    };
    ($self:ident, $op:ident, $req:ident, ($($arg:expr),*)) => {
        call!($self, $op, $req, ($($arg),*), else $req.not_implemented())
    };
}
pub(crate) use call;

/// The vector's segments in this era's layout, as one allocation that C code can walk.
///
/// Requests have one segment, so the array of the struct itself suffices.
fn bufvec(data: &Vector<'_>) -> FuseBufvec {
    let none = Segment::memory(ptr::null_mut(), 0);
    let segment = data.segments().first().copied().unwrap_or(none);
    FuseBufvec { count: 1, idx: 0, off: 0, buf: [FuseBuf::of(&segment)] }
}

impl LowLevelOps for Filesystem {
    fn features(&self) -> Features {
        let ops = &self.ops;
        let mut features = Features::empty();
        features.set(Features::POSIX_LOCKS, ops.getlk.is_some() && ops.setlk.is_some());
        features.set(Features::FLOCK, ops.flock.is_some());
        features.set(Features::READDIR, ops.readdir.is_some());
        features.set(Features::READDIRPLUS, extra::has_readdirplus(ops));
        features.set(Features::WRITE_VECTOR, ops.write_buf.is_some());
        features
    }

    fn init(&self, conn: &mut ConnInfo) {
        let mut c_conn = self.conn.lock();
        convert::with_c_conn(&mut c_conn, conn, |c_conn| {
            if let Some(init) = self.ops.init {
                // SAFETY: the program's own handler; the connection outlives the session.
                unsafe { init(self.userdata, c_conn) };
            }
        });
    }

    fn negotiated(&self, conn: &ConnInfo) {
        convert::agreed(&mut self.conn.lock(), conn);
    }

    fn destroy(&self) {
        if let Some(destroy) = self.ops.destroy {
            // SAFETY: the program's own handler, called once.
            unsafe { destroy(self.userdata) };
        }
    }

    fn lookup(&self, req: Request, parent: NodeId, name: &CStr) {
        call!(self, lookup, req, (parent, name.as_ptr()));
    }

    fn forget(&self, req: Request, forgets: &mut dyn ExactSizeIterator<Item = Forget>) {
        if forgets.len() == 1
            && let Some(forget) = self.ops.forget
        {
            let Some(item) = forgets.next() else { return req.finish() };
            // SAFETY: the program's own handler.
            unsafe { forget(raw(req), item.node, item.nlookup) };
        } else if let Some(forget_multi) = self.ops.forget_multi {
            let mut items: Vec<FuseForgetData> = forgets
                .map(|item| FuseForgetData { ino: item.node, nlookup: item.nlookup })
                .collect();
            // SAFETY: the program's own handler; the array has `len` elements and outlives the call.
            unsafe { forget_multi(raw(req), items.len(), items.as_mut_ptr()) };
        } else if let Some(forget) = self.ops.forget {
            for item in forgets {
                // Each call ends a request of its own.
                let Some(one) = req.companion() else { break };
                // SAFETY: the program's own handler.
                unsafe { forget(raw(one), item.node, item.nlookup) };
            }
            req.finish();
        } else {
            req.finish();
        }
    }

    fn getattr(&self, req: Request, node: NodeId, file: Option<&FileInfo>) {
        let mut fi = file.map(convert::file_info);
        call!(self, getattr, req, (node, types::file_ptr(&mut fi)));
    }

    fn setattr(
        &self,
        req: Request,
        node: NodeId,
        attr: &SetattrIn,
        valid: SetattrValid,
        file: Option<&FileInfo>,
    ) {
        let mut fi = file.map(convert::file_info);
        let mut stat = convert::setattr_stat(attr);
        let to_set = convert::to_set(valid);
        call!(self, setattr, req, (node, &raw mut stat, to_set, types::file_ptr(&mut fi)));
    }

    fn readlink(&self, req: Request, node: NodeId) {
        call!(self, readlink, req, (node));
    }

    fn mknod(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, rdev: u32) {
        call!(self, mknod, req, (parent, name.as_ptr(), mode, rdev.into()));
    }

    fn mkdir(&self, req: Request, parent: NodeId, name: &CStr, mode: u32) {
        call!(self, mkdir, req, (parent, name.as_ptr(), mode));
    }

    fn unlink(&self, req: Request, parent: NodeId, name: &CStr) {
        call!(self, unlink, req, (parent, name.as_ptr()));
    }

    fn rmdir(&self, req: Request, parent: NodeId, name: &CStr) {
        call!(self, rmdir, req, (parent, name.as_ptr()));
    }

    fn symlink(&self, req: Request, target: &CStr, parent: NodeId, name: &CStr) {
        call!(self, symlink, req, (target.as_ptr(), parent, name.as_ptr()));
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
        extra::rename(self, req, (parent, name), (newparent, newname), flags);
    }

    fn link(&self, req: Request, node: NodeId, newparent: NodeId, newname: &CStr) {
        call!(self, link, req, (node, newparent, newname.as_ptr()));
    }

    fn open(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        if self.ops.open.is_none() {
            return later::open_without_handler(self, req, file, Capabilities::NO_OPEN_SUPPORT);
        }
        call!(self, open, req, (node, &raw mut fi));
    }

    fn read(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, read, req, (node, size, offset.cast_signed(), &raw mut fi));
    }

    fn write(&self, req: Request, node: NodeId, data: &[u8], offset: u64, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        let (bytes, size) = (data.as_ptr().cast(), data.len());
        call!(self, write, req, (node, bytes, size, offset.cast_signed(), &raw mut fi));
    }

    fn write_vector(
        &self,
        req: Request,
        node: NodeId,
        data: Vector<'_>,
        offset: u64,
        file: &FileInfo,
    ) {
        let mut fi = convert::file_info(file);
        let mut bufv = bufvec(&data);
        call!(self, write_buf, req, (node, &raw mut bufv, offset.cast_signed(), &raw mut fi));
    }

    fn flush(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, flush, req, (node, &raw mut fi));
    }

    fn release(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, release, req, (node, &raw mut fi), else req.done());
    }

    fn fsync(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, fsync, req, (node, datasync.into(), &raw mut fi));
    }

    fn opendir(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        if self.ops.opendir.is_none() {
            return later::open_without_handler(self, req, file, Capabilities::NO_OPENDIR_SUPPORT);
        }
        call!(self, opendir, req, (node, &raw mut fi));
    }

    fn readdir(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, readdir, req, (node, size, offset.cast_signed(), &raw mut fi));
    }

    fn readdirplus(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        extra::readdirplus(self, req, node, size, offset, file);
    }

    fn releasedir(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, releasedir, req, (node, &raw mut fi), else req.done());
    }

    fn fsyncdir(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, fsyncdir, req, (node, datasync.into(), &raw mut fi));
    }

    fn statfs(&self, req: Request, node: NodeId) {
        call!(self, statfs, req, (node), else req.reply_default_statfs());
    }

    fn setxattr(&self, req: Request, node: NodeId, name: &CStr, value: &[u8], flags: u32) {
        let (bytes, size) = (value.as_ptr().cast(), value.len());
        let flags = flags.cast_signed();
        call!(self, setxattr, req, (node, name.as_ptr(), bytes, size, flags));
    }

    fn getxattr(&self, req: Request, node: NodeId, name: &CStr, size: usize) {
        call!(self, getxattr, req, (node, name.as_ptr(), size));
    }

    fn listxattr(&self, req: Request, node: NodeId, size: usize) {
        call!(self, listxattr, req, (node, size));
    }

    fn removexattr(&self, req: Request, node: NodeId, name: &CStr) {
        call!(self, removexattr, req, (node, name.as_ptr()));
    }

    fn access(&self, req: Request, node: NodeId, mask: u32) {
        call!(self, access, req, (node, mask.cast_signed()));
    }

    fn create(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, create, req, (parent, name.as_ptr(), mode, &raw mut fi));
    }

    fn getlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock) {
        let mut fi = convert::file_info(file);
        let mut flock = convert::flock(lock);
        call!(self, getlk, req, (node, &raw mut fi, &raw mut flock));
    }

    fn setlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock, sleep: bool) {
        let mut fi = convert::file_info(file);
        let mut flock = convert::flock(lock);
        call!(self, setlk, req, (node, &raw mut fi, &raw mut flock, sleep.into()));
    }

    fn flock(&self, req: Request, node: NodeId, file: &FileInfo, op: i32) {
        let mut fi = convert::file_info(file);
        call!(self, flock, req, (node, &raw mut fi, op));
    }

    fn bmap(&self, req: Request, node: NodeId, blocksize: usize, block: u64) {
        call!(self, bmap, req, (node, blocksize, block));
    }

    fn ioctl(&self, req: Request, node: NodeId, call: &IoctlCall, data: &[u8], file: &FileInfo) {
        extra::ioctl(self, req, node, call, data, file);
    }

    fn poll(&self, req: Request, node: NodeId, file: &FileInfo, handle: Option<PollHandle>) {
        let mut fi = convert::file_info(file);
        if self.ops.poll.is_none() {
            return req.not_implemented();
        }
        call!(self, poll, req, (node, &raw mut fi, polls::give(handle)));
    }

    fn retrieve_reply(
        &self,
        req: Request,
        cookie: usize,
        node: NodeId,
        offset: u64,
        data: Vector<'_>,
    ) {
        let mut bufv = bufvec(&data);
        let cookie = ptr::with_exposed_provenance_mut(cookie);
        let offset = offset.cast_signed();
        call!(self, retrieve_reply, req, (cookie, node, offset, &raw mut bufv), else req.finish());
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
        let mut fi = convert::file_info(file);
        let (mode, offset) = (mode.cast_signed(), offset.cast_signed());
        call!(self, fallocate, req, (node, mode, offset, length.cast_signed(), &raw mut fi));
    }

    fn copy_file_range(&self, req: Request, range: &CopyRange) {
        extra::copy_file_range(self, req, range);
    }

    fn lseek(&self, req: Request, node: NodeId, offset: u64, whence: u32, file: &FileInfo) {
        extra::lseek(self, req, node, offset, whence, file);
    }

    fn tmpfile(&self, req: Request, parent: NodeId, mode: u32, file: &FileInfo) {
        later::tmpfile(self, req, parent, mode, file);
    }

    fn statx(&self, req: Request, node: NodeId, flags: u32, mask: u32, file: Option<&FileInfo>) {
        later::statx(self, req, node, (flags, mask), file);
    }

    fn syncfs(&self, req: Request, node: NodeId) {
        later::syncfs(self, req, node);
    }
}
