//! The thread that answers questions about this process.
//!
//! There is one for all sessions of the library in this process, from the beginning of the first
//! loop that wants it to the end of the last. It blocks all signals, waits in `poll` only, and is
//! joined by the loop that ends. A forked child has no such thread; when it begins a loop of its
//! own it gets one.
//!
//! A question is a line: `json`. The answer is one line as well. As long as a connection is open,
//! everything is counted.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::sys::lock::Mutex;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::snapshot::{SessionSnapshot, Snapshot, VERSION};
use super::socket::{Listener, folder};
use crate::sys::{fork, signal};

/// What the thread needs for stack; the answer is on the heap.
const STACK: usize = 256 * 1024;
/// How long a reader may keep the thread from what else it has to do.
const PATIENCE: Duration = Duration::from_millis(250);
/// Most readers at a time.
const MOST_READERS: usize = 32;
/// Longest question in bytes.
const LONGEST: usize = 256;
/// How long a child waits for what its parent may have locked when it forked.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// A filesystem that can be asked.
pub trait Source: Send + Sync {
    /// From now on, until told otherwise, somebody looks.
    fn watch(&self, looked_at: bool);
    /// What there is to say.
    fn snapshot(&self) -> SessionSnapshot;
}

/// The sources, and whether somebody looks at them.
#[derive(Default)]
struct Shown {
    sources: Vec<(u64, Weak<dyn Source>)>,
    looked_at: bool,
}

struct Running {
    /// Of the process that made it.
    generation: u64,
    shown: Arc<Mutex<Shown>>,
    /// Shut down, it ends the thread.
    alive: UnixStream,
    thread: JoinHandle<()>,
}

thread_local! {
    /// The calling thread is the one that answers.
    static ANSWERS: Cell<bool> = const { Cell::new(false) };
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// A session is shown for as long as this lives.
#[derive(Debug)]
pub struct Shows {
    id: u64,
    generation: u64,
}

/// Shows a source, which is number `id` in this process. `None` where that can't be; the reason is
/// logged at debug level.
pub fn show(id: u64, source: Weak<dyn Source>) -> Option<Shows> {
    let generation = fork::generation();
    // In a child, the parent's lock may never be given back.
    let mut running = RUNNING.try_lock_for(LOCK_PATIENCE)?;
    if running.as_ref().is_some_and(|running| running.generation != generation) {
        // Its thread is not in this process. Descriptors close; joining it is not possible.
        if let Some(inherited) = running.take() {
            drop(inherited.alive);
            std::mem::forget(inherited.thread);
        }
    }
    if running.is_none() {
        match start(generation) {
            Ok(started) => *running = Some(started),
            Err(error) => {
                log::debug!("fuse: no socket for statistics: {error}");
                return None;
            }
        }
    }
    let mut shown = running.as_ref()?.shown.lock();
    if shown.looked_at
        && let Some(source) = source.upgrade()
    {
        source.watch(true);
    }
    shown.sources.push((id, source));
    Some(Shows { id, generation })
}

impl Drop for Shows {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            return;
        }
        let mut running = RUNNING.lock();
        let Some(shown) = running.as_ref().map(|running| running.shown.clone()) else { return };
        let last = {
            let mut shown = shown.lock();
            shown.sources.retain(|(id, _)| *id != self.id);
            shown.sources.is_empty()
        };
        if last && let Some(Running { alive, thread, .. }) = running.take() {
            // Closed alone, it might still be open in a child.
            let _ = alive.shutdown(Shutdown::Both);
            // Under the lock, so that a session that begins now finds the socket's name free. The
            // thread's panics say nothing more. It may itself be what had the session last.
            if !ANSWERS.get() {
                let _ = thread.join();
            }
        }
    }
}

fn start(generation: u64) -> io::Result<Running> {
    let folder = folder().ok_or(io::ErrorKind::NotFound)?;
    let listener = Listener::bind(&folder)?;
    let (alive, ended) = UnixStream::pair()?;
    let shown = Arc::new(Mutex::new(Shown::default()));
    let theirs = shown.clone();
    let serve = move || Server { listener, ended, shown: theirs, readers: HashMap::new() }.run();
    let thread = signal::with_all_blocked(|| {
        Builder::new().name("fuse_stats".into()).stack_size(STACK).spawn(serve)
    })?;
    Ok(Running { generation, shown, alive, thread })
}

/// A connection and what it has asked so far.
struct Reader {
    stream: UnixStream,
    question: Vec<u8>,
}

struct Server {
    listener: Listener,
    ended: UnixStream,
    shown: Arc<Mutex<Shown>>,
    readers: HashMap<RawFd, Reader>,
}

impl Server {
    fn run(mut self) {
        ANSWERS.set(true);
        loop {
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(nix::Error::EINTR) => continue,
                Err(error) => {
                    log::debug!("fuse: statistics end: {error}");
                    break;
                }
            };
            for fd in ready {
                if fd == self.ended.as_raw_fd() {
                    self.readers.clear();
                    self.tell_watched();
                    return;
                } else if fd == self.listener.socket.as_raw_fd() {
                    self.accept();
                } else if !self
                    .readers
                    .get_mut(&fd)
                    .is_some_and(|reader| answer(reader, &self.shown))
                {
                    self.readers.remove(&fd);
                }
            }
            self.tell_watched();
        }
        self.readers.clear();
        self.tell_watched();
    }

    /// The descriptors that something has happened to.
    fn wait(&self) -> nix::Result<Vec<RawFd>> {
        let watched = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut polled = vec![watched(self.ended.as_fd())];
        if self.readers.len() < MOST_READERS {
            polled.push(watched(self.listener.socket.as_fd()));
        }
        polled.extend(self.readers.values().map(|reader| watched(reader.stream.as_fd())));
        poll(&mut polled, PollTimeout::NONE)?;
        let ready = polled.iter().filter(|fd| fd.any() == Some(true));
        Ok(ready.map(|fd| fd.as_fd().as_raw_fd()).collect())
    }

    fn accept(&mut self) {
        // Who has gone again, or can't be taken for want of a descriptor, is not waited for.
        let Ok((stream, _)) = self.listener.socket.accept() else { return };
        // Reading never waits, since it follows poll; writing is waited for a little.
        if stream.set_write_timeout(Some(PATIENCE)).is_ok() {
            let fd = stream.as_raw_fd();
            self.readers.insert(fd, Reader { stream, question: Vec::new() });
        }
    }

    /// Tells the sources if somebody has begun or ceased to look.
    fn tell_watched(&self) {
        let looked_at = !self.readers.is_empty();
        let mut shown = self.shown.lock();
        if shown.looked_at != looked_at {
            shown.looked_at = looked_at;
            for source in shown.sources.iter().filter_map(|(_, source)| source.upgrade()) {
                source.watch(looked_at);
            }
        }
    }
}

/// Takes what the reader has sent and answers; false if it is done.
fn answer(reader: &mut Reader, shown: &Mutex<Shown>) -> bool {
    let mut bytes = [0; LONGEST];
    match reader.stream.read(&mut bytes) {
        Ok(0) | Err(_) => return false,
        Ok(len) => reader.question.extend_from_slice(&bytes[..len]),
    }
    while let Some(end) = reader.question.iter().position(|byte| *byte == b'\n') {
        let question: Vec<u8> = reader.question.drain(..=end).collect();
        let mut reply = match question.trim_ascii() {
            b"json" => snapshot(shown),
            _ => r#"{"error":"unknown question; ask: json"}"#.to_owned(),
        };
        reply.push('\n');
        if reader.stream.write_all(reply.as_bytes()).is_err() {
            return false;
        }
    }
    reader.question.len() < LONGEST
}

fn snapshot(shown: &Mutex<Shown>) -> String {
    let sources: Vec<_> =
        shown.lock().sources.iter().filter_map(|(_, source)| source.upgrade()).collect();
    let program = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    let snapshot = Snapshot {
        version: VERSION,
        pid: std::process::id(),
        program: program.trim_end().to_owned(),
        ferrofuse: env!("CARGO_PKG_VERSION").to_owned(),
        sessions: sources.iter().map(|source| source.snapshot()).collect(),
    };
    // Only a map with keys that are no strings could fail.
    serde_json::to_string(&snapshot).unwrap_or_default()
}
