//! Where threads run: their scheduling policy, and the processors they may use.
//!
//! A thread under `SCHED_IDLE` counts as no load for the scheduler: whoever is woken on its processor
//! stays there and runs at once, instead of being sent to another, sleeping processor.

use std::cell::Cell;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::errno::{Errno, Result};

thread_local! {
    /// What a child made by this thread is to get back; see [`leave_home_to_children`].
    static HOME: Cell<Option<CpuSet>> = const { Cell::new(None) };
}

/// The calling thread's id, as the kernel knows it in this process's namespace.
pub fn thread_id() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// Processors a thread may run on; 0 is the calling thread.
pub fn processors(thread: i32) -> Result<CpuSet> {
    sched_getaffinity(Pid::from_raw(thread)).map_err(from_nix)
}

/// How many processors there are in a set.
pub fn count(set: &CpuSet) -> usize {
    (0..CpuSet::count()).filter(|cpu| contains(set, *cpu)).count()
}

/// Whether a processor is in a set.
pub fn contains(set: &CpuSet, processor: usize) -> bool {
    set.is_set(processor).unwrap_or(false)
}

/// Has a thread run on these processors only; 0 is the calling thread.
pub fn keep_on(thread: i32, set: &CpuSet) -> Result<()> {
    sched_setaffinity(Pid::from_raw(thread), set).map_err(from_nix)
}

/// The set with one processor.
pub fn only(processor: usize) -> Result<CpuSet> {
    let mut set = CpuSet::new();
    set.set(processor).map_err(from_nix)?;
    Ok(set)
}

fn from_nix(error: nix::Error) -> Errno {
    Errno::from_raw(error as i32)
}

/// Whether a thread runs under `SCHED_OTHER` (true) or `SCHED_IDLE` (false); `None` under any other policy.
pub fn is_ordinary(thread: i32) -> Option<bool> {
    // SAFETY: takes a number and touches no memory.
    match unsafe { libc::sched_getscheduler(thread) } {
        libc::SCHED_OTHER => Some(true),
        libc::SCHED_IDLE => Some(false),
        _ => None,
    }
}

/// Puts a thread under `SCHED_OTHER` (true) or `SCHED_IDLE` (false); its nice value stays. Leaving
/// `SCHED_IDLE` takes `CAP_SYS_NICE`, or a limit `RLIMIT_NICE` that allows the nice value.
pub fn make_ordinary(thread: i32, ordinary: bool) -> Result<()> {
    let policy = if ordinary { libc::SCHED_OTHER } else { libc::SCHED_IDLE };
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is alive.
    if unsafe { libc::sched_setscheduler(thread, policy, &param) } == 0 {
        Ok(())
    } else {
        Err(Errno::last())
    }
}

/// Children that the calling thread forks are given these processors and `SCHED_OTHER` back; `None`: they
/// keep what they inherit.
pub fn leave_home_to_children(home: Option<CpuSet>) {
    HOME.set(home);
}

/// In a forked child: see [`leave_home_to_children`]. Async-signal-safe.
pub(super) fn go_home_in_child() {
    if let Some(home) = HOME.get() {
        // What a child can't have back it can't report either.
        let _ = make_ordinary(0, true);
        let _ = keep_on(0, &home);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_kept_on_a_processor() {
        std::thread::spawn(|| {
            let home = processors(0).unwrap();
            let last = (0..CpuSet::count()).rfind(|cpu| contains(&home, *cpu)).unwrap();
            keep_on(0, &only(last).unwrap()).unwrap();
            assert_eq!(count(&processors(0).unwrap()), 1);
            keep_on(0, &home).unwrap();
            assert_eq!(processors(0).unwrap(), home);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_forked_child_has_its_home_back() {
        std::thread::spawn(|| {
            let home = processors(0).unwrap();
            crate::sys::fork::generation();
            leave_home_to_children(Some(home));
            let first = (0..CpuSet::count()).find(|cpu| contains(&home, *cpu)).unwrap();
            keep_on(0, &only(first).unwrap()).unwrap();
            // SAFETY: the child makes system calls only and leaves with _exit.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                let right = is_ordinary(0) == Some(true) && processors(0) == Ok(home);
                // SAFETY: ends the child without running the test harness's handlers.
                unsafe { libc::_exit(i32::from(!right)) };
            }
            let mut status = -1;
            // SAFETY: `status` outlives the call; `pid` is our own child.
            assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
            assert_eq!(status, 0);
        })
        .join()
        .unwrap();
    }
}
