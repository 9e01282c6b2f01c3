//! Threads that serve what arrives in the clerk's entries.
//!
//! Where no thread can be started for a request, the seats serve it between two of their own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::sys::lock::{Condvar, Mutex};

use super::serve::Server;
use super::{Member, Rings};
use crate::session::serving::Serving;
use crate::sys::uring::Outcome;
use crate::sys::wake;
use crate::transport::uring::RingChannel;

/// How often a thread that was refused is asked for again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<RingChannel>>,
    idle: usize,
    members: Vec<Arc<Member>>,
    closed: bool,
    /// When the last thread was refused, as long as requests wait.
    refused: Option<Instant>,
}

/// Requests that wait for a thread, and the threads.
pub(super) struct Bench {
    state: Mutex<State>,
    called: Condvar,
    most: usize,
    /// A thread was refused, and requests wait.
    short: AtomicBool,
}

impl Bench {
    /// At most this many threads, but one at least.
    pub fn new(most: usize) -> Bench {
        let short = AtomicBool::new(false);
        Bench { state: Mutex::default(), called: Condvar::new(), most: most.max(1), short }
    }

    pub fn members(&self) -> Vec<Arc<Member>> {
        self.state.lock().members.clone()
    }

    pub fn close(&self) {
        self.state.lock().closed = true;
        self.called.notify_all();
    }

    /// Leaves a request for the next thread; starts one if all are busy.
    pub fn serve(&self, rings: &Arc<Rings>, channel: Arc<RingChannel>) {
        self.state.lock().waiting.push_back(channel);
        self.called.notify_one();
        self.reinforce(rings);
    }

    /// Starts a thread if requests wait for one.
    fn reinforce(&self, rings: &Arc<Rings>) {
        let member = {
            let mut state = self.state.lock();
            if state.idle >= state.waiting.len() || state.members.len() >= self.most {
                return;
            }
            let member = Arc::new(Member::new(None, None));
            state.members.push(member.clone());
            member
        };
        let me = member.clone();
        let started = rings.start("fuse_bench", Some(member.clone()), move |r| work(&r, &me));
        let Err(reason) = started else { return };
        let mut state = self.state.lock();
        state.members.retain(|other| !Arc::ptr_eq(other, &member));
        // Once for as long as it lasts.
        if state.refused.replace(Instant::now()).is_none() {
            log::error!("fuse: {reason}; requests wait for other threads");
        }
        self.short.store(true, Ordering::SeqCst);
        drop(state);
        rings.call_seats();
    }

    /// For a seat, between two requests: one that no thread could be started for.
    pub fn take_over(&self) -> Option<Arc<RingChannel>> {
        if !self.short.load(Ordering::SeqCst) {
            return None;
        }
        let mut state = self.state.lock();
        let channel = state.waiting.pop_front();
        if state.waiting.is_empty() {
            self.short.store(false, Ordering::SeqCst);
            state.refused = None;
        }
        channel
    }

    /// Asks again for a thread that was refused, now and then; for the clerk.
    pub fn retry(&self, rings: &Arc<Rings>) {
        if self.short.load(Ordering::SeqCst)
            && self.state.lock().refused.is_some_and(|since| since.elapsed() >= RETRY_EVERY)
        {
            self.reinforce(rings);
        }
    }

    fn next(&self) -> Option<Arc<RingChannel>> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(channel) = state.waiting.pop_front() {
                return Some(channel);
            }
            state.idle += 1;
            self.called.wait(&mut state);
            state.idle -= 1;
        }
    }
}

/// A thread's life.
fn work(rings: &Arc<Rings>, member: &Arc<Member>) {
    wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
    let _serving = rings.session.upgrade().map(|session| Serving::begin(&session));
    let mut server = Server::new(member.errand.clone(), rings.regular.clone());
    while let Some(channel) = rings.bench.next() {
        let Some(turn) = rings.admit(member) else { return };
        let outcome = rings.serve(&mut server, &channel, false);
        drop(turn);
        if outcome == Outcome::Commit {
            rings.desk.leave(channel);
        }
        member.end();
    }
}
