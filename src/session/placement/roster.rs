//! Which threads may be placed, and where they are.

use std::sync::Arc;

use super::{Home, LOCK_PATIENCE, Placement};
use crate::errno::Result;
use crate::session::errand::Errand;
use crate::sys::place::{self, Policy};
use crate::sys::procfs::ProcFs;

/// A thread that serves requests.
pub(super) struct Worker {
    pub thread: i32,
    /// The processor whose queue it serves.
    pub processor: Option<usize>,
    pub errand: Arc<Errand>,
    /// The processor it is kept on.
    at: Option<usize>,
    /// Requests it had served when it was last looked at, and how often its client had changed.
    served: u64,
    turns: u32,
}

/// What a worker has done since it was last looked at.
pub(super) struct Progress {
    pub requests: u64,
    /// How often they came from another client than the one before.
    pub turns: u32,
}

impl Worker {
    /// What it has done since the last look.
    pub fn progress(&mut self) -> Progress {
        let (served, turns) = (self.errand.tally.sum(), self.errand.turns());
        let requests = served - self.served;
        let progress = Progress { requests, turns: turns.wrapping_sub(self.turns) };
        (self.served, self.turns) = (served, turns);
        progress
    }

    /// Keeps it on a processor, under this policy as long as it is placed.
    pub fn keep_on(&mut self, processor: usize, policy: Policy) -> Result<()> {
        if self.at == Some(processor) {
            return Ok(());
        }
        place::keep_on(self.thread, &place::only(processor)?)?;
        let before = self.at.replace(processor);
        if before.is_none() {
            place::schedule(self.thread, policy)?;
        }
        Ok(())
    }

    /// Lets it run anywhere again.
    pub fn free(&mut self, home: &Home) -> Result<()> {
        if self.at.take().is_none() {
            return Ok(());
        }
        send_home(self.thread, home)
    }

    pub fn is_placed(&self) -> bool {
        self.at.is_some()
    }

    /// The processor that it is kept on.
    pub fn place(&self) -> Option<usize> {
        self.at
    }
}

/// Gives a thread back what it had before it, or the thread that made it, was placed.
pub(super) fn send_home(thread: i32, home: &Home) -> Result<()> {
    place::schedule(thread, Policy::Ordinary)?;
    place::keep_on(thread, home)
}

#[derive(Default)]
pub(super) struct Roster {
    pub home: Option<Home>,
    /// The process that the workers belong to: see [`fork::generation`](crate::sys::fork::generation).
    pub generation: u64,
    pub workers: Vec<Worker>,
    /// Where clients are looked for, while the governor is there.
    pub proc: Option<Arc<ProcFs>>,
}

/// The calling thread may be placed for as long as this lives; it must not leave its thread.
pub(in crate::session) struct Joined {
    placement: Option<Arc<Placement>>,
    _here: std::marker::PhantomData<*const ()>,
}

impl Joined {
    pub(super) fn new(
        placement: &Arc<Placement>,
        errand: &Arc<Errand>,
        processor: Option<usize>,
    ) -> Joined {
        let nowhere = Joined { placement: None, _here: std::marker::PhantomData };
        let Some(mut roster) = placement.roster.try_lock_for(LOCK_PATIENCE) else { return nowhere };
        let Some(home) = roster.home else { return nowhere };
        let thread = place::thread_id();
        match place::policy(0) {
            Some(Policy::Ordinary) => {}
            // Made by a worker that was placed at that moment.
            Some(_) if send_home(0, &home).is_ok() => {}
            _ => return nowhere,
        }
        place::leave_home_to_children(Some(home));
        let (errand, at) = (errand.clone(), None);
        roster.workers.push(Worker { thread, processor, errand, at, served: 0, turns: 0 });
        Joined { placement: Some(placement.clone()), ..nowhere }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let Some(placement) = &self.placement else { return };
        let thread = place::thread_id();
        let mut roster = placement.roster.lock();
        let home = roster.home;
        roster.workers.retain_mut(|worker| {
            let leaves = worker.thread == thread;
            if leaves && let Some(home) = &home {
                // A thread that goes on as something else; one that ends does not care.
                let _ = worker.free(home);
            }
            !leaves
        });
        place::leave_home_to_children(None);
    }
}
