//! A thread with a ring and one entry of one queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::desk::Desk;
use super::serve::Server;
use super::{IDLE, Member, Report, Rings};
use crate::errno::{Errno, Result};
use crate::session::serving::Serving;
use crate::sys::uring::{Event, HasEntry, Outcome, Ring};
use crate::sys::wake;
use crate::transport::uring::{Home, RingChannel, Unused};

/// What is submitted at a time: the bell, one entry, and one more after it was lost.
const ROOM: u32 = 4;

/// Where the answers of a seat's requests go that it does not commit in passing.
struct SeatHome {
    seat: Arc<Desk<RingChannel>>,
    rings: std::sync::Weak<Rings>,
}

impl Home for SeatHome {
    fn deliver(&self, answered: Arc<RingChannel>, running: bool) {
        if !running {
            // Its thread waits for this.
            self.seat.leave(answered);
        } else if let Some(rings) = self.rings.upgrade() {
            rings.desk.leave(answered);
        }
    }
}

struct Seat<'a> {
    rings: &'a Arc<Rings>,
    member: &'a Member,
    queue: u16,
    desk: Arc<Desk<RingChannel>>,
    ring: Ring<RingChannel>,
    server: Server,
    /// Its entry was the clerk's, who commits late answers.
    adopted: bool,
}

/// A seat among the others, until its thread ends, however it does.
struct Seated<'a> {
    rings: &'a Rings,
    member: &'a Arc<Member>,
    adopted: bool,
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        self.rings.seats.lock().retain(|seat| !Arc::ptr_eq(seat, self.member));
        if self.adopted {
            self.rings.adopted.fetch_sub(1, Ordering::SeqCst);
        }
        // Nobody is to wait for a thread that there is not.
        if let Some(asked) = self.member.witness.owed() {
            self.member.witness.testify(asked);
        }
    }
}

/// The thread's life.
pub(super) fn run(rings: Arc<Rings>, member: &Arc<Member>, report: Report) {
    // So that the thread which waits for the loop takes them.
    wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
    let _seated = Seated { rings: &rings, member, adopted: false };
    let (Some(desk), Some(queue)) = (member.desk.clone(), member.queue) else { return };
    let made = Ring::new(rings.device.raw_fd(), desk.bell(), ROOM)
        .map_err(|error| Unused::Failed("io_uring_setup", error));
    let _serving = rings.session.upgrade().map(|session| Serving::begin(&session));
    let _joined = rings.placement.join(&member.errand, Some(queue.into()));
    let server = Server::new(member.errand.clone(), rings.regular.clone());
    let made =
        made.map(|ring| Seat { rings: &rings, member, queue, desk, ring, server, adopted: false });
    let channel = made.as_ref().map_err(|reason| *reason).and_then(|seat| {
        seat.new_channel().map_err(|error| Unused::Failed("mapping buffers", error))
    });
    // Nobody listens if another one has failed.
    let _ = report.send(channel.as_ref().map(|_| ()).map_err(|reason| *reason));
    drop(report);
    let (Ok(mut seat), Ok(channel)) = (made, channel) else { return };
    if rings.gate.pass() && rings.spares_first.pass() {
        let registered = seat.register(channel);
        let failed = registered.is_err();
        rings.registered(registered);
        if !failed {
            seat.work();
        }
    }
}

/// The life of a thread that begins with a request which arrived in an entry of the clerk's. The
/// entry is this seat's from its commit on.
pub(super) fn adopt(rings: &Arc<Rings>, member: &Arc<Member>, channel: Arc<RingChannel>) {
    wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
    let _seated = Seated { rings, member, adopted: true };
    let Some(desk) = member.desk.clone() else { return };
    let ring = match Ring::new(rings.device.raw_fd(), desk.bell(), ROOM) {
        Ok(ring) => ring,
        Err(error) => {
            log::debug!("fuse: no ring for a further seat: {error}");
            return rings.bench.serve(rings, channel);
        }
    };
    let queue = channel.entry().queue();
    let _serving = rings.session.upgrade().map(|session| Serving::begin(&session));
    let _joined = rings.placement.join(&member.errand, Some(queue.into()));
    let server = Server::new(member.errand.clone(), rings.regular.clone());
    *member.channel.lock() = Arc::downgrade(&channel);
    let mut seat = Seat { rings, member, queue, desk, ring, server, adopted: true };
    if seat.serve(&channel) {
        drop(channel);
        seat.work();
    }
}

impl Seat<'_> {
    fn new_channel(&self) -> Result<Arc<RingChannel>> {
        let home = SeatHome { seat: self.desk.clone(), rings: Arc::downgrade(self.rings) };
        RingChannel::new(self.queue, self.rings.payload, &self.rings.device, Arc::new(home))
    }

    fn queue(&self) -> &super::Queue {
        &self.rings.queues[usize::from(self.queue)]
    }

    /// Registers an entry; what the kernel has against it comes at once.
    fn register(&mut self, channel: Arc<RingChannel>) -> Result<()> {
        *self.member.channel.lock() = Arc::downgrade(&channel);
        self.queue().arm();
        if let Err(error) = self.ring.register(channel) {
            self.queue().disarm();
            return Err(error);
        }
        self.ring.submit()
    }

    fn work(&mut self) {
        loop {
            for answered in self.desk.take() {
                self.queue().lent.store(false, Ordering::SeqCst);
                self.commit(answered);
            }
            while let Some(channel) = self.rings.bench.take_over() {
                if !self.take_over(channel) {
                    break;
                }
            }
            if self.rings.gate.is_closed() {
                // The last answer goes out; then the kernel takes back what is armed here.
                let _ = self.ring.submit();
                return;
            }
            let owed = self.member.witness.owed();
            let idle = self.ring.is_occupied().then_some(IDLE);
            match self.ring.wait(owed.map_or(idle, |_| Some(Duration::ZERO))) {
                Ok(()) | Err(Errno::EINTR) => {}
                Err(error) => {
                    self.rings.broken("requests", error);
                    return;
                }
            }
            let mut nothing = owed.is_none();
            while let Some(event) = self.ring.next_event() {
                nothing = false;
                match event {
                    Event::Entry(channel, Ok(())) => {
                        self.rings.taken(&channel);
                        if !self.serve(&channel) {
                            return;
                        }
                    }
                    Event::Entry(channel, Err(error)) => {
                        self.queue().disarm();
                        if !self.failed(channel, error) {
                            return;
                        }
                    }
                    Event::Bell | Event::Ready => {}
                }
            }
            if nothing {
                self.ring.give_back();
            }
            if let Some(asked) = owed {
                self.member.witness.testify(asked);
            }
        }
    }

    fn commit(&mut self, answered: Arc<RingChannel>) {
        self.queue().arm();
        if let Err(error) = self.ring.commit(answered) {
            self.queue().disarm();
            log::error!("fuse: committing an answer: {error}");
        }
    }

    /// Serves what arrived in an entry of the clerk's and found no thread. Meanwhile something may wait in
    /// this seat's own entry. False if the gate is closed for good.
    fn take_over(&mut self, channel: Arc<RingChannel>) -> bool {
        let Some(turn) = self.rings.admit(self.member) else { return false };
        let outcome = self.rings.serve(&mut self.server, &channel, false);
        drop(turn);
        self.member.end();
        if outcome == Outcome::Commit {
            self.rings.desk.leave(channel);
        }
        true
    }

    /// False if the seat is to end.
    fn serve(&mut self, channel: &Arc<RingChannel>) -> bool {
        let Some(turn) = self.rings.admit(self.member) else { return false };
        self.rings.wake_clerk();
        let outcome = self.rings.serve(&mut self.server, channel, true);
        drop(turn);
        // Before anything is armed again: see `settle`.
        self.member.end();
        match outcome {
            Outcome::Commit => self.commit(channel.clone()),
            Outcome::Unanswered if !self.adopted => {
                self.queue().lent.store(true, Ordering::SeqCst);
                self.rings.desk.ring();
            }
            Outcome::Gone | Outcome::Unanswered => {
                self.adopted = false;
                // The clerk has it; this seat goes on with another.
                let renewed = self.new_channel().and_then(|channel| self.register(channel));
                if let Err(error) = renewed {
                    log::error!("fuse: no new entry for queue {}: {error}", self.queue);
                }
            }
        }
        true
    }

    /// False if the seat is to end.
    fn failed(&mut self, channel: Arc<RingChannel>, error: Errno) -> bool {
        match error {
            // Unmounted, aborted, or this thread is being ended.
            Errno::ENOTCONN | Errno::ECONNABORTED | Errno::ENODEV | Errno::ECANCELED => false,
            error => {
                if !self.rings.lost(error) && !self.rings.failed.load(Ordering::SeqCst) {
                    self.rings.registered(Err(error));
                }
                drop(channel);
                false
            }
        }
    }
}
