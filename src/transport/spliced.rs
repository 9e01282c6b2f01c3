//! Sending a message through the worker's pipe.
//!
//! The header goes in first, as a reference to a shared page; then the data; then the length,
//! known only now, is stored in that page, and the whole is moved to the device by one splice.

use std::io::{IoSlice, IoSliceMut};

use nix::sys::uio::readv;
use nix::unistd::{read, write};

use super::copying;
use super::pipe::{Lease, Role};
use super::scratch::Scratch;
use super::splice::{DataReply, HEADER, SendOutcome};
use crate::buf::{CopyFlags, Piece};
use crate::errno::{Errno, Result};
use crate::sys::pipe::{page_size, readable};
use crate::sys::splice::{SpliceFlags, splice, vmsplice};

/// Longest header and prefix together in bytes; the longest prefix there is, that of a store
/// notification, has 24.
const MAX_HEAD: usize = 128;

/// How far the data got into the pipe.
enum Gathered {
    /// These many bytes, and that is all there will be.
    All(usize),
    /// These many bytes; the pipe can't take more, or the source can't splice (any further).
    Stuck(usize),
    /// Nothing but this error.
    Failed(Errno),
}

/// Sends up to `wanted` bytes of the reply's data by splice, finishing with a copy if need be.
/// `None`, with nothing read from the source, if the worker has no pipe that would do.
pub(super) fn send(reply: &mut DataReply<'_>, wanted: usize) -> Result<Option<SendOutcome>> {
    let Some(lease) = begin(reply, wanted) else { return Ok(None) };
    match gather(reply, &lease, wanted) {
        Gathered::All(len) => deliver(reply, lease, len),
        Gathered::Stuck(have) => copy_back(reply, lease, have, wanted, |reply, scratch| {
            copying::send_rest(reply, scratch, have, wanted)
        }),
        // The header is still in the pipe, which is closed with the lease.
        Gathered::Failed(error) => Ok(SendOutcome::SourceFailed(error)),
    }
    .map(Some)
}

/// A pipe with room for the message, as far as can be foreseen, and the header in it.
fn begin(reply: &DataReply<'_>, wanted: usize) -> Option<Lease> {
    let head = HEADER + reply.prefix.len();
    if head > MAX_HEAD {
        return None;
    }
    let mut lease = Lease::take(Role::Reply).ok()?;
    let slots = slots_needed(reply, wanted);
    if lease.reserve(slots) < slots && !reply.must_splice() {
        lease.finish();
        return None;
    }
    let page = lease.page().ok()?;
    page.store(0, &reply.header(0)).ok()?;
    page.store(HEADER, reply.prefix).ok()?;
    (lease.put_head(head) == Ok(head)).then_some(lease)
}

/// Slots taken by the message: a page's worth of data each, but a slot never spans two pages of
/// the source, so data that begins in the middle of a page needs one more.
fn slots_needed(reply: &DataReply<'_>, wanted: usize) -> usize {
    let page = page_size();
    let mut left = wanted;
    let mut slots = 1;
    for piece in reply.data.pieces().map_while(Result::ok) {
        let skipped = match piece {
            Piece::Memory(bytes) => bytes.as_ptr().addr() % page,
            Piece::File(source) => match source.pos {
                Some(pos) => usize::try_from(pos).unwrap_or(0) % page,
                // Unknown; at worst the first page has one byte.
                None => page - 1,
            },
        };
        let len = piece.len().min(left);
        if len > 0 {
            slots += (skipped + len).div_ceil(page);
        }
        left -= len;
    }
    slots
}

/// Moves the data into the pipe and the vector's cursor along with it.
fn gather(reply: &mut DataReply<'_>, lease: &Lease, wanted: usize) -> Gathered {
    let move_pages = reply.steal && reply.flags.contains(CopyFlags::SPLICE_MOVE);
    let flags =
        SpliceFlags::NONBLOCK | if move_pages { SpliceFlags::MOVE } else { SpliceFlags::empty() };
    let mut total = 0;
    while total < wanted {
        let (got, ended) = match reply.data.current() {
            None => break,
            Some(Err(error)) if total == 0 => return Gathered::Failed(error),
            Some(Err(_)) => break,
            Some(Ok(Piece::Memory(bytes))) => {
                let bytes = &bytes[..bytes.len().min(wanted - total)];
                // Memory that was spliced must stay as it is until the receiver has it, which is
                // certain only if that is before this function's caller returns.
                let put = if reply.synchronous {
                    vmsplice(lease.writer(), &[IoSlice::new(bytes)])
                } else {
                    write(lease.writer(), bytes).map_err(Errno::from)
                };
                match put {
                    Err(Errno::EFAULT) if total == 0 => return Gathered::Failed(Errno::EFAULT),
                    Err(Errno::EFAULT) => break,
                    Ok(0) | Err(_) => return Gathered::Stuck(total),
                    Ok(len) => (len, None),
                }
            }
            Some(Ok(Piece::File(source))) => {
                let want = source.len.min(wanted - total);
                match splice(source.fd, source.pos, lease.writer(), None, want, flags) {
                    Ok(0) => break,
                    Ok(len) if len == want || source.repeat => (len, None),
                    // One call is all that is asked of such a source, unless it was the pipe that
                    // ended it and a further read would not wait.
                    Ok(len) if lease.pipe().is_full() && readable(source.fd) => {
                        (len, Some(Gathered::Stuck(total + len)))
                    }
                    Ok(len) => (len, Some(Gathered::All(total + len))),
                    Err(Errno::EINTR) if total == 0 => return Gathered::Failed(Errno::EINTR),
                    Err(Errno::EINTR) if source.repeat => continue,
                    Err(Errno::EINTR) => break,
                    // Cannot splice, the pipe is full, or a stream is empty for the moment: a read
                    // settles it, by its data, by waiting as the source wants it, or by its error.
                    Err(_) => return Gathered::Stuck(total),
                }
            }
        };
        reply.data.advance(got);
        total += got;
        if let Some(end) = ended {
            return end;
        }
    }
    Gathered::All(total)
}

/// Completes the header and moves the message, `len` data bytes, to the device.
fn deliver(reply: &mut DataReply<'_>, mut lease: Lease, len: usize) -> Result<SendOutcome> {
    let message = HEADER + reply.prefix.len() + len;
    lease.page()?.store(0, &reply.header(len))?;
    let steal = reply.steal && reply.flags.contains(CopyFlags::SPLICE_MOVE);
    match reply.channel.splice_out(lease.reader(), message, steal) {
        Ok(sent) if sent == message => {
            put_back(reply, lease);
            Ok(SendOutcome::Sent { len, spliced: true })
        }
        Ok(sent) => {
            let unique = reply.unique;
            log::error!("the device took {sent} of {message} bytes of the message for {unique}");
            Err(Errno::EIO)
        }
        Err(error) => match lease.pipe().buffered() {
            // Refused before it was looked at: the device cannot splice, or not now.
            Ok(left) if left == message && may_be_written(error) => {
                copy_back(reply, lease, len, len, |reply, scratch| {
                    copying::send_buffer(reply, &scratch[..len])
                })
            }
            // Looked at and refused, which the kernel does with the pipe already emptied.
            Ok(0) => {
                put_back(reply, lease);
                Err(error)
            }
            _ => Err(error),
        },
    }
}

/// Whether a device that refused a splice with `error` may take a write.
fn may_be_written(error: Errno) -> bool {
    matches!(
        error,
        Errno::EINVAL | Errno::EAGAIN | Errno::ENOMEM | Errno::ENOSYS | Errno::EOPNOTSUPP
    )
}

/// Reads the pipe's `have` data bytes into a buffer with room for `room`, so that nothing taken
/// from a stream is lost, and goes on with that.
fn copy_back(
    reply: &mut DataReply<'_>,
    lease: Lease,
    have: usize,
    room: usize,
    go_on: impl FnOnce(&mut DataReply<'_>, Scratch) -> Result<SendOutcome>,
) -> Result<SendOutcome> {
    let mut scratch = match Scratch::take(room) {
        Ok(scratch) => scratch,
        Err(error) => return Ok(SendOutcome::SourceFailed(error)),
    };
    let head = HEADER + reply.prefix.len();
    match read_back(&lease, head, &mut scratch[..have]) {
        Ok(()) => put_back(reply, lease),
        Err(error) => return Ok(SendOutcome::SourceFailed(error)),
    }
    go_on(reply, scratch)
}

/// Empties the pipe: drops the first `head` bytes and stores the others, `data.len()` of them.
fn read_back(lease: &Lease, head: usize, data: &mut [u8]) -> Result<()> {
    let mut header = [0; MAX_HEAD];
    let mut parts = [IoSliceMut::new(&mut header[..head]), IoSliceMut::new(data)];
    let got = readv(lease.reader(), &mut parts)?;
    let mut have = got.checked_sub(head).ok_or(Errno::EIO)?;
    while have < data.len() {
        match read(lease.reader(), &mut data[have..])? {
            0 => return Err(Errno::EIO),
            more => have += more,
        }
    }
    Ok(())
}

/// Keeps the emptied pipe. Its header page is used again only if nobody can still be looking.
fn put_back(reply: &DataReply<'_>, mut lease: Lease) {
    if !reply.synchronous {
        lease.retire_page();
    }
    lease.finish();
}
