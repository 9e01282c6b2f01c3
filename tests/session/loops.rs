//! The loops on a channel that blocks: how they end, and that nothing keeps them.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ferrofuse::session::{Config, ExitPatience, LoopConfig, Session};

use crate::fake::{end, on_socket, on_socket_with};
use crate::ops::Scripted;
use crate::wire::{self, body, message, op};

const MULTI: LoopConfig = LoopConfig { clone_fd: false, max_idle_threads: None, max_threads: 10 };

/// The single-threaded loop, or one with this configuration.
type Kind = Option<LoopConfig>;

pub const KINDS: [Kind; 5] = [
    None,
    Some(MULTI),
    Some(LoopConfig { clone_fd: true, max_idle_threads: Some(0), max_threads: 10 }),
    Some(LoopConfig { clone_fd: false, max_idle_threads: Some(1), max_threads: 3 }),
    Some(LoopConfig { clone_fd: false, max_idle_threads: None, max_threads: 1 }),
];

pub fn run(session: &Arc<Session>, kind: Kind) -> i32 {
    match kind {
        None => session.run_single(),
        Some(config) => session.run_multi(config),
    }
}

/// The loop in a thread of its own; its result and when it came.
fn start(session: &Arc<Session>, kind: Kind) -> mpsc::Receiver<(i32, Instant)> {
    let (done, result) = mpsc::channel();
    let session = session.clone();
    thread::spawn(move || {
        let result = run(&session, kind);
        let _ = done.send((result, Instant::now()));
    });
    result
}

/// The loop's result, which must come within a second of `asked`.
fn ended(result: &mpsc::Receiver<(i32, Instant)>, asked: Instant) -> i32 {
    let (result, when) = result.recv_timeout(Duration::from_secs(10)).expect("the loop ends");
    let took = when.saturating_duration_since(asked);
    assert!(took < Duration::from_secs(1), "ended after {took:?}");
    result
}

/// Every way to ask for the end, in a loop that serves, idle or before its first request.
#[test]
fn two_hundred_rounds_end_in_time() {
    for kind in KINDS {
        for round in 0..200 {
            let (session, wire) = on_socket(Scripted::willing());
            if round % 8 == 7 {
                session.exit().request();
            }
            let result = start(&session, kind);
            if round % 8 < 6 {
                assert_eq!(wire.ask(&wire::init(2, 45, 0)).error, 0);
                assert_eq!(wire.ask(&wire::access(4)).error, 0);
            }
            if round % 2 == 0 {
                thread::sleep(Duration::from_micros(round * 7 % 400));
            }
            let asked = Instant::now();
            if round % 8 == 5 {
                // With a request that races against it.
                wire.send(&wire::access(6));
            }
            session.exit().request_with(if round % 3 == 0 { 15 } else { 0 });
            session.exit().request();
            let expected = if round % 3 == 0 { 15 } else { 0 };
            let expected = if round % 8 == 7 { [0, expected] } else { [expected; 2] };
            assert!(expected.contains(&ended(&result, asked)), "{kind:?}, round {round}");
            end(&session);
        }
    }
}

#[test]
fn a_loop_can_run_again_and_again_on_one_session() {
    for kind in KINDS {
        let (session, wire) = on_socket(Scripted::willing());
        for round in 0..50u64 {
            let result = start(&session, kind);
            if round == 0 {
                assert_eq!(wire.ask(&wire::init(2, 45, 0)).error, 0);
            }
            assert_eq!(wire.ask(&wire::access(4 + 2 * round)).error, 0);
            let asked = Instant::now();
            session.exit().request();
            assert_eq!(ended(&result, asked), 0);
            assert!(!session.exit().is_requested());
        }
        // Asked for between two loops, the second does not begin.
        session.exit().request_with(1);
        assert_eq!(run(&session, kind), 1);
        // The end of the connection ends the loop, however it is asked.
        drop(wire);
        assert_eq!(run(&session, kind), 0);
        end(&session);
    }
}

#[test]
fn a_handler_may_ask_for_the_end() {
    for kind in KINDS {
        let session_of: Arc<Mutex<Option<Arc<Session>>>> = Arc::default();
        let theirs = session_of.clone();
        let ops = Scripted::new(move |_, req| {
            theirs.lock().unwrap().as_ref().unwrap().exit().request_with(7);
            Some(req)
        });
        let (session, wire) = on_socket(ops);
        *session_of.lock().unwrap() = Some(session.clone());
        let result = start(&session, kind);
        wire.ask(&wire::init(2, 45, 0));
        let asked = Instant::now();
        assert_eq!(wire.ask(&wire::access(4)).error, 0, "answered all the same");
        assert_eq!(ended(&result, asked), 7);
        session_of.lock().unwrap().take();
        end(&session);
    }
}

/// A handler that never returns is waited for as long as its request deserves, and the loop then
/// returns; whoever replies later finds nobody.
#[test]
fn a_handler_that_never_returns_does_not_keep_the_loop() {
    let exit_patience =
        ExitPatience { reading: Duration::from_millis(150), changing: Duration::from_millis(600) };
    for (request, least) in [
        (wire::access(4), exit_patience.reading),
        (message(op::UNLINK, 4, 1, body().name("x")), exit_patience.changing),
    ] {
        let (entered, inside) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let (late, replied) = mpsc::channel();
        let released = Mutex::new(released);
        let ops = Scripted::new(move |name, req| {
            if name == "init" || name == "destroy" {
                return Some(req);
            }
            entered.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
            late.send(req.reply_ok()).unwrap();
            None
        });
        let config = Config { exit_patience, ..Config::default() };
        let (session, wire) = on_socket_with(ops, config);
        let result = start(&session, Some(MULTI));
        wire.ask(&wire::init(2, 45, 0));
        wire.send(&request);
        inside.recv().unwrap();
        let asked = Instant::now();
        session.exit().request_with(15);
        let (code, when) = result.recv_timeout(Duration::from_secs(10)).expect("the loop ends");
        let took = when - asked;
        assert_eq!(code, 15);
        assert!(took >= least && took < least + Duration::from_secs(1), "after {took:?}");
        end(&session);
        let left = Arc::downgrade(&session);
        drop(session);
        release.send(()).unwrap();
        assert!(replied.recv_timeout(Duration::from_secs(5)).unwrap().is_err());
        // Its thread ends by itself, and with it what it held.
        let deadline = Instant::now() + Duration::from_secs(5);
        while left.strong_count() > 0 {
            assert!(Instant::now() < deadline, "the worker is still there");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

static TARGET: AtomicPtr<Session> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn on_signal(signal: libc::c_int) {
    // SAFETY: the target is a session that its test keeps alive while it is set.
    if let Some(session) = unsafe { TARGET.load(Ordering::SeqCst).as_ref() } {
        session.exit().request_with(signal);
    }
}

/// Makes a signal call `handler`, restarting system calls, which is the harder case.
fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: zeros are a valid sigaction, and the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}

#[test]
fn a_signal_handler_may_ask_for_the_end() {
    let signal = libc::SIGUSR1;
    handle(signal, on_signal);
    for kind in KINDS {
        for round in 0..40 {
            let (session, wire) = on_socket(Scripted::willing());
            TARGET.store(Arc::as_ptr(&session).cast_mut(), Ordering::SeqCst);
            let (thread_of, thread) = mpsc::channel();
            let (done, result) = mpsc::channel();
            let theirs = session.clone();
            thread::spawn(move || {
                // SAFETY: no preconditions.
                thread_of.send(unsafe { libc::pthread_self() }).unwrap();
                done.send((run(&theirs, kind), Instant::now())).unwrap();
            });
            let thread = thread.recv().unwrap();
            if round % 2 == 0 {
                wire.ask(&wire::init(2, 45, 0));
            }
            let asked = Instant::now();
            if round % 4 < 2 {
                // To the loop's own thread: the read it interrupts is its own.
                // SAFETY: the thread runs until its loop has been ended by this.
                unsafe { libc::pthread_kill(thread, signal) };
            } else {
                // SAFETY: no preconditions.
                unsafe { libc::kill(libc::getpid(), signal) };
            }
            assert_eq!(ended(&result, asked), signal, "{kind:?}, round {round}");
            TARGET.store(std::ptr::null_mut(), Ordering::SeqCst);
            end(&session);
        }
    }
}

#[test]
fn asking_for_the_end_leaves_errno_alone() {
    let (session, _wire) = on_socket(Scripted::willing());
    // SAFETY: errno is this thread's own.
    let errno = |value: Option<i32>| unsafe {
        let place = libc::__errno_location();
        value.inspect(|value| *place = *value);
        *place
    };
    for kind in [None, Some(MULTI)] {
        let result = start(&session, kind);
        thread::sleep(Duration::from_millis(5));
        errno(Some(12345));
        session.exit().request();
        assert_eq!(errno(None), 12345);
        ended(&result, Instant::now());
    }
    end(&session);
}

/// Foreign signals and requests in flight: nothing is lost, nothing ends.
#[test]
fn interrupted_reads_are_no_end() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: zeros are a valid sigaction; without SA_RESTART, so that reads return EINTR.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as libc::sighandler_t;
        libc::sigaction(libc::SIGURG, &action, std::ptr::null_mut());
    }
    for kind in KINDS {
        let (session, wire) = on_socket(Scripted::willing());
        let result = start(&session, kind);
        wire.ask(&wire::init(2, 45, 0));
        for n in 2..300u64 {
            // SAFETY: no preconditions.
            unsafe { libc::kill(libc::getpid(), libc::SIGURG) };
            assert_eq!(wire.ask(&wire::access(2 * n)).unique, 2 * n);
        }
        session.exit().request();
        assert_eq!(ended(&result, Instant::now()), 0);
        end(&session);
    }
}

/// A filesystem whose handlers block for names, not for other requests.
fn blocking() -> (Scripted, mpsc::Sender<()>, Arc<AtomicUsize>) {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let blocked = Arc::new(AtomicUsize::new(0));
    let theirs = blocked.clone();
    let ops = Scripted::new(move |name, req| {
        if name == "lookup" {
            theirs.fetch_add(1, Ordering::SeqCst);
            let _ = gate.lock().unwrap().recv();
        }
        Some(req)
    });
    (ops, release, blocked)
}

#[test]
fn blocked_handlers_stall_nobody_else() {
    for idle in [None, Some(0), Some(1)] {
        let (ops, release, blocked) = blocking();
        let (session, wire) = on_socket(ops);
        let config = LoopConfig { max_idle_threads: idle, ..MULTI };
        let result = start(&session, Some(config));
        wire.ask(&wire::init(2, 45, 0));
        // Nine of ten workers block; one is left to serve.
        for n in 1..10u64 {
            wire.send(&message(op::LOOKUP, 1000 + 2 * n, 1, body().name("n")));
        }
        for n in 2..200u64 {
            assert_eq!(wire.ask(&wire::access(2 * n)).unique, 2 * n, "{idle:?}");
        }
        while blocked.load(Ordering::SeqCst) < 9 {
            thread::sleep(Duration::from_millis(1));
        }
        (0..9).for_each(|_| release.send(()).unwrap());
        let mut late: Vec<u64> =
            (0..9).map(|_| wire.receive(Duration::from_secs(5)).unwrap().unique).collect();
        late.sort_unstable();
        assert_eq!(late, (1..10).map(|n| 1000 + 2 * n).collect::<Vec<_>>());
        let asked = Instant::now();
        session.exit().request();
        assert_eq!(ended(&result, asked), 0);
        end(&session);
    }
}

/// Workers come and go all the time; there must always be one that reads.
#[test]
fn workers_that_leave_never_leave_nobody() {
    for (idle, most) in [(0, 2), (1, 2), (1, 3), (2, 4)] {
        let (session, wire) = on_socket(Scripted::willing());
        let config =
            LoopConfig { clone_fd: false, max_idle_threads: Some(idle), max_threads: most };
        let result = start(&session, Some(config));
        wire.ask(&wire::init(2, 45, 0));
        for burst in 0..400u64 {
            let ids: Vec<u64> = (0..4).map(|n| 4 + 2 * (4 * burst + n)).collect();
            ids.iter().for_each(|id| wire.send(&wire::access(*id)));
            let mut answered: Vec<u64> = (ids.iter())
                .map(|_| wire.receive(Duration::from_secs(5)).expect("nobody reads").unique)
                .collect();
            answered.sort_unstable();
            assert_eq!(answered, ids);
        }
        session.exit().request();
        assert_eq!(ended(&result, Instant::now()), 0);
        end(&session);
    }
}

#[test]
fn the_single_loop_never_runs_two_handlers_at_once() {
    let running = Arc::new(AtomicUsize::new(0));
    let theirs = running.clone();
    let ops = Scripted::new(move |_, req| {
        assert_eq!(theirs.fetch_add(1, Ordering::SeqCst), 0);
        thread::yield_now();
        theirs.fetch_sub(1, Ordering::SeqCst);
        Some(req)
    });
    let (session, wire) = on_socket(ops);
    let result = start(&session, None);
    wire.ask(&wire::init(2, 45, 0));
    (2..200u64).for_each(|n| wire.send(&wire::access(2 * n)));
    let answers = (2..200).map(|_| wire.receive(Duration::from_secs(5)).unwrap());
    assert!(answers.map(|answer| answer.unique).eq((2..200).map(|n| 2 * n)), "in order");
    session.exit().request();
    assert_eq!(ended(&result, Instant::now()), 0);
    end(&session);
}

#[test]
fn a_session_without_a_channel_does_not_run() {
    use ferrofuse::session::Config;
    let session = Session::new(Box::new(Scripted::willing()), Config::default());
    for kind in KINDS {
        assert_eq!(run(&session, kind), -libc::EBADF);
    }
}
