//! Handlers that panic, forget to answer, answer twice, or hold on to what is gone.

use std::panic;
use std::sync::{Arc, Mutex, Once};

use ferrofuse::Errno;
use ferrofuse::session::{Handle, Misuse, Peek, Request};

use crate::catalogue::samples;
use crate::fake::Kernel;
use crate::ops::Scripted;
use crate::wire::{self, Answer, body, message, op};

/// Panics that the tests want are not worth a backtrace each.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"wanted") {
                usual(info);
            }
        }));
    });
}

fn eio(unique: u64) -> [Answer; 1] {
    [Answer { unique, error: -libc::EIO, payload: vec![] }]
}

/// What each sample is answered, by a filesystem that treats every request like this.
fn each_is_answered_eio(act: impl Fn(Request) + Send + Sync + 'static) {
    let ops = Scripted::new(move |_, req| {
        act(req);
        None
    });
    let kernel = Kernel::started(ops, 45);
    for sample in samples(45) {
        let answers = kernel.ask(&message(sample.opcode, 6, 5, sample.body));
        let expected = if sample.answer.is_some() { eio(6).to_vec() } else { vec![] };
        assert_eq!(answers, expected, "opcode {}", sample.opcode);
    }
}

#[test]
fn a_panic_in_any_method_is_answered_eio() {
    quiet_panics();
    each_is_answered_eio(|_req| panic!("wanted"));
}

#[test]
fn a_panic_after_the_request_was_given_out_is_answered_eio() {
    quiet_panics();
    each_is_answered_eio(|req| {
        let _handle = req.into_handle();
        panic!("wanted");
    });
}

#[test]
fn a_request_dropped_anywhere_is_answered_eio() {
    each_is_answered_eio(drop);
}

#[test]
fn a_panic_after_the_answer_changes_nothing() {
    quiet_panics();
    let ops = Scripted::new(|_, req| {
        req.reply_error(Errno::ENOTDIR).unwrap();
        panic!("wanted");
    });
    let kernel = Kernel::started(ops, 45);
    let answers = kernel.ask(&wire::access(6));
    assert_eq!(answers, [Answer { unique: 6, error: -libc::ENOTDIR, payload: vec![] }]);
}

#[test]
fn a_panicking_init_ends_the_session() {
    use ferrofuse::session::caps::{ConnInfo, Features};
    struct Bad(bool);
    impl ferrofuse::session::LowLevelOps for Bad {
        fn features(&self) -> Features {
            if self.0 { panic!("wanted") } else { Features::empty() }
        }
        fn init(&self, _: &mut ConnInfo) {
            panic!("wanted");
        }
        fn destroy(&self) {
            panic!("wanted");
        }
    }
    quiet_panics();
    for in_features in [false, true] {
        let kernel = Kernel::new(Bad(in_features));
        assert_eq!(kernel.ask(&wire::init(2, 45, 0)), eio(2));
        if !in_features {
            assert_eq!(kernel.session.exit().result(), -libc::EIO);
        }
    }
}

/// A filesystem that gives each request out as a handle.
fn holder() -> (Kernel, Arc<Mutex<Vec<Handle>>>) {
    let handles: Arc<Mutex<Vec<Handle>>> = Arc::default();
    let theirs = handles.clone();
    let ops = Scripted::new(move |_, req| {
        theirs.lock().unwrap().push(req.into_handle());
        None
    });
    (Kernel::started(ops, 45), handles)
}

fn is_refused(handle: Handle) {
    assert_eq!(Request::claim(handle).err(), Some(Misuse::NotPending));
    assert_eq!(Peek::new(handle).err(), Some(Misuse::NotPending));
}

#[test]
fn only_the_first_answer_counts() {
    let (kernel, handles) = holder();
    assert_eq!(kernel.ask(&wire::access(6)), []);
    let handle = handles.lock().unwrap()[0];
    assert!(Peek::new(handle).is_ok());
    Request::claim(handle).unwrap().reply_ok().unwrap();
    assert_eq!(kernel.answers().len(), 1);
    for _ in 0..3 {
        is_refused(handle);
    }
    // The slot serves others meanwhile; the old name means none of them.
    for unique in 0..100 {
        kernel.ask(&wire::access(8 + 2 * unique));
        is_refused(handle);
    }
    for handle in handles.lock().unwrap().drain(1..) {
        Request::claim(handle).unwrap().reply_ok().unwrap();
        is_refused(handle);
    }
    assert_eq!(kernel.answers().len(), 100);
}

#[test]
fn of_many_threads_one_may_answer() {
    let (kernel, handles) = holder();
    for round in 0..200 {
        kernel.ask(&wire::access(4 + 2 * round));
        let handle = handles.lock().unwrap().pop().unwrap();
        let wins: usize = std::thread::scope(|scope| {
            let race = || {
                let claimed = Request::claim(handle);
                usize::from(claimed.map(|req| req.reply_ok().unwrap()).is_ok())
            };
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(race)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!((wins, kernel.answers().len()), (1, 1));
    }
}

#[test]
fn numbers_that_were_never_handles_are_refused() {
    assert_eq!(Request::claim(Handle::from_raw(0)).err(), Some(Misuse::Null));
    assert_eq!(Peek::new(Handle::from_raw(0)).err(), Some(Misuse::Null));
    let (kernel, handles) = holder();
    kernel.ask(&wire::access(6));
    let good = handles.lock().unwrap()[0].to_raw();
    // Another generation of the same slot, a neighbour, unaligned, nonsense.
    let slots = 1usize << 24;
    let near = [good + slots, good.wrapping_sub(slots), good + 1, good ^ 8, !good, good | 1 << 63];
    let wild = (0..10_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize);
    for raw in near.into_iter().chain([1, 8, 16, usize::MAX, 0xdead_beef]).chain(wild) {
        if raw != good && raw != 0 {
            is_refused(Handle::from_raw(raw));
        }
    }
    Request::claim(Handle::from_raw(good)).unwrap().reply_ok().unwrap();
}

#[test]
fn handles_end_with_their_session() {
    let (kernel, handles) = holder();
    let (other, _others) = holder();
    for unique in [4, 6, 8] {
        kernel.ask(&wire::access(unique));
        other.ask(&wire::access(unique));
    }
    kernel.session.destroy();
    for handle in handles.lock().unwrap().drain(..) {
        is_refused(handle);
    }
    assert_eq!(kernel.answers(), []);
    // Those of another session do not.
    for handle in _others.lock().unwrap().drain(..) {
        Request::claim(handle).unwrap().reply_ok().unwrap();
    }
    assert_eq!(other.answers().len(), 3);
}

/// A session, and its channel, must go when its user is done with it, whatever was under way.
#[test]
fn an_ended_session_is_not_kept_alive() {
    for held in [false, true] {
        let kept: Arc<Mutex<Vec<Request>>> = Arc::default();
        let theirs = kept.clone();
        let ops = Scripted::new(move |_, req| {
            theirs.lock().unwrap().push(req);
            None
        });
        let kernel = Kernel::started(ops, 45);
        kernel.ask(&wire::access(4));
        kernel.ask(&wire::access(6));
        if !held {
            kept.lock().unwrap().clear();
        }
        let session = Arc::downgrade(&kernel.session);
        let channel = Arc::downgrade(&kernel.channel);
        drop(kernel);
        // A request still in somebody's hands is answered to nobody, and is the last to let go.
        for req in kept.lock().unwrap().drain(..) {
            assert_eq!(req.reply_ok(), Err(Errno::ENODEV));
        }
        assert_eq!(session.strong_count(), 0, "held: {held}");
        assert_eq!(channel.strong_count(), 0, "held: {held}");
    }
}

#[test]
fn answers_racing_with_the_end_leave_nothing_behind() {
    for _ in 0..300 {
        let (kernel, handles) = holder();
        for unique in 2..10 {
            kernel.ask(&wire::access(2 * unique));
        }
        let session = Arc::downgrade(&kernel.session);
        let channel = Arc::downgrade(&kernel.channel);
        let handles = std::mem::take(&mut *handles.lock().unwrap());
        let answering = std::thread::spawn(move || {
            for handle in handles {
                // Answered or refused, as the race goes.
                let _ = Request::claim(handle).map(Request::reply_ok);
            }
        });
        drop(kernel);
        answering.join().unwrap();
        assert_eq!((session.strong_count(), channel.strong_count()), (0, 0));
    }
}

#[test]
fn each_forget_of_a_batch_can_have_a_request_of_its_own() {
    let seen: Arc<Mutex<Vec<(u64, u32)>>> = Arc::default();
    let theirs = seen.clone();
    let ops = Scripted::new(move |_, req| {
        let companions: Vec<Request> = (0..5).map(|_| req.companion().unwrap()).collect();
        let handle = req.into_handle();
        for companion in companions {
            theirs.lock().unwrap().push((companion.unique(), companion.context().uid()));
            let handle = companion.into_handle();
            Request::claim(handle).unwrap().finish();
            is_refused(handle);
        }
        // An answer where none is taken ends the request all the same, and sends nothing.
        Request::claim(handle).unwrap().reply_ok().unwrap();
        is_refused(handle);
        None
    });
    let kernel = Kernel::started(ops, 45);
    let forgets = body().u32s(&[2, 0]).u64s(&[7, 1, 8, 2]);
    assert_eq!(kernel.ask(&message(op::BATCH_FORGET, 6, 0, forgets)), []);
    assert_eq!(*seen.lock().unwrap(), [(0, 1001); 5]);
}

#[test]
fn an_answer_that_the_device_refuses_becomes_eio() {
    let told = Arc::new(Mutex::new(None));
    let tell = told.clone();
    let kernel = Kernel::started(
        Scripted::new(move |_, req| {
            *tell.lock().unwrap() = Some(req.reply_bytes(b"target"));
            None
        }),
        45,
    );
    for error in [Errno::EINVAL, Errno::EFAULT, Errno::ENOMEM] {
        kernel.refuse_next(error);
        assert_eq!(kernel.ask(&message(op::READLINK, 6, 5, body())), eio(6));
        assert_eq!(told.lock().unwrap().take(), Some(Err(error)));
    }
    // These say that nobody waits for it.
    for error in [Errno::ENOENT, Errno::ENODEV] {
        kernel.refuse_next(error);
        assert_eq!(kernel.ask(&message(op::READLINK, 8, 5, body())), []);
        assert_eq!(told.lock().unwrap().take(), Some(Err(error)));
    }
}

#[test]
fn nothing_is_sent_for_unique_zero() {
    let kernel = Kernel::new(Scripted::willing());
    // Before INIT, with a body that is cut, and of the wrong length: each is declined elsewhere.
    assert_eq!(kernel.ask(&message(op::READLINK, 0, 5, body())), []);
    let kernel = Kernel::started(Scripted::willing(), 45);
    assert_eq!(kernel.ask(&message(op::OPEN, 0, 5, body().bytes(&[0; 3]))), []);
    let mut long = message(op::READLINK, 0, 5, body());
    long.push(0);
    assert_eq!(kernel.ask(&long), []);
}
