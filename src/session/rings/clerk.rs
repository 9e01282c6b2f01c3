//! The thread that never calls a handler.
//!
//! It commits what others can't, and watches the queues. Each has a spare entry here, for what comes
//! while its seat is busy; a queue in which none is ready and nothing has been committed for a while
//! gets more.
//!
//! The kernel gives a request that found no entry ready to the next entry that is *committed*, not to
//! one that is registered. So there are spares before they are needed, and where they were not enough
//! registering is followed by a [`doorbell`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{IDLE, Report, Rings, doorbell};
use crate::errno::{Errno, Result};
use crate::sys::uring::{Event, HasEntry, Ring};
use crate::sys::wake;
use crate::transport::uring::{Home, RingChannel, Unused};

/// How often the queues are looked at while requests come.
const TICK: Duration = Duration::from_millis(2);
/// After so many looks at which nothing was served, the clerk sleeps until it is woken.
const CALM: u32 = 20;
/// So many entries of a queue are the clerk's before any is known to be stuck.
const SPARES: usize = 3;
/// A queue that goes on for so many looks after it was without an entry has left nothing waiting.
const FLOWS: u32 = 50;
/// Most entries a clerk adds; each needs memory.
const MOST_ENTRIES: usize = 4096;

/// The clerk commits all answers to requests in its entries.
struct ClerkHome(std::sync::Weak<Rings>);

impl Home for ClerkHome {
    fn deliver(&self, answered: Arc<RingChannel>, _running: bool) {
        if let Some(rings) = self.0.upgrade() {
            rings.desk.leave(answered);
        }
    }
}

struct Clerk<'a> {
    rings: &'a Arc<Rings>,
    ring: Ring<RingChannel>,
    home: Arc<ClerkHome>,
    /// What the last look at each queue showed.
    progress: Vec<u32>,
    /// What the last look at each seat showed.
    turns: Vec<u32>,
    entries: usize,
    /// How many of them each queue has.
    spares: Vec<usize>,
    doubts: Vec<Doubt>,
}

/// What is done about a queue in which something may wait although entries are armed.
#[derive(Clone, Copy, Default)]
struct Doubt {
    /// What was counted when the last doorbell was rung.
    rung: Option<Counts>,
    /// Doorbells in a row that brought nothing but their echo.
    in_vain: u32,
    /// Looks in a row at which something had been committed.
    flowing: u32,
}

/// Requests and echoes that have arrived in a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    taken: u32,
    echoes: u32,
}

/// The thread's life.
pub(super) fn run(rings: &Arc<Rings>, report: Report) {
    wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
    let made = Ring::new(rings.device.raw_fd(), rings.desk.bell(), 64)
        .map_err(|error| Unused::Failed("io_uring_setup", error));
    let home = Arc::new(ClerkHome(Arc::downgrade(rings)));
    let first = (0..SPARES)
        .flat_map(|_| 0..rings.queues.len())
        // The kernel's queues have 16-bit numbers.
        .map(|queue| RingChannel::new(queue as u16, rings.payload, &rings.device, home.clone()))
        .collect::<Result<Vec<_>>>()
        .map_err(|error| Unused::Failed("mapping buffers", error));
    let ready = made.as_ref().map(|_| ()).map_err(|reason| *reason);
    let _ = report.send(ready.and(first.as_ref().map(|_| ()).map_err(|reason| *reason)));
    drop(report);
    let (Ok(ring), Ok(first)) = (made, first) else { return };
    let mut clerk = Clerk {
        rings,
        ring,
        home,
        progress: vec![0; rings.queues.len()],
        turns: Vec::new(),
        entries: 0,
        spares: vec![0; rings.queues.len()],
        doubts: vec![Doubt::default(); rings.queues.len()],
    };
    if rings.gate.pass() {
        for channel in first {
            clerk.add(channel);
        }
        rings.spares_first.open();
        clerk.work();
    }
}

impl Clerk<'_> {
    fn work(&mut self) {
        let mut calm = 0;
        loop {
            for answered in self.rings.desk.take() {
                self.commit(answered);
            }
            if self.rings.gate.is_closed() {
                let _ = self.ring.submit();
                return;
            }
            let idle = calm >= CALM;
            if idle {
                self.rings.asleep.store(true, Ordering::SeqCst);
            }
            // Who began before the flag was set is seen now.
            let owed = self.rings.clerk.owed();
            let limit = match owed {
                Some(_) => Some(Duration::ZERO),
                None if !idle || self.anybody_busy() => Some(TICK),
                None => self.ring.is_occupied().then_some(IDLE),
            };
            match self.ring.wait(limit) {
                Ok(()) | Err(Errno::EINTR) => {}
                Err(error) => {
                    self.rings.broken("answers to commit", error);
                    return;
                }
            }
            self.rings.asleep.store(false, Ordering::SeqCst);
            let mut nothing = limit == Some(IDLE);
            while let Some(event) = self.ring.next_event() {
                nothing = false;
                match event {
                    Event::Entry(channel, Ok(())) => {
                        self.rings.taken(&channel);
                        let queue = self.rings.queue(&channel);
                        let number = channel.entry().queue();
                        let none_left = queue.armed.load(Ordering::SeqCst) <= 0;
                        let few = none_left && self.spares[usize::from(number)] < SPARES;
                        let may_adopt = self.rings.may_adopt();
                        if few || may_adopt {
                            self.add_entry(number);
                        }
                        self.serve(channel, may_adopt || self.rings.is_bypassed(number));
                    }
                    Event::Entry(channel, Err(error)) => {
                        self.rings.queue(&channel).disarm();
                        self.rings.lost(error);
                        log::debug!(
                            "fuse: an entry of queue {} ends: {error}",
                            channel.entry().queue()
                        );
                    }
                    Event::Bell | Event::Ready => {}
                }
            }
            if nothing {
                self.ring.give_back();
            }
            if let Some(asked) = owed {
                self.rings.clerk.testify(asked);
            }
            calm = if self.look() { 0 } else { calm.saturating_add(1) };
        }
    }

    /// Has a request that came to the clerk served.
    fn serve(&mut self, channel: Arc<RingChannel>, adopt: bool) {
        let spares = usize::from(channel.entry().queue());
        let refused = if adopt { self.rings.adopt(channel) } else { Err(channel) };
        match refused {
            Ok(()) => self.spares[spares] = self.spares[spares].saturating_sub(1),
            Err(channel) => self.rings.bench.serve(self.rings, channel),
        }
    }

    fn commit(&mut self, answered: Arc<RingChannel>) {
        self.rings.queue(&answered).arm();
        if let Err(error) = self.ring.commit(answered.clone()) {
            self.rings.queue(&answered).disarm();
            log::error!("fuse: committing an answer: {error}");
        }
    }

    fn anybody_busy(&self) -> bool {
        self.rings.queues.iter().any(|queue| queue.armed.load(Ordering::SeqCst) <= 0)
            || self.rings.seats.lock().iter().any(|seat| seat.is_busy())
    }

    /// Looks at all seats and queues; whether anything was being served since the last time.
    fn look(&mut self) -> bool {
        self.rings.bench.retry(self.rings);
        let mut active = self.take_early_answers();
        for number in 0..self.rings.queues.len() {
            let queue = &self.rings.queues[number];
            let progress = queue.progress.load(Ordering::SeqCst);
            active |= self.doubt(number, progress != self.progress[number]);
            let stuck = progress == self.progress[number] || queue.lent.load(Ordering::SeqCst);
            active |= progress != self.progress[number];
            self.progress[number] = progress;
            if queue.armed.load(Ordering::SeqCst) > 0 {
                continue;
            }
            active = true;
            if stuck && self.entries < MOST_ENTRIES {
                queue.lent.store(false, Ordering::SeqCst);
                // Those there are do not come back soon: as many again for those to come.
                (0..SPARES).for_each(|_| self.add_entry(number as u16));
                if let Err(error) =
                    doorbell::ring(&self.rings.device, number as u16, &self.rings.regular)
                {
                    log::debug!("fuse: doorbell of queue {number}: {error}");
                }
            }
        }
        active
    }

    /// Sees to it that nothing waits in a queue which was without an armed entry for a moment. The
    /// kernel takes what waits at a commit, one request each time; where none comes, a doorbell makes
    /// one. Whether there is anything in doubt.
    fn doubt(&mut self, number: usize, progressed: bool) -> bool {
        let queue = &self.rings.queues[number];
        if !queue.emptied.load(Ordering::SeqCst) {
            return false;
        }
        let now = Counts {
            taken: queue.taken.load(Ordering::SeqCst),
            echoes: queue.echoes.load(Ordering::SeqCst),
        };
        let doubt = &mut self.doubts[number];
        if let Some(rung) = doubt.rung {
            if rung == now {
                // Not heard yet.
                return true;
            }
            doubt.rung = None;
            doubt.in_vain = if rung.taken == now.taken { doubt.in_vain + 1 } else { 0 };
        } else if progressed {
            doubt.flowing += 1;
        } else {
            doubt.flowing = 0;
        }
        // Twice, as the first one's commit may not have been seen to bring something.
        if doubt.in_vain >= 2 || doubt.flowing >= FLOWS {
            *doubt = Doubt::default();
            queue.emptied.store(false, Ordering::SeqCst);
            return true;
        }
        if progressed && doubt.in_vain == 0 {
            return true;
        }
        match doorbell::ring(&self.rings.device, number as u16, &self.rings.regular) {
            Ok(()) => doubt.rung = Some(now),
            Err(error) => {
                log::debug!("fuse: doorbell of queue {number}: {error}");
                // Nothing can be done about it; a request that waits has to wait for another.
                doubt.in_vain += 1;
            }
        }
        true
    }

    /// Commits for seats whose handlers have answered and go on for long.
    fn take_early_answers(&mut self) -> bool {
        let seats = self.rings.seats.lock().clone();
        self.turns.resize(seats.len(), 0);
        let mut active = false;
        for (seat, last) in seats.iter().zip(&mut self.turns) {
            let turn = seat.turn.load(Ordering::SeqCst);
            let same = turn == *last;
            active |= !same;
            *last = turn;
            if same && turn & 1 == 1 {
                let channel = seat.channel.lock().upgrade();
                if let Some(channel) = channel.filter(|channel| channel.entry().take_early()) {
                    self.rings.desk.leave(channel);
                }
            }
        }
        active
    }

    fn add_entry(&mut self, queue: u16) {
        let rings = self.rings;
        match RingChannel::new(queue, rings.payload, &rings.device, self.home.clone()) {
            Ok(channel) => self.add(channel),
            Err(error) => log::error!("fuse: no further entry for queue {queue}: {error}"),
        }
    }

    fn add(&mut self, channel: Arc<RingChannel>) {
        let queue = channel.entry().queue();
        let added = self.ring.register(channel).and_then(|()| {
            self.rings.queues[usize::from(queue)].armed.fetch_add(1, Ordering::SeqCst);
            self.ring.submit()
        });
        match added {
            Ok(()) => {
                self.entries += 1;
                self.spares[usize::from(queue)] += 1;
            }
            Err(error) => log::error!("fuse: no further entry for queue {queue}: {error}"),
        }
    }
}
