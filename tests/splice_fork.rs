//! Forks at the worst moments: while replies are being spliced, and between two of them.

mod splice_support;

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ferrofuse::buf::Vector;
use ferrofuse::transport::Channel;
use ferrofuse::transport::{SendOutcome, SplicePolicy, send_data};
use ferrofuse::{Errno, Result};
use splice_support::*;

/// One test at a time: a fork of one would show in the other.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Forks without pause until told to stop; each child leaves at once.
struct Storm {
    stop: Arc<AtomicBool>,
    forks: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Storm {
    fn start() -> Storm {
        let (stop, forks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), forks.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // SAFETY: the child does nothing but leave.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    // SAFETY: ends the child without running any handler.
                    unsafe { libc::_exit(0) };
                }
                assert!(pid > 0, "fork: {}", Errno::last());
                // SAFETY: waits for our own child; the status is not wanted.
                unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Storm { stop, forks, thread: Some(thread) }
    }

    fn end(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.forks.load(Ordering::Relaxed)
    }
}

#[test]
fn a_fork_storm_changes_no_byte() {
    const REPLIES: usize = 100_000;
    let _alone = alone();
    let content = noise(1, 20_000);
    let file = tmpfs_file(&content);
    let recorder = Recorder::default();
    let storm = Storm::start();
    for n in 0..REPLIES {
        // Crosses end of file each time at another place, so the length is known only late and is
        // never that of the reply before.
        let have = 1 + (n * 37) % 9000;
        let start = content.len() - have;
        let data = Vector::from_fd(file.as_fd(), Some(start as i64), have + 4096);
        let outcome = send_data(reply(&recorder, data, SplicePolicy::Always)).unwrap();
        assert_eq!(outcome, SendOutcome::Sent { len: have, spliced: true }, "reply {n}");
        assert_same(&recorder.take_one(), &expected(&content[start..]), &format!("reply {n}"));
    }
    let forks = storm.end();
    eprintln!("{forks} forks during {REPLIES} replies");
    assert!(forks > 100, "only {forks} forks: this has shown nothing");
}

#[test]
fn a_child_does_not_use_its_parents_pipe() {
    let _alone = alone();
    let content = noise(2, 50_000);
    let file = tmpfs_file(&content);
    let recorder = Recorder::default();
    let send = || {
        let data = Vector::from_fd(file.as_fd(), Some(0), 50_000);
        let outcome = send_data(reply(&recorder, data, SplicePolicy::Always));
        assert_eq!(outcome, Ok(SendOutcome::Sent { len: 50_000, spliced: true }));
        assert_same(&recorder.take_one(), &expected(&content), "reply");
        recorder.pipe.load(Ordering::Relaxed)
    };
    let ours = send();
    // SAFETY: the other test of this binary is not running, so no other thread holds a lock that
    // the child needs; the child leaves with _exit.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let same = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send() == ours));
        // SAFETY: ends the child without running any handler.
        unsafe {
            libc::_exit(match same {
                Ok(false) => 0,
                Ok(true) => 1,
                Err(_) => 2,
            })
        };
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call; `pid` is our own child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(libc::WEXITSTATUS(status), 0, "1: the parent's pipe was used; 2: it failed");
    assert_eq!(send(), ours, "the parent goes on with its own");
}

/// A caller's own I/O that passes pages on by reference and lets them be looked at much later.
struct Slow {
    reader: std::fs::File,
    writer: std::fs::File,
}

impl Channel for Slow {
    fn raw_fd(&self) -> RawFd {
        -1
    }
    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }
    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        Ok(nix::sys::uio::writev(&self.writer, message)?)
    }
    fn can_splice_in(&self) -> bool {
        false
    }
    fn can_splice_out(&self) -> bool {
        true
    }
    fn splice_in(&self, _: BorrowedFd<'_>, _: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, _: bool) -> Result<usize> {
        use ferrofuse::sys::splice::{SpliceFlags, splice};
        splice(pipe, None, self.writer.as_fd(), None, len, SpliceFlags::empty())
    }
    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::ENOSYS)
    }
}

#[test]
fn a_receiver_that_keeps_pages_sees_no_later_change() {
    let _alone = alone();
    let content = noise(3, 9000);
    let file = tmpfs_file(&content);
    let (reader, writer) = pipe_with(&[]);
    let big = nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20);
    nix::fcntl::fcntl(&writer, big).unwrap();
    let slow = Slow { reader, writer };
    let mut want = Vec::new();
    for n in 1..=20 {
        let mut memory = noise(n, 100);
        let segments = [memory_segment(&memory), file_segment(&file, Some(0), 400 * n)];
        let mut reply = reply(&slow, vector(&segments), SplicePolicy::Always);
        reply.synchronous = false;
        let len = 100 + 400 * n;
        assert_eq!(send_data(reply), Ok(SendOutcome::Sent { len, spliced: true }));
        let data = [&memory[..], &content[..400 * n]].concat();
        want.extend_from_slice(&expected(&data));
        memory.fill(0); // the caller may do as it likes now
    }
    let mut got = vec![0; want.len()];
    std::io::Read::read_exact(&mut &slow.reader, &mut got).unwrap();
    assert_same(&got, &want, "all messages, read in the end");
}
