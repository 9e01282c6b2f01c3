//! Rings, which no forked child may hold.
//!
//! A ring is taken down when its last descriptor is closed. What is on its way to a ring ends by that, or with the
//! ring's thread if it came before. An unmount waits for it; and if a child with a copy of the descriptor waits in the
//! kernel for what that request holds, as its notification may, neither ever ends, not by SIGKILL and not by an abort.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::sys::fork;

const NONE: RawFd = -1;

/// The descriptors that a child closes; as many as one session has threads with rings at most, and more.
static RINGS: [AtomicI32; 2048] = [const { AtomicI32::new(NONE) }; 2048];

/// A ring's descriptor, from which children are kept as long as this lives. To be dropped before the descriptor
/// is closed.
///
/// A child made by a raw `clone` system call is not noticed, as in [`fork`]; what is executed has no such descriptor.
#[derive(Debug)]
pub struct Unshared {
    fd: RawFd,
    slot: Option<&'static AtomicI32>,
}

impl Unshared {
    /// Keeps children from this ring.
    pub fn new(fd: RawFd) -> Unshared {
        // Has the handler of children registered.
        fork::generation();
        let claim = |slot: &&AtomicI32| {
            slot.compare_exchange(NONE, fd, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        Unshared { fd, slot: RINGS.iter().find(claim) }
    }
}

impl Drop for Unshared {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            // In a child it may be another ring's by now.
            let _ = slot.compare_exchange(self.fd, NONE, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// Closes what the parent keeps for itself. For a child just made: atomics and system calls, nothing else.
pub fn close_in_child() {
    for slot in &RINGS {
        let fd = slot.swap(NONE, Ordering::Relaxed);
        if fd != NONE && is_ring(fd) {
            // SAFETY: a ring of the parent's, which this process neither uses nor closes: see `Inherited`.
            unsafe { libc::close(fd) };
        }
    }
}

/// The program may have closed the number, which may be another file's.
fn is_ring(fd: RawFd) -> bool {
    // SAFETY: asks for nothing to be submitted or waited for; the kernel looks at no memory for that.
    unsafe { libc::syscall(libc::SYS_io_uring_enter, fd, 0, 0, 0, std::ptr::null::<u8>(), 0) >= 0 }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use io_uring::IoUring;

    use super::*;

    fn is_open(fd: RawFd) -> bool {
        // SAFETY: only asks.
        unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
    }

    #[test]
    fn a_child_has_no_such_ring_and_keeps_other_files() {
        let ring = IoUring::new(2).expect("io_uring");
        let (shared, null) =
            (IoUring::new(2).expect("io_uring"), std::fs::File::open("/dev/null").unwrap());
        let kept = [Unshared::new(ring.as_raw_fd()), Unshared::new(null.as_raw_fd())];
        drop(Unshared::new(shared.as_raw_fd()));
        // SAFETY: the child only makes system calls and leaves with _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            let seen = [ring.as_raw_fd(), shared.as_raw_fd(), null.as_raw_fd()].map(is_open);
            // SAFETY: ends the child without running the test harness's handlers.
            unsafe { libc::_exit(i32::from(seen != [false, true, true])) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call; `pid` is our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
        assert!(is_open(ring.as_raw_fd()));
        drop(kept);
        assert!(RINGS.iter().all(|slot| slot.load(Ordering::Relaxed) != ring.as_raw_fd()));
    }
}
