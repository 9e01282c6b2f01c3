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

use nix::sched::CpuSet;
use parking_lot::{Condvar, Mutex};

use super::errand::Errand;
use crate::sys::{fork, place, signal};
pub use choice::PlacementChoice;
pub(super) use gait::Gait;
use governor::Governor;
pub(super) use roster::Joined;
use roster::Roster;

const NOBODY: usize = usize::MAX;
/// What the governor needs for stack.
const STACK: usize = 128 * 1024;
/// How long a child waits for what its parent may have locked when it forked.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

#[derive(Default)]
struct Orders {
    /// A loop runs whose workers may be placed.
    open: bool,
    /// There is something to do.
    stirred: bool,
    /// The governor, and the process it belongs to.
    governor: Option<(u64, JoinHandle<()>)>,
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
            roster: Mutex::default(),
        })
    }

    /// A loop with workers begins in the calling thread, whose processors and policy are the workers' own.
    pub fn begin(&self) {
        if self.choice == PlacementChoice::Never || place::is_ordinary(0) != Some(true) {
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
            roster.generation = generation;
            self.placed.store(false, Ordering::Relaxed);
            self.beside.store(NOBODY, Ordering::Relaxed);
        }
        roster.home = Some(home);
        orders.open = true;
        orders.stirred = false;
        self.asleep.store(true, Ordering::Release);
    }

    /// The loop ends: everybody is free, and the governor gone.
    pub fn end(&self) {
        self.asleep.store(false, Ordering::Release);
        let Some(mut orders) = self.orders.try_lock_for(LOCK_PATIENCE) else { return };
        orders.open = false;
        let governor = orders.governor.take();
        drop(orders);
        self.called.notify_all();
        match governor {
            Some((generation, thread)) if generation == fork::generation() => {
                // Its panics say nothing more.
                let _ = thread.join();
            }
            // A thread of the parent's.
            Some((_, thread)) => std::mem::forget(thread),
            None => {}
        }
    }

    /// The calling thread serves requests, those of one of the kernel's queues or any, until the result is
    /// dropped.
    pub fn join(self: &Arc<Self>, errand: &Arc<Errand>, processor: Option<usize>) -> Joined {
        Joined::new(self, errand, processor)
    }

    fn is_placed(&self) -> bool {
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
        let seen = place::last_seen(client).map(|(processor, _)| processor);
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
            let _ = worker.keep_on(processor);
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
        let mine = self.clone();
        let thread = signal::with_all_blocked(|| {
            Builder::new()
                .name("fuse_place".into())
                .stack_size(STACK)
                .spawn(move || Governor::new(&mine).run())
        });
        match thread {
            Ok(thread) => orders.governor = Some((fork::generation(), thread)),
            Err(error) => log::debug!("fuse: workers are not placed: {error}"),
        }
    }

    /// Sleeps for that long, or until the loop ends; false if it has ended.
    fn pause(&self, time: Duration) -> bool {
        let mut orders = self.orders.lock();
        let until = std::time::Instant::now() + time;
        while orders.open {
            if self.called.wait_until(&mut orders, until).timed_out() {
                return orders.open;
            }
        }
        false
    }

    /// Sleeps until there is something to do; false if the loop has ended.
    fn rest(&self) -> bool {
        let mut orders = self.orders.lock();
        if orders.open && !orders.stirred {
            self.asleep.store(true, Ordering::Release);
        }
        while orders.open && !orders.stirred {
            self.called.wait(&mut orders);
        }
        orders.stirred = false;
        orders.open
    }
}

/// What workers have when they are not placed.
type Home = CpuSet;
