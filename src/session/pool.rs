//! The multi-threaded loop: a pool of workers that grows when no one waits for requests.
//!
//! Every idle worker waits in its own read of the device; the kernel wakes one of them for each
//! request. A worker that takes a request and leaves nobody waiting starts another first, so a
//! handler that blocks delays nobody else until max_threads handlers block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Session;
use super::loops::{Server, Step};
use crate::errno::{Errno, Result};
use crate::sys::wake::{self, Reader};
use crate::sys::{env, stack};
use crate::transport::Channel;

/// How often the pool repeats its call to workers that still read.
const KICK_EVERY: Duration = Duration::from_millis(2);
/// After this long, whoever still holds up the exit is named.
const COMPLAIN_AFTER: Duration = Duration::from_secs(5);

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
    done: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

struct Pool {
    session: Arc<Session>,
    config: LoopConfig,
    /// Workers waiting for a request, or about to.
    idle: AtomicUsize,
    /// Workers alive.
    total: AtomicUsize,
    workers: Mutex<Vec<Worker>>,
    /// A worker has ended.
    ended: Condvar,
}

/// Stack size for workers: FUSE_THREAD_STACK in bytes, or the C library's default.
fn stack_size() -> usize {
    let Some(text) = env::secure_var("FUSE_THREAD_STACK") else { return stack::default_size() };
    match text.to_str().and_then(|text| text.trim().parse().ok()) {
        Some(size) => size,
        None => {
            log::error!("fuse: invalid stack size: {}", text.display());
            stack::default_size()
        }
    }
}

impl Pool {
    /// Starts a worker unless there are max_threads.
    fn spawn(self: &Arc<Self>) -> Result<()> {
        let mut workers = self.workers.lock();
        if self.total.load(Ordering::SeqCst) >= self.config.max_threads {
            return Ok(());
        }
        // Those that ended by themselves; joining them is immediate.
        let mut at = 0;
        while at < workers.len() {
            if workers[at].done.load(Ordering::SeqCst) {
                // A worker's panics were contained; its result says nothing more.
                let _ = workers.swap_remove(at).thread.join();
            } else {
                at += 1;
            }
        }
        let channel = self.worker_channel()?;
        let reader = Arc::new(Reader::default());
        let done = Arc::new(AtomicBool::new(false));
        let (pool, their_reader, their_done) = (self.clone(), reader.clone(), done.clone());
        self.total.fetch_add(1, Ordering::SeqCst);
        self.idle.fetch_add(1, Ordering::SeqCst);
        let thread =
            Builder::new().name("fuse_worker".into()).stack_size(stack_size()).spawn(move || {
                pool.work(channel, &their_reader);
                their_done.store(true, Ordering::SeqCst);
                pool.ended.notify_all();
            });
        match thread {
            Ok(thread) => {
                workers.push(Worker { reader, done, thread });
                Ok(())
            }
            Err(error) => {
                self.total.fetch_sub(1, Ordering::SeqCst);
                self.idle.fetch_sub(1, Ordering::SeqCst);
                log::error!("fuse: error creating thread: {error}");
                Err(error.into())
            }
        }
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

    /// A worker's life. It counts as idle on entry.
    fn work(self: &Arc<Self>, channel: Arc<dyn Channel>, reader: &Reader) {
        // So that the thread which waits for the pool takes them.
        wake::block_in_this_thread(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
        let _mask = reader.bind();
        let mut server = Server::new(&self.session, channel);
        loop {
            match server.receive(reader) {
                Ok(Step::Again) => continue,
                Ok(Step::End) => break,
                Ok(Step::Request(request)) => {
                    let brief = server.is_brief(&request);
                    let was_last = self.idle.fetch_sub(1, Ordering::SeqCst) == 1;
                    if was_last && !brief && self.session.is_initialized() {
                        // Logged where it failed; this worker goes on alone.
                        let _ = self.spawn();
                    }
                    server.serve(request);
                    if !self.rejoin() {
                        self.total.fetch_sub(1, Ordering::SeqCst);
                        reader.unbind();
                        return;
                    }
                }
                Err(error) => {
                    self.session.reading_failed(error);
                    break;
                }
            }
        }
        self.idle.fetch_sub(1, Ordering::SeqCst);
        self.total.fetch_sub(1, Ordering::SeqCst);
        reader.unbind();
    }

    /// Counts the calling worker as idle again, or returns false if there are enough without it.
    /// One always stays, whatever the limit.
    fn rejoin(&self) -> bool {
        let limit = self.config.max_idle_threads.map_or(usize::MAX, |limit| limit.max(1));
        self.idle
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |idle| {
                (idle < limit).then_some(idle + 1)
            })
            .is_ok()
    }

    /// Calls every worker out of its read and waits until all have ended.
    fn join_all(&self) {
        let start = Instant::now();
        let mut complained = false;
        let mut workers = self.workers.lock();
        while !workers.is_empty() {
            let mut at = 0;
            while at < workers.len() {
                if workers[at].done.load(Ordering::SeqCst) {
                    let _ = workers.swap_remove(at).thread.join();
                } else {
                    workers[at].reader.kick();
                    at += 1;
                }
            }
            if workers.is_empty() {
                break;
            }
            // A handler that still runs may be finishing somebody's data, so it is waited for.
            if !complained && start.elapsed() > COMPLAIN_AFTER {
                complained = true;
                log::warn!("fuse: exit waits for {} handlers that still run", workers.len());
            }
            let busy = workers.iter().all(|worker| !worker.reader.is_reading());
            let limit = if busy { KICK_EVERY * 25 } else { KICK_EVERY };
            self.ended.wait_for(&mut workers, limit);
        }
    }
}

impl Session {
    /// Serves requests in worker threads until the session ends; the calling thread waits, and
    /// takes the signals. Returns as [`Session::run_single`] does, after every handler has
    /// returned.
    pub fn run_multi(self: &Arc<Self>, config: LoopConfig) -> i32 {
        if self.channel().is_none() {
            log::error!("fuse: session is not mounted");
            return Errno::EBADF.negated();
        }
        self.own_loop.store(true, Ordering::Release);
        let pool = Arc::new(Pool {
            session: self.clone(),
            config: LoopConfig { max_threads: config.max_threads.max(1), ..config },
            idle: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            workers: Mutex::new(Vec::new()),
            ended: Condvar::new(),
        });
        if let Err(error) = pool.spawn() {
            self.exit().request_with(error.negated());
        }
        while !self.exit().is_requested() {
            self.exit().wait(None);
        }
        pool.join_all();
        self.loop_result()
    }
}
