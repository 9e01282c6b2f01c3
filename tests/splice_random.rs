//! Random vectors give the same message whether spliced or copied, whatever the pipe's size.

mod splice_support;

use ferrofuse::buf::{Segment, SegmentFlags, Vector};
use ferrofuse::transport::pipe::limit_thread_slots;
use ferrofuse::transport::{SendOutcome, SplicePolicy, send_data};
use proptest::prelude::*;
use splice_support::*;

#[derive(Clone, Debug)]
enum Kind {
    Memory {
        at: usize,
    },
    Tmpfs {
        pos: Option<usize>,
        len: usize,
    },
    Disk {
        pos: usize,
        len: usize,
    },
    /// The writing end is closed, so that reading never waits.
    Pipe {
        len: usize,
    },
    Closed,
}

#[derive(Clone, Debug)]
struct Plan {
    kind: Kind,
    size: usize,
    retry: bool,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(0usize), 3 => 1usize..100, 3 => 4000usize..9000, 2 => 1usize..120_000]
}

fn plan() -> impl Strategy<Value = Plan> {
    let kind = prop_oneof![
        4 => (0usize..50_000).prop_map(|at| Kind::Memory { at }),
        5 => (proptest::option::of(0usize..30_000), size()).prop_map(|(pos, len)| Kind::Tmpfs { pos, len }),
        3 => (0usize..30_000, size()).prop_map(|(pos, len)| Kind::Disk { pos, len }),
        4 => size().prop_map(|len| Kind::Pipe { len }),
        1 => Just(Kind::Closed),
    ];
    (kind, size(), any::<bool>()).prop_map(|(kind, size, retry)| Plan { kind, size, retry })
}

/// Builds the sources afresh, as a pipe can be read but once, and sends them.
fn run(
    plans: &[Plan],
    off: usize,
    max_len: usize,
    policy: SplicePolicy,
    synchronous: bool,
) -> (SendOutcome, Vec<u8>, Vec<usize>) {
    let arena = noise(1, 200_000);
    let mut files = Vec::new();
    let mut segments: Vec<Segment> = Vec::new();
    for (seed, plan) in plans.iter().enumerate() {
        let mut segment = match plan.kind {
            Kind::Memory { at } => memory_segment(&arena[at..at + plan.size]),
            Kind::Tmpfs { pos, len } => {
                let mut file = tmpfs_file(&noise(seed, pos.unwrap_or(0) + len));
                std::io::Seek::rewind(&mut file).unwrap();
                files.push(file);
                file_segment(&files[files.len() - 1], pos.map(|pos| pos as i64), plan.size)
            }
            Kind::Disk { pos, len } => {
                files.push(disk_file(&noise(seed, pos + len)));
                file_segment(&files[files.len() - 1], Some(pos as i64), plan.size)
            }
            Kind::Pipe { len } => {
                files.push(pipe_with(&noise(seed, len)).0);
                file_segment(&files[files.len() - 1], None, plan.size)
            }
            Kind::Closed => file_segment(&-1, None, plan.size),
        };
        segment.flags.set(SegmentFlags::FD_RETRY, plan.retry);
        segments.push(segment);
    }
    let off = off.min(segments[0].size);
    let recorder = Recorder::default();
    // SAFETY: memory in `arena` and files in `files`, both alive.
    let data = unsafe { Vector::from_raw(&segments, 0, off) };
    let mut reply = reply(&recorder, data, policy);
    (reply.max_len, reply.synchronous) = (max_len, synchronous);
    let outcome = send_data(reply).expect("the device takes everything");
    let message = recorder.messages.lock().unwrap().concat();
    // What is left in the sources must agree, too.
    let left = segments.iter().filter(|segment| segment.fd >= 0).map(|segment| {
        // SAFETY: open for as long as `files` lives.
        let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(segment.fd) };
        match segment.flags.contains(SegmentFlags::FD_SEEK) {
            true => 0,
            false => nix::unistd::lseek(fd, 0, nix::unistd::Whence::SeekCur)
                .map_or_else(|_| buffered(fd), |at| at as usize),
        }
    });
    let left = left.collect();
    (outcome, message, left)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn spliced_and_copied_are_the_same(
        plans in proptest::collection::vec(plan(), 1..6),
        off in prop_oneof![Just(0usize), 0usize..10_000],
        max_len in prop_oneof![2 => Just(1usize << 20), 1 => 0usize..200_000],
        slots in prop_oneof![2 => Just(None), 3 => (1usize..40).prop_map(Some)],
        synchronous in any::<bool>(),
    ) {
        limit_thread_slots(slots);
        let never = run(&plans, off, max_len, SplicePolicy::Never, synchronous);
        let always = run(&plans, off, max_len, SplicePolicy::Always, synchronous);
        let auto = run(&plans, off, max_len, SplicePolicy::Auto, synchronous);
        for (name, other) in [("always", always), ("auto", auto)] {
            let length = |outcome| match outcome {
                SendOutcome::Sent { len, .. } => Ok(len),
                SendOutcome::SourceFailed(error) => Err(error),
            };
            prop_assert_eq!(length(never.0), length(other.0), "outcome with {}", name);
            prop_assert!(never.1 == other.1, "bytes differ with {}", name);
            prop_assert_eq!(&never.2, &other.2, "what is left in the sources with {}", name);
        }
    }
}
