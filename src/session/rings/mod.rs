//! Requests by io_uring: who waits for them, who serves them, who answers late.
//!
//! With workers (`fuse_session_loop_mt`):
//!
//! * two [`seat`]s for each queue: a thread with its own ring and one entry, which waits, calls the
//!   handler and commits its answer, all in one system call a request;
//! * the [`clerk`]: one thread that never calls a handler. It commits what seats can't (their handler
//!   has answered and goes on, or somebody else answered meanwhile), and sees to it that each queue
//!   has an entry ready. Where the seats of a queue do not suffice, a request arrives in a spare entry
//!   of the clerk's, and a new seat is made that begins with this request and keeps the entry;
//! * the [`bench`]: threads that serve the requests which arrive in the clerk's entries when there
//!   are max_threads seats beyond the first ones;
//! * the ordinary workers, who go on reading the device: what the rings can't carry comes there.
//!
//! With one thread (`fuse_session_loop`): [`solo`], which also goes on with a program's own loop ([`by_hand`]).
//!
//! A seat has no more than one entry armed. What the kernel puts into another one while the seat's
//! handler runs would wait for that handler.

mod admission;
mod bench;
pub(super) mod by_hand;
mod clerk;
mod depth;
mod desk;
mod doorbell;
mod gate;
mod member;
mod queue;
mod seat;
mod serve;
mod session;
mod settle;
pub(super) mod solo;

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::sys::lock::Mutex;

use super::errand::Errand;
use super::placement::Placement;
use super::pool::start_thread;
use super::turns::{Turn, Turns};
use super::{Session, dispatch};
use crate::errno::{Errno, Result};
use crate::sys::uring::{HasEntry, Inherited, Outcome, possible_processors};
use crate::transport::Channel;
use crate::transport::uring::{RingChannel, Unused};
use bench::Bench;
use desk::Desk;
use doorbell::RegularFiles;
use gate::Gate;
use member::Member;
use queue::Queue;
use serve::Server;
use settle::{Releases, Witness};

/// Memory of entries that nothing has come into for this long is given back.
const IDLE: Duration = Duration::from_secs(5);
/// How often the end of a loop looks whether handlers have returned.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// After this long, whoever still holds up the exit is named.
const COMPLAIN_AFTER: Duration = Duration::from_secs(2);

/// What a thread is as a caller of handlers, if it is one.
type Caller = Option<Arc<Member>>;

/// The rings of a session with workers.
pub(super) struct Rings {
    session: Weak<Session>,
    turns: Arc<Turns>,
    placement: Arc<Placement>,
    device: Arc<dyn Channel>,
    payload: usize,
    queues: Vec<Queue>,
    gate: Gate,
    /// Opened when the clerk has registered its spares: the kernel uses last what was armed first.
    spares_first: Gate,
    /// The clerk's.
    desk: Desk<RingChannel>,
    /// The clerk sleeps until it is rung for.
    asleep: AtomicBool,
    clerk: Witness,
    releases: Releases,
    bench: Bench,
    regular: Arc<RegularFiles>,
    /// Seats made of the clerk's entries, and how many there may be.
    adopted: AtomicUsize,
    most_adopted: usize,
    seats: Mutex<Vec<Arc<Member>>>,
    /// All threads, with what they are as callers of handlers.
    threads: Mutex<Vec<(JoinHandle<()>, Caller)>>,
    /// Seats that have not registered their entry yet.
    awaited: AtomicUsize,
    failed: AtomicBool,
    /// A forked child has none of the threads.
    made: Inherited<()>,
}

impl Rings {
    /// Makes all that is needed, before the kernel is told anything: threads with their rings and
    /// memory. `max_threads` bounds the threads beside one for each queue.
    pub fn prepare(
        session: &Arc<Session>,
        payload: usize,
        depth: usize,
        max_threads: usize,
    ) -> Result<Arc<Rings>, Unused> {
        let device = session.channel().ok_or(Unused::Failed("mounting", Errno::ENOTCONN))?;
        let processors = possible_processors();
        let depth = depth::seats(depth, processors, depth::descriptors())
            .ok_or(Unused::Failed("eventfd", Errno::EMFILE))?;
        let failed = |step| move |error| Unused::Failed(step, error);
        let rings = Arc::new(Rings {
            session: Arc::downgrade(session),
            turns: session.turns.clone(),
            placement: session.placement.clone(),
            device,
            payload,
            queues: (0..processors).map(|_| Queue::default()).collect(),
            gate: Gate::default(),
            spares_first: Gate::default(),
            desk: Desk::new().map_err(failed("eventfd"))?,
            asleep: AtomicBool::new(false),
            clerk: Witness::default(),
            releases: Releases::default(),
            bench: Bench::new(max_threads),
            regular: Arc::default(),
            adopted: AtomicUsize::new(0),
            most_adopted: max_threads,
            seats: Mutex::default(),
            threads: Mutex::default(),
            awaited: AtomicUsize::new(processors * depth),
            failed: AtomicBool::new(false),
            made: Inherited::new(()),
        });
        let (report, reports) = channel();
        let started = rings.start_all(depth, &report);
        drop(report);
        // Each thread reports once, or drops its end.
        let result = reports.iter().fold(started, Result::and);
        match result {
            Ok(()) => Ok(rings),
            Err(reason) => {
                rings.close();
                Err(reason)
            }
        }
    }

    fn start_all(self: &Arc<Self>, depth: usize, report: &Report) -> Result<(), Unused> {
        let theirs = report.clone();
        self.start("fuse_clerk", None, |rings| clerk::run(&rings, theirs))?;
        for queue in (0..depth).flat_map(|_| 0..self.queues.len()) {
            let desk = Desk::new().map_err(|error| Unused::Failed("eventfd", error))?;
            // The kernel's queues have 16-bit numbers.
            let member = Arc::new(Member::new(Some(queue as u16), Some(Arc::new(desk))));
            self.seats.lock().push(member.clone());
            let (theirs, me) = (report.clone(), member.clone());
            let run = move |rings| seat::run(rings, &me, theirs);
            self.start("fuse_ring", Some(member), run)?;
        }
        Ok(())
    }

    fn start(
        self: &Arc<Self>,
        name: &str,
        member: Caller,
        run: impl FnOnce(Arc<Rings>) + Clone + Send + 'static,
    ) -> Result<(), Unused> {
        let rings = self.clone();
        let guarded = move || {
            dispatch::contain("a ring", || run(rings));
        };
        let thread = start_thread(name, guarded)
            .map_err(|error| Unused::Failed("starting a thread", error.into()))?;
        self.threads.lock().push((thread, member));
        Ok(())
    }

    /// Whether there may be more seats.
    fn may_adopt(&self) -> bool {
        self.adopted.load(Ordering::SeqCst) < self.most_adopted
    }

    /// Whether a queue's requests come to the clerk although its seats have nothing to do.
    ///
    /// The kernel takes the entry that was armed last. After a burst that the seats were too few for these are
    /// the clerk's, and stay so: each answer that the clerk commits has the next request come there again.
    fn is_bypassed(&self, queue: u16) -> bool {
        let seats = self.seats.lock();
        let mut here = seats.iter().filter(|seat| seat.queue == Some(queue));
        seats.len() < depth::MOST_SEATS && here.any(|seat| !seat.is_busy())
    }

    /// Makes a new seat out of a request that has arrived in an entry of the clerk's; gives the
    /// request back if no more can be had.
    fn adopt(self: &Arc<Self>, channel: Arc<RingChannel>) -> Result<(), Arc<RingChannel>> {
        self.adopted.fetch_add(1, Ordering::SeqCst);
        let started = Desk::new().map_err(|_| ()).and_then(|desk| {
            let member = Arc::new(Member::new(Some(channel.entry().queue()), Some(Arc::new(desk))));
            self.seats.lock().push(member.clone());
            let (me, theirs) = (member.clone(), channel.clone());
            let adopt = move |rings| seat::adopt(&rings, &me, theirs);
            self.start("fuse_ring", Some(member.clone()), adopt).map_err(|_| {
                // Nobody may wait for a thread that there is not.
                self.seats.lock().retain(|seat| !Arc::ptr_eq(seat, &member));
            })
        });
        started.map_err(|()| {
            self.adopted.fetch_sub(1, Ordering::SeqCst);
            channel
        })
    }

    /// Wakes the seats that wait, to look around.
    fn call_seats(&self) {
        for seat in self.seats.lock().iter() {
            seat.desk.iter().for_each(|desk| desk.ring());
        }
    }

    /// A thread has registered its entry, or could not.
    fn registered(&self, result: Result<()>) {
        if let Err(error) = result {
            if !self.failed.swap(true, Ordering::SeqCst) {
                log::info!(
                    "fuse: requests come by /dev/fuse: {}",
                    Unused::Failed("registering", error)
                );
            }
        } else if self.awaited.fetch_sub(1, Ordering::SeqCst) == 1 {
            log::info!(
                "fuse: requests come by io_uring ({} queues, {} KiB each)",
                self.queues.len(),
                self.payload / 1024
            );
        }
    }

    /// A thread can't wait in its ring any more: the loop ends as by a failed read. What its entries hold,
    /// nobody would serve.
    fn broken(&self, what: &str, error: Errno) {
        log::error!("fuse: waiting for {what}: {error}");
        if let Some(session) = self.session.upgrade() {
            session.reading_failed(error);
        }
    }

    /// An entry has ended with this error. If that says that the device's descriptor is no longer the
    /// device's, which only the program can have done, the loop ends as by a failed read, and this is true.
    fn lost(&self, error: Errno) -> bool {
        let lost = self.awaited.load(Ordering::SeqCst) == 0 && is_lost(error);
        if lost && let Some(session) = self.session.upgrade() {
            session.reading_failed(error);
        }
        lost
    }

    /// A request has arrived in an entry, which is not armed any more.
    fn taken(&self, channel: &Arc<RingChannel>) {
        let queue = self.queue(channel);
        queue.disarm();
        if let Some(header) = channel.entry().arrived_header() {
            let echo = doorbell::is_echo(&header);
            let count = if echo { &queue.echoes } else { &queue.taken };
            count.fetch_add(1, Ordering::SeqCst);
            self.releases.begin(channel, &header);
        }
    }

    /// Waits until a handler may be called, and announces one; `None` if none ever may.
    fn admit(&self, member: &Member) -> Option<Turn<'_>> {
        admission::admit(&self.gate, &self.turns, member)
    }

    /// Serves what was [taken](Rings::taken).
    fn serve(&self, server: &mut Server, channel: &Arc<RingChannel>, defers: bool) -> Outcome {
        let outcome = match self.session.upgrade() {
            Some(session) => server.serve(&session, channel, defers),
            None => Outcome::Unanswered,
        };
        self.releases.end(channel);
        outcome
    }

    fn queue(&self, channel: &RingChannel) -> &Queue {
        // Entries are made for the queues there are.
        &self.queues[usize::from(channel.entry().queue())]
    }

    /// Wakes the clerk if it sleeps until it is rung for.
    fn wake_clerk(&self) {
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            self.desk.ring();
        }
    }

    fn members(&self) -> Vec<Arc<Member>> {
        let mut members = self.seats.lock().clone();
        members.extend(self.bench.members());
        members
    }

    /// Calls `each` with every thread that calls handlers.
    pub fn for_each_errand(&self, mut each: impl FnMut(&Errand)) {
        self.members().iter().for_each(|member| each(&member.errand));
    }

    /// Lets no handler be called any more and waits for those that run, as long as the session's
    /// patience allows. Requests that arrive from here on wait.
    pub fn pause(&self) {
        if self.made.is_inherited() {
            return;
        }
        self.gate.shut();
        let Some(session) = self.session.upgrade() else { return };
        let start = Instant::now();
        let mut complained = false;
        loop {
            let waited = start.elapsed();
            let busy: Vec<_> = self.members().into_iter().filter(|m| m.is_busy()).collect();
            let holding = busy.iter().filter(|member| {
                !member.errand.is_dismissed() && !gives_up(&session, &member.errand, waited)
            });
            let holding: Vec<_> = holding.map(|member| member.errand.describe()).collect();
            if holding.is_empty() {
                return;
            }
            if !complained && waited > COMPLAIN_AFTER {
                complained = true;
                let holding = holding.join(", ");
                log::warn!("fuse: exit waits for handlers that still run: {holding}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends all threads but those whose handlers do not return, and lets go of the device.
    pub fn close(&self) {
        if self.made.is_inherited() {
            // Joining or letting go of a thread that is not there is forbidden.
            std::mem::forget(std::mem::take(&mut *self.threads.lock()));
            return;
        }
        self.gate.close();
        self.spares_first.close();
        self.desk.ring();
        self.call_seats();
        self.bench.close();
        let me = std::thread::current().id();
        loop {
            let threads = std::mem::take(&mut *self.threads.lock());
            if threads.is_empty() {
                return;
            }
            for (thread, member) in threads {
                let busy = || member.as_ref().is_some_and(|member| member.is_busy());
                // A handler that has not returned by now was given up, or closes the session.
                while !thread.is_finished() && !busy() && thread.thread().id() != me {
                    std::thread::sleep(Duration::from_micros(100));
                }
                if thread.is_finished() {
                    // Its panics were contained.
                    let _ = thread.join();
                }
            }
        }
    }
}

/// Whether a registered entry's end with this error means that its command went to another file or none.
fn is_lost(error: Errno) -> bool {
    matches!(error, Errno::EBADF | Errno::EOPNOTSUPP)
}

/// How a thread says that it is ready, or why not.
type Report = Sender<Result<(), Unused>>;

/// Whether to go on without the handler; says so.
fn gives_up(session: &Session, errand: &Errand, waited: Duration) -> bool {
    let patience = errand.patience(session.config().exit_patience);
    if patience.is_none_or(|patience| waited <= patience) {
        return false;
    }
    errand.dismiss();
    log::error!(
        "fuse: the handler of {} does not return; exit goes on without it",
        errand.describe()
    );
    true
}
