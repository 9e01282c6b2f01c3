//! The steps every loop repeats, and the single-threaded loop.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::caps::Dialect;
use super::errand::Errand;
use super::post::Post;
use super::receive::{Message, Received, RequestBuffer};
use super::rings::solo;
use super::serving::Serving;
use super::{LoopKind, Session, dispatch, pool};
use crate::errno::{Errno, Result};
use crate::sys::wake::{Reader, restore_mask};
use crate::transport::{Channel, Payload};
use crate::wire::request;

/// One thread that receives and serves requests.
pub(super) struct Server<'s> {
    post: &'s Post,
    buffer: RequestBuffer,
    /// A large WRITE was expected to be the request.
    expected_large: bool,
    /// The data of a request that was spliced, until it has been served.
    payload: Option<Payload>,
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
    /// `buffer` grows to what the session's requests need; what it serves is said in `errand`.
    pub fn new(post: &'s Post, buffer: RequestBuffer, errand: Arc<Errand>) -> Server<'s> {
        Server { post, buffer, expected_large: false, payload: None, errand }
    }

    /// Blocks until there is a request or the session ends.
    #[inline(always)]
    pub fn receive(&mut self, reader: &Reader) -> Result<Step> {
        let (session, channel) = (&self.post.session, &*self.post.channel);
        let exit = session.exit();
        reader.enter();
        // Looked at after `enter`: whoever requests exit from now on kicks the reader.
        if exit.is_requested() || self.errand.is_dismissed() {
            reader.leave();
            return Ok(Step::End);
        }
        self.expected_large = session.foresight.expects_large();
        let (buffer, payload) = (&mut self.buffer, &mut self.payload);
        let received = session.receive_one(channel, buffer, self.expected_large, payload);
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
    #[inline(always)]
    pub fn serve(&mut self, request: Received) {
        match request {
            Received::Memory(len) => self.process(self.buffer.message(len)),
            Received::Spliced => self.serve_spliced(),
            Received::Nothing | Received::End => {}
        }
    }

    #[inline(never)]
    fn serve_spliced(&mut self) {
        // Dropped, and what is left of it discarded, when the request has been served.
        let payload = self.payload.take();
        let data = payload.as_ref().and_then(|payload| Some((payload, payload.pipe()?)));
        let Some((payload, pipe)) = data else { return };
        let head = self.buffer.head();
        let message = Message::in_pipe(head, head.len() + payload.len(), pipe);
        self.process(message);
    }

    #[inline(always)]
    fn process(&self, message: Message<'_>) {
        let post = self.post;
        let Ok(header) = request::header(message.bytes(), message.len()) else {
            // Says what is wrong with it.
            post.session.serve_message(message, &post.channel);
            return;
        };
        // Before the handler: others who begin to wait meanwhile go by it too.
        post.session.foresight.learn(&header, self.expected_large);
        if self.errand.begin(&header) {
            post.session.placement.stir();
        }
        post.session.process_parsed(&header, message, &post.channel, Some(post));
        self.errand.end();
    }
}

impl Session {
    /// What the loops have in common at their end: the result, and a clean slate.
    pub(super) fn loop_result(&self) -> i32 {
        let result = self.exit().result();
        // From libfuse 3.18 on a session that was told to end stays so until it is reset.
        if self.config.dialect == Dialect::V314 {
            self.exit().reset();
        }
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
        // What the kernel gives to the rings of an earlier loop with workers is served there, in turns.
        let by_workers = self.rings.lock().is_some();
        if by_workers {
            self.turns.one_at_a_time(true);
            self.resume_rings();
        }
        pool::claim_storage();
        let mask = exit.reader.bind();
        if let Err(error) = exit.alarm.aim_at_this_thread() {
            log::warn!("fuse: no timer ({error}): exit may wait for the next request");
        }
        let shows = self.show_stats(false);
        if !dispatch::contain("the loop", || self.serve_all(channel)) {
            self.reading_failed(Errno::EIO);
        }
        drop(shows);
        if by_workers {
            self.pause_rings();
            self.turns.one_at_a_time(false);
        }
        exit.alarm.remove();
        exit.reader.unbind();
        restore_mask(&mask);
        self.loop_result()
    }

    fn serve_all(self: &Arc<Self>, channel: Arc<dyn Channel>) {
        let _serving = Serving::begin(self);
        let errand = Arc::new(Errand::default());
        let _listed = self.sheet.list(&errand);
        let post = Post::new(self.clone(), channel);
        let server = Server::new(&post, RequestBuffer::default(), errand);
        solo::resume(self);
        post.man(|| self.serve_with(server));
        solo::pause(self);
    }

    fn serve_with(self: &Arc<Self>, mut server: Server<'_>) {
        let exit = self.exit();
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
                    let turn = self.turns.take(|| true);
                    server.serve(request);
                    drop(turn);
                }
                Ok(Step::Again) if !exit.is_requested() => {
                    // Perhaps somebody who ended an earlier loop was late with the call.
                    exit.alarm.disarm();
                }
                Ok(Step::Again | Step::Done | Step::End) => {}
                Err(error) => self.reading_failed(error),
            }
        }
    }
}
