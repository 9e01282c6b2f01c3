//! Loops over what the engine does not read itself: channels with the program's own I/O, several channels, and the
//! program's own sessions.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::ptr;
use std::thread;

use ferrofuse::sys::lock::Mutex;
use ferrofuse::{Errno, memory};

use crate::channel::{channel, receive};
use crate::session::CSession;
use crate::types::FuseChan;

/// Workers of a multi-threaded loop.
const WORKERS: usize = 10;
/// How long a wait for requests takes before exit is looked for again, in ms.
const LOOK_UP_EVERY: c_int = 100;

/// A request, and where it came from.
pub struct Received {
    message: Vec<u8>,
    ch: *mut FuseChan,
}

// SAFETY: the pointer is only handed to functions that take channels in any thread.
unsafe impl Send for Received {}

/// What came of waiting for a request.
pub enum Step<T> {
    /// Something that passed; try again.
    Again,
    /// A request.
    Request(T),
    /// The end; the number is what the loop returns.
    End(c_int),
}

/// Waits a while for a channel that has a request. One without a descriptor is taken to have one.
fn ready(channels: &[*mut FuseChan]) -> Option<*mut FuseChan> {
    // SAFETY: channels of a session are live.
    let fd = |ch: &*mut FuseChan| unsafe { channel("fuse_session_loop", *ch) }.map(|c| c.fd());
    let fds: Vec<(RawFd, *mut FuseChan)> =
        channels.iter().filter_map(|ch| Some((fd(ch)?, *ch))).collect();
    if let Some((_, ch)) = fds.iter().find(|(fd, _)| *fd < 0) {
        return Some(*ch);
    }
    let polled = |(fd, _): &(RawFd, _)| libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 };
    let mut polled: Vec<libc::pollfd> = fds.iter().map(polled).collect();
    // SAFETY: an array of the length given.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, LOOK_UP_EVERY) };
    // Errors are told by reading.
    polled.iter().position(|polled| polled.revents != 0).map(|at| fds[at].1)
}

/// Waits a while for a request of the session.
pub fn next(session: &CSession) -> Step<Received> {
    let channels = session.channels();
    if channels.is_empty() {
        return Step::End(-1);
    }
    if session.is_exited() {
        return Step::End(0);
    }
    let Some(mut ch) = ready(&channels) else { return Step::Again };
    // SAFETY: channels of a session are live.
    let size = unsafe { channel("fuse_session_loop", ch) }.map_or(0, |chan| chan.bufsize());
    let Ok(mut message) = memory::zeroed("a request", size) else { return Step::End(-1) };
    // SAFETY: as above.
    match unsafe { receive(&mut ch, &mut message) } {
        0 => Step::End(0),
        length => match usize::try_from(length) {
            Ok(length) => {
                message.truncate(length);
                Step::Request(Received { message, ch })
            }
            Err(_) if length == Errno::EINTR.negated() => Step::Again,
            Err(_) => Step::End(-1),
        },
    }
}

/// Serves a request.
pub fn serve(session: &CSession, request: Received) {
    // SAFETY: a channel of the session, or one that the program named.
    unsafe { session.process(&request.message, request.ch) };
}

/// Serves requests in the calling thread, one after the other. Returns 0 at the end, -1 after an error.
pub fn single(session: &CSession) -> c_int {
    loop {
        match next(session) {
            Step::Again => {}
            Step::Request(request) => serve(session, request),
            Step::End(result) => return result,
        }
    }
}

/// Serves requests in several threads; one of them at a time waits for the next. Returns as [`single`] does.
///
/// `next` and `serve` are called in any of the threads, or in the calling one only if the session's requests come by its
/// ring.
pub fn multi<T>(
    session: &CSession,
    next: impl Fn() -> Step<T> + Sync,
    serve: impl Fn(T) + Sync,
) -> c_int {
    let workers = if session.engine().is_some_and(|engine| engine.by_solo()) { 1 } else { WORKERS };
    let result = Mutex::new(None);
    let work = || {
        loop {
            let mut over = result.lock();
            if over.is_some() {
                return;
            }
            match next() {
                Step::Again => {}
                Step::Request(request) => {
                    drop(over);
                    serve(request);
                }
                Step::End(outcome) => *over = Some(outcome),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(|| {
                leave_to_others();
                work();
            });
        }
        work();
    });
    result.into_inner().unwrap_or(0)
}

/// Keeps signals that end sessions out of the calling thread, so that the main one gets them.
fn leave_to_others() {
    // SAFETY: a local set of signals, initialised before it is used.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
    }
}
