//! Every opcode, as kernels of every age send it.

use ferrofuse::session::Config;

use crate::catalogue::samples;
use crate::fake::Kernel;
use crate::ops::Scripted;
use crate::wire::{self, Answer, body, message, op};

const MINORS: &[u32] = &[3, 4, 6, 7, 8, 9, 11, 12, 13, 15, 21, 23, 31, 36, 45, 60];

#[test]
fn every_opcode_becomes_its_call_and_answer() {
    for &minor in MINORS {
        let ops = Scripted::willing();
        let kernel = Kernel::started(ops.clone(), minor);
        assert_eq!(ops.take_calls(), [format!("init {minor}")]);
        for (at, sample) in samples(minor).into_iter().enumerate() {
            let unique = 4 + 2 * at as u64;
            let what = format!("opcode {} of minor {minor}", sample.opcode);
            let answers = kernel.ask(&message(sample.opcode, unique, 5, sample.body));
            assert_eq!(ops.take_calls(), Vec::from_iter(sample.call), "{what}");
            match (sample.answer, &*answers) {
                (None, []) => {}
                (Some(size), [answer]) => {
                    assert_eq!((answer.unique, answer.error), (unique, 0), "{what}");
                    assert_eq!(answer.payload.len(), size, "{what}");
                }
                (_, answers) => panic!("{what}: {answers:?}"),
            }
        }
    }
}

#[test]
fn every_truncation_is_refused_without_a_call() {
    for &minor in MINORS {
        let ops = Scripted::willing();
        let kernel = Kernel::started(ops.clone(), minor);
        ops.take_calls();
        for sample in samples(minor) {
            for len in 0..sample.body.0.len() {
                let cut = body().bytes(&sample.body.0[..len]);
                let answers = kernel.ask(&message(sample.opcode, 8, 5, cut));
                let calls = ops.take_calls();
                // A symbolic link's target, or the body of a request that needs none of it, may
                // well be shorter: then it is a good request.
                if wire::is_answered(sample.opcode) {
                    let expected = if calls.is_empty() { -libc::EIO } else { 0 };
                    let errors: Vec<_> = answers.iter().map(|answer| answer.error).collect();
                    assert_eq!(errors, [expected], "{} cut to {len}, {minor}", sample.opcode);
                } else {
                    assert_eq!(answers, []);
                }
                let whole = [50, 3].contains(&sample.opcode);
                assert!(calls.is_empty() || whole, "{calls:?} from {len} bytes, {minor}");
            }
        }
    }
}

#[test]
fn what_is_not_served_is_answered_enosys() {
    let kernel = Kernel::started(Scripted::willing(), 45);
    for opcode in [0, 7, 19, 48, 49, 52, 54, 99, 4096, u32::MAX] {
        let answers = kernel.ask(&message(opcode, 6, 5, body().u64s(&[0; 8])));
        let expected = Answer { unique: 6, error: -libc::ENOSYS, payload: vec![] };
        assert_eq!(answers, [expected], "opcode {opcode}");
    }
}

#[test]
fn nothing_is_served_before_init_or_twice_or_after_destroy() {
    let ops = Scripted::willing();
    let kernel = Kernel::new(ops.clone());
    let refused = |unique| [Answer { unique, error: -libc::EIO, payload: vec![] }];
    assert_eq!(kernel.ask(&wire::access(2)), refused(2));
    assert_eq!(kernel.ask(&message(op::DESTROY, 4, 0, body())), refused(4));
    assert_eq!(kernel.ask(&wire::interrupt(2)), []);
    assert_eq!(ops.take_calls(), [""; 0]);

    assert_eq!(kernel.ask(&wire::init(6, 31, 0))[0].error, 0);
    assert_eq!(kernel.ask(&wire::init(8, 31, 0)), refused(8));
    assert_eq!(ops.take_calls(), ["init 31"]);
    assert_eq!(kernel.ask(&wire::access(10))[0].error, 0);
    assert_eq!(kernel.ask(&message(op::DESTROY, 12, 0, body()))[0].error, 0);
    assert_eq!(ops.take_calls(), ["access 5 4", "destroy"]);

    assert_eq!(kernel.ask(&wire::access(14)), refused(14));
    assert_eq!(kernel.ask(&wire::init(16, 31, 0)), refused(16));
    assert_eq!(kernel.ask(&message(op::DESTROY, 18, 0, body())), refused(18));
    assert_eq!(kernel.ask(&message(op::FORGET, 0, 5, body().u64s(&[1]))), []);
    kernel.session.destroy();
    assert_eq!(ops.take_calls(), [""; 0]);
}

#[test]
fn lengths_that_lie_are_refused() {
    let kernel = Kernel::started(Scripted::willing(), 45);
    for claimed in [0u32, 39, 40, 47, 49, 4096, u32::MAX] {
        let mut request = wire::access(6);
        request[..4].copy_from_slice(&claimed.to_ne_bytes());
        let answers = kernel.ask(&request);
        let expected = Answer { unique: 6, error: -libc::EIO, payload: vec![] };
        assert_eq!(answers, [expected], "length {claimed}");
    }
    for len in 0..40 {
        assert_eq!(kernel.ask(&wire::access(6)[..len]), [], "no header in {len} bytes");
    }
}

#[test]
fn strangers_are_kept_out_of_all_but_what_they_have_open() {
    // Requests are from uid 1001; the tests may themselves run as anybody else.
    let config = Config { deny_others: true, ..Config::default() };
    let kernel = Kernel::with(Scripted::willing(), config);
    assert_eq!(kernel.ask(&wire::init(2, 45, 0))[0].error, 0);
    let open: &[u32] = &[15, 16, 18, 20, 28, 29, 30, 44];
    for sample in samples(45) {
        let answers = kernel.ask(&message(sample.opcode, 4, 5, sample.body));
        let errors: Vec<_> = answers.iter().map(|answer| answer.error).collect();
        let expected = match sample.answer {
            None => vec![],
            Some(_) if open.contains(&sample.opcode) => vec![0],
            Some(_) => vec![-libc::EACCES],
        };
        assert_eq!(errors, expected, "opcode {}", sample.opcode);
    }
}
