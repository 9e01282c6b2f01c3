//! Keeping workers on the processors of their clients.
//!
//! On a machine with idle processors the scheduler sends each side of a wake-up to another, sleeping one;
//! that costs more than everything a small request does. A worker that is kept on its client's processor
//! and counts as no load there (`SCHED_IDLE`) has both stay where they are. Whether that pays is found out
//! by trying ([`judge`]), by a thread of the session, the [`governor`], which is made when there is much to
//! do for the first time and sleeps while there is not. Requests pay one store and one comparison.
//!
//! What handlers make must not inherit any of this. Threads are found by the governor and given back what
//! they should have; a child of `fork` does so itself; and where the program or one of its libraries imports
//! other ways of making processes, or cares about scheduling itself, no worker is ever placed.

mod choice;
mod gait;
mod governor;
mod judge;
mod roster;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::sys::lock::{Condvar, Mutex};
use nix::sched::CpuSet;

use super::errand::Errand;
use crate::sys::env::under_valgrind;
use crate::sys::place::Policy;
use crate::sys::{fork, place, signal};
pub use choice::PlacementChoice;
pub(super) use gait::Gait;
pub(super) use roster::Joined;
use roster::Roster;

const NOBODY: usize = usize::MAX;
/// What the governor needs for stack.
const STACK: usize = 128 * 1024;
/// How long a child waits for what its parent may have locked when it forked.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);
/// How long the end of a loop waits for the governor, which may itself be waiting for a filesystem that
/// somebody has mounted over `/proc`.
const END_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Orders {
    /// A loop runs whose workers may be placed.
    open: bool,
    /// Which one: a governor that was left behind has nothing to do with the next.
    term: u64,
    /// There is something to do.
    stirred: bool,
    /// The governor, and the process it belongs to.
    governor: Option<(u64, JoinHandle<()>)>,
    /// It needs nothing any more, so that joining it is immediate.
    gone: bool,
}

impl Orders {
    /// Whether the loop of that term still runs.
    fn is_on(&self, term: u64) -> bool {
        self.open && self.term == term
    }
}

/// The placement of one session's workers.
pub(super) struct Placement {
    choice: PlacementChoice,
    /// The governor sleeps, or there is none yet.
    asleep: AtomicBool,
    /// Workers are placed.
    placed: AtomicBool,
    /// The processor of the client that they follow, or `NOBODY`.
    beside: AtomicUsize,
    orders: Mutex<Orders>,
    called: Condvar,
    /// The governor has gone.
    left: Condvar,
    roster: Mutex<Roster>,
}

impl Placement {
    pub fn new(choice: PlacementChoice) -> Arc<Placement> {
        Arc::new(Placement {
            choice,
            asleep: AtomicBool::new(false),
            placed: AtomicBool::new(false),
            beside: AtomicUsize::new(NOBODY),
            orders: Mutex::default(),
            called: Condvar::new(),
            left: Condvar::new(),
            roster: Mutex::default(),
        })
    }

    /// A loop with workers begins in the calling thread, whose processors and policy are the workers' own.
    pub fn begin(&self) {
        if self.choice == PlacementChoice::Never || place::policy(0) != Some(Policy::Ordinary) {
            return;
        }
        // One thread at a time runs there, so there is nothing to gain.
        if under_valgrind() {
            return;
        }
        let Ok(home) = place::processors(0) else { return };
        if place::count(&home) < 2 {
            return;
        }
        let Some(mut orders) = self.orders.try_lock_for(LOCK_PATIENCE) else { return };
        let Some(mut roster) = self.roster.try_lock_for(LOCK_PATIENCE) else { return };
        let generation = fork::generation();
        if roster.generation != generation {
            // A child: those threads are its parent's.
            roster.workers.clear();
            roster.proc = None;
            roster.generation = generation;
            self.placed.store(false, Ordering::Relaxed);
            self.beside.store(NOBODY, Ordering::Relaxed);
        }
        roster.home = Some(home);
        orders.open = true;
        orders.term += 1;
        orders.stirred = false;
        self.asleep.store(true, Ordering::Release);
    }

    /// The loop ends: everybody is free, and the governor gone, or left behind.
    pub fn end(&self) {
        self.asleep.store(false, Ordering::Release);
        let Some(mut orders) = self.orders.try_lock_for(LOCK_PATIENCE) else { return };
        orders.open = false;
        self.called.notify_all();
        let Some((generation, thread)) = orders.governor.take() else { return };
        if generation != fork::generation() {
            // A thread of the parent's.
            return std::mem::forget(thread);
        }
        // On a busy machine a worker that counts as no load is long in coming to its end.
        let home = self.roster.lock().home;
        if let Some(home) = home {
            self.free_workers(&home);
        }
        let until = Instant::now() + END_PATIENCE;
        while !orders.gone {
            if !self.left.wait_until(&mut orders, until) {
                log::debug!(
                    "fuse: the thread that places workers waits for /proc; going on without it"
                );
                return;
            }
        }
        drop(orders);
        // Its panics were contained.
        let _ = thread.join();
    }

    /// The calling thread serves requests, those of one of the kernel's queues or any, until the result is
    /// dropped.
    pub fn join(self: &Arc<Self>, errand: &Arc<Errand>, processor: Option<usize>) -> Joined {
        Joined::new(self, errand, processor)
    }

    fn free_workers(&self, home: &Home) {
        let mut roster = self.roster.lock();
        self.beside.store(NOBODY, Ordering::Relaxed);
        for worker in &mut roster.workers {
            // The only failure left is that the thread is gone: leaving SCHED_IDLE was tried before.
            let _ = worker.free(home);
        }
    }

    /// Whether workers are placed.
    pub fn is_placed(&self) -> bool {
        self.placed.load(Ordering::Relaxed)
    }

    /// A worker that follows its clients has a request of this one; has the workers go after it if it has moved.
    #[inline]
    pub fn follow(&self, client: u32, gait: &mut Gait) {
        if self.beside.load(Ordering::Relaxed) != NOBODY {
            self.look_after(client, gait);
        }
    }

    fn look_after(&self, client: u32, gait: &mut Gait) {
        let now = Instant::now();
        if !gait.step(now) {
            return;
        }
        // As in `wake`.
        let proc = self.roster.try_lock().and_then(|roster| roster.proc.clone());
        let seen = proc.and_then(|proc| proc.last_seen(client)).map(|(processor, _)| processor);
        let moved = seen.is_some_and(|seen| seen != self.beside.load(Ordering::Relaxed));
        if let Some(seen) = seen.filter(|_| moved) {
            self.go_beside(seen);
        }
        gait.looked(now, moved);
    }

    fn go_beside(&self, processor: usize) {
        // As in `wake`.
        let Some(mut roster) = self.roster.try_lock() else { return };
        let allowed = roster.home.is_some_and(|home| place::contains(&home, processor));
        // Meanwhile they may have been freed.
        if !allowed || self.beside.load(Ordering::Relaxed) == NOBODY {
            return;
        }
        self.beside.store(processor, Ordering::Relaxed);
        for worker in roster.workers.iter_mut().filter(|worker| worker.is_placed()) {
            // Those that could be placed can be moved, or have ended.
            let _ = worker.keep_on(processor, Policy::Idle);
        }
    }

    /// Many requests have come.
    #[inline]
    pub fn stir(self: &Arc<Self>) {
        if self.asleep.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(self: &Arc<Self>) {
        // Whoever has it is there, or was when this process was forked; the next one tries again.
        let Some(mut orders) = self.orders.try_lock() else { return };
        if !self.asleep.swap(false, Ordering::AcqRel) || !orders.open {
            return;
        }
        orders.stirred = true;
        if orders.governor.is_some() {
            drop(orders);
            self.called.notify_all();
            return;
        }
        let (mine, term) = (self.clone(), orders.term);
        orders.gone = false;
        let thread = signal::with_all_blocked(|| {
            Builder::new()
                .name("fuse_place".into())
                .stack_size(STACK)
                .spawn(move || governor::run(&mine, term))
        });
        match thread {
            Ok(thread) => orders.governor = Some((fork::generation(), thread)),
            Err(error) => log::debug!("fuse: workers are not placed: {error}"),
        }
    }

    /// Sleeps for that long, or until the loop ends; false if it has ended.
    fn pause(&self, term: u64, time: Duration) -> bool {
        let mut orders = self.orders.lock();
        let until = Instant::now() + time;
        while orders.is_on(term) {
            if !self.called.wait_until(&mut orders, until) {
                return orders.is_on(term);
            }
        }
        false
    }

    /// Sleeps until there is something to do; false if the loop has ended.
    fn rest(&self, term: u64) -> bool {
        let mut orders = self.orders.lock();
        if orders.is_on(term) && !orders.stirred {
            self.asleep.store(true, Ordering::Release);
        }
        while orders.is_on(term) && !orders.stirred {
            self.called.wait(&mut orders);
        }
        let on = orders.is_on(term);
        if on {
            orders.stirred = false;
        }
        on
    }

    /// The governor of this loop goes; nobody is placed any more.
    fn leave(&self, term: u64) {
        let mut orders = self.orders.lock();
        if orders.term == term {
            self.roster.lock().proc = None;
            orders.gone = true;
            drop(orders);
            self.left.notify_all();
        }
    }
}

/// What workers have when they are not placed.
type Home = CpuSet;
