//! Sending a message with plain writes.

use std::io::IoSlice;

use rustix::io::{pread, read};
use smallvec::SmallVec;

use super::scratch::Scratch;
use super::splice::{DataReply, SendOutcome};
use crate::buf::{Piece, Vector};
use crate::errno::{Errno, Result};

/// Most elements one writev takes (`IOV_MAX`).
const MAX_PIECES: usize = 1024;

/// Sends the first `wanted` bytes of a vector that is all memory, from where they lie.
pub(super) fn send_memory(reply: &mut DataReply<'_>, wanted: usize) -> Result<SendOutcome> {
    if reply.data.remaining_segments() > MAX_PIECES - 2 {
        return send(reply, wanted);
    }
    let header = reply.header(wanted);
    let mut message: SmallVec<[IoSlice<'_>; 18]> = SmallVec::new();
    message.push(IoSlice::new(&header));
    message.push(IoSlice::new(reply.prefix));
    let mut left = wanted;
    for piece in reply.data.pieces() {
        match piece {
            Ok(Piece::Memory(bytes)) => {
                let bytes = &bytes[..bytes.len().min(left)];
                left -= bytes.len();
                if !bytes.is_empty() {
                    message.push(IoSlice::new(bytes));
                }
            }
            // Not reached: the caller looked for descriptors.
            Ok(Piece::File(_)) => return Ok(SendOutcome::SourceFailed(Errno::EINVAL)),
            Err(error) => return Ok(SendOutcome::SourceFailed(error)),
        }
    }
    let outcome = write(reply, &message, wanted)?;
    drop(message);
    reply.data.advance(wanted);
    Ok(outcome)
}

/// Gathers up to `wanted` bytes in the worker's buffer and sends them.
///
/// Where the channel has a place of its own for the data, it is read right there.
pub(super) fn send(reply: &mut DataReply<'_>, wanted: usize) -> Result<SendOutcome> {
    if reply.prefix.is_empty() && reply.error == 0 {
        let (channel, data) = (reply.channel, &mut reply.data);
        let filled = channel.fill_answer(reply.unique, &mut |room| {
            let wanted = wanted.min(room.len());
            fill(data, &mut room[..wanted], 0)
        });
        match filled {
            Some(Ok(len)) => return Ok(SendOutcome::Sent { len, spliced: false }),
            Some(Err(error)) => return Ok(SendOutcome::SourceFailed(error)),
            None => {}
        }
    }
    match Scratch::take(wanted) {
        Ok(scratch) => send_rest(reply, scratch, 0, wanted),
        Err(error) => Ok(SendOutcome::SourceFailed(error)),
    }
}

/// The same with `have` bytes already in the buffer, which is `wanted` bytes long or more.
pub(super) fn send_rest(
    reply: &mut DataReply<'_>,
    mut scratch: Scratch,
    have: usize,
    wanted: usize,
) -> Result<SendOutcome> {
    match fill(&mut reply.data, &mut scratch[..wanted], have) {
        Ok(len) => send_buffer(reply, &scratch[..len]),
        Err(error) => Ok(SendOutcome::SourceFailed(error)),
    }
}

/// Sends a message whose data is in one piece.
pub(super) fn send_buffer(reply: &DataReply<'_>, data: &[u8]) -> Result<SendOutcome> {
    let header = reply.header(data.len());
    let message = [IoSlice::new(&header), IoSlice::new(reply.prefix), IoSlice::new(data)];
    write(reply, &message, data.len())
}

fn write(reply: &DataReply<'_>, message: &[IoSlice<'_>], len: usize) -> Result<SendOutcome> {
    let total: usize = message.iter().map(|part| part.len()).sum();
    let written = reply.channel.writev(message)?;
    if written != total {
        let unique = reply.unique;
        log::error!("the device took {written} of {total} bytes of the message for {unique}");
        return Err(Errno::EIO);
    }
    Ok(SendOutcome::Sent { len, spliced: false })
}

/// Reads from the vector's cursor on into `buffer`, whose first `filled` bytes are there already,
/// and returns how much of it is filled in the end. An error counts only if that is nothing.
fn fill(data: &mut Vector<'_>, buffer: &mut [u8], mut filled: usize) -> Result<usize> {
    while filled < buffer.len() {
        let (got, repeat) = match data.current() {
            None => break,
            Some(Err(error)) => (Err(error), false),
            Some(Ok(Piece::Memory(bytes))) => {
                let len = bytes.len().min(buffer.len() - filled);
                buffer[filled..filled + len].copy_from_slice(&bytes[..len]);
                (Ok(len), true)
            }
            Some(Ok(Piece::File(source))) => {
                let len = source.len.min(buffer.len() - filled);
                let room = &mut buffer[filled..filled + len];
                let got = match source.pos {
                    // What is no position, the kernel refuses.
                    Some(pos) => pread(source.fd, room, pos.cast_unsigned()),
                    None => read(source.fd, room),
                };
                let got = got.map_err(Errno::from);
                (got, source.repeat || got == Ok(len))
            }
        };
        match got {
            Ok(0) => break,
            Ok(len) => {
                data.advance(len);
                filled += len;
                if !repeat {
                    break;
                }
            }
            // A signal must not cut short what a reader takes for end of file.
            Err(Errno::EINTR) if repeat && filled > 0 => {}
            Err(error) if filled == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(filled)
}
