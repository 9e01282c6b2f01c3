//! What a loop costs and leaves behind, each measured in a process of its own.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ferrofuse::session::LoopConfig;
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};

use crate::fake::{end, on_socket};
use crate::loops::{KINDS, run};
use crate::ops::Scripted;
use crate::wire;

/// Set in the process that a test starts to run its body in.
const CHILD: &str = "FERROFUSE_TEST_CHILD";

/// Runs `body` in a fresh process; `test` is the name of the calling test.
fn alone(test: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        body();
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "no such test: {text}");
}

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn loops_leave_no_thread_and_no_descriptor() {
    alone("process::loops_leave_no_thread_and_no_descriptor", &[], || {
        let round = || {
            for kind in KINDS {
                let (session, wire) = on_socket(Scripted::willing());
                thread::scope(|scope| {
                    let looping = scope.spawn(|| run(&session, kind));
                    wire.ask(&wire::init(2, 45, 0));
                    (2..20u64).for_each(|n| wire.send(&wire::access(2 * n)));
                    (2..20).for_each(|_| {
                        wire.receive(Duration::from_secs(5)).unwrap();
                    });
                    session.exit().request();
                    assert_eq!(looping.join().unwrap(), 0);
                });
                end(&session);
            }
        };
        // A joined thread may be seen for a moment longer.
        let settled = || {
            let deadline = Instant::now() + Duration::from_secs(2);
            while count("/proc/self/task") > 2 && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            (count("/proc/self/task"), count("/proc/self/fd"))
        };
        round();
        let before = settled();
        (0..40).for_each(|_| round());
        assert_eq!(settled(), before);
    });
}

#[test]
fn an_idle_loop_costs_no_time() {
    alone("process::an_idle_loop_costs_no_time", &[], || {
        for kind in KINDS {
            let (session, wire) = on_socket(Scripted::willing());
            thread::scope(|scope| {
                let looping = scope.spawn(|| run(&session, kind));
                wire.ask(&wire::init(2, 45, 0));
                wire.ask(&wire::access(4));
                thread::sleep(Duration::from_millis(20));
                let used = || {
                    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                    let switches = usage.voluntary_context_switches();
                    let time = |t: nix::sys::time::TimeVal| t.tv_sec() * 1_000_000 + t.tv_usec();
                    (time(usage.user_time()) + time(usage.system_time()), switches)
                };
                let before = used();
                thread::sleep(Duration::from_secs(1));
                let after = used();
                session.exit().request();
                assert_eq!(looping.join().unwrap(), 0);
                let (time, switches) = (after.0 - before.0, after.1 - before.1);
                assert!(time < 2000 && switches < 10, "{kind:?}: {time} us, {switches} wake-ups");
            });
            end(&session);
        }
    });
}

/// Serves requests under every kind of loop and ends them; both must work.
fn serves_and_ends() {
    for kind in KINDS {
        let (session, wire) = on_socket(Scripted::willing());
        thread::scope(|scope| {
            let looping = scope.spawn(|| run(&session, kind));
            wire.ask(&wire::init(2, 45, 0));
            (2..100u64).for_each(|n| assert_eq!(wire.ask(&wire::access(2 * n)).unique, 2 * n));
            thread::sleep(Duration::from_millis(20));
            let asked = Instant::now();
            session.exit().request();
            assert_eq!(looping.join().unwrap(), 0);
            assert!(asked.elapsed() < Duration::from_secs(1));
        });
        end(&session);
    }
}

#[test]
fn an_impossible_stack_size_is_not_the_end() {
    let test = "process::an_impossible_stack_size_is_not_the_end";
    for size in ["1", "17", "1000000000000000", "18446744073709551615", "much"] {
        alone(test, &[("FUSE_THREAD_STACK", size)], serves_and_ends);
    }
}

/// How much memory the process has mapped, in bytes.
fn mapped() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

/// No room for another stack from the start, or after the first worker.
#[test]
fn without_more_threads_requests_are_still_served() {
    // A process for each: the C library keeps the stacks of threads that ended.
    for case in 0..2 * KINDS.len() {
        let test = "process::without_more_threads_requests_are_still_served";
        alone(test, &[("CASE", &case.to_string())], || {
            let case: usize = std::env::var("CASE").unwrap().parse().unwrap();
            serves_with_room_for(case / KINDS.len(), KINDS[case % KINDS.len()]);
        });
    }
}

fn serves_with_room_for(workers: usize, kind: Option<LoopConfig>) {
    let stack = ferrofuse::sys::stack::default_size() as u64;
    let (session, wire) = on_socket(Scripted::willing());
    let (mut answers, mut threads) = (Vec::new(), 0);
    let (there, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    let wait_for = |flag: &AtomicBool| {
        while !flag.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    };
    let (result, asked) = thread::scope(|scope| {
        let looping = scope.spawn(|| {
            // The allocator maps much for a thread's first allocation, and gives most of it back.
            drop(std::hint::black_box(vec![0u8; 1000]));
            there.store(true, Ordering::SeqCst);
            wait_for(&ready);
            run(&session, kind)
        });
        wait_for(&there);
        let room = mapped() + stack * workers as u64 + stack / 2 + (3 << 20);
        setrlimit(Resource::RLIMIT_AS, room, nix::libc::RLIM_INFINITY).unwrap();
        ready.store(true, Ordering::SeqCst);
        wire.send(&wire::init(2, 45, 0));
        (2..100u64).for_each(|n| wire.send(&wire::access(2 * n)));
        answers.extend((1..100).map_while(|_| wire.receive(Duration::from_secs(5))));
        threads = count("/proc/self/task");
        let asked = Instant::now();
        session.exit().request();
        (looping.join().unwrap(), asked.elapsed())
    });
    end(&session);
    assert_eq!(answers.len(), 99);
    assert!(answers.iter().all(|answer| answer.error == 0));
    // The harness has two, and one runs the loop; how many more fit into the room for one and a half
    // depends on what the C library has mapped and can give back.
    assert!(workers > 0 || threads <= 3, "{threads} threads");
    assert_eq!(result, 0);
    assert!(asked < Duration::from_secs(1));
}
