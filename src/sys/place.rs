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

/// How a thread is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `SCHED_OTHER`, which threads have unless somebody wants something else.
    Ordinary = libc::SCHED_OTHER as isize,
    /// `SCHED_IDLE`: no load, and whoever else wants the processor has it. Leaving it takes `CAP_SYS_NICE`,
    /// or a limit `RLIMIT_NICE` that allows the nice value.
    Idle = libc::SCHED_IDLE as isize,
    /// `SCHED_BATCH`: its wake-ups interrupt nobody who runs.
    Batch = libc::SCHED_BATCH as isize,
}

/// The policy of a thread, 0 is the calling one; `None` if it is none of these.
pub fn policy(thread: i32) -> Option<Policy> {
    // SAFETY: takes a number and touches no memory.
    match unsafe { libc::sched_getscheduler(thread) } {
        libc::SCHED_OTHER => Some(Policy::Ordinary),
        libc::SCHED_IDLE => Some(Policy::Idle),
        libc::SCHED_BATCH => Some(Policy::Batch),
        _ => None,
    }
}

/// Puts a thread under a policy; its nice value stays.
pub fn schedule(thread: i32, policy: Policy) -> Result<()> {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is alive.
    if unsafe { libc::sched_setscheduler(thread, policy as libc::c_int, &param) } == 0 {
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
        let _ = schedule(0, Policy::Ordinary);
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
                let right = policy(0) == Some(Policy::Ordinary) && processors(0) == Ok(home);
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
