//! The thread that places workers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use smallvec::SmallVec;

use super::judge::{Judge, Next, Seen, Way};
use super::roster::{Roster, Worker, send_home};
use super::{Home, NOBODY, Placement, PlacementChoice};
use crate::errno::{Errno, Result};
use crate::session::dispatch;
use crate::sys::imports::{self, Imports};
use crate::sys::place::{self, Policy};
use crate::sys::procfs::ProcFs;

/// Looks in a row after which the load has changed: another client may only pass by.
const CHANGED: u32 = 2;

/// For whom workers work that are not bound to a processor by what they serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// One client: they are kept beside it.
    One = 0,
    /// Several: they are gathered on one processor, where the one that serves is not interrupted by others
    /// being woken, and finds further requests by itself.
    Many = 1,
}

pub(super) struct Governor {
    placement: Arc<Placement>,
    term: u64,
    proc: Arc<ProcFs>,
    /// One for each [`Load`].
    judges: [Judge; 2],
    load: Load,
    /// Looks in a row that saw another load.
    other: u32,
    imports: Option<Imports>,
    /// Threads of the process when it was last looked through for those that inherited a placement.
    threads: libc::nlink_t,
    /// The busiest client.
    client: u32,
    me: i32,
}

/// The thread's life, while the loop of this term runs.
pub(super) fn run(placement: &Arc<Placement>, term: u64) {
    let home = placement.roster.lock().home;
    if let Some(home) = home
        && let Err(reason) = govern(placement, term, &home)
    {
        log::info!("fuse: workers stay where the scheduler puts them: {reason}");
    }
    placement.leave(term);
}

fn govern(placement: &Arc<Placement>, term: u64, home: &Home) -> Result<(), String> {
    // It may have been made by a thread that another session has placed.
    may_come_back(home).map_err(|error| format!("SCHED_IDLE: {error}"))?;
    // Nothing is locked or placed meanwhile: this may wait for who serves /proc.
    let proc = ProcFs::open().map_err(|error| format!("/proc: {error}"))?;
    Governor::new(placement, term, proc).contained(home, |governor| governor.govern(home))
}

impl Governor {
    fn new(placement: &Arc<Placement>, term: u64, proc: ProcFs) -> Governor {
        Governor {
            placement: placement.clone(),
            term,
            proc: Arc::new(proc),
            judges: [Judge::of_one(), Judge::of_many()],
            load: Load::One,
            other: 0,
            imports: None,
            threads: 0,
            client: 0,
            me: place::thread_id(),
        }
    }

    /// Calls `life`; if that panics, wherever it is, nobody stays placed.
    fn contained(
        &mut self,
        home: &Home,
        life: impl FnOnce(&mut Governor) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut result = Ok(());
        let what = "the placement of workers";
        if !dispatch::contain(what, || result = life(self)) {
            dispatch::contain(what, || self.free_all(home));
        }
        result
    }

    fn govern(&mut self, home: &Home) -> Result<(), String> {
        while self.placement.rest(self.term) {
            self.placement.roster.lock().proc = Some(self.proc.clone());
            if self.is_forbidden() {
                return Err("the program starts processes".to_owned());
            }
            let worked = self.work(home);
            self.free_all(home);
            worked.map_err(|error| error.to_string())?;
        }
        Ok(())
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
                self.place_newcomers(home)?;
                self.find_strays(home);
            }
            let start = Instant::now();
            if !self.placement.pause(self.term, time) {
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
        let (processor, _) = self.proc.last_seen(self.client)?;
        place::contains(home, processor).then_some(processor)
    }

    fn place_all(&mut self, home: &Home) -> Result<()> {
        let client = self.client_at(home);
        let mut roster = self.placement.roster.lock();
        let client = client.filter(|_| follows(&roster));
        let policy = self.policy();
        for worker in &mut roster.workers {
            place_one(worker, client, home, policy)?;
        }
        let followed = client.filter(|_| self.load == Load::One);
        self.placement.beside.store(followed.unwrap_or(NOBODY), Ordering::Relaxed);
        self.placement.placed.store(true, Ordering::Relaxed);
        drop(roster);
        self.find_strays(home);
        Ok(())
    }

    /// Workers that have come since the others were placed: each would have its requests, and with them the
    /// client, on another processor.
    fn place_newcomers(&self, home: &Home) -> Result<()> {
        let mut roster = self.placement.roster.lock();
        let there = roster.workers.iter().find_map(Worker::place);
        let there = there.filter(|_| follows(&roster));
        let policy = self.policy();
        for worker in roster.workers.iter_mut().filter(|worker| !worker.is_placed()) {
            place_one(worker, there, home, policy)?;
        }
        Ok(())
    }

    fn policy(&self) -> Policy {
        match self.load {
            Load::One => Policy::Idle,
            Load::Many => Policy::Batch,
        }
    }

    fn free_all(&mut self, home: &Home) {
        let placed = self.placement.placed.swap(false, Ordering::Relaxed);
        self.placement.free_workers(home);
        if placed {
            self.find_strays(home);
        }
    }

    /// Threads that workers have made since: they inherit, and are to be as if they had not.
    fn find_strays(&mut self, home: &Home) {
        let Some(count) = self.proc.thread_count().filter(|count| *count != self.threads) else {
            return;
        };
        self.threads = count;
        // Held, so that nobody joins in between.
        let roster = self.placement.roster.lock();
        for thread in self.proc.threads() {
            let known =
                thread == self.me || roster.workers.iter().any(|worker| worker.thread == thread);
            let inherits = || {
                matches!(place::policy(thread), Some(Policy::Idle | Policy::Batch))
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
            self.proc
                .last_seen(worker.thread.cast_unsigned())
                .is_some_and(|(_, state)| state == b'R')
        })
    }
}

/// Keeps a worker on the processor that it serves, or else on that one.
fn place_one(
    worker: &mut Worker,
    client: Option<usize>,
    home: &Home,
    policy: Policy,
) -> Result<()> {
    let own = worker.processor.filter(|processor| place::contains(home, *processor));
    let result = match own.or(client) {
        Some(processor) => worker.keep_on(processor, policy),
        None => worker.free(home),
    };
    match result {
        // A thread that has just ended.
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether workers are not bound to a processor by what they serve: they then follow the client.
fn follows(roster: &Roster) -> bool {
    roster.workers.iter().all(|worker| worker.processor.is_none())
}

/// `SCHED_IDLE` is only for those who can leave it again: tried by the calling thread, which is not needed
/// any more if it can't.
fn may_come_back(home: &Home) -> Result<()> {
    place::schedule(0, Policy::Idle)?;
    send_home(0, home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::errand::Errand;

    #[test]
    fn a_panic_leaves_nobody_placed() {
        std::thread::spawn(|| {
            let placement = Placement::new(PlacementChoice::Always);
            placement.begin();
            let home = place::processors(0).unwrap();
            let first = (0..nix::sched::CpuSet::count()).find(|cpu| place::contains(&home, *cpu));
            let _joined = placement.join(&Arc::<Errand>::default(), None);
            placement.roster.lock().workers[0].keep_on(first.unwrap(), Policy::Idle).unwrap();
            placement.placed.store(true, Ordering::Relaxed);
            assert_eq!(place::policy(0), Some(Policy::Idle));
            let mut governor = Governor::new(&placement, 1, ProcFs::open().unwrap());
            let ended = governor.contained(&home, |_| panic!("as by an error of the library"));
            assert_eq!(ended, Ok(()));
            assert_eq!(place::policy(0), Some(Policy::Ordinary));
            assert_eq!(place::processors(0), Ok(home));
            assert!(!placement.is_placed());
        })
        .join()
        .unwrap();
    }
}
