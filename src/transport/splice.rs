//! Replies and notifications that carry data from a buffer vector.
//!
//! Data in memory is written straight from where it lies. Data behind descriptors either goes
//! through a pipe without being copied in user space or is read into the worker's buffer and
//! written; which one is decided per message, and both give the same bytes.

use crate::buf::{CopyFlags, Piece, Vector};
use crate::errno::{Errno, Result};
use crate::sys::env;
use crate::sys::pipe::page_size;

use super::{Channel, adaptive, copying, spliced};

/// Length of the out-header in bytes: `len: u32`, `error: i32`, `unique: u64`, native endian.
pub(super) const HEADER: usize = 16;

/// With [`SplicePolicy::Auto`], the data length in bytes from which a filesystem that did not ask
/// for splicing may get it; below, the copy is cheaper than the additional system calls.
const WORTHWHILE: usize = 64 << 10;

/// When data behind descriptors is spliced: the user's choice, `FERROFUSE_SPLICE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SplicePolicy {
    /// Where it pays by what either way has cost so far; it may from two pages on if the filesystem
    /// asked for it, otherwise from 64 KiB on.
    #[default]
    Auto,
    /// Whenever it is possible, down to one byte.
    Always,
    /// Not at all.
    Never,
}

impl SplicePolicy {
    /// What `FERROFUSE_SPLICE` says.
    pub fn from_env() -> SplicePolicy {
        env::secure_var("FERROFUSE_SPLICE")
            .map_or(SplicePolicy::Auto, |value| SplicePolicy::parse(&value.to_string_lossy()))
    }

    /// Reads `auto`, `always` or `never`; for anything else logs a warning and returns `Auto`.
    pub fn parse(value: &str) -> SplicePolicy {
        match value {
            "auto" => SplicePolicy::Auto,
            "always" => SplicePolicy::Always,
            "never" => SplicePolicy::Never,
            unknown => {
                log::warn!("FERROFUSE_SPLICE={unknown:?} is not auto, always or never; using auto");
                SplicePolicy::Auto
            }
        }
    }
}

/// A message that ends in the data of a vector.
pub struct DataReply<'a> {
    /// Where the request came from.
    pub channel: &'a dyn Channel,
    /// The request's id; 0 for a notification.
    pub unique: u64,
    /// The header's `error` field: 0 for a reply, the code of a notification.
    pub error: i32,
    /// Bytes between header and data, such as `fuse_notify_store_out`.
    pub prefix: &'a [u8],
    /// The data, from the cursor on. It may come out shorter, at end of file for example.
    pub data: Vector<'a>,
    /// The caller's wishes; `NO_SPLICE`, `FORCE_SPLICE` and `SPLICE_MOVE` count here. The pipe is
    /// never waited for, so `SPLICE_NONBLOCK` always holds.
    pub flags: CopyFlags,
    /// The session grants splicing to the device (protocol minor 14 and not switched off).
    /// Without it nothing is spliced, whatever the policy and flags say.
    pub allowed: bool,
    /// The filesystem asked for it explicitly (`FUSE_CAP_SPLICE_WRITE`).
    pub wanted: bool,
    /// The session grants `SPLICE_MOVE`; takes effect together with that flag.
    pub steal: bool,
    /// The channel is done with a message's memory once its call returns, as `/dev/fuse` is. If
    /// not known, false: the receiver behind a caller's own I/O may keep referring to the pages
    /// that were spliced, so the header page is not used again and memory is copied.
    pub synchronous: bool,
    /// The user's choice.
    pub policy: SplicePolicy,
    /// The most data in bytes that the request has room for; more is not sent.
    pub max_len: usize,
}

/// What became of a message that the device did not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// It is with the kernel.
    Sent {
        /// Data bytes in it, without header and prefix.
        len: usize,
        /// Whether it went by splice rather than by a write.
        spliced: bool,
    },
    /// The data could not be had at all, and nothing was sent: answer the request with this.
    SourceFailed(Errno),
}

/// Sends header, prefix and data as one message, and moves the data's cursor.
///
/// Sources with a position or `FD_RETRY` are read until the wanted length, end of file or an
/// error; of any other source one call's worth is taken, so that a stream is not waited for after
/// it gave something. A source that fails after some data ends the data.
///
/// `Err` is the device's verdict: `ENOENT` if the request was aborted or interrupted meanwhile,
/// `ENODEV` if the connection is gone, `EIO` if only a part was taken. Any thread may call it; it
/// blocks only where reading a source blocks.
pub fn send_data(mut reply: DataReply<'_>) -> Result<SendOutcome> {
    let room = (u32::MAX as usize).saturating_sub(HEADER + reply.prefix.len());
    let wanted = reply.data.remaining().min(reply.max_len).min(room);
    let in_files = reply.data.remaining_in_files().min(wanted);
    if in_files == 0 {
        return copying::send_memory(&mut reply, wanted);
    }
    if !reply.may_splice(in_files) {
        return copying::send(&mut reply, wanted);
    }
    if reply.must_splice() {
        return splice_or_copy(&mut reply, wanted);
    }
    let positioned =
        matches!(reply.data.current(), Some(Ok(Piece::File(source))) if source.pos.is_some());
    let choice = adaptive::choose(in_files, positioned);
    let outcome = if choice.splices() {
        splice_or_copy(&mut reply, wanted)?
    } else {
        copying::send(&mut reply, wanted)?
    };
    // What came out short says nothing about its size.
    if matches!(outcome, SendOutcome::Sent { len, .. } if len == wanted) {
        choice.done();
    }
    Ok(outcome)
}

fn splice_or_copy(reply: &mut DataReply<'_>, wanted: usize) -> Result<SendOutcome> {
    match spliced::send(reply, wanted)? {
        Some(outcome) => Ok(outcome),
        None => copying::send(reply, wanted),
    }
}

impl DataReply<'_> {
    /// Whether splicing is allowed, and may pay.
    fn may_splice(&self, in_files: usize) -> bool {
        if !self.allowed
            || self.policy == SplicePolicy::Never
            || self.flags.contains(CopyFlags::NO_SPLICE)
            || !self.channel.can_splice_out()
        {
            return false;
        }
        let worthwhile = if self.wanted { 2 * page_size() } else { WORTHWHILE };
        self.must_splice() || in_files >= worthwhile
    }

    /// Whether to splice even if it hardly pays.
    pub(super) fn must_splice(&self) -> bool {
        self.policy == SplicePolicy::Always || self.flags.contains(CopyFlags::FORCE_SPLICE)
    }

    /// The out-header of a message with `len` data bytes.
    pub(super) fn header(&self, len: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        // `send_data` keeps the sum within 32 bits.
        let total = (HEADER + self.prefix.len() + len) as u32;
        header[..4].copy_from_slice(&total.to_ne_bytes());
        header[4..8].copy_from_slice(&self.error.to_ne_bytes());
        header[8..].copy_from_slice(&self.unique.to_ne_bytes());
        header
    }
}

#[cfg(test)]
mod tests {
    use super::SplicePolicy;

    #[test]
    fn policy_names() {
        assert_eq!(SplicePolicy::parse("auto"), SplicePolicy::Auto);
        assert_eq!(SplicePolicy::parse("always"), SplicePolicy::Always);
        assert_eq!(SplicePolicy::parse("never"), SplicePolicy::Never);
        assert_eq!(SplicePolicy::parse("Always "), SplicePolicy::Auto);
        assert_eq!(SplicePolicy::parse(""), SplicePolicy::Auto);
    }
}
