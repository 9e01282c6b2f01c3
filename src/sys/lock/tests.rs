use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use super::*;

/// Forks; the child ends with what `child` returns, which must be true within five seconds.
fn in_fork(child: impl FnOnce() -> bool) {
    crate::sys::fork::generation();
    // SAFETY: the child runs what is under test and leaves with _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: ends the child, without the test program's own end.
        unsafe {
            libc::alarm(5);
            libc::_exit(i32::from(!child()));
        }
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call; `pid` is our own child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child's status");
}

#[test]
fn many_threads_count() {
    let sum = Arc::new(Mutex::new(0_u64));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let sum = sum.clone();
            thread::spawn(move || (0..20_000).for_each(|_| *sum.lock() += 1))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*sum.lock(), 80_000);
}

#[test]
fn a_limit_is_kept_and_what_is_free_is_had() {
    let lock = Mutex::new(());
    let guard = lock.lock();
    let start = Instant::now();
    thread::scope(|scope| {
        let other = scope.spawn(|| lock.try_lock_for(Duration::from_millis(20)).is_some());
        assert!(!other.join().unwrap());
    });
    assert!(start.elapsed() >= Duration::from_millis(20) && lock.try_lock().is_none());
    drop(guard);
    assert!(lock.try_lock_for(Duration::ZERO).is_some());
}

#[test]
fn a_ball_goes_to_and_fro() {
    let (ball, moved) = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        for side in 0..2 {
            let (ball, moved) = (&ball, &moved);
            scope.spawn(move || {
                for _ in 0..1_000 {
                    let mut at = ball.lock();
                    while *at % 2 != side {
                        moved.wait(&mut at);
                    }
                    *at += 1;
                    drop(at);
                    moved.notify_one();
                }
            });
        }
    });
    assert_eq!(*ball.lock(), 2_000);
}

#[test]
fn its_own_thread_locks_again() {
    let lock: ReentrantMutex<()> = ReentrantMutex::new(());
    let _outer = lock.lock();
    let _inner = lock.lock();
    thread::scope(|scope| assert!(scope.spawn(|| lock.try_lock().is_none()).join().unwrap()));
}

#[test]
fn a_child_does_not_wait_for_ever_for_a_thread_it_has_not() {
    let lock = Mutex::new(());
    let (held, done) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = lock.lock();
            held.wait();
            done.wait();
        });
        held.wait();
        in_fork(|| {
            std::panic::set_hook(Box::new(|_| {}));
            let refused = lock.try_lock_for(Duration::from_millis(1)).is_none();
            refused && catch_unwind(AssertUnwindSafe(|| drop(lock.lock()))).is_err()
        });
        done.wait();
    });
}

#[test]
fn a_child_waits_for_its_own_thread() {
    let lock = Arc::new(Mutex::new(0));
    in_fork(|| {
        let theirs = lock.clone();
        let mut guard = lock.lock();
        let other = thread::spawn(move || *theirs.lock() == 1);
        thread::sleep(Duration::from_millis(400));
        *guard = 1;
        drop(guard);
        other.join().is_ok_and(|seen| seen)
    });
}
