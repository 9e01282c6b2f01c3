//! The thread that places workers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use smallvec::SmallVec;

use super::judge::{Judge, Next, Seen, Way};
use super::roster::{Roster, send_home};
use super::{Home, NOBODY, Placement, PlacementChoice};
use crate::errno::{Errno, Result};
use crate::sys::imports::{self, Imports};
use crate::sys::place;

/// Looks in a row after which the load has changed: another client may only pass by.
const CHANGED: u32 = 2;

/// For whom workers work that are not bound to a processor by what they serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// One client: they are kept beside it.
    One = 0,
    /// Several: they are gathered on one processor, where whoever serves is not disturbed by the others.
    Many = 1,
}

pub(super) struct Governor {
    placement: Arc<Placement>,
    /// One for each [`Load`].
    judges: [Judge; 2],
    load: Load,
    /// Looks in a row that saw another load.
    other: u32,
    imports: Option<Imports>,
    /// Threads of the process when it was last looked through for those that inherited a placement.
    threads: u64,
    /// The busiest client.
    client: u32,
    me: i32,
}

impl Governor {
    pub fn new(placement: &Arc<Placement>) -> Governor {
        Governor {
            placement: placement.clone(),
            judges: [Judge::of_one(), Judge::of_many()],
            load: Load::One,
            other: 0,
            imports: None,
            threads: 0,
            client: 0,
            me: 0,
        }
    }

    /// The thread's life.
    pub fn run(mut self) {
        self.me = place::thread_id();
        let home = self.placement.roster.lock().home;
        let Some(home) = home else { return };
        // It may have been made by a thread that another session has placed.
        if let Err(error) = may_come_back(&home) {
            log::info!("fuse: workers stay where the scheduler puts them: SCHED_IDLE: {error}");
            return;
        }
        while self.placement.rest() {
            if self.is_forbidden() {
                log::info!(
                    "fuse: workers stay where the scheduler puts them: the program starts processes"
                );
                return;
            }
            if let Err(error) = self.work(&home) {
                log::info!("fuse: workers stay where the scheduler puts them: {error}");
                self.free_all(&home);
                return;
            }
            self.free_all(&home);
        }
    }

    /// Whether a handler might make what we could not find again.
    fn is_forbidden(&mut self) -> bool {
        let now = imports::look_if_changed(self.imports);
        self.imports = Some(now);
        now.scheduling
    }

    /// Until there is little to do, or the loop ends.
    fn work(&mut self, home: &Home) -> Result<()> {
        self.look();
        let always = self.placement.choice == PlacementChoice::Always;
        let mut next = self.judge().wake();
        let mut placed = false;
        while let Next::Go(mut way, time) = next {
            if always {
                way = Way::Placed;
            }
            if way == Way::Placed && !placed && self.is_forbidden() {
                return Err(Errno::EOPNOTSUPP);
            }
            if (way == Way::Placed) != placed {
                log::debug!("fuse: workers {}", if placed { "are free" } else { "are placed" });
            }
            placed = way == Way::Placed;
            if !placed {
                self.free_all(home);
            } else if !self.placement.is_placed() {
                self.place_all(home)?;
            } else {
                self.find_strays(home);
            }
            let start = Instant::now();
            if !self.placement.pause(time) {
                return Ok(());
            }
            let requests = self.look();
            let starved = placed && requests == 0 && self.could_run();
            log::trace!("fuse: {way:?}: {requests} requests in {:?}", start.elapsed());
            let seen = Seen { requests, time: start.elapsed(), starved };
            next = if self.has_changed() {
                // They are placed anew, if at all.
                self.free_all(home);
                self.judge().wake()
            } else {
                self.judge().see(seen)
            };
        }
        Ok(())
    }

    fn judge(&mut self) -> &mut Judge {
        &mut self.judges[self.load as usize]
    }

    /// Whether there is another kind of load, for long enough.
    fn has_changed(&mut self) -> bool {
        let changed = self.other >= CHANGED;
        if changed {
            self.other = 0;
            self.load = if self.load == Load::One { Load::Many } else { Load::One };
        }
        changed
    }

    /// Requests taken since the last look. Notices which client is the busiest, by whom each worker served
    /// last, and whether it is about the only one.
    fn look(&mut self) -> u64 {
        let mut roster = self.placement.roster.lock();
        let mut served: SmallVec<[(u32, u64); 16]> = SmallVec::new();
        let (mut sum, mut turns) = (0, 0);
        for worker in &mut roster.workers {
            let (progress, client) = (worker.progress(), worker.errand.client());
            sum += progress.requests;
            turns += u64::from(progress.turns);
            match served.iter_mut().find(|(known, _)| *known == client) {
                Some((_, its)) => *its += progress.requests,
                None => served.push((client, progress.requests)),
            }
        }
        served.retain(|(client, its)| *client != 0 && *its > 0);
        if let Some((client, its)) = served.into_iter().max_by_key(|(_, its)| *its) {
            self.client = client;
            let alone = its >= sum - sum / 4 && turns < sum / 4 || !follows(&roster);
            let load = if alone { Load::One } else { Load::Many };
            self.other = if load == self.load { 0 } else { self.other + 1 };
        }
        sum
    }

    /// Where the busiest client is. One in another namespace of processes can't be seen.
    fn client_at(&self, home: &Home) -> Option<usize> {
        let (processor, _) = place::last_seen(self.client)?;
        place::contains(home, processor).then_some(processor)
    }

    fn place_all(&mut self, home: &Home) -> Result<()> {
        let client = self.client_at(home);
        let mut roster = self.placement.roster.lock();
        let client = client.filter(|_| follows(&roster));
        for worker in &mut roster.workers {
            let own = worker.processor.filter(|processor| place::contains(home, *processor));
            let result = match own.or(client) {
                Some(processor) => worker.keep_on(processor),
                None => worker.free(home),
            };
            match result {
                // A thread that has just ended.
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error),
            }
        }
        let followed = client.filter(|_| self.load == Load::One);
        self.placement.beside.store(followed.unwrap_or(NOBODY), Ordering::Relaxed);
        self.placement.placed.store(true, Ordering::Relaxed);
        drop(roster);
        self.find_strays(home);
        Ok(())
    }

    fn free_all(&mut self, home: &Home) {
        let placed = self.placement.placed.swap(false, Ordering::Relaxed);
        let mut roster = self.placement.roster.lock();
        self.placement.beside.store(NOBODY, Ordering::Relaxed);
        for worker in &mut roster.workers {
            // The only failure left is that the thread is gone: leaving SCHED_IDLE was tried before.
            let _ = worker.free(home);
        }
        drop(roster);
        if placed {
            self.find_strays(home);
        }
    }

    /// Threads that workers have made since: they inherit, and are to be as if they had not.
    fn find_strays(&mut self, home: &Home) {
        let Some(count) = place::thread_count().filter(|count| *count != self.threads) else {
            return;
        };
        self.threads = count;
        // Held, so that nobody joins in between.
        let roster = self.placement.roster.lock();
        for thread in place::threads() {
            let known =
                thread == self.me || roster.workers.iter().any(|worker| worker.thread == thread);
            let inherits = || {
                place::is_ordinary(thread) == Some(false)
                    && place::processors(thread).is_ok_and(|set| place::count(&set) == 1)
            };
            if !known && inherits() {
                // Gone, if it fails.
                let _ = send_home(thread, home);
            }
        }
    }

    /// Whether a placed worker waits for a processor, or computes.
    fn could_run(&self) -> bool {
        let roster = self.placement.roster.lock();
        let mut placed = roster.workers.iter().filter(|worker| worker.is_placed());
        placed.any(|worker| {
            place::last_seen(worker.thread.cast_unsigned()).is_some_and(|(_, state)| state == b'R')
        })
    }
}

/// Whether workers are not bound to a processor by what they serve: they then follow the client.
fn follows(roster: &Roster) -> bool {
    roster.workers.iter().all(|worker| worker.processor.is_none())
}

/// `SCHED_IDLE` is only for those who can leave it again: tried by the calling thread, which is not needed
/// any more if it can't.
fn may_come_back(home: &Home) -> Result<()> {
    place::make_ordinary(0, false)?;
    send_home(0, home)
}
