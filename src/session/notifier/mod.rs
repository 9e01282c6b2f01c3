//! Notifications that are sent from outside the request in which they came up.
//!
//! The kernel locks the directory or the pages that a notification names, and may ask this
//! filesystem meanwhile: it writes dirty pages back before it drops them. Sent by a handler, or
//! while a request holds the same directory and its handler waits for the sender, that never ends.
//! So a notification goes the way of this queue if
//!
//! * the calling thread runs a handler: with a single thread, or when all are there, nobody would
//!   answer what the kernel asks; or
//! * a request in flight may hold what it needs; or
//! * an earlier one about the same node is queued.
//!
//! A queued one is sent when the requests that were in its way have been answered. Later ones are
//! not waited for: the kernel's lock is passed on in turn.
//!
//! The threads are made on demand and end with the session or its mount. A forked child gets a
//! queue and threads of its own.

mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use self::queue::{Item, Queue};
use super::pool::start_thread;
use super::slots::SlotRef;
use super::{NodeId, Request, Session, check, dispatch, serving, slots};
use crate::errno::{Errno, Result};
use crate::sync::{self, Condvar, Mutex};
use crate::sys::{fork, wake};

/// How long a caller waits for the kernel's word on a queued notification.
const PATIENCE: Duration = Duration::from_millis(10);
/// How often it is looked whether requests in the way have been answered; at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));
/// Most threads: one that waits in the kernel must not hold up the others' nodes.
const MOST_THREADS: usize = 4;
/// After this long, what a thread waits for in the kernel is answered for the filesystem.
const END_PATIENCE: Duration = Duration::from_millis(50);
/// After this long a thread is left behind.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How long a forked child that serves nothing waits, as it can't see requests answered.
const INHERITED: Duration = Duration::from_millis(100);

/// Sends a notification.
pub(super) type Send = Box<dyn FnOnce(&Session) -> Result<()> + std::marker::Send>;

/// How a notification is to go.
pub(super) enum Route {
    /// By the calling thread.
    Direct,
    /// By the queue, behind these requests.
    Queue { behind: SmallVec<[SlotRef; 4]>, patience: Duration },
}

/// What the kernel has answered, for one who waits.
#[derive(Default)]
struct Ticket {
    outcome: Mutex<Option<Result<()>>>,
    known: Condvar,
}

impl Ticket {
    fn wait(&self, limit: Duration) -> Option<Result<()>> {
        let until = Instant::now() + limit;
        let mut outcome = self.outcome.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if outcome.is_some() || left.is_zero() {
                return *outcome;
            }
            outcome = sync::wait_for(&self.known, outcome, left);
        }
    }
}

struct Letter {
    send: Send,
    behind: SmallVec<[SlotRef; 4]>,
    /// Until when it waits instead, where the requests are another process's.
    until: Option<Instant>,
    ticket: Option<Arc<Ticket>>,
}

impl Letter {
    fn is_free(&self) -> bool {
        match self.until {
            Some(until) => until <= Instant::now(),
            None => self.behind.iter().all(|at| !at.slot.is_live(at.generation)),
        }
    }

    /// Notes the outcome for who waits, and logs what nobody else will hear of.
    fn settle(ticket: Option<&Ticket>, outcome: Result<()>) {
        match (ticket, outcome) {
            (Some(ticket), outcome) => {
                *ticket.outcome.lock() = Some(outcome);
                ticket.known.notify_all();
            }
            (None, Err(error)) if error != Errno::ENOENT => {
                log::debug!("fuse: queued notification: {error}");
            }
            (None, _) => {}
        }
    }
}

#[derive(Default)]
struct State {
    queue: Queue<Letter>,
    threads: usize,
    /// Told to end, as soon as nothing waits.
    closing: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to send, or the end has come.
    work: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

/// The queue of one process; a forked child, which has neither threads nor a lock that can be relied
/// on, appends another.
struct Process {
    generation: u64,
    shared: Arc<Shared>,
    child: OnceLock<Box<Process>>,
}

impl Process {
    fn new() -> Process {
        Process { generation: fork::generation(), shared: Arc::default(), child: OnceLock::new() }
    }
}

/// A session's queued notifications.
pub(super) struct Notifier {
    session: Weak<Session>,
    /// The process that serves the requests, as [`fork::generation`] says.
    served_by: AtomicU64,
    process: Process,
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.shared().close();
    }
}

impl Shared {
    fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        let dropped = state.queue.clear();
        drop(state);
        self.work.notify_all();
        for item in dropped {
            Letter::settle(item.content.ticket.as_deref(), Err(Errno::ENOTCONN));
        }
    }

    /// A thread's next piece of work; `None` at its end.
    fn next(&self) -> Option<Item<Letter>> {
        let mut state = self.state.lock();
        let mut look = LOOK.0;
        loop {
            if let Some(item) = state.queue.take(Letter::is_free) {
                return Some(item);
            }
            if state.closing {
                return None;
            }
            state = if state.queue.is_empty() {
                look = LOOK.0;
                sync::wait(&self.work, state)
            } else {
                look = (look * 2).min(LOOK.1);
                sync::wait_for(&self.work, state, look)
            };
        }
    }

    /// A thread's life.
    fn run(&self, session: &Weak<Session>) {
        while let Some(Item { nodes, content, .. }) = self.next() {
            let Letter { send, ticket, .. } = content;
            let mut outcome = Err(Errno::EIO);
            dispatch::contain("a notification", || {
                outcome = session.upgrade().ok_or(Errno::ENOTCONN).and_then(|s| send(&s));
            });
            self.state.lock().queue.sent(nodes);
            // Another thread may wait for this one's node.
            self.work.notify_one();
            Letter::settle(ticket.as_deref(), outcome);
        }
    }

    fn leave(&self) {
        self.state.lock().threads -= 1;
        self.ended.notify_all();
    }
}

impl Notifier {
    pub fn new(session: Weak<Session>) -> Notifier {
        let served_by = AtomicU64::new(fork::generation());
        Notifier { session, served_by, process: Process::new() }
    }

    /// This process serves the requests.
    pub fn served_here(&self) {
        self.served_by.store(fork::generation(), Ordering::Relaxed);
    }

    fn shared(&self) -> &Arc<Shared> {
        let generation = fork::generation();
        let mut process = &self.process;
        while process.generation != generation {
            process = process.child.get_or_init(|| Box::new(Process::new()));
            if process.child.get().is_none() {
                break;
            }
        }
        &process.shared
    }

    /// Whether this process serves the requests, and is not a child of the one that does.
    pub fn is_served_here(&self) -> bool {
        self.served_by.load(Ordering::Relaxed) == fork::generation()
    }

    /// Queues a notification; the kernel's answer if it comes in time, else success.
    fn enqueue(
        &self,
        nodes: [NodeId; 2],
        size: usize,
        send: Send,
        (behind, patience): (SmallVec<[SlotRef; 4]>, Duration),
    ) -> Result<()> {
        let shared = self.shared();
        let ticket = (!patience.is_zero()).then(Arc::<Ticket>::default);
        let until = (!self.is_served_here()).then(|| Instant::now() + INHERITED);
        let letter = Letter { send, behind, until, ticket: ticket.clone() };
        {
            let mut state = shared.state.lock();
            if state.closing {
                return Err(Errno::ENOTCONN);
            }
            let busy = state.queue.under_way();
            if state.threads <= busy && state.threads < MOST_THREADS {
                match self.start(shared) {
                    Ok(()) => state.threads += 1,
                    Err(error) if state.threads == 0 => return Err(error),
                    Err(_) => {}
                }
            }
            let item = Item { nodes, size, content: letter };
            if state.queue.push(item).is_err() {
                return Err(Errno::ENOMEM);
            }
        }
        shared.work.notify_one();
        ticket.and_then(|ticket| ticket.wait(patience)).unwrap_or(Ok(()))
    }

    fn start(&self, shared: &Arc<Shared>) -> Result<()> {
        let (shared, session) = (shared.clone(), self.session.clone());
        let run = move || {
            wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
            shared.run(&session);
            shared.leave();
        };
        match start_thread("fuse_notifier", run) {
            Ok(_detached) => Ok(()),
            Err(error) => {
                log::error!("fuse: no thread for notifications: {error}");
                Err(error.into())
            }
        }
    }

    /// Drops what waits and ends the threads. One that the kernel holds is helped: what it waits for
    /// is answered with an error.
    pub fn end(&self, session: &Arc<Session>) {
        let shared = self.shared();
        if shared.state.lock().threads == 0 {
            return;
        }
        shared.close();
        let start = Instant::now();
        let mut state = shared.state.lock();
        // A handler that ends its own session may be called by a notification's own thread.
        while state.threads > 0 && start.elapsed() < END_LIMIT {
            state = sync::wait_for(&shared.ended, state, LOOK.1);
            if state.threads > 0 && start.elapsed() > END_PATIENCE {
                drop(state);
                session.refuse_waiting();
                state = shared.state.lock();
            }
        }
        if state.threads > 0 {
            log::error!(
                "fuse: a notification does not return from the kernel; going on without it"
            );
        }
        state.closing = state.threads > 0;
    }
}

impl Session {
    /// How a notification about these nodes has to go.
    pub(super) fn route(&self, function: &'static str, nodes: [NodeId; 2]) -> Route {
        let handler = serving::in_handler();
        if !self.notifier.is_served_here() {
            // A forked child: the table of requests is as it was, and so are its locks.
            return Route::Queue { behind: SmallVec::new(), patience: Duration::ZERO };
        }
        let behind = slots::in_the_way(self, nodes);
        let kernel = self.channel().is_some_and(|channel| channel.is_kernel_device());
        if !behind.is_empty() {
            if handler && check::on() {
                check::deadlock(function, &behind);
            }
            // A handler may be in its own way, which no waiting changes.
            let patience = if handler { Duration::ZERO } else { PATIENCE };
            return Route::Queue { behind, patience };
        }
        let earlier = || self.notifier.shared().state.lock().queue.concerns(nodes);
        // What a program sends by its own I/O is held up by no kernel.
        if (handler && kernel) || earlier() {
            return Route::Queue { behind, patience: PATIENCE };
        }
        Route::Direct
    }

    /// Queues a notification that was told to; see [`Notifier`].
    pub(super) fn post(
        &self,
        nodes: [NodeId; 2],
        size: usize,
        send: Send,
        way: (SmallVec<[SlotRef; 4]>, Duration),
    ) -> Result<()> {
        self.notifier.enqueue(nodes, size, send, way)
    }

    /// Answers every request that waits, read or not, with an error, so that the kernel lets go of
    /// what a notification needs. To be called when no loop runs any more, but before the rings are given
    /// up: what came by one is answered there.
    fn refuse_waiting(self: &Arc<Self>) {
        let Some(device) = self.channel() else { return };
        for (at, unique, channel) in slots::waiting(self) {
            // A failure to deliver was logged where it happened. ENOENT: answered meanwhile.
            if at.slot.take(at.generation) {
                if check::on() {
                    check::unanswered(at);
                }
                let _ = Request::new(at).reply_error(Errno::EIO);
            } else if device.is_kernel_device() {
                // A handler that does not return has it. Its own answer will find nobody.
                let _ = self.send(&*channel, unique, Errno::EIO.negated(), &[]);
            }
        }
        self.refuse_unread(&device);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    fn letter(node: NodeId, ticket: &Arc<Ticket>) -> Item<Letter> {
        let send: Send = Box::new(|_| Ok(()));
        let content =
            Letter { send, behind: SmallVec::new(), until: None, ticket: Some(ticket.clone()) };
        Item { nodes: [node, 0], size: 1, content }
    }

    /// Two threads post about one node and about another while one sends; then comes the end.
    #[test]
    fn every_notification_is_settled_and_the_thread_ends() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let shared = Arc::<Shared>::default();
            shared.state.lock().threads = 1;
            let tickets = [Arc::<Ticket>::default(), Arc::<Ticket>::default()];
            let sender = {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    shared.run(&Weak::new());
                    shared.leave();
                })
            };
            let poster = {
                let (shared, ticket) = (shared.clone(), tickets[1].clone());
                loom::thread::spawn(move || {
                    assert!(shared.state.lock().queue.push(letter(2, &ticket)).is_ok());
                    shared.work.notify_one();
                })
            };
            assert!(shared.state.lock().queue.push(letter(1, &tickets[0])).is_ok());
            shared.work.notify_one();
            poster.join().unwrap();
            shared.close();
            sender.join().unwrap();
            assert_eq!(shared.state.lock().threads, 0);
            for ticket in tickets {
                // There is no session to send by, or it was dropped at the end.
                assert_eq!(*ticket.outcome.lock(), Some(Err(Errno::ENOTCONN)));
            }
        });
    }
}
