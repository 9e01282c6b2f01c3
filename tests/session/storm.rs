//! Any bytes in any order: no panic, no hang, one answer for each request that takes one.

use ferrofuse::session::Message;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::catalogue::samples;
use crate::fake::Kernel;
use crate::ops::Scripted;
use crate::wire::{self, body, message};

/// A message of any kind, from a valid request to noise.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let minor = prop_oneof![Just(3u32), Just(8), Just(11), Just(31), Just(45), any::<u32>()];
    let unique = prop_oneof![0..20u64, any::<u64>()];
    let valid = (minor.clone(), any::<prop::sample::Index>(), unique.clone(), any::<u64>())
        .prop_map(|(minor, at, unique, node)| {
            let mut all = samples(minor);
            let sample = all.swap_remove(at.index(all.len()));
            message(sample.opcode, unique, node, sample.body)
        });
    let init = (minor, any::<u32>(), unique.clone())
        .prop_map(|(minor, flags, unique)| wire::init(unique, minor, flags));
    let any_body = (0..4100u32, unique.clone(), any::<u64>(), vec(any::<u8>(), 0..200)).prop_map(
        |(opcode, unique, node, bytes)| message(opcode % 60, unique, node, body().bytes(&bytes)),
    );
    let interrupt = (0..20u64).prop_map(wire::interrupt);
    let destroy = unique.prop_map(|unique| message(wire::op::DESTROY, unique, 0, body()));
    let whole = prop_oneof![
        8 => valid, 2 => init, 4 => any_body, 2 => interrupt, 1 => destroy,
        1 => vec(any::<u8>(), 0..200),
    ];
    // Then some of them bent: bytes changed, cut, or lengthened.
    let bend = prop_oneof![
        4 => Just(Vec::new()),
        1 => vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ];
    let cut = prop_oneof![6 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (whole, bend, cut, prop_oneof![6 => Just(0usize), 1 => 1..64usize]).prop_map(
        |(mut bytes, bend, cut, more)| {
            for (at, value) in bend {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = value;
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes.extend(std::iter::repeat_n(0xa5, more));
            bytes
        },
    )
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Answer,
    Drop,
    Panic,
    Give,
}

/// Unique and opcode, where there is a header.
fn head(bytes: &[u8]) -> Option<(u64, u32)> {
    let header = bytes.first_chunk::<40>()?;
    let unique = u64::from_ne_bytes(header[8..16].try_into().unwrap());
    Some((unique, u32::from_ne_bytes(header[4..8].try_into().unwrap())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn each_request_is_answered_once(
        messages in vec(any_message(), 1..40),
        style in prop_oneof![
            Just(Style::Answer), Just(Style::Drop), Just(Style::Panic), Just(Style::Give)
        ],
        vectors in any::<bool>(),
        started in any::<bool>(),
    ) {
        let mut ops = Scripted::new(move |_, req| match style {
            Style::Answer => Some(req),
            Style::Drop => None,
            Style::Panic => std::panic::resume_unwind(Box::new(req)),
            Style::Give => {
                let handle = req.into_handle();
                ferrofuse::session::Request::claim(handle).ok()
            }
        });
        ops.vectors = vectors;
        let kernel = if started { Kernel::started(ops, 45) } else { Kernel::new(ops) };
        for bytes in &messages {
            kernel.session.process(Message::in_memory(bytes), &kernel.channel);
            let answers = kernel.answers();
            let Some((unique, opcode)) = head(bytes) else {
                prop_assert!(answers.is_empty());
                continue;
            };
            let (own, others): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| answer.unique == unique);
            if wire::is_answered(opcode) && unique != 0 {
                // The id may also be that of a queued interrupt, asked for again.
                let own = own.iter().filter(|a| a.error != -libc::EAGAIN).count();
                prop_assert_eq!(own, 1, "{:?}", answers);
            }
            // Nothing else is sent but a queued interrupt, asked for again.
            prop_assert!(others.len() <= 1);
            prop_assert!(others.iter().all(|a| a.error == -libc::EAGAIN), "{:?}", answers);
        }
    }
}

/// The same requests through a pipe, as a spliced receive hands them on, with lying lengths.
#[test]
fn requests_in_a_pipe_are_answered_once() {
    use std::os::fd::AsFd;
    for vectors in [false, true] {
        let mut ops = Scripted::willing();
        ops.vectors = vectors;
        let kernel = Kernel::started(ops.clone(), 45);
        ops.take_calls();
        for (size, sent) in [(5000u32, 5000usize), (5000, 4000), (4000, 5000), (u32::MAX, 5000)] {
            let args = body().u64s(&[0xf, 0]).u32s(&[size, 0]).u64s(&[0]).u32s(&[2, 0]);
            let request = message(wire::op::WRITE, 6, 5, args.bytes(&vec![b'x'; sent]));
            let (reader, writer) = nix::unistd::pipe().unwrap();
            nix::unistd::write(&writer, &request).unwrap();
            kernel.session.process_pipe(reader.as_fd(), request.len(), &kernel.channel);
            let good = size as usize <= sent;
            let errors: Vec<_> = kernel.answers().iter().map(|answer| answer.error).collect();
            assert_eq!(errors, [if good { 0 } else { -libc::EIO }], "{size} of {sent}");
            assert_eq!(ops.take_calls().len(), usize::from(good));
        }
    }
}
