//! INTERRUPT: before its target, during, after; callbacks set, replaced and answering themselves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ferrofuse::Errno;
use ferrofuse::session::{Handle, Peek, Request};

use crate::fake::Kernel;
use crate::ops::Scripted;
use crate::wire::{self, Answer};

/// Requests, and whether they were interrupted when they came.
type Held = Arc<Mutex<Vec<(Handle, bool)>>>;

/// A filesystem that keeps requests.
fn holder() -> (Kernel, Held) {
    let held = Held::default();
    let theirs = held.clone();
    let ops = Scripted::new(move |_, req| {
        let interrupted = req.is_interrupted();
        theirs.lock().unwrap().push((req.into_handle(), interrupted));
        None
    });
    (Kernel::started(ops, 45), held)
}

fn answer(handle: Handle) {
    Request::claim(handle).unwrap().reply_ok().unwrap();
}

fn again(target: u64) -> Answer {
    Answer { unique: target | 1, error: -libc::EAGAIN, payload: vec![] }
}

fn count_calls(peek: &Peek) -> Arc<AtomicUsize> {
    let calls = Arc::new(AtomicUsize::new(0));
    let theirs = calls.clone();
    peek.set_interrupt_callback(Some(Arc::new(move || {
        theirs.fetch_add(1, Ordering::SeqCst);
    })));
    calls
}

#[test]
fn a_request_in_flight_is_marked_and_its_callback_runs() {
    let (kernel, held) = holder();
    kernel.ask(&wire::access(4));
    kernel.ask(&wire::access(6));
    let [(four, _), (six, _)] = held.lock().unwrap()[..] else { panic!() };
    let (peek, other) = (Peek::new(four).unwrap(), Peek::new(six).unwrap());
    let (calls, others) = (count_calls(&peek), count_calls(&other));
    assert_eq!(kernel.ask(&wire::interrupt(4)), []);
    assert!(peek.is_interrupted() && !other.is_interrupted());
    assert_eq!((calls.load(Ordering::SeqCst), others.load(Ordering::SeqCst)), (1, 0));
    // Set on a request that was interrupted before, it runs at once.
    assert_eq!(count_calls(&peek).load(Ordering::SeqCst), 1);
    peek.set_interrupt_callback(None);
    answer(four);
    answer(six);
    assert_eq!(kernel.answers().len(), 2);
}

#[test]
fn an_interrupt_may_overtake_its_target() {
    let (kernel, held) = holder();
    assert_eq!(kernel.ask(&wire::interrupt(8)), []);
    assert_eq!(kernel.ask(&wire::access(8)), []);
    let (handle, interrupted) = held.lock().unwrap()[0];
    assert!(interrupted);
    answer(handle);
    // It was used up.
    assert_eq!(kernel.answers().len(), 1);
    assert_eq!(kernel.ask(&wire::access(10)), []);
    assert!(!held.lock().unwrap()[1].1);
}

#[test]
fn stale_interrupts_are_asked_for_again_one_by_one() {
    let (kernel, held) = holder();
    kernel.ask(&wire::access(4));
    answer(held.lock().unwrap().pop().unwrap().0);
    kernel.answers();
    assert_eq!(kernel.ask(&wire::interrupt(4)), []);
    assert_eq!(kernel.ask(&wire::interrupt(40)), []);
    assert_eq!(kernel.ask(&wire::access(6)), [again(4)]);
    assert_eq!(kernel.ask(&wire::access(8)), [again(40)]);
    assert_eq!(kernel.ask(&wire::access(10)), []);
    assert!(held.lock().unwrap().iter().all(|(_, interrupted)| !interrupted));
    // The kernel repeats the one whose target is on its way.
    assert_eq!(kernel.ask(&wire::interrupt(40)), []);
    assert_eq!(kernel.ask(&wire::access(40)), []);
    assert!(held.lock().unwrap().last().unwrap().1);
}

#[test]
fn interrupts_are_for_one_session_and_for_requests_that_wait() {
    let (kernel, _held) = holder();
    let (other, others) = holder();
    kernel.ask(&wire::access(4));
    other.ask(&wire::access(4));
    kernel.ask(&wire::interrupt(4));
    assert!(!Peek::new(others.lock().unwrap()[0].0).unwrap().is_interrupted());

    // The answer to a retrieve notification has an id of this side's choice, here 2; a forget has
    // none that anybody waits for.
    let (kernel, held) = holder();
    for cookie in [1, 2] {
        kernel.session.notify_retrieve(5, 1, 0, cookie).unwrap();
    }
    kernel.answers();
    let head = wire::body().u64s(&[0, 0]).u32s(&[0, 0]).u64s(&[0, 0]);
    let reply = wire::message(wire::op::NOTIFY_REPLY, 2, 5, head);
    kernel.ask(&wire::interrupt(2));
    // Not what it is for: asked for again.
    assert_eq!(kernel.ask(&reply), [again(2)]);
    let (first, interrupted) = held.lock().unwrap()[0];
    assert!(!interrupted);
    assert_eq!(kernel.ask(&wire::access(2)), []);
    kernel.ask(&wire::interrupt(2));
    assert!(!Peek::new(first).unwrap().is_interrupted());
    assert!(Peek::new(held.lock().unwrap()[1].0).unwrap().is_interrupted());
    Request::claim(first).unwrap().finish();
}

#[test]
fn a_callback_may_answer_its_own_request_and_set_another() {
    let (kernel, held) = holder();
    kernel.ask(&wire::access(4));
    let (handle, _) = held.lock().unwrap()[0];
    Peek::new(handle).unwrap().set_interrupt_callback(Some(Arc::new(move || {
        let peek = Peek::new(handle).unwrap();
        peek.set_interrupt_callback(None);
        Request::claim(handle).unwrap().reply_error(Errno::EINTR).unwrap();
        // Answered: nothing happens.
        peek.set_interrupt_callback(Some(Arc::new(|| panic!("of an answered request"))));
    })));
    let answers = kernel.ask(&wire::interrupt(4));
    assert_eq!(answers, [Answer { unique: 4, error: -libc::EINTR, payload: vec![] }]);
    // The slot's next request knows nothing of it.
    kernel.ask(&wire::access(6));
    assert_eq!(kernel.ask(&wire::interrupt(6)), []);
}

#[test]
fn a_panicking_callback_harms_nobody() {
    let (kernel, held) = holder();
    kernel.ask(&wire::access(4));
    let (handle, _) = held.lock().unwrap()[0];
    let peek = Peek::new(handle).unwrap();
    peek.set_interrupt_callback(Some(Arc::new(|| std::panic::resume_unwind(Box::new(())))));
    assert_eq!(kernel.ask(&wire::interrupt(4)), []);
    peek.set_interrupt_callback(None);
    answer(handle);
    assert_eq!(kernel.answers().len(), 1);
}

/// Once `set_interrupt_callback` has returned, the former callback's data may be freed.
#[test]
fn replacing_waits_for_a_callback_that_runs() {
    let (kernel, held) = holder();
    kernel.ask(&wire::access(4));
    let peek = Peek::new(held.lock().unwrap()[0].0).unwrap();
    let (started, has_started) = mpsc::channel();
    let finished = Arc::new(AtomicUsize::new(0));
    let theirs = finished.clone();
    peek.set_interrupt_callback(Some(Arc::new(move || {
        let _ = started.send(());
        std::thread::sleep(Duration::from_millis(50));
        theirs.store(1, Ordering::SeqCst);
    })));
    std::thread::scope(|scope| {
        scope.spawn(|| kernel.ask(&wire::interrupt(4)));
        has_started.recv().unwrap();
        peek.set_interrupt_callback(None);
        assert_eq!(finished.load(Ordering::SeqCst), 1);
    });
}

/// Each request is interrupted while two threads read and answer: every interrupt reaches its
/// target while that is in flight, or is asked for again.
#[test]
fn no_interrupt_is_lost_between_threads() {
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let theirs = seen.clone();
    let ops = Scripted::new(move |_, req| {
        for _ in 0..20 {
            if req.is_interrupted() {
                theirs.lock().unwrap().push(req.unique());
                break;
            }
            std::thread::yield_now();
        }
        Some(req)
    });
    let kernel = Kernel::started(ops, 45);
    const ROUNDS: u64 = 3000;
    let process = |message: Vec<u8>| {
        let message = ferrofuse::session::Message::in_memory(&message);
        kernel.session.process(message, &kernel.channel);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (2..ROUNDS).for_each(|n| process(wire::access(2 * n))));
        scope.spawn(|| (2..ROUNDS).for_each(|n| process(wire::interrupt(2 * n))));
    });
    // Flush what is still queued.
    (0..ROUNDS).for_each(|n| process(wire::access(100_000 + 2 * n)));
    let answers = kernel.answers();
    let mut heard: Vec<u64> = (answers.iter().filter(|a| a.unique % 2 == 1))
        .inspect(|a| assert_eq!(a.error, -libc::EAGAIN))
        .map(|a| a.unique & !1)
        .collect();
    let repeated = heard.len();
    heard.append(&mut seen.lock().unwrap());
    heard.sort_unstable();
    heard.dedup();
    let answered = answers.iter().filter(|a| a.unique % 2 == 0).count() as u64;
    assert_eq!(answered, ROUNDS - 2 + ROUNDS);
    // One that found its target just after its last look changed nothing but the mark. Whatever was
    // heard of was asked for, and not both answered and asked for again for ever.
    assert!(heard.iter().all(|unique| (4..2 * ROUNDS).contains(unique)), "{heard:?}");
    assert!(repeated as u64 <= ROUNDS);
    // Nothing is left over: the next request hears of no interrupt.
    process(wire::access(200_000));
    assert_eq!(kernel.answers().len(), 1);
}
