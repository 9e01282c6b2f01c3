//! Threads that serve what arrives in the clerk's entries.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::serve::Server;
use super::{Member, Rings};
use crate::session::serving::Serving;
use crate::sys::uring::Outcome;
use crate::sys::wake;
use crate::transport::uring::RingChannel;

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<RingChannel>>,
    idle: usize,
    members: Vec<Arc<Member>>,
    closed: bool,
}

/// Requests that wait for a thread, and the threads.
pub(super) struct Bench {
    state: Mutex<State>,
    called: Condvar,
    most: usize,
}

impl Bench {
    /// At most this many threads, but one at least.
    pub fn new(most: usize) -> Bench {
        Bench { state: Mutex::default(), called: Condvar::new(), most: most.max(1) }
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
        let member = {
            let mut state = self.state.lock();
            state.waiting.push_back(channel);
            if state.idle >= state.waiting.len() || state.members.len() >= self.most {
                None
            } else {
                let member = Arc::new(Member::new(None, None));
                state.members.push(member.clone());
                Some(member)
            }
        };
        self.called.notify_one();
        let Some(member) = member else { return };
        let me = member.clone();
        if let Err(reason) = rings.start("fuse_bench", Some(member.clone()), move |r| work(&r, &me))
        {
            let mut state = self.state.lock();
            state.members.retain(|other| !Arc::ptr_eq(other, &member));
            if state.members.is_empty() {
                log::error!("fuse: no thread for a request: {reason}");
            }
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
