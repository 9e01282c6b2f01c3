//! A stack of C file systems as the tree's [`PathOps`].

use std::ffi::{CStr, c_char, c_int};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ferrofuse::buf::Vector;
use ferrofuse::session::PollHandle;
use ferrofuse::session::caps::ConnInfo;
use ferrofuse::sys::lock::Mutex;
use ferrofuse::tree::{
    FileRange, Filler, OpSet, OpenFile, PathOps, ReaddirFlags, RequestContext, SetTime, TreeConfig,
};
use ferrofuse::wire::flags::IoctlFlags;
use ferrofuse::wire::layout::{Attr, FileLock, Kstatfs, Statx};
use ferrofuse::{Errno, Result};

use super::config;
use super::context;
use super::data;
use super::filler;
use super::fs::{Fs, fuse_fs_destroy};
use super::later;
use super::layers::Layers;
use super::open_file::CData;
use super::outcome::{count, done};
use super::start::{fuse_fs_init, op_set};
use super::{files, names, shaped};
use crate::convert;
use crate::file::{for_path as file_info, take_back};
use crate::types::ConnInfo as CConnInfo;
use crate::types::{Fuse, FuseFs};
use crate::{buffer, polls, types};

/// The file systems of a `struct fuse`, the outermost of which gets every operation.
pub struct Stack {
    top: *mut FuseFs,
    /// Whom `fuse_get_context` names.
    fuse: AtomicPtr<Fuse>,
    /// The connection that init gets; kept, because programs keep the pointer.
    pub(crate) conn: Mutex<Box<CConnInfo>>,
    layers: Mutex<Layers>,
}

// SAFETY: private data and callbacks are the program's, which is told that operations run in any
// thread; the file systems themselves only change behind atomics.
unsafe impl Send for Stack {}
// SAFETY: as above; the structs for init are behind mutexes.
unsafe impl Sync for Stack {}

impl Stack {
    /// A stack of these file systems.
    pub fn new(layers: Layers) -> Stack {
        Stack {
            top: layers.all.last().copied().unwrap_or(ptr::null_mut()),
            fuse: AtomicPtr::new(ptr::null_mut()),
            conn: Mutex::new(Box::default()),
            layers: Mutex::new(layers),
        }
    }

    /// Says which `struct fuse` operations are to see.
    pub fn belongs_to(&self, fuse: *mut Fuse) {
        self.fuse.store(fuse, Ordering::Release);
    }

    fn top(&self) -> &Fs {
        // SAFETY: the layers live as long as the stack.
        unsafe { &*self.top.cast::<Fs>() }
    }
}

fn path_ptr(path: Option<&CStr>) -> *const c_char {
    path.map_or(ptr::null(), CStr::as_ptr)
}

fn timespec(time: SetTime) -> libc::timespec {
    let (tv_sec, tv_nsec) = match time {
        SetTime::Omit => (0, libc::UTIME_OMIT),
        SetTime::Now => (0, libc::UTIME_NOW),
        SetTime::At { secs, nanos } => (secs, nanos.into()),
    };
    libc::timespec { tv_sec, tv_nsec }
}

/// The number of bytes that a handler reports for a buffer of `size`; nothing is known of those
/// beyond it.
fn length(result: c_int, size: usize) -> Result<usize> {
    let len = count(result)?;
    if size != 0 && len > size {
        log::error!("fuse: file system returned {len} bytes for a buffer of {size}");
        return Err(Errno::ERANGE);
    }
    Ok(len)
}

/// Calls an operation of the top file system with a copy of the open file, if there is one.
macro_rules! op {
    ($self:ident, $function:path, ($($arg:expr),* $(,)?)) => {
        // SAFETY: the stack's file systems are live; the arguments live during the call and are
        // what the operation's type asks for.
        unsafe { $function($self.top $(, $arg)*) }
    };
}

impl PathOps for Stack {
    type Data = CData;

    fn implements(&self) -> OpSet {
        op_set(self.top().ops())
    }

    fn enter(&self, request: &RequestContext) {
        let fuse = self.fuse.load(Ordering::Acquire);
        context::enter(fuse, self.top().private_data(), request);
    }

    fn leave(&self) {}

    fn init(&self, conn: &mut ConnInfo, tree: &mut TreeConfig) {
        let mut c_conn = self.conn.lock();
        let mut layers = self.layers.lock();
        convert::with_c_conn(&mut c_conn, conn, |c_conn| {
            op!(self, fuse_fs_init, (c_conn, ptr::from_mut(&mut *layers.config)));
        });
        *tree = config::tree(&layers.config);
    }

    fn negotiated(&self, conn: &ConnInfo) {
        convert::agreed(&mut self.conn.lock(), conn);
    }

    fn destroy(&self) {
        op!(self, fuse_fs_destroy, ());
    }

    fn getattr(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<Attr> {
        let mut fi = file.map(file_info);
        // SAFETY: `stat` is plain integers, for which all zeros is a value.
        let mut stat: libc::stat = unsafe { mem::zeroed() };
        let fi = types::file_ptr(&mut fi);
        done(op!(self, shaped::fuse_fs_getattr, (path_ptr(path), &raw mut stat, fi)))?;
        Ok(convert::attr(&stat))
    }

    fn readlink(&self, path: &CStr, buf: &mut [u8]) -> Result<()> {
        let (mem, len) = (buf.as_mut_ptr().cast(), buf.len());
        done(op!(self, names::fuse_fs_readlink, (path.as_ptr(), mem, len)))
    }

    fn mknod(&self, path: &CStr, mode: u32, rdev: u32) -> Result<()> {
        done(op!(self, names::fuse_fs_mknod, (path.as_ptr(), mode, rdev.into())))
    }

    fn mkdir(&self, path: &CStr, mode: u32) -> Result<()> {
        done(op!(self, names::fuse_fs_mkdir, (path.as_ptr(), mode)))
    }

    fn unlink(&self, path: &CStr) -> Result<()> {
        done(op!(self, names::fuse_fs_unlink, (path.as_ptr())))
    }

    fn rmdir(&self, path: &CStr) -> Result<()> {
        done(op!(self, names::fuse_fs_rmdir, (path.as_ptr())))
    }

    fn symlink(&self, target: &CStr, path: &CStr) -> Result<()> {
        done(op!(self, names::fuse_fs_symlink, (target.as_ptr(), path.as_ptr())))
    }

    fn rename(&self, from: &CStr, to: &CStr, flags: u32) -> Result<()> {
        done(op!(self, shaped::fuse_fs_rename, (from.as_ptr(), to.as_ptr(), flags)))
    }

    fn link(&self, from: &CStr, to: &CStr) -> Result<()> {
        done(op!(self, names::fuse_fs_link, (from.as_ptr(), to.as_ptr())))
    }

    fn chmod(&self, path: Option<&CStr>, mode: u32, file: Option<&OpenFile>) -> Result<()> {
        let mut fi = file.map(file_info);
        let fi = types::file_ptr(&mut fi);
        done(op!(self, shaped::fuse_fs_chmod, (path_ptr(path), mode, fi)))
    }

    fn chown(
        &self,
        path: Option<&CStr>,
        uid: u32,
        gid: u32,
        file: Option<&OpenFile>,
    ) -> Result<()> {
        let mut fi = file.map(file_info);
        let fi = types::file_ptr(&mut fi);
        done(op!(self, shaped::fuse_fs_chown, (path_ptr(path), uid, gid, fi)))
    }

    fn truncate(&self, path: Option<&CStr>, size: i64, file: Option<&OpenFile>) -> Result<()> {
        let mut fi = file.map(file_info);
        let fi = types::file_ptr(&mut fi);
        done(op!(self, shaped::fuse_fs_truncate, (path_ptr(path), size, fi)))
    }

    fn utimens(
        &self,
        path: Option<&CStr>,
        times: [SetTime; 2],
        file: Option<&OpenFile>,
    ) -> Result<()> {
        let mut fi = file.map(file_info);
        let fi = types::file_ptr(&mut fi);
        let times = times.map(timespec);
        done(op!(self, shaped::fuse_fs_utimens, (path_ptr(path), times.as_ptr(), fi)))
    }

    fn open(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_open, (path.as_ptr(), &raw mut fi)))?;
        take_back(file, &fi);
        Ok(())
    }

    fn create(&self, path: &CStr, mode: u32, file: &mut OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_create, (path.as_ptr(), mode, &raw mut fi)))?;
        take_back(file, &fi);
        Ok(())
    }

    fn read(
        &self,
        path: Option<&CStr>,
        buf: &mut [u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let mut fi = file_info(file);
        let (mem, size) = (buf.as_mut_ptr().cast(), buf.len());
        let path = path_ptr(path);
        count(op!(self, data::fuse_fs_read, (path, mem, size, offset, &raw mut fi)))
    }

    fn read_buf(
        &self,
        path: Option<&CStr>,
        size: usize,
        offset: i64,
        file: &OpenFile,
    ) -> Result<CData> {
        let mut fi = file_info(file);
        let mut data = CData(ptr::null_mut());
        let (path, bufp) = (path_ptr(path), &raw mut data.0);
        done(op!(self, data::fuse_fs_read_buf, (path, bufp, size, offset, &raw mut fi)))?;
        Ok(data)
    }

    fn write(
        &self,
        path: Option<&CStr>,
        data: &[u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let mut fi = file_info(file);
        let (mem, size) = (data.as_ptr().cast(), data.len());
        let path = path_ptr(path);
        count(op!(self, data::fuse_fs_write, (path, mem, size, offset, &raw mut fi)))
    }

    fn write_buf(
        &self,
        path: Option<&CStr>,
        data: Vector<'_>,
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let mut fi = file_info(file);
        let path = path_ptr(path);
        buffer::lend(&data, |data| {
            count(op!(self, data::fuse_fs_write_buf, (path, data, offset, &raw mut fi)))
        })
    }

    fn statfs(&self, path: &CStr) -> Result<Kstatfs> {
        // SAFETY: `statvfs` is plain integers, for which all zeros is a value.
        let mut st: libc::statvfs = unsafe { mem::zeroed() };
        done(op!(self, names::fuse_fs_statfs, (path.as_ptr(), &raw mut st)))?;
        Ok(convert::kstatfs(&st))
    }

    fn flush(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_flush, (path_ptr(path), &raw mut fi)))
    }

    fn release(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_release, (path_ptr(path), &raw mut fi)))
    }

    fn fsync(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        let datasync = datasync.into();
        done(op!(self, files::fuse_fs_fsync, (path_ptr(path), datasync, &raw mut fi)))
    }

    fn setxattr(&self, path: &CStr, name: &CStr, value: &[u8], flags: i32) -> Result<()> {
        let (path, name) = (path.as_ptr(), name.as_ptr());
        let (mem, size) = (value.as_ptr().cast(), value.len());
        done(op!(self, names::fuse_fs_setxattr, (path, name, mem, size, flags)))
    }

    fn getxattr(&self, path: &CStr, name: &CStr, buf: &mut [u8]) -> Result<usize> {
        let (mem, size) = memory(buf);
        let (path, name) = (path.as_ptr(), name.as_ptr());
        length(op!(self, names::fuse_fs_getxattr, (path, name, mem, size)), size)
    }

    fn listxattr(&self, path: &CStr, buf: &mut [u8]) -> Result<usize> {
        let (mem, size) = memory(buf);
        length(op!(self, names::fuse_fs_listxattr, (path.as_ptr(), mem, size)), size)
    }

    fn removexattr(&self, path: &CStr, name: &CStr) -> Result<()> {
        done(op!(self, names::fuse_fs_removexattr, (path.as_ptr(), name.as_ptr())))
    }

    fn opendir(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_opendir, (path.as_ptr(), &raw mut fi)))?;
        take_back(file, &fi);
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
        let mut fi = file_info(file);
        let (path, flags) = (path_ptr(path), flags.bits());
        filler::lend(filler, |buf, fill| {
            done(op!(self, shaped::fuse_fs_readdir, (path, buf, fill, offset, &raw mut fi, flags)))
        })
    }

    fn releasedir(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_releasedir, (path_ptr(path), &raw mut fi)))
    }

    fn fsyncdir(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        let mut fi = file_info(file);
        let datasync = datasync.into();
        done(op!(self, files::fuse_fs_fsyncdir, (path_ptr(path), datasync, &raw mut fi)))
    }

    fn access(&self, path: &CStr, mask: i32) -> Result<()> {
        done(op!(self, names::fuse_fs_access, (path.as_ptr(), mask)))
    }

    fn lock(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        command: i32,
        lock: &mut FileLock,
    ) -> Result<()> {
        let mut fi = file_info(file);
        let mut flock = convert::flock(lock);
        let path = path_ptr(path);
        done(op!(self, files::fuse_fs_lock, (path, &raw mut fi, command, &raw mut flock)))?;
        if command == libc::F_GETLK {
            *lock = convert::file_lock(&flock);
        }
        Ok(())
    }

    fn flock(&self, path: Option<&CStr>, file: &OpenFile, op: i32) -> Result<()> {
        let mut fi = file_info(file);
        done(op!(self, files::fuse_fs_flock, (path_ptr(path), &raw mut fi, op)))
    }

    fn bmap(&self, path: &CStr, blocksize: usize, index: u64) -> Result<u64> {
        let mut block = index;
        done(op!(self, files::fuse_fs_bmap, (path.as_ptr(), blocksize, &raw mut block)))?;
        Ok(block)
    }

    fn ioctl(
        &self,
        path: Option<&CStr>,
        command: u32,
        arg: u64,
        file: &OpenFile,
        flags: IoctlFlags,
        data: &mut [u8],
    ) -> Result<i32> {
        let mut fi = file_info(file);
        let arg = ptr::without_provenance_mut(arg as usize);
        let (mem, _) = memory(data);
        let (path, flags) = (path_ptr(path), flags.bits());
        let result =
            op!(self, shaped::fuse_fs_ioctl, (path, command, arg, &raw mut fi, flags, mem.cast()));
        count(result).map(|_| result)
    }

    fn poll(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        handle: Option<PollHandle>,
    ) -> Result<u32> {
        let mut fi = file_info(file);
        let ph = polls::give(handle);
        let mut events = 0;
        let path = path_ptr(path);
        done(op!(self, files::fuse_fs_poll, (path, &raw mut fi, ph, &raw mut events)))?;
        Ok(events)
    }

    fn fallocate(
        &self,
        path: Option<&CStr>,
        mode: i32,
        offset: i64,
        length: i64,
        file: &OpenFile,
    ) -> Result<()> {
        let mut fi = file_info(file);
        let path = path_ptr(path);
        done(op!(self, files::fuse_fs_fallocate, (path, mode, offset, length, &raw mut fi)))
    }

    fn copy_file_range(
        &self,
        from: FileRange<'_>,
        to: FileRange<'_>,
        size: usize,
        flags: i32,
    ) -> Result<usize> {
        let (mut fi_in, mut fi_out) = (file_info(from.file), file_info(to.file));
        let (path_in, path_out) = (path_ptr(from.path), path_ptr(to.path));
        count(op!(
            self,
            shaped::fuse_fs_copy_file_range,
            (
                path_in,
                &raw mut fi_in,
                from.offset,
                path_out,
                &raw mut fi_out,
                to.offset,
                size,
                flags
            )
        ))
    }

    fn lseek(&self, path: Option<&CStr>, offset: i64, whence: i32, file: &OpenFile) -> Result<i64> {
        let mut fi = file_info(file);
        let path = path_ptr(path);
        let position = op!(self, shaped::fuse_fs_lseek, (path, offset, whence, &raw mut fi));
        count(position).map(|_| position)
    }

    fn statx(
        &self,
        path: Option<&CStr>,
        flags: u32,
        mask: u32,
        file: Option<&OpenFile>,
    ) -> Result<Statx> {
        let mut fi = file.map(file_info);
        let fi = types::file_ptr(&mut fi);
        let mut stat = Statx::default();
        done(op!(self, later::statx, (path_ptr(path), flags, mask, &raw mut stat, fi)))?;
        Ok(stat)
    }

    fn syncfs(&self, path: &CStr) -> Result<()> {
        done(op!(self, later::syncfs, (path.as_ptr())))
    }
}

/// A buffer for a handler, which is asked for a length by NULL and 0.
fn memory(buf: &mut [u8]) -> (*mut c_char, usize) {
    match buf.len() {
        0 => (ptr::null_mut(), 0),
        len => (buf.as_mut_ptr().cast(), len),
    }
}
