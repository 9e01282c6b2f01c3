//! Receiving requests through a pipe, so that the data of a write need not be copied.

use std::os::fd::BorrowedFd;

use nix::unistd::read;

use super::Channel;
use super::pipe::{Lease, Role};
use crate::buf::{Segment, Vector};
use crate::errno::{Errno, Result};
use crate::sys::pipe::page_size;

/// Bytes that are always read into memory: the in-header (40) and `fuse_write_in` or
/// `fuse_notify_retrieve_in` (40 each; 24 before minor 9, when nothing is spliced).
pub const HEAD: usize = 80;

/// The requests whose handlers can take their data from a pipe.
const WRITE: u32 = 16;
const NOTIFY_REPLY: u32 = 41;

/// One request from the kernel.
pub enum Received<'b> {
    /// All of it, in the caller's buffer.
    Memory(&'b mut [u8]),
    /// Only for WRITE and NOTIFY_REPLY: the first [`HEAD`] bytes in the caller's buffer, the data
    /// that follows them in a pipe.
    Piped(&'b mut [u8], Payload),
}

/// The data of a request, waiting in this thread's pipe.
///
/// Drop it when the request is done, before the next is received: what the handler has not read
/// is discarded then. The descriptor is non-blocking and must not be used afterwards.
pub struct Payload {
    /// Present until dropped.
    lease: Option<Lease>,
    len: usize,
}

impl Payload {
    /// Bytes of data.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pipe's reading end, valid while this lives.
    pub fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.lease.as_ref().map(Lease::reader)
    }

    /// The data as a segment for the handler: the pipe's reading end, valid while this lives.
    pub fn segment(&self) -> Segment {
        match &self.lease {
            Some(lease) => {
                use std::os::fd::AsRawFd;
                Segment::file(lease.reader().as_raw_fd(), None, self.len)
            }
            None => Segment::file(-1, None, 0),
        }
    }

    /// The data as a vector of its own.
    pub fn vector(&self) -> Vector<'_> {
        match &self.lease {
            Some(lease) => Vector::from_fd(lease.reader(), None, self.len),
            None => Vector::from_bytes(&[]),
        }
    }

    /// Reads what is left of the data into `buffer` as far as it fits, and returns the length.
    pub fn read_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let Some(lease) = &self.lease else { return Ok(0) };
        let left = lease.pipe().buffered()?.min(buffer.len());
        read_all(lease, &mut buffer[..left])?;
        Ok(left)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            keep_if_empty(lease);
        }
    }
}

/// Receives one request by splice: into this thread's receiving pipe, and from there into
/// `buffer` all of it, or only its first [`HEAD`] bytes if it is a WRITE or NOTIFY_REPLY with
/// about a page of data or more.
///
/// `buffer` must have the session's buffer size; its length is what the kernel is offered. Where
/// the channel does not splice, or the pipe cannot be made large enough to be safe from losing a
/// request, this is a plain read. Errors are those of [`Channel::read`]; it blocks like that, too.
pub fn receive_spliced<'b>(channel: &dyn Channel, buffer: &'b mut [u8]) -> Result<Received<'b>> {
    let Some(lease) = pipe_for(channel, buffer.len()) else { return plain(channel, buffer) };
    let len = match channel.splice_in(lease.writer(), buffer.len()) {
        Ok(len) => len,
        Err(error) => {
            keep_if_empty(lease);
            return match error {
                // Refused as such, without taking a request.
                Errno::EINVAL | Errno::ENOSYS => plain(channel, buffer),
                error => Err(error),
            };
        }
    };
    // Not what the kernel does, but a caller's own I/O might; the bytes go with the pipe.
    if len > buffer.len() {
        log::error!("a request of {len} bytes came through a window of {}", buffer.len());
        return Err(Errno::EIO);
    }
    let head = if len < HEAD + page_size() { len } else { HEAD };
    read_all(&lease, &mut buffer[..head])?;
    if head < len {
        if stays_in_pipe(&buffer[..head]) {
            let payload = Payload { lease: Some(lease), len: len - head };
            return Ok(Received::Piped(&mut buffer[..head], payload));
        }
        read_all(&lease, &mut buffer[head..len])?;
    }
    keep_if_empty(lease);
    Ok(Received::Memory(&mut buffer[..len]))
}

fn plain<'b>(channel: &dyn Channel, buffer: &'b mut [u8]) -> Result<Received<'b>> {
    let len = channel.read(buffer)?.min(buffer.len());
    Ok(Received::Memory(&mut buffer[..len]))
}

/// A pipe that holds any request of up to `size` bytes. The kernel drops a request that does not
/// fit and fails it with EIO, so one that is too small must not be tried.
fn pipe_for(channel: &dyn Channel, size: usize) -> Option<Lease> {
    if !channel.can_splice_in() || size < HEAD + page_size() {
        return None;
    }
    let slots = size.div_ceil(page_size());
    let mut lease = Lease::take(Role::Receive).ok()?;
    if lease.reserve(slots) < slots {
        lease.finish();
        return None;
    }
    Some(lease)
}

fn stays_in_pipe(head: &[u8]) -> bool {
    let opcode = head.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    matches!(opcode, Some(WRITE | NOTIFY_REPLY))
}

/// Reads exactly `buffer.len()` bytes; `EIO` if the pipe has fewer.
fn read_all(lease: &Lease, buffer: &mut [u8]) -> Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        match read(lease.reader(), &mut buffer[done..]) {
            Ok(0) | Err(nix::errno::Errno::EAGAIN) => return Err(Errno::EIO),
            Ok(len) => done += len,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Closing a pipe with a megabyte in it is cheaper than reading it out, so it is not drained.
fn keep_if_empty(lease: Lease) {
    if lease.pipe().buffered() == Ok(0) {
        lease.finish();
    }
}
