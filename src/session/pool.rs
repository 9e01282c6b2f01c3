//! The multi-threaded loop: a pool of workers that grows when no one waits for requests.
//!
//! Every idle worker waits in its own read of the device; the kernel wakes one of them for each
//! request. A worker that takes a request and leaves nobody waiting starts another first, so a
//! handler that blocks delays nobody else until max_threads handlers block.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::sys::lock::{Condvar, Mutex};

use super::census::Census;
use super::errand::Errand;
use super::loops::{Server, Step};
use super::placement::Gait;
use super::post::Post;
use super::receive::RequestBuffer;
use super::reliance::Reliance;
use super::serving::Serving;
use super::{LoopKind, Session, dispatch, slots};
use crate::errno::{Errno, Result};
use crate::sys::shared::PageBuffer;
use crate::sys::wake::{self, Reader};
use crate::sys::{cancel, env, stack};
use crate::transport::{self, Channel};

/// How often the pool repeats its call to workers that still read.
const KICK_EVERY: Duration = Duration::from_millis(2);
/// How often a thread that was refused is asked for again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How long a worker that has answered may take to come back before another is started in its place.
const RETURNS_WITHIN: Duration = Duration::from_millis(8);
/// After this long, whoever still holds up the exit is named.
const COMPLAIN_AFTER: Duration = Duration::from_secs(2);

/// How the multi-threaded loop runs.
#[derive(Clone, Copy, Debug)]
pub struct LoopConfig {
    /// Give each worker its own descriptor of the connection.
    pub clone_fd: bool,
    /// A worker ends when more than this many wait; `None`: never.
    pub max_idle_threads: Option<usize>,
    /// Most workers at a time, at least 1.
    pub max_threads: usize,
}

impl Default for LoopConfig {
    fn default() -> LoopConfig {
        LoopConfig { clone_fd: false, max_idle_threads: None, max_threads: 10 }
    }
}

/// One worker, as the pool sees it.
struct Worker {
    reader: Arc<Reader>,
    errand: Arc<Errand>,
    /// It needs nothing any more, so that joining it is immediate. Set under the pool's lock.
    done: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

struct Pool {
    session: Arc<Session>,
    config: LoopConfig,
    census: Census,
    workers: Mutex<Vec<Worker>>,
    /// A worker has ended.
    ended: Condvar,
    /// A worker that was needed could not be started.
    short: AtomicBool,
    /// None was started because another was about to return.
    reliance: Reliance,
}

/// Stack size for workers that the user asks for with FUSE_THREAD_STACK, in bytes.
fn wanted_stack() -> Option<usize> {
    let text = env::secure_var("FUSE_THREAD_STACK")?;
    let size = text.to_str().and_then(|text| text.trim().parse().ok());
    if size.is_none() {
        log::error!("fuse: invalid stack size: {}", text.display());
    }
    size
}

/// Has the calling thread's own storage made now. The C library ends the process if it can't be had, and
/// memory may run out before it is first needed.
pub(super) fn claim_storage() {
    slots::claim_storage();
    transport::claim_storage();
}

/// Bytes that there must be for a new thread besides its stack, which may be an old one's. With less, the C
/// library would end the process when the thread first needs some.
const HEADROOM: usize = 1 << 20;

/// Starts a thread with the stack that the user asks for, or with the C library's default. `ENOMEM` where
/// it would be in want of memory.
pub(super) fn start_thread(
    name: &str,
    body: impl FnOnce() + Clone + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let error = |error: Errno| io::Error::from_raw_os_error(-error.negated());
    drop(PageBuffer::new(HEADROOM).map_err(error)?);
    let body = move || {
        cancel::never_here();
        claim_storage();
        body();
    };
    let start = |size| Builder::new().name(name.into()).stack_size(size);
    if let Some(size) = wanted_stack() {
        match start(size).spawn(body.clone()) {
            Ok(thread) => return Ok(thread),
            Err(error) => log::error!("fuse: no thread with a stack of {size} bytes: {error}"),
        }
    }
    start(stack::default_size()).spawn(body)
}

impl Pool {
    /// Starts a worker unless there are max_threads.
    fn spawn(self: &Arc<Self>) -> Result<()> {
        let mut workers = self.workers.lock();
        // Those that ended by themselves.
        let mut at = 0;
        while at < workers.len() {
            if workers[at].done.load(Ordering::SeqCst) {
                // A worker's panics were contained; its result says nothing more.
                let _ = workers.swap_remove(at).thread.join();
            } else {
                at += 1;
            }
        }
        if !self.census.announce(self.config.max_threads) {
            return Ok(());
        }
        match self.start_worker() {
            Ok(worker) => {
                workers.push(worker);
                self.short.store(false, Ordering::SeqCst);
                Ok(())
            }
            Err(error) => {
                self.census.withdraw();
                // Once for as long as it lasts.
                if !self.short.swap(true, Ordering::SeqCst) {
                    log::error!("fuse: error creating thread: {error}");
                }
                Err(error)
            }
        }
    }

    /// Nobody waits for requests now that the worker of `errand` has one: another is started, if it is needed.
    ///
    /// Placed workers share a processor. A client that one of them has answered runs at once, and asks again
    /// before that worker is back at its read: it will be, when the client sleeps, and a thread more would find
    /// nothing else. Each such one would be one too many as soon as all are back.
    fn find_another(self: &Arc<Self>, errand: &Errand) {
        if self.census.is_full(self.config.max_threads) {
            return;
        }
        if self.session.placement.is_placed() && self.somebody_returns(errand) {
            if self.reliance.begin() {
                self.session.exit().nudge();
            }
            return;
        }
        // Logged where it failed; this worker goes on alone meanwhile.
        if self.spawn().is_err() {
            self.session.exit().nudge();
        }
    }

    /// Whether a worker other than that of `errand` has answered its request, and is not back yet.
    fn somebody_returns(&self, errand: &Errand) -> bool {
        // Whoever has the lock looks for another too, or starts one.
        self.workers.try_lock().is_none_or(|workers| {
            let mut others = workers.iter().filter(|other| !std::ptr::eq(&*other.errand, errand));
            others.any(|other| other.errand.is_answered())
        })
    }

    /// Somebody was counted on, a while ago; `taken` is what was taken when this was looked at last. Starts a
    /// worker if whoever that was does something else after its answer, so that nothing is taken any more.
    fn see_who_returned(self: &Arc<Self>, taken: &mut u64) {
        let sum = self.workers.lock().iter().map(|worker| worker.errand.tally.sum()).sum();
        let before = mem::replace(taken, sum);
        if self.reliance.look(&self.census) && *taken == before {
            // Before it is tried, so that whoever is missed meanwhile is the next to call.
            self.reliance.end();
            // Refused, it is asked for again.
            let _ = self.spawn();
        }
    }

    /// Waits for the end of the session; asks again for threads that were refused.
    fn supervise(self: &Arc<Self>) {
        let exit = self.session.exit();
        let mut taken = 0;
        loop {
            let seen = exit.seen();
            if exit.is_requested() {
                return;
            }
            let short = self.short.load(Ordering::SeqCst);
            if self.reliance.is_on() && !short {
                exit.wait(seen, Some(RETURNS_WITHIN));
                self.see_who_returned(&mut taken);
                continue;
            }
            exit.wait(seen, short.then_some(RETRY_EVERY));
            if !short || exit.is_requested() {
                continue;
            }
            if self.census.nobody_waits() {
                // Refused again, it will be asked for again.
                let _ = self.spawn();
            } else {
                // Somebody came back; the next one to be missed is asked for where that is seen.
                self.short.store(false, Ordering::SeqCst);
            }
        }
    }

    fn start_worker(self: &Arc<Self>) -> Result<Worker> {
        let channel = self.worker_channel()?;
        let reader = Arc::new(Reader::default());
        let done = Arc::new(AtomicBool::new(false));
        let errand = Arc::new(Errand::default());
        // Memory that runs out is found here, where the pool can go on without this worker.
        let buffer = RequestBuffer::new(self.session.buffer_size())?;
        let their_buffer = Arc::new(Mutex::new(buffer));
        let (pool, their_reader, their_done) = (self.clone(), reader.clone(), done.clone());
        let their_errand = errand.clone();
        let thread = start_thread("fuse_worker", move || {
            // A panic in the engine itself, or in a caller's own I/O, must not leave the others
            // waiting for this worker.
            let buffer = mem::take(&mut *their_buffer.lock());
            let work = || pool.work(channel, buffer, &their_reader, their_errand);
            if !dispatch::contain("the loop", work) {
                pool.session.reading_failed(Errno::EIO);
            }
            their_reader.unbind();
            {
                let _workers = pool.workers.lock();
                their_done.store(true, Ordering::SeqCst);
            }
            pool.ended.notify_all();
        })?;
        Ok(Worker { reader, errand, done, thread })
    }

    fn worker_channel(&self) -> Result<Arc<dyn Channel>> {
        let own = self.session.channel().ok_or(Errno::EBADF)?;
        if !self.config.clone_fd {
            return Ok(own);
        }
        match own.try_clone() {
            Ok(clone) => Ok(clone),
            Err(error) => {
                log::error!("fuse: trying to continue without -o clone_fd ({error})");
                Ok(own)
            }
        }
    }

    /// A worker's life.
    fn work(
        self: &Arc<Self>,
        channel: Arc<dyn Channel>,
        buffer: RequestBuffer,
        reader: &Reader,
        errand: Arc<Errand>,
    ) {
        // So that the thread which waits for the pool takes them.
        wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
        let _mask = reader.bind();
        let _serving = Serving::begin(&self.session);
        self.census.arrive();
        let _listed = self.session.sheet.list(&errand);
        let _joined = self.session.placement.join(&errand, None);
        let post = Post::new(self.session.clone(), channel);
        post.show_to(&errand);
        let server = Server::new(&post, buffer, errand.clone());
        post.man(|| self.serve(server, reader, &errand));
    }

    fn serve(self: &Arc<Self>, mut server: Server<'_>, reader: &Reader, errand: &Errand) {
        let mut gait = Gait::default();
        // One always stays, whatever the limit.
        let enough = self.config.max_idle_threads.map_or(usize::MAX, |limit| limit.max(1));
        loop {
            match server.receive(reader) {
                Ok(Step::Again | Step::Done) => continue,
                Ok(Step::End) => break,
                Ok(Step::Request(request)) => {
                    let missed = self.census.take_request()
                        && !self.short.load(Ordering::SeqCst)
                        && self.session.is_initialized()
                        && !server.is_brief(&request);
                    if missed {
                        self.find_another(errand);
                    }
                    server.serve(request);
                    self.session.placement.follow(errand.client(), &mut gait);
                    if !self.census.wait_again(enough) {
                        return;
                    }
                }
                Err(error) => {
                    self.session.reading_failed(error);
                    break;
                }
            }
        }
        self.census.leave();
    }

    /// Calls every worker out of its read and waits until all have ended. One whose handler does
    /// not return in the time it is given stays behind, with what its request needs.
    fn join_all(&self) {
        let start = Instant::now();
        let mut complained = false;
        let mut workers = self.workers.lock();
        loop {
            let waited = start.elapsed();
            let mut at = 0;
            while at < workers.len() {
                let worker = &workers[at];
                if worker.done.load(Ordering::SeqCst) {
                    let _ = workers.swap_remove(at).thread.join();
                } else if self.gives_up(worker, waited) {
                    drop(workers.swap_remove(at));
                } else {
                    worker.reader.kick();
                    at += 1;
                }
            }
            if workers.is_empty() {
                break;
            }
            if !complained && waited > COMPLAIN_AFTER {
                complained = true;
                let errands: Vec<_> = workers.iter().map(|w| w.errand.describe()).collect();
                log::warn!("fuse: exit waits for handlers that still run: {}", errands.join(", "));
            }
            let busy = workers.iter().all(|worker| !worker.reader.is_reading());
            let limit = if busy { KICK_EVERY * 25 } else { KICK_EVERY };
            self.ended.wait_for(&mut workers, limit);
        }
    }

    /// Whether to go on without this worker; says so.
    fn gives_up(&self, worker: &Worker, waited: Duration) -> bool {
        let patience = worker.errand.patience(self.session.config.exit_patience);
        if patience.is_none_or(|patience| waited <= patience) {
            return false;
        }
        worker.errand.dismiss();
        log::error!(
            "fuse: the handler of {} does not return; exit goes on without it",
            worker.errand.describe()
        );
        true
    }
}

impl Session {
    /// Serves requests in worker threads until the session ends; the calling thread waits, and
    /// takes the signals. Returns as [`Session::run_single`] does, after every handler has
    /// returned, or has been given the time that [`Config::exit_patience`](super::Config) says;
    /// such a handler may still reply, and its thread ends when it returns.
    pub fn run_multi(self: &Arc<Self>, config: LoopConfig) -> i32 {
        if self.channel().is_none() {
            log::error!("fuse: session is not mounted");
            return Errno::EBADF.negated();
        }
        if self.by_solo() {
            // The kernel gives requests to the ring of one thread, and takes nothing else for them.
            log::info!("fuse: requests come by the io_uring of a loop with one thread: one serves");
            return self.run_single();
        }
        claim_storage();
        self.own_loop.store(true, Ordering::Release);
        self.notifier.served_here();
        *self.loop_kind.lock() = LoopKind::Workers(config);
        let pool = Arc::new(Pool {
            session: self.clone(),
            config: LoopConfig { max_threads: config.max_threads.max(1), ..config },
            census: Census::default(),
            workers: Mutex::new(Vec::new()),
            ended: Condvar::new(),
            short: AtomicBool::new(false),
            reliance: Reliance::default(),
        });
        // The program may have stopped reading without an end.
        self.rest_beside_reader();
        self.placement.begin();
        if pool.spawn().is_err() {
            self.placement.end();
            log::warn!("fuse: no worker thread could be started: serving requests one by one");
            return self.run_single();
        }
        self.resume_rings();
        let shows = self.show_stats(config.max_threads > 1);
        pool.supervise();
        drop(shows);
        self.placement.end();
        pool.join_all();
        self.pause_rings();
        self.loop_result()
    }
}
