//! One thread for everything: one ring with an entry of each queue, and the device beside it.
//!
//! The device is set not to block, and polled through the ring. Handlers run strictly one after the
//! other, and no other thread is made. The ring belongs to the thread that runs the loop and stays
//! with it between two loops.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::sys::lock::Mutex;
use nix::fcntl::{FcntlArg, OFlag};

use super::super::Session;
use super::super::loops::{self, Step};
use super::IDLE;
use super::desk::Desk;
use super::doorbell::{self, RegularFiles};
use super::serve::Server;
use crate::errno::{Errno, Result};
use crate::sys::uring::{Event, HasEntry, Outcome, Ring, possible_processors};
use crate::transport::Channel;
use crate::transport::uring::{Home, RingChannel, Unused};
use crate::wire::layout::InHeader;

thread_local! {
    static SOLO: RefCell<Option<Rc<Solo>>> = const { RefCell::new(None) };
}

/// The ring of a single-threaded loop.
pub(in super::super) struct Solo {
    session: Weak<Session>,
    pub(super) device: Arc<dyn Channel>,
    site: Arc<Site>,
    ring: RefCell<Ring<RingChannel>>,
    /// What has happened and was not looked at.
    events: RefCell<VecDeque<Event<RingChannel>>>,
    server: RefCell<Server>,
    /// Entries for the kernel, until it is told.
    entries: RefCell<Vec<Arc<RingChannel>>>,
    begun: Cell<bool>,
    /// How many entries of each queue the kernel can put a request into.
    armed: RefCell<Vec<usize>>,
}

/// So many entries of each queue are to be ready, for requests that are answered late.
const READY: usize = 2;

/// What stays when a ring ends with its thread, for the next thread's.
pub(in super::super) struct Site {
    home: Arc<SoloHome>,
    payload: usize,
    regular: Arc<RegularFiles>,
    /// No thread has a ring here.
    vacant: AtomicBool,
    /// What had arrived in the last ring and was not served.
    left: Mutex<Vec<Arc<RingChannel>>>,
    /// It was said that a thread has the ring which does not use it.
    told: AtomicBool,
}

/// How long the end of a ring may take, at which its thread waits.
const LONGEST_END: Duration = Duration::from_secs(1);

/// Commits at once in the loop's own thread; others leave the answer on its desk.
struct SoloHome {
    desk: Desk<RingChannel>,
}

impl Home for SoloHome {
    fn deliver(&self, answered: Arc<RingChannel>, _running: bool) {
        let solo = SOLO.try_with(|solo| solo.try_borrow().ok()?.clone()).ok().flatten();
        if let Some(solo) = solo
            && std::ptr::eq(&*solo.site.home, self)
            && let Ok(mut ring) = solo.ring.try_borrow_mut()
        {
            solo.commit(&mut ring, answered);
            // Were it refused, it would go with the next wait.
            let _ = ring.submit();
            return;
        }
        self.desk.leave(answered);
    }
}

/// The ring of this thread, if it is this session's.
fn mine(session: &Arc<Session>) -> Option<Rc<Solo>> {
    let solo = SOLO.with_borrow(Clone::clone)?;
    (solo.session.as_ptr() == Arc::as_ptr(session)).then_some(solo)
}

/// The ring that this thread's loop has to wait in.
pub(in super::super) fn of(session: &Arc<Session>) -> Option<Rc<Solo>> {
    mine(session).filter(|solo| solo.begun.get())
}

/// Makes ring and entries, before the kernel is told anything.
pub(super) fn prepare(session: &Arc<Session>, payload: usize) -> Result<(), Unused> {
    let desk = Desk::new().map_err(|error| Unused::Failed("eventfd", error))?;
    let site = Site {
        home: Arc::new(SoloHome { desk }),
        payload,
        regular: Arc::default(),
        vacant: AtomicBool::new(false),
        left: Mutex::default(),
        told: AtomicBool::new(false),
    };
    SOLO.set(Some(Rc::new(Solo::new(session, Arc::new(site))?)));
    Ok(())
}

/// The kernel has been told: registers the entries.
pub(super) fn begin(session: &Arc<Session>) {
    let Some(solo) = mine(session) else { return };
    match solo.register() {
        Ok(count) => {
            log::info!("fuse: requests come by io_uring ({count} queues, one thread)");
            solo.begun.set(true);
            *session.site.lock() = Some(solo.site.clone());
            session.solo.store(true, Ordering::Relaxed);
            solo.block(false);
        }
        Err(error) => {
            SOLO.set(None);
            session.report_unused(Unused::Failed("registering", error));
        }
    }
}

/// The ring of this thread; makes one where the thread that had it has ended.
pub(in super::super) fn take_over(session: &Arc<Session>) -> Option<Rc<Solo>> {
    if let Some(solo) = of(session) {
        return Some(solo);
    }
    let site = session.site.lock().clone()?;
    if !site.vacant.swap(false, Ordering::SeqCst) {
        if !site.told.swap(true, Ordering::Relaxed) {
            log::warn!(
                "fuse: requests come by the io_uring of the thread that ran the first loop: only there can they be read"
            );
        }
        return None;
    }
    let moved_in = Solo::new(session, site.clone()).and_then(|solo| {
        solo.move_in().map_err(|error| Unused::Failed("registering", error))?;
        Ok(Rc::new(solo))
    });
    match moved_in {
        Ok(solo) => {
            SOLO.set(Some(solo.clone()));
            Some(solo)
        }
        Err(reason) => {
            site.vacant.store(true, Ordering::SeqCst);
            log::error!("fuse: no io_uring for this thread: {reason}");
            None
        }
    }
}

/// A loop begins again in this thread.
pub(in super::super) fn resume(session: &Arc<Session>) {
    if let Some(solo) = take_over(session) {
        solo.block(false);
    }
}

/// The loop ends.
pub(in super::super) fn pause(session: &Arc<Session>) {
    if let Some(solo) = of(session) {
        solo.block(true);
    }
}

/// Lets go of the ring, for good.
pub(super) fn end(session: &Arc<Session>) {
    if let Some(solo) = mine(session) {
        // Nobody goes on.
        solo.begun.set(false);
        SOLO.set(None);
    }
}

impl Solo {
    /// A ring for this thread, and entries that the kernel has not.
    fn new(session: &Arc<Session>, site: Arc<Site>) -> Result<Solo, Unused> {
        let failed = |step| move |error| Unused::Failed(step, error);
        let device = session.channel().ok_or(Unused::Failed("mounting", Errno::ENOTCONN))?;
        let queues = possible_processors();
        let bell = site.home.desk.bell();
        let ring = Ring::new(device.raw_fd(), bell, (queues * READY) as u32 + 2)
            .map_err(failed("io_uring_setup"))?;
        let entries = (0..READY)
            .flat_map(|_| 0..queues)
            // The kernel's queues have 16-bit numbers.
            .map(|queue| RingChannel::new(queue as u16, site.payload, &device, site.home.clone()))
            .collect::<Result<Vec<_>>>()
            .map_err(failed("mapping buffers"))?;
        let errand = Arc::default();
        session.sheet.keep(&errand);
        Ok(Solo {
            session: Arc::downgrade(session),
            device,
            ring: RefCell::new(ring),
            events: RefCell::default(),
            server: RefCell::new(Server::new(errand, site.regular.clone())),
            entries: RefCell::new(entries),
            begun: Cell::new(false),
            armed: RefCell::new(vec![READY; queues]),
            site,
        })
    }

    /// Goes on where another thread's ring has ended.
    fn move_in(&self) -> Result<()> {
        let queues = self.register()?;
        self.begun.set(true);
        for channel in std::mem::take(&mut *self.site.left.lock()) {
            self.armed.borrow_mut()[usize::from(channel.entry().queue())] += 1;
            self.put_off(Event::Entry(channel, Ok(())));
        }
        // What came while there was no ring waits in the kernel.
        for queue in 0..queues {
            if let Err(error) = doorbell::ring(&self.device, queue as u16, &self.site.regular) {
                log::debug!("fuse: doorbell of queue {queue}: {error}");
            }
        }
        Ok(())
    }

    fn commit(&self, ring: &mut Ring<RingChannel>, answered: Arc<RingChannel>) {
        let queue = usize::from(answered.entry().queue());
        match ring.commit(answered) {
            Ok(()) => self.armed.borrow_mut()[queue] += 1,
            Err(error) => log::error!("fuse: committing an answer: {error}"),
        }
    }

    /// A request waits for an answer from elsewhere: others must not wait for that as well.
    pub(super) fn renew(&self, queue: u16) {
        let ready = self.armed.borrow()[usize::from(queue)];
        if ready >= READY {
            return;
        }
        let home = self.site.home.clone();
        let added =
            RingChannel::new(queue, self.site.payload, &self.device, home).and_then(|channel| {
                let mut ring = self.ring.borrow_mut();
                ring.register(channel)?;
                self.armed.borrow_mut()[usize::from(queue)] += 1;
                ring.submit()
            });
        if let Err(error) = added {
            log::error!("fuse: no further entry for queue {queue}: {error}");
        } else if ready == 0
            && let Err(error) = doorbell::ring(&self.device, queue, &self.site.regular)
        {
            log::debug!("fuse: doorbell of queue {queue}: {error}");
        }
    }

    /// Registers all entries and asks for word from the device. What the kernel has against an entry
    /// comes at once; then it has switched io_uring off.
    fn register(&self) -> Result<usize> {
        let mut ring = self.ring.borrow_mut();
        let entries = self.entries.take();
        let count = entries.len() / READY;
        for entry in entries {
            ring.register(entry)?;
        }
        ring.poll_in(self.device.raw_fd())?;
        ring.submit()?;
        let mut events = self.events.borrow_mut();
        while let Some(event) = ring.next_event() {
            match event {
                Event::Entry(_, Err(error)) => return Err(error),
                event => events.push_back(event),
            }
        }
        Ok(count)
    }

    /// Whether reading the device blocks.
    fn block(&self, blocks: bool) {
        if let Err(error) = set_blocking(&self.device, blocks) {
            log::error!("fuse: setting the device's mode: {error}");
        }
    }

    /// Waits until something has happened and takes one thing on.
    pub(in super::super) fn step(&self, device: &mut loops::Server<'_>) -> Result<Step> {
        let Some(session) = self.session.upgrade() else { return Ok(Step::End) };
        let Some(event) = self.next_event() else { return self.wait(&session, None) };
        let exit = session.exit();
        match event {
            Event::Bell => {}
            Event::Ready => match device.receive(&exit.reader) {
                Err(Errno::EAGAIN) => self.poll_device()?,
                step => {
                    // There may be more.
                    self.put_off(Event::Ready);
                    return step;
                }
            },
            Event::Entry(channel, Ok(())) => {
                if exit.is_requested() {
                    exit.alarm.disarm();
                }
                let queue = channel.entry().queue();
                self.disarmed(queue);
                let outcome = self.server.borrow_mut().serve(&session, &channel, false);
                match outcome {
                    Outcome::Commit => self.commit(&mut self.ring.borrow_mut(), channel),
                    Outcome::Unanswered => self.renew(queue),
                    Outcome::Gone => {}
                }
            }
            Event::Entry(_, Err(error)) => self.entry_ended(error)?,
        }
        Ok(Step::Done)
    }

    /// What has happened and was not looked at.
    pub(super) fn next_event(&self) -> Option<Event<RingChannel>> {
        self.events.borrow_mut().pop_front()
    }

    /// After what else has happened, this is to be looked at once more.
    pub(super) fn put_off(&self, event: Event<RingChannel>) {
        self.events.borrow_mut().push_back(event);
    }

    /// The device has nothing: asks for word from it.
    pub(super) fn poll_device(&self) -> Result<()> {
        self.ring.borrow_mut().poll_in(self.device.raw_fd())
    }

    /// A request has arrived in an entry of this queue.
    pub(super) fn disarmed(&self, queue: u16) {
        self.armed.borrow_mut()[usize::from(queue)] -= 1;
    }

    /// Remembers the file of a request, for doorbells.
    pub(super) fn note(&self, header: &InHeader) {
        self.site.regular.note(header);
    }

    /// An entry has ended with this error, which is given back if the loop has to end with it.
    pub(super) fn entry_ended(&self, error: Errno) -> Result<()> {
        if super::is_lost(error) {
            log::error!("fuse: waiting for requests: {error}");
            return Err(error);
        }
        // The device says so too, and is asked.
        log::debug!("fuse: an entry ends: {error}");
        Ok(())
    }

    /// Waits until something has happened; no longer than `limit`, if there is one.
    pub(super) fn wait(&self, session: &Arc<Session>, limit: Option<Duration>) -> Result<Step> {
        let mut ring = self.ring.borrow_mut();
        for answered in self.site.home.desk.take() {
            self.commit(&mut ring, answered);
        }
        let exit = session.exit();
        exit.reader.enter();
        // Looked at after `enter`: whoever requests exit from now on kicks the reader.
        if exit.is_requested() {
            exit.reader.leave();
            return Ok(Step::End);
        }
        let idle = ring.is_occupied().then_some(IDLE);
        let waited = ring.wait(limit.or(idle));
        exit.reader.leave();
        match waited {
            Ok(()) => {}
            Err(Errno::EINTR) => return Ok(Step::Again),
            Err(error) => {
                log::error!("fuse: waiting for requests: {error}");
                return Err(error);
            }
        }
        let mut events = self.events.borrow_mut();
        while let Some(event) = ring.next_event() {
            events.push_back(event);
        }
        if events.is_empty() && limit.is_none() {
            ring.give_back();
        }
        Ok(Step::Done)
    }
}

impl Drop for Solo {
    fn drop(&mut self) {
        if !self.begun.get() {
            return;
        }
        // The kernel puts what it had for this thread into the ring now, which another thread's can't get at.
        let ring = self.ring.get_mut();
        let _ = ring.wait(Some(Duration::ZERO));
        let events = self.events.get_mut();
        while let Some(event) = ring.next_event() {
            events.push_back(event);
        }
        ring.end(LONGEST_END);
        let arrived = events.drain(..).filter_map(|event| match event {
            Event::Entry(channel, Ok(())) => Some(channel),
            _ => None,
        });
        self.site.left.lock().extend(arrived);
        self.site.vacant.store(true, Ordering::SeqCst);
    }
}

/// Whether reads of the device wait for a request.
pub(in crate::session) fn set_blocking(device: &Arc<dyn Channel>, blocks: bool) -> Result<()> {
    let fd = crate::sys::uring::borrow(device.raw_fd(), device);
    let flags = OFlag::from_bits_retain(nix::fcntl::fcntl(fd, FcntlArg::F_GETFL)?);
    let wanted = if blocks { flags - OFlag::O_NONBLOCK } else { flags | OFlag::O_NONBLOCK };
    if wanted != flags {
        nix::fcntl::fcntl(fd, FcntlArg::F_SETFL(wanted))?;
    }
    Ok(())
}
