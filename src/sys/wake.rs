//! Getting a thread out of a blocking read, without helping it stay there.
//!
//! A read of `/dev/fuse` can be ended from outside only by a signal. One real-time signal whose
//! disposition is still the default is given an empty handler without `SA_RESTART`, so that the
//! read returns `EINTR`. A signal that arrives between the reader's last look at its exit flag and
//! the system call would be lost; [`Alarm`] therefore repeats it until the reader says it has seen
//! it. Polling before every read would avoid all this at the price of one more system call for
//! each request.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use once_cell::sync::OnceCell;

use crate::errno::{Errno, Result};

/// How often an armed alarm repeats.
const REPEAT_NS: libc::c_long = 5_000_000;

extern "C" fn ignore(_signal: libc::c_int) {}

/// The wake-up signal of this process, chosen and given its handler at the first call.
///
/// From the top of the real-time range downwards the first one that nobody else uses; `None` if
/// there is none.
fn wake_signal() -> Option<libc::c_int> {
    static SIGNAL: OnceCell<Option<libc::c_int>> = OnceCell::new();
    *super::still::made_once(&SIGNAL, || {
        let (low, high) = (libc::SIGRTMIN(), libc::SIGRTMAX());
        let signal = (low..high).rev().find(|signal| claim(*signal));
        if signal.is_none() {
            log::warn!("no free real-time signal: exit may wait for the next request");
        }
        signal
    })
}

/// Installs the empty handler if the signal still has its default disposition.
fn claim(signal: libc::c_int) -> bool {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null new action only queries; `old` is a live sigaction.
    if unsafe { libc::sigaction(signal, ptr::null(), old.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded and filled `old`, which was zeroed before.
    let mut action = unsafe { old.assume_init() };
    if action.sa_sigaction != libc::SIG_DFL {
        return false;
    }
    action.sa_sigaction = ignore as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the action holds a valid handler, which touches nothing and is async-signal-safe; the
    // library is linked with -z nodelete, so the handler stays mapped.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) == 0 }
}

/// A set holding just these signals.
fn signal_set(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is a live sigset_t; sigemptyset initialises it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: as above; an invalid number is refused with EINVAL.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: initialised by sigemptyset.
    unsafe { set.assume_init() }
}

/// Blocks `signals` in the calling thread, so that another thread takes them.
pub fn block_in_this_thread(signals: &[libc::c_int]) {
    let set = signal_set(signals);
    // SAFETY: the set is live; a null old set is allowed.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, ptr::null_mut()) };
}

/// Does `work` without changing errno: what a signal handler calls must not be seen by the code it
/// interrupted.
pub fn keep_errno<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: the location is this thread's own and stays valid while it runs.
    let errno = unsafe { *libc::__errno_location() };
    let result = work();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    result
}

/// The calling thread's kernel id.
fn thread_id() -> libc::pid_t {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() }
}

/// A thread that reads the device and can be told to stop reading.
///
/// The reader brackets each read with [`Reader::enter`] and [`Reader::leave`]; anybody may call
/// [`Reader::kick`], from a signal handler too.
#[derive(Debug, Default)]
pub struct Reader {
    /// Kernel id of the thread, 0 before it is bound.
    thread: AtomicI32,
    /// It is in the read, or about to be.
    reading: AtomicBool,
}

impl Reader {
    /// Makes the calling thread the reader and lets it receive the wake-up signal. Returns what
    /// its signal mask was, to be given back with [`restore_mask`].
    pub fn bind(&self) -> SavedMask {
        let mut old = MaybeUninit::<libc::sigset_t>::zeroed();
        let signals: &[libc::c_int] = &wake_signal().map_or(vec![], |signal| vec![signal]);
        let set = signal_set(signals);
        // SAFETY: both sets are live.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, old.as_mut_ptr()) };
        self.thread.store(thread_id(), Ordering::SeqCst);
        // SAFETY: zeroed is a valid sigset_t even had the call failed.
        SavedMask(unsafe { old.assume_init() })
    }

    /// No thread reads any more.
    pub fn unbind(&self) {
        self.reading.store(false, Ordering::SeqCst);
        self.thread.store(0, Ordering::SeqCst);
    }

    /// To be called before the exit flag is looked at for the last time before a read.
    ///
    /// Sequentially consistent, as is the exit flag: either the reader sees the flag, or whoever
    /// set it sees `reading` and kicks.
    pub fn enter(&self) {
        self.reading.store(true, Ordering::SeqCst);
    }

    /// To be called when the read has returned.
    pub fn leave(&self) {
        self.reading.store(false, Ordering::SeqCst);
    }

    /// Whether the thread is in a read, or about to be.
    pub fn is_reading(&self) -> bool {
        self.reading.load(Ordering::SeqCst)
    }

    /// Interrupts the read if the thread is in one. Async-signal-safe. The caller repeats it until
    /// the reader has noticed.
    pub fn kick(&self) {
        let thread = self.thread.load(Ordering::SeqCst);
        if thread == 0 || !self.is_reading() {
            return;
        }
        if let Some(signal) = wake_signal() {
            // SAFETY: tgkill has no memory preconditions. The thread belongs to this process and is
            // inside a loop that unbinds before it ends; a stale id is refused with ESRCH.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
        }
    }
}

/// The signal mask a thread had before [`Reader::bind`].
pub struct SavedMask(libc::sigset_t);

/// Gives the calling thread its former signal mask back.
pub fn restore_mask(mask: &SavedMask) {
    // SAFETY: the set came from pthread_sigmask and is live.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &mask.0, ptr::null_mut()) };
}

/// A timer that sends the wake-up signal to one thread every few milliseconds while armed.
///
/// For a reader that has no other thread to repeat the kick: arming it is a plain system call, so
/// it works from a signal handler.
#[derive(Debug)]
pub struct Alarm {
    timer: AtomicI32,
}

impl Alarm {
    /// An alarm without a timer; arming it does nothing.
    pub const fn new() -> Alarm {
        Alarm { timer: AtomicI32::new(-1) }
    }

    /// Creates the timer, aimed at the calling thread.
    pub fn aim_at_this_thread(&self) -> Result<()> {
        let signal = wake_signal().ok_or(Errno::EAGAIN)?;
        let mut event = MaybeUninit::<libc::sigevent>::zeroed();
        let event = event.as_mut_ptr();
        let mut id: libc::c_int = -1;
        // SAFETY: `event` points to a live, zeroed sigevent, whose fields are plain integers.
        unsafe {
            (*event).sigev_notify = libc::SIGEV_THREAD_ID;
            (*event).sigev_signo = signal;
            (*event).sigev_notify_thread_id = thread_id();
        }
        // SAFETY: the kernel reads the sigevent and writes an int, its own timer id.
        let result = unsafe {
            libc::syscall(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, event, &raw mut id)
        };
        if result != 0 {
            return Err(Errno::last());
        }
        self.timer.store(id, Ordering::SeqCst);
        Ok(())
    }

    fn set(&self, nanoseconds: libc::c_long) {
        let id = self.timer.load(Ordering::SeqCst);
        if id < 0 {
            return;
        }
        let time = libc::timespec { tv_sec: 0, tv_nsec: nanoseconds };
        let spec = libc::itimerspec { it_interval: time, it_value: time };
        // SAFETY: the id is that of a live timer of this process, or is refused with EINVAL; the
        // spec is live and a null old value is allowed.
        unsafe {
            libc::syscall(
                libc::SYS_timer_settime,
                id,
                0,
                &raw const spec,
                ptr::null_mut::<libc::itimerspec>(),
            )
        };
    }

    /// Starts repeating. Async-signal-safe.
    pub fn arm(&self) {
        self.set(REPEAT_NS);
    }

    /// Stops repeating.
    pub fn disarm(&self) {
        self.set(0);
    }

    /// Deletes the timer.
    pub fn remove(&self) {
        let id = self.timer.swap(-1, Ordering::SeqCst);
        if id >= 0 {
            // SAFETY: no memory preconditions.
            unsafe { libc::syscall(libc::SYS_timer_delete, id) };
        }
    }
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm::new()
    }
}

/// Chooses and installs the wake-up signal now, so that nothing is left to do in a signal handler.
pub fn prepare() {
    let _ = wake_signal();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn kicks_end_a_blocking_read() {
        let (read_end, _write_end) = nix::unistd::pipe().unwrap();
        let reader = Arc::new(Reader::default());
        let theirs = reader.clone();
        let thread = std::thread::spawn(move || {
            let _mask = theirs.bind();
            theirs.enter();
            let result = nix::unistd::read(&read_end, &mut [0u8; 1]);
            theirs.leave();
            theirs.unbind();
            result
        });
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < Duration::from_secs(5) {
            reader.kick();
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(thread.join().unwrap(), Err(nix::errno::Errno::EINTR));
    }

    #[test]
    fn alarm_repeats_until_disarmed() {
        let (read_end, _write_end) = nix::unistd::pipe().unwrap();
        let _mask = Reader::default().bind();
        let alarm = Alarm::new();
        alarm.aim_at_this_thread().unwrap();
        alarm.arm();
        for _ in 0..3 {
            let result = nix::unistd::read(&read_end, &mut [0u8; 1]);
            assert_eq!(result, Err(nix::errno::Errno::EINTR));
        }
        alarm.disarm();
        alarm.remove();
    }
}
