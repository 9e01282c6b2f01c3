//! Answers, one method for each kind.
//!
//! Each consumes the request. The error returned is the device's: `ENOENT` means that the request
//! was interrupted or aborted and nobody waits for the answer, so that an open or a lookup it
//! carried must be undone by the filesystem.

use std::io::IoSlice;
use std::mem;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;
use zerocopy::IntoBytes;

use super::ops::{FileInfo, NOT_IMPLEMENTED};
use super::request::{Request, answer_refusal};
use super::{NodeId, Session, check, post};
use crate::buf::{CopyFlags, Vector};
use crate::errno::{Errno, Result};
use crate::stats::counters::Route;
use crate::sys::probes;
use crate::transport::{Channel, DataReply, SendOutcome, send_data};
use crate::wire::flags::{IoctlFlags, OpenFlags};
use crate::wire::layout::*;
use crate::wire::reply::{self, Entry, Timeout};
use crate::wire::{OUT_HEADER_SIZE, Opcode};

/// Most memory ranges that one IOCTL may ask for (`FUSE_IOCTL_MAX_IOV`), both directions together.
const IOCTL_MAX_RANGES: usize = 256;

/// What an OPEN, OPENDIR or CREATE reply says of the open file.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenReply {
    /// Handle that later requests on this file carry.
    pub fh: u64,
    /// How the kernel is to treat the file.
    pub flags: OpenFlags,
    /// The open file that reads and writes go to, from
    /// [`Session::open_backing`](super::Session::open_backing); 0: they come here.
    pub backing_id: i32,
}

impl OpenReply {
    fn encode(self) -> OpenOut {
        let mut flags = self.flags;
        flags.set(OpenFlags::PASSTHROUGH, self.backing_id > 0);
        OpenOut { fh: self.fh, open_flags: flags.bits(), backing_id: self.backing_id.max(0) }
    }
}

/// A range of the calling process's memory that an unrestricted IOCTL asks for.
#[derive(Clone, Copy, Debug)]
pub struct IoctlRange {
    /// Address in the calling process.
    pub base: u64,
    /// Bytes.
    pub len: u64,
}

impl Session {
    /// Sends one message in one piece: header, then `payload`.
    pub(super) fn send(
        &self,
        channel: &dyn Channel,
        unique: u64,
        error: i32,
        payload: &[IoSlice<'_>],
    ) -> Result<()> {
        let size = payload.iter().map(|part| part.len()).sum();
        let header = reply::out_header(unique, error, size).ok_or(Errno::EINVAL)?;
        let mut message: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
        message.push(IoSlice::new(header.as_bytes()));
        message.extend_from_slice(payload);
        let observed = self.is_observed();
        if observed {
            self.log_reply(&header);
        }
        let sent = channel.writev(&message);
        probes::request_end(unique, error, header.len);
        if observed {
            self.observe_reply(&header, channel.route());
        }
        self.judge_write(sent, header.len as usize)
    }

    /// Sends one message, most often header and one payload, in one piece.
    #[inline]
    fn send_one(
        &self,
        channel: &dyn Channel,
        unique: u64,
        error: i32,
        payload: &[u8],
    ) -> Result<()> {
        let header = reply::out_header(unique, error, payload.len()).ok_or(Errno::EINVAL)?;
        let observed = self.is_observed();
        if observed {
            self.log_reply(&header);
        }
        let message = [IoSlice::new(header.as_bytes()), IoSlice::new(payload)];
        let parts = if payload.is_empty() { 1 } else { 2 };
        let sent = channel.writev(&message[..parts]);
        probes::request_end(unique, error, header.len);
        if observed {
            self.observe_reply(&header, channel.route());
        }
        self.judge_write(sent, header.len as usize)
    }

    /// The outcome of writing a message of `len` bytes; failures that need a reader are logged.
    #[inline]
    fn judge_write(&self, sent: Result<usize>, len: usize) -> Result<()> {
        if sent == Ok(len) { Ok(()) } else { self.judge_failed_write(sent, len) }
    }

    #[cold]
    fn judge_failed_write(&self, sent: Result<usize>, len: usize) -> Result<()> {
        match sent {
            Ok(sent) => {
                log::error!("fuse: writing device: {sent} of {len} bytes taken");
                Err(Errno::EIO)
            }
            Err(error) => {
                self.log_write_error(error);
                Err(error)
            }
        }
    }

    /// ENOENT is an interrupted request, ENODEV or any error after exit the end of the mount.
    pub(super) fn log_write_error(&self, error: Errno) {
        if error != Errno::ENOENT && error != Errno::ENODEV && !self.exit().is_requested() {
            log::error!("fuse: writing device: {error}");
        }
    }

    /// Sends file or memory data behind `prefix`, spliced where that is allowed and pays. A source
    /// that gives nothing at all is the inner error: nothing was sent then.
    pub(super) fn send_vector(
        &self,
        channel: &dyn Channel,
        (unique, error): (u64, i32),
        prefix: &[u8],
        data: Vector<'_>,
        flags: CopyFlags,
    ) -> Result<Result<()>> {
        let negotiated = &self.negotiated;
        let sent = send_data(DataReply {
            channel,
            unique,
            error,
            prefix,
            data,
            flags,
            allowed: negotiated.splice_write.load(Ordering::Relaxed),
            wanted: negotiated.splice_wanted.load(Ordering::Relaxed),
            steal: negotiated.splice_move.load(Ordering::Relaxed),
            synchronous: channel.is_synchronous(),
            policy: self.config.splice,
            max_len: self.buffer_size(),
        });
        match sent.inspect_err(|error| self.log_write_error(*error))? {
            SendOutcome::SourceFailed(error) => Ok(Err(error)),
            SendOutcome::Sent { len, spliced } => {
                let route = if spliced { Route::Spliced } else { channel.route() };
                probes::reply_path(unique, route as u32, len);
                probes::request_end(unique, error, (OUT_HEADER_SIZE + prefix.len() + len) as u32);
                if self.is_observed()
                    && let Some(header) = reply::out_header(unique, error, prefix.len() + len)
                {
                    self.log_reply(&header);
                    self.observe_reply(&header, route);
                }
                Ok(Ok(()))
            }
        }
    }
}

/// What kernels of old take of a reply: those whose minor is below the first number, so many bytes.
type Older = (u32, usize);

/// As much of a payload as the kernel takes.
fn fitting<'p>(session: &Session, payload: &'p [u8], (minor, len): Older) -> &'p [u8] {
    let old = session.negotiated.minor.load(Ordering::Relaxed) < minor;
    if old { payload.get(..len).unwrap_or(payload) } else { payload }
}

impl Request {
    /// Answers with one piece; one function for all such answers, so that there is little of it.
    #[inline(never)]
    fn answer_with(self, error: i32, payload: &[u8], older: Older) -> Result<()> {
        let here = post::of_slot(self.at.slot, |post| {
            let post = post.filter(|_| !self.at.slot.takes_no_answer())?;
            let (session, channel) = (&*post.session, &*post.channel);
            let unique = self.at.slot.begin_answer();
            if unique == 0 {
                // Tried before: the caller's own I/O panicked.
                self.at.release_kept(session);
                return Some(Err(Errno::EIO));
            }
            let payload = fitting(session, payload, older);
            let result = session.send_one(channel, unique, error, payload);
            if let Err(error) = result {
                answer_refusal(session, channel, unique, error);
            }
            self.at.release_kept(session);
            Some(result)
        });
        match here {
            Some(result) => {
                mem::forget(self);
                result
            }
            None => self.answer_from_elsewhere(error, payload, older),
        }
    }

    /// The same in another thread than the one that keeps the slot.
    #[inline(never)]
    fn answer_from_elsewhere(self, error: i32, payload: &[u8], older: Older) -> Result<()> {
        self.answer(|session, channel, unique| {
            session.send_one(channel, unique, error, fitting(session, payload, older))
        })
    }

    fn send(self, error: i32, payload: &[IoSlice<'_>]) -> Result<()> {
        self.answer(|session, channel, unique| session.send(channel, unique, error, payload))
    }

    /// Entries with attributes may go out whose look-ups are not counted.
    fn listing_unseen(&self) {
        if check::on()
            && self.opcode() == Some(Opcode::Readdirplus)
            && let Some(session) = self.session()
        {
            check::not_countable(&session);
        }
    }

    fn send_bytes(self, payload: &[u8]) -> Result<()> {
        self.answer_with(0, payload, (0, 0))
    }

    /// Fails the request.
    pub fn reply_error(self, error: Errno) -> Result<()> {
        self.answer_with(error.negated(), &[], (0, 0))
    }

    /// Success, with nothing to say.
    pub fn reply_ok(self) -> Result<()> {
        self.send_bytes(&[])
    }

    /// The default answer of an operation that the filesystem lacks. A failure to deliver it was
    /// logged and leaves nothing to undo.
    pub fn not_implemented(self) {
        let _ = self.reply_error(NOT_IMPLEMENTED);
    }

    /// The default answer of operations whose absence is success; likewise.
    pub fn done(self) {
        let _ = self.reply_ok();
    }

    /// The default answer to OPEN and OPENDIR; likewise.
    pub fn opened_without_handler(self, file: &FileInfo) {
        let _ = self.reply_open(OpenReply { fh: file.fh, ..OpenReply::default() });
    }

    /// The default answer to STATFS; likewise.
    pub fn reply_default_statfs(self) {
        let st = Kstatfs { namelen: 255, bsize: 512, ..Kstatfs::default() };
        let _ = self.reply_statfs(&st);
    }

    /// A node: answers LOOKUP, MKNOD, MKDIR, SYMLINK and LINK. Node 0 is a name known not to
    /// exist, which minors below 4 are told as `ENOENT`.
    #[inline]
    pub fn reply_entry(self, entry: &Entry) -> Result<()> {
        let bytes = entry.encode();
        if entry.node == 0 || check::on() {
            return self.reply_rare_entry(&bytes);
        }
        self.answer_with(0, bytes.as_bytes(), (9, reply::OLD_ENTRY_SIZE))
    }

    /// No node, or one that is counted.
    #[cold]
    fn reply_rare_entry(self, bytes: &EntryOut) -> Result<()> {
        let node = bytes.nodeid;
        self.answer(|session, channel, unique| {
            let protocol = session.protocol();
            if node == 0 && protocol.minor < 4 {
                return session.send(channel, unique, Errno::ENOENT.negated(), &[]);
            }
            let payload = &bytes.as_bytes()[..reply::entry_size(protocol)];
            counted(session, node, || session.send_one(channel, unique, 0, payload))
        })
    }

    /// A node and its open file: answers CREATE and TMPFILE.
    pub fn reply_create(self, entry: &Entry, open: OpenReply) -> Result<()> {
        self.answer(|session, channel, unique| {
            let (bytes, len) = reply::create(entry, &open.encode(), session.protocol());
            let payload = &bytes[..len];
            counted(session, entry.node, || session.send_one(channel, unique, 0, payload))
        })
    }

    /// Attributes: answers GETATTR and SETATTR.
    #[inline]
    pub fn reply_attr(self, attr: Attr, timeout: Timeout) -> Result<()> {
        let out = reply::attr(attr, timeout);
        self.answer_with(0, out.as_bytes(), (9, reply::OLD_ATTR_SIZE))
    }

    /// Attributes as statx(2) has them: answers STATX.
    pub fn reply_statx(self, stat: Statx, flags: u32, timeout: Timeout) -> Result<()> {
        self.send_bytes(reply::statx(stat, flags, timeout).as_bytes())
    }

    /// An open file: answers OPEN and OPENDIR.
    pub fn reply_open(self, open: OpenReply) -> Result<()> {
        self.send_bytes(open.encode().as_bytes())
    }

    /// How many bytes were written, or copied: answers WRITE and COPY_FILE_RANGE.
    pub fn reply_written(self, count: u64) -> Result<()> {
        if self.opcode() == Some(Opcode::CopyFileRange64) {
            let out = CopyFileRangeOut { bytes_copied: count };
            return self.send_bytes(out.as_bytes());
        }
        let size = u32::try_from(count).unwrap_or(u32::MAX);
        self.send_bytes(WriteOut { size, padding: 0 }.as_bytes())
    }

    /// Plain data: answers READ, READDIR, READLINK, GETXATTR and LISTXATTR.
    pub fn reply_bytes(self, data: &[u8]) -> Result<()> {
        if check::on() && self.opcode() == Some(Opcode::Readdirplus) {
            return self.answer(|session, channel, unique| {
                check::looked_up_in_listing(session, data);
                session
                    .send(channel, unique, 0, &[IoSlice::new(data)])
                    .inspect_err(|_| check::taken_back_in_listing(session, data))
            });
        }
        self.send_bytes(data)
    }

    /// Plain data in pieces.
    pub fn reply_slices(self, data: &[IoSlice<'_>]) -> Result<()> {
        self.listing_unseen();
        self.send(0, data)
    }

    /// Data in memory or behind descriptors, spliced where that is allowed and pays. If a source
    /// fails before anything was sent, the request fails with that error.
    pub fn reply_vector(self, data: Vector<'_>, flags: CopyFlags) -> Result<()> {
        self.listing_unseen();
        self.answer(|session, channel, unique| {
            match session.send_vector(channel, (unique, 0), &[], data, flags)? {
                Ok(()) => Ok(()),
                Err(source) => session.send(channel, unique, source.negated(), &[]),
            }
        })
    }

    /// Answers STATFS.
    pub fn reply_statfs(self, st: &Kstatfs) -> Result<()> {
        let out = StatfsOut { st: *st };
        self.answer_with(0, out.as_bytes(), (4, reply::OLD_STATFS_SIZE))
    }

    /// How large an attribute value or list is: answers GETXATTR and LISTXATTR of size 0.
    pub fn reply_xattr_size(self, size: u32) -> Result<()> {
        self.send_bytes(GetxattrOut { size, padding: 0 }.as_bytes())
    }

    /// A lock: answers GETLK.
    pub fn reply_lock(self, lock: &FileLock) -> Result<()> {
        self.send_bytes(LkOut { lk: *lock }.as_bytes())
    }

    /// Answers BMAP.
    pub fn reply_bmap(self, block: u64) -> Result<()> {
        self.send_bytes(BmapOut { block }.as_bytes())
    }

    /// Answers LSEEK.
    pub fn reply_lseek(self, offset: u64) -> Result<()> {
        self.send_bytes(LseekOut { offset }.as_bytes())
    }

    /// Answers POLL.
    pub fn reply_poll(self, revents: u32) -> Result<()> {
        self.send_bytes(PollOut { revents, padding: 0 }.as_bytes())
    }

    /// The result of an IOCTL and the data that goes back with it.
    pub fn reply_ioctl(self, result: i32, data: &[IoSlice<'_>]) -> Result<()> {
        let out = IoctlOut { result, ..IoctlOut::default() };
        let mut payload: SmallVec<[IoSlice<'_>; 4]> = SmallVec::new();
        payload.push(IoSlice::new(out.as_bytes()));
        payload.extend_from_slice(data);
        self.send(0, &payload)
    }

    /// Asks the kernel to send an unrestricted IOCTL again with these memory ranges: `input` is
    /// read from the calling process, `output` is what the reply may write. `E2BIG` for more than
    /// 256 together, answered to the kernel as well.
    pub fn reply_ioctl_retry(self, input: &[IoctlRange], output: &[IoctlRange]) -> Result<()> {
        if input.len() + output.len() > IOCTL_MAX_RANGES {
            // What the caller did wrong is the result; the answer only ends the request.
            let _ = self.reply_error(Errno::E2BIG);
            return Err(Errno::E2BIG);
        }
        let out = IoctlOut {
            result: 0,
            flags: IoctlFlags::RETRY.bits(),
            in_iovs: input.len() as u32,
            out_iovs: output.len() as u32,
        };
        let compat = self.at.slot.compat_ioctl.load(Ordering::Relaxed);
        self.answer(|session, channel, unique| {
            // Below minor 16 the ranges are the calling process's own struct iovec.
            let narrow = session.protocol().minor < 16 && (compat || usize::BITS == 32);
            let ranges: Vec<u8> = (input.iter().chain(output))
                .flat_map(|range| encode_range(*range, narrow))
                .collect();
            let payload = [IoSlice::new(out.as_bytes()), IoSlice::new(&ranges)];
            session.send(channel, unique, 0, &payload)
        })
    }
}

/// Sends an entry, and counts the look-up where that is checked.
fn counted(session: &Session, node: NodeId, send: impl FnOnce() -> Result<()>) -> Result<()> {
    if !check::on() {
        return send();
    }
    check::looked_up(session, node);
    send().inspect_err(|_| check::taken_back(session, node))
}

fn encode_range(range: IoctlRange, narrow: bool) -> SmallVec<[u8; 16]> {
    if narrow {
        let (base, len) = (range.base as u32, range.len as u32);
        base.to_ne_bytes().into_iter().chain(len.to_ne_bytes()).collect()
    } else {
        range.base.to_ne_bytes().into_iter().chain(range.len.to_ne_bytes()).collect()
    }
}
