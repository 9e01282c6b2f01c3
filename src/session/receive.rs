//! Receiving: one request at a time, into memory or, for large writes, into a pipe.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::Session;
use super::rings::solo;
use crate::buf::Vector;
use crate::errno::{Errno, Result};
use crate::sys::pipe::page_size;
use crate::sys::shared::PageBuffer;
use crate::transport::{self, Channel, SplicePolicy};
use crate::wire::layout::WriteIn;
use crate::wire::request::{Malformed, header};
use crate::wire::{IN_HEADER_SIZE, Opcode};

/// Bytes before the data of a WRITE or NOTIFY_REPLY request.
pub(super) const DATA_OFFSET: usize = transport::HEAD;
const _: () = assert!(DATA_OFFSET == IN_HEADER_SIZE + size_of::<WriteIn>());

/// A request as it came from the device.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The message, or its first [`DATA_OFFSET`] bytes if the rest is in a pipe.
    head: &'a [u8],
    len: usize,
    pipe: Option<BorrowedFd<'a>>,
}

impl<'a> Message<'a> {
    /// A request that is in memory altogether.
    pub fn in_memory(bytes: &'a [u8]) -> Message<'a> {
        Message { head: bytes, len: bytes.len(), pipe: None }
    }

    /// A WRITE or NOTIFY_REPLY of `len` bytes whose data is the next thing in `pipe`; `head` is
    /// what stands before the data.
    pub fn in_pipe(head: &'a [u8], len: usize, pipe: BorrowedFd<'a>) -> Message<'a> {
        Message { head, len, pipe: Some(pipe) }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.head
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_in_pipe(&self) -> bool {
        self.pipe.is_some()
    }

    pub(super) fn payload(&self) -> Payload<'a> {
        Payload { pipe: self.pipe.map(|pipe| (pipe, self.len.saturating_sub(self.head.len()))) }
    }
}

/// Where the data of a request stands, if not in memory: the pipe, and how much is in it.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a> {
    pipe: Option<(BorrowedFd<'a>, usize)>,
}

/// The data of a request, ready to be handed out.
pub(super) enum Resolved<'a> {
    Memory(&'a [u8]),
    Copied(Vec<u8>),
    Pipe(BorrowedFd<'a>, usize),
}

impl<'a> Payload<'a> {
    /// `data` is what was found in memory, `size` how much the request says there is.
    /// `in_memory`: the filesystem can't take a pipe.
    pub fn resolve(
        self,
        data: &'a [u8],
        size: usize,
        in_memory: bool,
    ) -> Result<Resolved<'a>, Malformed> {
        let Some((pipe, available)) = self.pipe else {
            return Ok(Resolved::Memory(data));
        };
        if size > available {
            return Err(Malformed::Count);
        }
        if !in_memory {
            return Ok(Resolved::Pipe(pipe, size));
        }
        let mut bytes = vec![0; size];
        read_exact(pipe, &mut bytes).map_err(|_| Malformed::Count)?;
        Ok(Resolved::Copied(bytes))
    }
}

impl Resolved<'_> {
    /// The data as a buffer vector.
    pub fn vector(&mut self) -> Vector<'_> {
        match self {
            Resolved::Memory(bytes) => Vector::from_bytes(bytes),
            Resolved::Copied(bytes) => Vector::from_bytes(bytes),
            Resolved::Pipe(pipe, size) => Vector::from_fd(*pipe, None, *size),
        }
    }

    /// The data in memory; empty if it is in a pipe, which [`Payload::resolve`] was told to avoid.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Resolved::Memory(bytes) => bytes,
            Resolved::Copied(bytes) => bytes,
            Resolved::Pipe(..) => &[],
        }
    }
}

/// Reads until `bytes` is full.
pub fn read_exact(pipe: BorrowedFd<'_>, mut bytes: &mut [u8]) -> Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::read(pipe, bytes) {
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => bytes = &mut bytes[count..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A worker's receive buffer, placed so that the data of a WRITE begins on a page.
///
/// A filesystem that hands the data on to a file opened with O_DIRECT needs that, and copies
/// within the kernel are faster. Pages that no request ever reached are never made resident.
#[derive(Default)]
pub struct RequestBuffer {
    bytes: Option<PageBuffer>,
    /// How far into the memory a request begins.
    start: usize,
}

impl RequestBuffer {
    /// A buffer for requests of up to `size` bytes. `ENOMEM` when there is no room for it.
    pub fn new(size: usize) -> Result<RequestBuffer> {
        let page = page_size();
        let start = page - DATA_OFFSET % page;
        let size = size.checked_add(start).ok_or(Errno::ENOMEM)?;
        Ok(RequestBuffer { bytes: Some(PageBuffer::new(size)?), start })
    }

    /// The buffer, `size` bytes of it; replaced if the session's size has grown. `ENOMEM` when
    /// there is no room for that; the buffer then is what it was.
    #[inline]
    pub fn sized(&mut self, size: usize) -> Result<&mut [u8]> {
        if self.bytes.as_ref().is_none_or(|bytes| bytes.len() - self.start < size) {
            *self = RequestBuffer::new(size)?;
        }
        let bytes = self.bytes.as_mut().ok_or(Errno::ENOMEM)?;
        bytes.get_mut(self.start..).and_then(|bytes| bytes.get_mut(..size)).ok_or(Errno::ENOMEM)
    }

    fn filled(&self, len: usize) -> &[u8] {
        let bytes = self.bytes.as_ref().and_then(|bytes| bytes.get(self.start..));
        bytes.and_then(|bytes| bytes.get(..len)).unwrap_or(&[])
    }
}

/// What came of trying to receive.
#[derive(Clone, Copy)]
pub(super) enum Received {
    /// `usize` bytes in the buffer.
    Memory(usize),
    /// A WRITE or NOTIFY_REPLY: the first [`DATA_OFFSET`] bytes in the buffer, the data in a pipe.
    Spliced,
    /// Nothing, for a reason that passes: a signal, or a request that vanished.
    Nothing,
    /// The connection has ended.
    End,
}

/// Sorts read errors into those that pass, the end, and failures.
#[inline]
fn judge_read(result: Result<usize>) -> Result<Received> {
    match result {
        Ok(len) if len >= IN_HEADER_SIZE => Ok(Received::Memory(len)),
        other => judge_failed_read(other),
    }
}

#[cold]
fn judge_failed_read(result: Result<usize>) -> Result<Received> {
    match result {
        Ok(len) => Err(short_read(len)),
        // ENOENT: the request was interrupted while it was being copied.
        Err(Errno::EINTR | Errno::ENOENT) => Ok(Received::Nothing),
        // ECONNABORTED is what ENODEV becomes where FUSE_ABORT_ERROR was negotiated.
        Err(Errno::ENODEV | Errno::ECONNABORTED) => Ok(Received::End),
        Err(error) => Err(log_read_error(error)),
    }
}

/// How often who reads beside rings looks whether the session is to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether reading waits for a request.
pub(super) fn blocks(channel: &dyn Channel) -> bool {
    let fd = crate::sys::uring::borrow(channel.raw_fd(), channel);
    fcntl(fd, FcntlArg::F_GETFL)
        .is_ok_and(|flags| !OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}

/// Whether the device has something within this time, or an error for who reads it.
fn is_readable(channel: &dyn Channel, limit: Duration) -> bool {
    let fd = crate::sys::uring::borrow(channel.raw_fd(), channel);
    let mut polled = [PollFd::new(fd, PollFlags::POLLIN)];
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO);
    // A signal's EINTR is for the read to see.
    nix::poll::poll(&mut polled, limit) != Ok(0)
}

impl Session {
    /// Receives one request into `buffer`; blocks until there is one. Returns its length, 0 at the
    /// end of the connection, `EINTR` on a signal. For applications that read by themselves.
    pub fn receive(self: &Arc<Self>, channel: &dyn Channel, buffer: &mut [u8]) -> Result<usize> {
        if self.by_solo()
            && let Some(solo) = solo::take_over(self)
        {
            return solo.receive(self, buffer);
        }
        let by_rings = self.serve_rings_beside_reader() && blocks(channel);
        loop {
            // The end may come by a ring, and wakes nobody who reads here.
            while by_rings && !self.exit().is_requested() && !is_readable(channel, LOOK_EVERY) {}
            if self.exit().is_requested() {
                self.rest_beside_reader();
                return Ok(0);
            }
            if let Some(len) = self.read_once(channel, buffer)? {
                if len == 0 {
                    self.rest_beside_reader();
                }
                return Ok(len);
            }
        }
    }

    /// Reads once: `None` if the request has vanished meanwhile, 0 at the end of the connection.
    pub(super) fn read_once(
        &self,
        channel: &dyn Channel,
        buffer: &mut [u8],
    ) -> Result<Option<usize>> {
        match channel.read(buffer) {
            Ok(len) if len < IN_HEADER_SIZE => Err(short_read(len)),
            Ok(len) => Ok(Some(len)),
            Err(Errno::ENOENT) => Ok(None),
            Err(Errno::ENODEV | Errno::ECONNABORTED) => {
                self.exit().request();
                Ok(Some(0))
            }
            Err(error) => Err(log_read_error(error)),
        }
    }

    /// Receives one request the way that suits it: spliced if `expect_large`, else read. What stays
    /// in a pipe is put into `payload`.
    #[inline(always)]
    pub(super) fn receive_one(
        &self,
        channel: &dyn Channel,
        buffer: &mut RequestBuffer,
        expect_large: bool,
        payload: &mut Option<transport::Payload>,
    ) -> Result<Received> {
        let size = self.buffer_size();
        let bytes = buffer.sized(size).inspect_err(|error| no_memory(size, *error))?;
        let splice = self.negotiated.splice_read.load(Ordering::Relaxed)
            && match self.config.splice {
                SplicePolicy::Always => true,
                SplicePolicy::Auto => expect_large,
                SplicePolicy::Never => false,
            };
        if splice {
            return receive_into_pipe(channel, bytes, payload);
        }
        judge_read(channel.read(bytes))
    }
}

/// Reads plainly by itself where channel or pipe cannot splice.
#[inline(never)]
fn receive_into_pipe(
    channel: &dyn Channel,
    bytes: &mut [u8],
    payload: &mut Option<transport::Payload>,
) -> Result<Received> {
    match transport::receive_spliced(channel, bytes) {
        Ok(transport::Received::Memory(bytes)) => judge_read(Ok(bytes.len())),
        Ok(transport::Received::Piped(_, data)) => {
            *payload = Some(data);
            Ok(Received::Spliced)
        }
        Err(error) => judge_read(Err(error)),
    }
}

/// A failure is logged once, here; a signal and a descriptor that does not block are none.
fn log_read_error(error: Errno) -> Errno {
    if error != Errno::EINTR && error != Errno::EAGAIN {
        log::error!("fuse: reading device: {error}");
    }
    error
}

/// Without memory for it, no request can be read.
fn no_memory(size: usize, error: Errno) {
    log::error!("fuse: no memory for requests of {size} bytes: {error}");
}

/// The device never gives less than a header; a caller's own I/O may, at its end or by mistake.
fn short_read(len: usize) -> Errno {
    log::error!("fuse: short read on fuse device: {len} bytes");
    Errno::EIO
}

impl Session {
    /// Answers what waits in the device, unread, with an error; does not block.
    pub(super) fn refuse_unread(&self, channel: &Arc<dyn Channel>) {
        if !channel.is_kernel_device() {
            return;
        }
        let mut buffer = RequestBuffer::default();
        let Ok(bytes) = buffer.sized(self.buffer_size()) else { return };
        if solo::set_blocking(channel, false).is_err() {
            return;
        }
        while let Ok(len) = channel.read(bytes) {
            if let Ok(header) = header(&bytes[..len], len) {
                self.decline(&header, Errno::EIO, channel);
            }
        }
        // It worked the other way round.
        let _ = solo::set_blocking(channel, true);
    }

    /// Serves a request of `len` bytes that stands in `pipe`, in full, and discards what its
    /// handler leaves of it. For applications that receive by themselves.
    pub fn process_pipe(
        self: &Arc<Self>,
        pipe: BorrowedFd<'_>,
        len: usize,
        channel: &Arc<dyn Channel>,
    ) {
        let mut head = [0; DATA_OFFSET];
        let in_memory = len.min(DATA_OFFSET);
        if let Err(error) = read_exact(pipe, &mut head[..in_memory]) {
            log::error!("fuse: reading a request of {len} bytes from a pipe: {error}");
            return;
        }
        let opcode = header(&head[..in_memory], len).map(|header| header.opcode);
        let may_stay = [Opcode::Write as u32, Opcode::NotifyReply as u32];
        let stays = opcode.is_ok_and(|opcode| may_stay.contains(&opcode));
        if len > DATA_OFFSET && stays && self.protocol().minor >= 9 {
            self.process(Message::in_pipe(&head, len, pipe), channel);
            let mut rest = [0; 4096];
            while pipe_has_data(pipe)
                && nix::unistd::read(pipe, &mut rest).is_ok_and(|count| count > 0)
            {}
            return;
        }
        let mut bytes = vec![0; len];
        bytes[..in_memory].copy_from_slice(&head[..in_memory]);
        if let Err(error) = read_exact(pipe, &mut bytes[in_memory..]) {
            log::error!("fuse: reading a request of {len} bytes from a pipe: {error}");
            return;
        }
        self.process(Message::in_memory(&bytes), channel);
    }
}

/// Whether a read from the pipe would return at once with something.
fn pipe_has_data(pipe: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::new(pipe, PollFlags::POLLIN)];
    nix::poll::poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
        && polled[0].revents().is_some_and(|events| events.contains(PollFlags::POLLIN))
}

impl RequestBuffer {
    /// The first `len` bytes, as received.
    pub(super) fn message(&self, len: usize) -> Message<'_> {
        Message::in_memory(self.filled(len))
    }

    /// The head of a spliced request.
    pub(super) fn head(&self) -> &[u8] {
        self.filled(DATA_OFFSET)
    }
}
