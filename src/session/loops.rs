//! The steps every loop repeats, and the single-threaded loop.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::errand::Errand;
use super::receive::{Message, Received, RequestBuffer, is_large_write};
use super::rings::solo;
use super::serving::Serving;
use super::{LoopKind, Session, dispatch};
use crate::errno::{Errno, Result};
use crate::sys::wake::{Reader, restore_mask};
use crate::transport::Channel;
use crate::wire::request;

/// One thread that receives and serves requests.
pub(super) struct Server<'s> {
    session: &'s Arc<Session>,
    channel: Arc<dyn Channel>,
    buffer: RequestBuffer,
    expect_large: bool,
    errand: Arc<Errand>,
}

/// What a server found when it tried to receive.
pub(super) enum Step {
    /// Something that passed; try again.
    Again,
    /// A request, now in the buffer or the pipe.
    Request(Received),
    /// Something that was taken care of.
    Done,
    /// The session was asked to end, or the connection is gone.
    End,
}

impl<'s> Server<'s> {
    /// `buffer` grows to what the session's requests need.
    pub fn new(
        session: &'s Arc<Session>,
        channel: Arc<dyn Channel>,
        buffer: RequestBuffer,
    ) -> Server<'s> {
        Server { session, channel, buffer, expect_large: false, errand: Arc::default() }
    }

    /// The same server, which says in `errand` what it serves.
    pub fn showing(self, errand: Arc<Errand>) -> Server<'s> {
        Server { errand, ..self }
    }

    /// Blocks until there is a request or the session ends.
    pub fn receive(&mut self, reader: &Reader) -> Result<Step> {
        let exit = self.session.exit();
        reader.enter();
        // Looked at after `enter`: whoever requests exit from now on kicks the reader.
        if exit.is_requested() || self.errand.is_dismissed() {
            reader.leave();
            return Ok(Step::End);
        }
        let received =
            self.session.receive_one(&*self.channel, &mut self.buffer, self.expect_large);
        reader.leave();
        match received? {
            Received::Nothing => Ok(Step::Again),
            Received::End => {
                exit.request();
                Ok(Step::End)
            }
            request => Ok(Step::Request(request)),
        }
    }

    /// Whether the request is one that never blocks its handler for long, so that it is no reason
    /// to start another thread.
    pub fn is_brief(&self, request: &Received) -> bool {
        use crate::wire::Opcode;
        let Received::Memory(len) = request else { return false };
        let header = request::header(self.buffer.message(*len).bytes(), *len);
        let opcode = header.ok().and_then(|header| Opcode::from_raw(header.opcode));
        matches!(opcode, Some(Opcode::Forget | Opcode::BatchForget))
    }

    /// Serves what [`Server::receive`] found.
    pub fn serve(&mut self, request: Received) {
        let message = match &request {
            Received::Memory(len) => self.buffer.message(*len),
            Received::Spliced(payload) => {
                let Some(pipe) = payload.pipe() else { return };
                let head = self.buffer.head();
                Message::in_pipe(head, head.len() + payload.len(), pipe)
            }
            Received::Nothing | Received::End => return,
        };
        let header = request::header(message.bytes(), message.len());
        self.expect_large = header.as_ref().is_ok_and(is_large_write);
        if let Ok(header) = &header {
            self.errand.begin(header);
        }
        let (session, channel) = (self.session, &self.channel);
        // A panic in the engine itself must not end the loop either.
        dispatch::contain("a request", || session.serve_message(message, channel));
        self.errand.end();
    }
}

impl Session {
    /// What the loops have in common at their end: the result, and a clean slate.
    pub(super) fn loop_result(&self) -> i32 {
        let result = self.exit().result();
        self.exit().reset();
        result
    }

    /// Notes a failure to read, which was logged where it happened and ends all loops.
    pub(super) fn reading_failed(&self, error: Errno) {
        self.exit().request_with(error.negated());
    }

    /// Serves requests in the calling thread, one after the other, until the session ends.
    ///
    /// Returns 0 after exit or unmount, a signal number, or a negative errno. Ends within
    /// milliseconds of [`ExitState::request`](super::exit::ExitState::request), from wherever it
    /// was called, unless a handler is running.
    pub fn run_single(self: &Arc<Self>) -> i32 {
        let Some(channel) = self.channel() else {
            log::error!("fuse: session is not mounted");
            return Errno::EBADF.negated();
        };
        self.own_loop.store(true, Ordering::Release);
        self.notifier.served_here();
        *self.loop_kind.lock() = LoopKind::Single;
        let exit = self.exit();
        let mask = exit.reader.bind();
        if let Err(error) = exit.alarm.aim_at_this_thread() {
            log::warn!("fuse: no timer ({error}): exit may wait for the next request");
        }
        if !dispatch::contain("the loop", || self.serve_all(channel)) {
            self.reading_failed(Errno::EIO);
        }
        exit.alarm.remove();
        exit.reader.unbind();
        restore_mask(&mask);
        self.loop_result()
    }

    fn serve_all(self: &Arc<Self>, channel: Arc<dyn Channel>) {
        let exit = self.exit();
        let _serving = Serving::begin(self);
        let mut server = Server::new(self, channel, RequestBuffer::default());
        solo::resume(self);
        while !exit.is_requested() {
            let step = match solo::of(self) {
                Some(solo) => solo.step(&mut server),
                None => server.receive(&exit.reader),
            };
            match step {
                Ok(Step::Request(request)) => {
                    if exit.is_requested() {
                        // The read was won by a request; its handler must not be disturbed.
                        exit.alarm.disarm();
                    }
                    server.serve(request);
                }
                Ok(Step::Again) if !exit.is_requested() => {
                    // Perhaps somebody who ended an earlier loop was late with the call.
                    exit.alarm.disarm();
                }
                Ok(Step::Again | Step::Done | Step::End) => {}
                Err(error) => self.reading_failed(error),
            }
        }
        solo::pause(self);
    }
}
