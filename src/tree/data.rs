//! Reading and writing, and what else is done with open files.

use std::cell::RefCell;

use super::core::{Tree, finish};
use super::file::OpenFile;
use super::locks::Target;
use super::nodes::{Id, id_of};
use super::ops::{FileRange, PathOps, ReadData};
use super::opset::OpSet;
use super::path::Room;
use crate::buf::{CopyFlags, Vector};
use crate::errno::{Errno, Result};
use crate::memory;
use crate::session::ops::{CopyRange, FileInfo, IoctlCall};
use crate::session::{NodeId, PollHandle, Request};
use crate::wire::flags::IoctlFlags;

/// Most that one READ may ask for: 65535 pages of 4 KiB, the protocol's own limit.
const MAX_READ: usize = 65535 * 4096;
/// Buffers up to this size are kept for the thread's next read.
const KEPT_BUFFER: usize = 2 << 20;
/// Most that one IOCTL may carry; the kernel's limit is far below.
const MAX_IOCTL: usize = 1 << 20;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// This thread's buffer, at least `size` bytes long.
fn take_buffer(size: usize) -> Result<Vec<u8>> {
    let buffer = BUFFER.with(RefCell::take);
    if buffer.len() < size {
        // Before the larger one is there, the smaller one need not be.
        drop(buffer);
        return memory::zeroed("a read", size);
    }
    Ok(buffer)
}

fn keep_buffer(buffer: Vec<u8>) {
    if buffer.len() <= KEPT_BUFFER {
        BUFFER.with(|kept| kept.replace(buffer));
    }
}

/// What a read gave.
enum Got<D> {
    Data(D),
    Bytes(usize),
}

impl<P: PathOps> Tree<P> {
    pub(super) fn read(
        &self,
        req: Request,
        node: NodeId,
        size: usize,
        offset: u64,
        file: &FileInfo,
    ) {
        let (size, offset) = (size.min(MAX_READ), offset.cast_signed());
        let mut buffer = Vec::new();
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            let (path, file) = (locked.path(), OpenFile::new(file));
            if self.has.contains(OpSet::READ_BUF) {
                return self.ops.read_buf(path, size, offset, &file).map(Got::Data);
            }
            self.need(OpSet::READ)?;
            buffer = take_buffer(size)?;
            let got = self.ops.read(path, &mut buffer[..size], offset, &file)?;
            if got > size {
                log::error!("fuse: read too many bytes: {got} of {size}");
            }
            Ok(Got::Bytes(got.min(size)))
        });
        let _ = match result {
            Ok(Got::Data(mut data)) => req.reply_vector(data.vector(), CopyFlags::SPLICE_MOVE),
            Ok(Got::Bytes(got)) => req.reply_bytes(&buffer[..got]),
            Err(error) => req.reply_error(error),
        };
        if !buffer.is_empty() {
            keep_buffer(buffer);
        }
    }

    fn reply_written(&self, req: Request, result: Result<usize>) {
        let _ = match result {
            Ok(count) => req.reply_written(count as u64),
            Err(error) => req.reply_error(error),
        };
    }

    /// Only where the filesystem does not take vectors.
    pub(super) fn write(
        &self,
        req: Request,
        node: NodeId,
        data: &[u8],
        offset: u64,
        file: &FileInfo,
    ) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::WRITE)?;
            self.ops.write(locked.path(), data, offset.cast_signed(), &OpenFile::new(file))
        });
        self.reply_written(req, result);
    }

    pub(super) fn write_vector(
        &self,
        req: Request,
        node: NodeId,
        data: Vector<'_>,
        offset: u64,
        file: &FileInfo,
    ) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::WRITE_BUF)?;
            self.ops.write_buf(locked.path(), data, offset.cast_signed(), &OpenFile::new(file))
        });
        self.reply_written(req, result);
    }

    pub(super) fn copy_file_range(&self, req: Request, range: &CopyRange) {
        let result = self.serve(&req, || {
            let (id_in, id_out) = (id_of(range.node_in), id_of(range.node_out));
            let (file_in, file_out) =
                (OpenFile::new(&range.file_in), OpenFile::new(&range.file_out));
            let from = FileRange { path: None, file: &file_in, offset: range.off_in.cast_signed() };
            let to = FileRange { path: None, file: &file_out, offset: range.off_out.cast_signed() };
            let size = usize::try_from(range.len).unwrap_or(usize::MAX);
            let flags = range.flags as i32;
            self.need(OpSet::COPY_FILE_RANGE)?;
            if self.config().nullpath_ok {
                return self.ops.copy_file_range(from, to, size, flags);
            }
            // Both at once; one after the other could wait in a circle.
            let mut rooms = [Room::new(), Room::new()];
            match self.lock_two(Target::node(id_in), Target::node(id_out), &mut rooms) {
                Ok(locked) => {
                    let from = FileRange { path: Some(locked.first()), ..from };
                    let to = FileRange { path: Some(locked.second()), ..to };
                    self.ops.copy_file_range(from, to, size, flags)
                }
                Err(error) if error == self.compat.deleted => {
                    self.copy_with_deleted((id_in, from), (id_out, to), size, flags)
                }
                Err(error) => Err(error),
            }
        });
        self.reply_written(req, result);
    }

    /// copy_file_range where at least one of the files has no path.
    fn copy_with_deleted(
        &self,
        (id_in, from): (Id, FileRange<'_>),
        (id_out, to): (Id, FileRange<'_>),
        size: usize,
        flags: i32,
    ) -> Result<usize> {
        let mut room = Room::new();
        let first = self.lock_open(id_in, &mut room)?;
        if first.path().is_some() {
            let from = FileRange { path: first.path(), ..from };
            return self.ops.copy_file_range(from, to, size, flags);
        }
        let mut second_room = Room::new();
        let second = self.lock_open(id_out, &mut second_room)?;
        let to = FileRange { path: second.path(), ..to };
        self.ops.copy_file_range(from, to, size, flags)
    }

    pub(super) fn fallocate(
        &self,
        req: Request,
        node: NodeId,
        mode: u32,
        (offset, length): (u64, u64),
        file: &FileInfo,
    ) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::FALLOCATE)?;
            let (mode, offset, length) =
                (mode.cast_signed(), offset.cast_signed(), length.cast_signed());
            self.ops.fallocate(locked.path(), mode, offset, length, &OpenFile::new(file))
        });
        finish(req, result);
    }

    pub(super) fn lseek(
        &self,
        req: Request,
        node: NodeId,
        offset: u64,
        whence: u32,
        file: &FileInfo,
    ) {
        let result = self.serve(&req, || {
            // Under `nullpath_ok` too: libfuse gives it one, and programs rely on that.
            let mut room = Room::new();
            let locked = self.lock_if_named(id_of(node), &mut room)?;
            self.need(OpSet::LSEEK)?;
            let (offset, whence) = (offset.cast_signed(), whence.cast_signed());
            self.ops.lseek(locked.path(), offset, whence, &OpenFile::new(file))
        });
        let _ = match result {
            Ok(offset) => req.reply_lseek(offset.cast_unsigned()),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn poll(
        &self,
        req: Request,
        node: NodeId,
        file: &FileInfo,
        handle: Option<PollHandle>,
    ) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::POLL)?;
            self.ops.poll(locked.path(), &OpenFile::new(file), handle)
        });
        let _ = match result {
            Ok(revents) => req.reply_poll(revents),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn ioctl(
        &self,
        req: Request,
        node: NodeId,
        call: &IoctlCall,
        input: &[u8],
        file: &FileInfo,
    ) {
        // One buffer for both ways, as ioctl(2) has it.
        let mut data = Vec::new();
        let out_size = call.out_size;
        let result = self.serve(&req, || {
            // It names memory of the caller that only the kernel can reach.
            if call.flags.contains(IoctlFlags::UNRESTRICTED) {
                return Err(Errno::EPERM);
            }
            if out_size > MAX_IOCTL {
                return Err(Errno::EINVAL);
            }
            memory::reserve("an ioctl", &mut data, out_size.max(input.len()))?;
            data.extend_from_slice(input);
            if out_size > 0 {
                data.resize(out_size, 0);
            }
            let file = match call.flags.contains(IoctlFlags::DIR) {
                true => self.directories.get(file.fh)?.file(),
                false => OpenFile::new(file),
            };
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::IOCTL)?;
            self.ops.ioctl(locked.path(), call.cmd, call.arg, &file, call.flags, &mut data)
        });
        let _ = match result {
            Ok(result) => req.reply_ioctl(result, &[std::io::IoSlice::new(&data[..out_size])]),
            Err(error) => req.reply_error(error),
        };
    }
}
