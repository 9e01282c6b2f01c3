//! A filesystem that says what is asked of it: debug output, one line for each operation.

use std::cell::Cell;
use std::ffi::CStr;

use super::config::TreeConfig;
use super::file::{OpenFile, SetTime};
use super::ops::{FileRange, Filler, PathOps, ReadData, RequestContext};
use super::opset::{OpSet, ReaddirFlags};
use super::wording::{File, Flock, Lock, Time, name};
use crate::buf::Vector;
use crate::errno::Result;
use crate::session::PollHandle;
use crate::session::caps::ConnInfo;
use crate::wire::flags::IoctlFlags;
use crate::wire::layout::{Attr, FileLock, Kstatfs, Statx};

/// What a [`Narrator`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narration {
    /// Nothing.
    None,
    /// The lines of libfuse 2.
    Two {
        /// Open files have operations of their own for attributes.
        open_attributes: bool,
    },
    /// The lines of libfuse 3.
    Three,
}

/// Hands every operation on to the filesystem within, and says so before; of those that may give
/// something to be known, what came of them.
pub struct Narrator<P> {
    inner: P,
    narration: Narration,
}

thread_local! {
    /// The requester's umask, which stands in some lines.
    static UMASK: Cell<u32> = const { Cell::new(0) };
}

/// Tells what an operation is, if anything is to be told.
macro_rules! say {
    ($self:ident, $($line:tt)*) => {
        if $self.narration != Narration::None {
            log::debug!($($line)*);
        }
    };
}

/// The same for operations that libfuse 2 has in two forms: without an open file, and with one.
macro_rules! say_of {
    ($self:ident, $file:ident, $plain:literal, $open:literal, $three:literal) => {
        match ($self.narration, $file) {
            (Narration::None, _) => {}
            (Narration::Two { open_attributes: true }, Some(_)) => log::debug!($open),
            (Narration::Two { .. }, _) => log::debug!($plain),
            (Narration::Three, _) => log::debug!($three),
        }
    };
}

impl<P> Narrator<P> {
    /// Says of `inner` what `narration` asks for.
    pub fn new(inner: P, narration: Narration) -> Narrator<P> {
        Narrator { inner, narration }
    }

    /// The filesystem within.
    pub fn inner(&self) -> &P {
        &self.inner
    }
}

/// What was read, and where, until its size is known.
pub struct Told<D> {
    data: D,
    read: Option<(u64, i64)>,
}

impl<D: ReadData> ReadData for Told<D> {
    fn vector(&mut self) -> Vector<'_> {
        let vector = self.data.vector();
        if let Some((fh, offset)) = self.read {
            log::debug!("   read[{fh}] {} bytes from {offset}", vector.size());
        }
        vector
    }
}

// One that is forgotten here would be one that the filesystem does not have.
#[deny(clippy::missing_trait_methods)]
impl<P: PathOps> PathOps for Narrator<P> {
    type Data = Told<P::Data>;

    fn implements(&self) -> OpSet {
        self.inner.implements()
    }

    fn enter(&self, context: &RequestContext) {
        if self.narration != Narration::None {
            UMASK.set(context.umask);
        }
        self.inner.enter(context);
    }

    fn leave(&self) {
        self.inner.leave();
    }

    fn init(&self, conn: &mut ConnInfo, config: &mut TreeConfig) {
        self.inner.init(conn, config);
    }

    fn negotiated(&self, conn: &ConnInfo) {
        self.inner.negotiated(conn);
    }

    fn destroy(&self) {
        self.inner.destroy();
    }

    // What is asked for most often.
    #[inline(always)]
    fn getattr(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<Attr> {
        let (shown, fh) = (name(path), File(file));
        say_of!(self, file, "getattr {shown}", "fgetattr[{fh}] {shown}", "getattr[{fh}] {shown}");
        self.inner.getattr(path, file)
    }

    fn readlink(&self, path: &CStr, buf: &mut [u8]) -> Result<()> {
        say!(self, "readlink {} {}", name(Some(path)), buf.len());
        self.inner.readlink(path, buf)
    }

    fn mknod(&self, path: &CStr, mode: u32, rdev: u32) -> Result<()> {
        say!(self, "mknod {} 0{mode:o} 0x{rdev:x} umask=0{:03o}", name(Some(path)), UMASK.get());
        self.inner.mknod(path, mode, rdev)
    }

    fn mkdir(&self, path: &CStr, mode: u32) -> Result<()> {
        say!(self, "mkdir {} 0{mode:o} umask=0{:03o}", name(Some(path)), UMASK.get());
        self.inner.mkdir(path, mode)
    }

    fn unlink(&self, path: &CStr) -> Result<()> {
        say!(self, "unlink {}", name(Some(path)));
        self.inner.unlink(path)
    }

    fn rmdir(&self, path: &CStr) -> Result<()> {
        say!(self, "rmdir {}", name(Some(path)));
        self.inner.rmdir(path)
    }

    fn symlink(&self, target: &CStr, path: &CStr) -> Result<()> {
        say!(self, "symlink {} {}", name(Some(target)), name(Some(path)));
        self.inner.symlink(target, path)
    }

    fn rename(&self, from: &CStr, to: &CStr, flags: u32) -> Result<()> {
        let (old, new) = (name(Some(from)), name(Some(to)));
        match self.narration {
            Narration::None => {}
            Narration::Two { .. } => log::debug!("rename {old} {new}"),
            Narration::Three => log::debug!("rename {old} {new} 0x{flags:x}"),
        }
        self.inner.rename(from, to, flags)
    }

    fn link(&self, from: &CStr, to: &CStr) -> Result<()> {
        say!(self, "link {} {}", name(Some(from)), name(Some(to)));
        self.inner.link(from, to)
    }

    fn chmod(&self, path: Option<&CStr>, mode: u32, file: Option<&OpenFile>) -> Result<()> {
        // libfuse 2 says nothing of this one.
        if self.narration == Narration::Three {
            log::debug!("chmod[{}] {} {mode:o}", File(file), name(path));
        }
        self.inner.chmod(path, mode, file)
    }

    fn chown(
        &self,
        path: Option<&CStr>,
        uid: u32,
        gid: u32,
        file: Option<&OpenFile>,
    ) -> Result<()> {
        match self.narration {
            Narration::None => {}
            Narration::Two { .. } => log::debug!("chown {} {uid} {gid}", name(path)),
            Narration::Three => log::debug!("chown[{}] {} {uid} {gid}", File(file), name(path)),
        }
        self.inner.chown(path, uid, gid, file)
    }

    fn truncate(&self, path: Option<&CStr>, size: i64, file: Option<&OpenFile>) -> Result<()> {
        let (shown, fh) = (name(path), File(file));
        say_of!(
            self,
            file,
            "truncate {shown} {size}",
            "ftruncate[{fh}] {size}",
            "truncate[{fh}] {size}"
        );
        self.inner.truncate(path, size, file)
    }

    fn utimens(
        &self,
        path: Option<&CStr>,
        times: [SetTime; 2],
        file: Option<&OpenFile>,
    ) -> Result<()> {
        let [accessed, modified] = times.map(Time);
        match self.narration {
            Narration::None => {}
            Narration::Two { .. } => log::debug!("utimens {} {accessed} {modified}", name(path)),
            Narration::Three => {
                log::debug!("utimens[{}] {} {accessed} {modified}", File(file), name(path));
            }
        }
        self.inner.utimens(path, times, file)
    }

    fn open(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        say!(self, "open flags: 0x{:x} {}", file.flags, name(Some(path)));
        self.inner.open(path, file)?;
        say!(self, "   open[{}] flags: 0x{:x} {}", file.fh, file.flags, name(Some(path)));
        Ok(())
    }

    fn create(&self, path: &CStr, mode: u32, file: &mut OpenFile) -> Result<()> {
        let (shown, umask) = (name(Some(path)), UMASK.get());
        say!(self, "create flags: 0x{:x} {shown} 0{mode:o} umask=0{umask:03o}", file.flags);
        self.inner.create(path, mode, file)?;
        say!(self, "   create[{}] flags: 0x{:x} {shown}", file.fh, file.flags);
        Ok(())
    }

    fn read(
        &self,
        path: Option<&CStr>,
        buf: &mut [u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let (fh, flags) = (file.fh, file.flags);
        say!(self, "read[{fh}] {} bytes from {offset} flags: 0x{flags:x}", buf.len());
        let count = self.inner.read(path, buf, offset, file)?;
        say!(self, "   read[{fh}] {count} bytes from {offset}");
        Ok(count)
    }

    fn read_buf(
        &self,
        path: Option<&CStr>,
        size: usize,
        offset: i64,
        file: &OpenFile,
    ) -> Result<Told<P::Data>> {
        let (fh, flags) = (file.fh, file.flags);
        say!(self, "read[{fh}] {size} bytes from {offset} flags: 0x{flags:x}");
        let data = self.inner.read_buf(path, size, offset, file)?;
        Ok(Told { data, read: (self.narration != Narration::None).then_some((fh, offset)) })
    }

    fn write(
        &self,
        path: Option<&CStr>,
        data: &[u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let written = Written::begin(self.narration, data.len(), offset, file);
        let count = self.inner.write(path, data, offset, file)?;
        written.end(count);
        Ok(count)
    }

    fn write_buf(
        &self,
        path: Option<&CStr>,
        data: Vector<'_>,
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let written = Written::begin(self.narration, data.size(), offset, file);
        let count = self.inner.write_buf(path, data, offset, file)?;
        written.end(count);
        Ok(count)
    }

    fn statfs(&self, path: &CStr) -> Result<Kstatfs> {
        say!(self, "statfs {}", name(Some(path)));
        self.inner.statfs(path)
    }

    fn flush(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        say!(self, "flush[{}]", file.fh);
        self.inner.flush(path, file)
    }

    fn release(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let flush = if file.flush { "+flush" } else { "" };
        say!(self, "release{flush}[{}] flags: 0x{:x}", file.fh, file.flags);
        self.inner.release(path, file)
    }

    fn fsync(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        say!(self, "fsync[{}] datasync: {}", file.fh, i32::from(datasync));
        self.inner.fsync(path, datasync, file)
    }

    fn setxattr(&self, path: &CStr, attr: &CStr, value: &[u8], flags: i32) -> Result<()> {
        let (path_shown, attr_shown) = (name(Some(path)), name(Some(attr)));
        say!(self, "setxattr {path_shown} {attr_shown} {} 0x{flags:x}", value.len());
        self.inner.setxattr(path, attr, value, flags)
    }

    fn getxattr(&self, path: &CStr, attr: &CStr, buf: &mut [u8]) -> Result<usize> {
        say!(self, "getxattr {} {} {}", name(Some(path)), name(Some(attr)), buf.len());
        self.inner.getxattr(path, attr, buf)
    }

    fn listxattr(&self, path: &CStr, buf: &mut [u8]) -> Result<usize> {
        say!(self, "listxattr {} {}", name(Some(path)), buf.len());
        self.inner.listxattr(path, buf)
    }

    fn removexattr(&self, path: &CStr, attr: &CStr) -> Result<()> {
        say!(self, "removexattr {} {}", name(Some(path)), name(Some(attr)));
        self.inner.removexattr(path, attr)
    }

    fn opendir(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        say!(self, "opendir flags: 0x{:x} {}", file.flags, name(Some(path)));
        self.inner.opendir(path, file)?;
        say!(self, "   opendir[{}] flags: 0x{:x} {}", file.fh, file.flags, name(Some(path)));
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
        let plus = if flags.contains(ReaddirFlags::PLUS) { "plus" } else { "" };
        say!(self, "readdir{plus}[{}] from {offset}", file.fh);
        self.inner.readdir(path, filler, offset, file, flags)
    }

    fn releasedir(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        say!(self, "releasedir[{}] flags: 0x{:x}", file.fh, file.flags);
        self.inner.releasedir(path, file)
    }

    fn fsyncdir(&self, path: Option<&CStr>, datasync: bool, file: &OpenFile) -> Result<()> {
        say!(self, "fsyncdir[{}] datasync: {}", file.fh, i32::from(datasync));
        self.inner.fsyncdir(path, datasync, file)
    }

    fn access(&self, path: &CStr, mask: i32) -> Result<()> {
        say!(self, "access {} 0{mask:o}", name(Some(path)));
        self.inner.access(path, mask)
    }

    fn lock(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        command: i32,
        lock: &mut FileLock,
    ) -> Result<()> {
        say!(self, "lock[{}] {}", file.fh, Lock(command, lock));
        self.inner.lock(path, file, command, lock)
    }

    fn flock(&self, path: Option<&CStr>, file: &OpenFile, op: i32) -> Result<()> {
        say!(self, "lock[{}] {}", file.fh, Flock(op));
        self.inner.flock(path, file, op)
    }

    fn bmap(&self, path: &CStr, blocksize: usize, index: u64) -> Result<u64> {
        say!(self, "bmap {} blocksize: {blocksize} index: {index}", name(Some(path)));
        self.inner.bmap(path, blocksize, index)
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
        say!(self, "ioctl[{}] 0x{command:x} flags: 0x{:x}", file.fh, flags.bits());
        self.inner.ioctl(path, command, arg, file, flags, data)
    }

    fn poll(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        handle: Option<PollHandle>,
    ) -> Result<u32> {
        let (fh, asked) = (file.fh, file.poll_events);
        let ph = handle.as_ref().map_or("(nil)", |_| "wanted");
        match self.narration {
            Narration::None => {}
            Narration::Two { .. } => log::debug!("poll[{fh}] ph: {ph}"),
            Narration::Three => log::debug!("poll[{fh}] ph: {ph}, events 0x{asked:x}"),
        }
        let events = self.inner.poll(path, file, handle)?;
        say!(self, "   poll[{fh}] revents: 0x{events:x}");
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
        let shown = name(path);
        say!(self, "fallocate {shown} mode {mode:x}, offset: {offset}, length: {length}");
        self.inner.fallocate(path, mode, offset, length, file)
    }

    fn copy_file_range(
        &self,
        from: FileRange<'_>,
        to: FileRange<'_>,
        size: usize,
        flags: i32,
    ) -> Result<usize> {
        let (source, target) = (name(from.path), name(to.path));
        say!(
            self,
            "copy_file_range from {source}:{} to {target}:{}, length: {size}",
            from.offset,
            to.offset
        );
        self.inner.copy_file_range(from, to, size, flags)
    }

    fn lseek(&self, path: Option<&CStr>, offset: i64, whence: i32, file: &OpenFile) -> Result<i64> {
        say!(self, "lseek[{}] {offset} {whence}", file.fh);
        self.inner.lseek(path, offset, whence, file)
    }

    fn statx(
        &self,
        path: Option<&CStr>,
        flags: u32,
        mask: u32,
        file: Option<&OpenFile>,
    ) -> Result<Statx> {
        say!(self, "statx[{}] {} {flags} {mask}", File(file), name(path));
        self.inner.statx(path, flags, mask, file)
    }

    fn syncfs(&self, path: &CStr) -> Result<()> {
        say!(self, "syncfs[{}]", name(Some(path)));
        self.inner.syncfs(path)
    }
}

/// A write that has been told of, unless nothing is.
struct Written(Option<(&'static str, u64, i64)>);

impl Written {
    fn begin(narration: Narration, size: usize, offset: i64, file: &OpenFile) -> Written {
        if narration == Narration::None {
            return Written(None);
        }
        let page = if file.writepage { "page" } else { "" };
        let (fh, flags) = (file.fh, file.flags);
        log::debug!("write{page}[{fh}] {size} bytes to {offset} flags: 0x{flags:x}");
        Written(Some((page, fh, offset)))
    }

    fn end(self, count: usize) {
        if let Some((page, fh, offset)) = self.0 {
            log::debug!("   write{page}[{fh}] {count} bytes to {offset}");
        }
    }
}
