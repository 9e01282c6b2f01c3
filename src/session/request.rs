//! A request in the filesystem's hands.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::slots::{Context, Handle, InterruptCallback, SlotRef};
use super::{Session, post};
use crate::errno::{Errno, Result};
use crate::transport::Channel;
use crate::wire::Opcode;

/// Why a handle was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The null pointer.
    Null,
    /// Already answered, or never a request of this process.
    NotPending,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Misuse::Null => "request is NULL",
            Misuse::NotPending => "request was already answered, or never existed",
        })
    }
}

/// Opcodes that are never answered, not even with an error.
pub(super) fn is_unanswered(opcode: Option<Opcode>) -> bool {
    matches!(
        opcode,
        Some(Opcode::Forget | Opcode::BatchForget | Opcode::Interrupt | Opcode::NotifyReply)
    )
}

/// One request, to be answered exactly once by one of its `reply_` methods.
///
/// Dropped without an answer, it answers `EIO`: the kernel, and the process that waits there,
/// always get an answer. It may be moved to any thread.
pub struct Request {
    pub(super) at: SlotRef,
}

impl Request {
    pub(super) fn new(at: SlotRef) -> Request {
        Request { at }
    }

    /// Gives the request out as a number; nothing answers it but [`Request::claim`].
    pub fn into_handle(self) -> Handle {
        self.at.slot.give(self.at.generation);
        let handle = self.at.handle();
        mem::forget(self);
        handle
    }

    /// Takes back what [`Request::into_handle`] gave out. Only one caller succeeds.
    pub fn claim(handle: Handle) -> Result<Request, Misuse> {
        if handle.to_raw() == 0 {
            return Err(Misuse::Null);
        }
        let at = SlotRef::named(handle).ok_or(Misuse::NotPending)?;
        if at.slot.take(at.generation) { Ok(Request { at }) } else { Err(Misuse::NotPending) }
    }

    /// The request's number, for looking at it ([`Peek`]) while it is being served. It can't be
    /// claimed.
    pub fn handle(&self) -> Handle {
        self.at.handle()
    }

    /// The kernel's id of the request.
    pub fn unique(&self) -> u64 {
        self.at.slot.unique.load(Ordering::Relaxed)
    }

    /// What is asked.
    pub fn opcode(&self) -> Option<Opcode> {
        self.at.slot.opcode()
    }

    /// Whom it comes from.
    pub fn context(&self) -> &'static Context {
        &self.at.slot.context
    }

    /// Whether the kernel has asked to interrupt it.
    pub fn is_interrupted(&self) -> bool {
        self.at.slot.is_interrupted(self.at.generation)
    }

    /// The session it belongs to.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.at.slot.session()
    }

    /// Ends the request without an answer, as FORGET and its like demand.
    pub fn finish(self) {
        let at = self.at;
        let unique = at.slot.begin_answer();
        post::of_slot(at.slot, |post| match post {
            Some(post) => {
                post.channel.abandon(unique);
                at.release_kept(&post.session);
            }
            None => {
                if let Some(channel) = at.slot.channel() {
                    channel.abandon(unique);
                }
                at.release();
            }
        });
        mem::forget(self);
    }

    /// Another request of the same kind and origin, for filesystems that end each of several
    /// forgets with a request of its own. `None` if too many are in flight.
    pub fn companion(&self) -> Option<Request> {
        self.at.companion().map(Request::new)
    }

    /// Borrows session and channel for one answer, sends it, and ends the request.
    #[inline]
    pub(super) fn answer(
        self,
        send: impl FnOnce(&Session, &dyn Channel, u64) -> Result<()>,
    ) -> Result<()> {
        let at = self.at;
        if at.slot.takes_no_answer() {
            self.refuse_answer();
            return Ok(());
        }
        post::of_slot(at.slot, |post| {
            let lent = if post.is_some() { None } else { Some(at.slot.lend_origin()) };
            let (session, channel) = match (post, &lent) {
                (Some(post), _) => (Some(&*post.session), Some(&*post.channel)),
                (None, Some(lent)) => (lent.0.as_deref(), lent.1.as_deref()),
                (None, None) => (None, None),
            };
            let result = match (session, channel, at.slot.begin_answer()) {
                // Tried before: the caller's own I/O panicked.
                (_, _, 0) => Err(Errno::EIO),
                (Some(session), Some(channel), unique) => {
                    let result = send(session, channel, unique);
                    if let Err(error) = result {
                        answer_refusal(session, channel, unique, error);
                    }
                    result
                }
                // The session was destroyed under the request.
                _ => Err(Errno::ENODEV),
            };
            match (post, lent) {
                (Some(post), _) => at.release_kept(&post.session),
                (None, lent) => at.release_with(lent.unwrap_or_default()),
            }
            mem::forget(self);
            result
        })
    }

    #[cold]
    fn refuse_answer(self) {
        log::error!("fuse: {} takes no answer", self.opcode().map_or("request", Opcode::name));
        self.finish();
    }
}

/// Sees to it that somebody who waits for an answer that the device refused gets `EIO`.
///
/// The kernel looks at a message before it looks for its request (a length, an error number,
/// memory that can't be read), and one that it refuses there leaves the request waiting. Where
/// it had found the request, that has ended, and this finds nobody.
#[cold]
pub(super) fn answer_refusal(session: &Session, channel: &dyn Channel, unique: u64, error: Errno) {
    // Nobody waits any more, or nobody is there. The caller's own I/O has seen the message,
    // and may have passed on a part of it.
    let over = matches!(error, Errno::ENOENT | Errno::ENODEV | Errno::ECONNABORTED);
    if over || !channel.is_synchronous() {
        return;
    }
    // Refused as well, there is nothing left to try; that is logged.
    let _ = session.send(channel, unique, Errno::EIO.negated(), &[]);
}

impl Drop for Request {
    fn drop(&mut self) {
        let request = Request { at: self.at };
        let opcode = request.opcode();
        if is_unanswered(opcode) {
            request.finish();
            return;
        }
        log::error!(
            "fuse: {} (unique {}) was dropped unanswered; answering EIO",
            opcode.map_or("request", Opcode::name),
            request.unique()
        );
        // A failure to deliver was logged where it happened.
        let _ = request.reply_error(Errno::EIO);
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("unique", &self.unique()).finish_non_exhaustive()
    }
}

/// Looks at a request that the filesystem still holds, without taking it.
pub struct Peek {
    pub(super) at: SlotRef,
}

impl Peek {
    /// The request behind `handle`, if it has not been answered.
    pub fn new(handle: Handle) -> Result<Peek, Misuse> {
        if handle.to_raw() == 0 {
            return Err(Misuse::Null);
        }
        SlotRef::find(handle).map(|at| Peek { at }).ok_or(Misuse::NotPending)
    }

    /// Whom it comes from. The memory stays valid for ever, its content until the answer.
    pub fn context(&self) -> &'static Context {
        &self.at.slot.context
    }

    /// Whether the kernel has asked to interrupt it.
    pub fn is_interrupted(&self) -> bool {
        self.at.slot.is_interrupted(self.at.generation)
    }

    /// The session it belongs to.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.at.slot.session()
    }

    /// The number that the session's maker gave it, [`Config::userdata`](super::Config).
    pub fn userdata(&self) -> usize {
        self.at.slot.userdata()
    }

    /// Whether it came by io_uring.
    pub fn is_by_ring(&self) -> bool {
        let unique = self.at.slot.unique.load(Ordering::Relaxed);
        self.at.slot.channel().is_some_and(|channel| channel.serves_by_ring(unique))
    }

    /// Where the answer's data will stand for the kernel, and how much room there is, if that is known
    /// beforehand: the reply then does not have to copy it. Until the answer, it is the caller's alone.
    pub fn answer_place(&self) -> Option<(*mut u8, usize)> {
        let unique = self.at.slot.unique.load(Ordering::Relaxed);
        self.at.slot.channel().and_then(|channel| channel.answer_place(unique))
    }

    /// Sets or clears what is called when the request is interrupted; called at once, here, if it
    /// already has been. After this returns, the former callback does not run any more. Nothing
    /// happens if the request has been answered meanwhile.
    pub fn set_interrupt_callback(&self, callback: Option<InterruptCallback>) {
        let _gate = self.at.slot.callback_gate.lock();
        let former = {
            let mut body = self.at.slot.body.lock();
            if !self.at.slot.is_live(self.at.generation) {
                return;
            }
            let former = mem::replace(&mut body.callback, callback.clone());
            if !self.at.slot.encumber(self.at.generation) {
                // Nobody will take it out.
                let late = body.callback.take();
                drop(body);
                drop((former, late));
                return;
            }
            former
        };
        drop(former);
        if self.is_interrupted()
            && let Some(callback) = callback
        {
            callback();
        }
    }
}

/// A file handle that the kernel waits on; notified through [`Session::notify_poll`].
#[derive(Clone, Debug)]
pub struct PollHandle {
    pub(super) kh: u64,
    pub(super) session: std::sync::Weak<Session>,
}

impl PollHandle {
    /// Tells the kernel that the file's readiness may have changed. A session that is gone is no
    /// error: nobody waits any more.
    pub fn notify(&self) -> Result<()> {
        self.session.upgrade().map_or(Ok(()), |session| session.notify_poll(self.kh))
    }
}
