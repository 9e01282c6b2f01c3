//! Requests received through a pipe.

mod splice_support;

use std::io::{IoSlice, Write};
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ferrofuse::buf::{CopyFlags, SegmentFlags, Vector, copy};
use ferrofuse::transport::Channel;
use ferrofuse::transport::pipe::limit_thread_slots;
use ferrofuse::transport::{HEAD, Received, receive_spliced};
use ferrofuse::{Errno, Result};
use splice_support::*;

/// A device with these requests waiting.
#[derive(Default)]
struct Queue {
    requests: Mutex<Vec<Vec<u8>>>,
    reads: AtomicUsize,
    splices: AtomicUsize,
    refuse: Option<Errno>,
}

impl Queue {
    fn with(requests: &[&[u8]]) -> Queue {
        let requests = requests.iter().rev().map(|request| request.to_vec()).collect();
        Queue { requests: Mutex::new(requests), ..Queue::default() }
    }
}

impl Channel for Queue {
    fn raw_fd(&self) -> RawFd {
        -1
    }
    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        let request = self.requests.lock().unwrap().pop().ok_or(Errno::ENODEV)?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        buf[..request.len()].copy_from_slice(&request);
        Ok(request.len())
    }
    fn writev(&self, _: &[IoSlice<'_>]) -> Result<usize> {
        Err(Errno::ENODEV)
    }
    fn can_splice_in(&self) -> bool {
        true
    }
    fn can_splice_out(&self) -> bool {
        false
    }
    fn splice_in(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
        if let Some(error) = self.refuse {
            return Err(error);
        }
        assert_eq!(buffered(pipe), 0, "the pipe must be empty before a request comes");
        let request = self.requests.lock().unwrap().pop().ok_or(Errno::ENODEV)?;
        self.splices.fetch_add(1, Ordering::Relaxed);
        assert!(request.len() <= len);
        std::fs::File::from(pipe.try_clone_to_owned().unwrap()).write_all(&request).unwrap();
        Ok(request.len())
    }
    fn splice_out(&self, _: BorrowedFd<'_>, _: usize, _: bool) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::ENOSYS)
    }
}

const BUFFER: usize = 0x81000;

fn request(opcode: u32, len: usize) -> Vec<u8> {
    let mut request = noise(opcode as usize, len);
    if len >= 8 {
        request[..4].copy_from_slice(&(len as u32).to_ne_bytes());
        request[4..8].copy_from_slice(&opcode.to_ne_bytes());
    }
    request
}

#[test]
fn only_large_writes_and_retrieved_data_stay_in_the_pipe() {
    for (opcode, len, stays) in [
        (1, 45, false),
        (16, 80, false),
        (16, 80 + 4095, false),
        (16, 80 + 4096, true),
        (16, 80 + 300_000, true),
        (41, 80 + 300_000, true),
        (21, 65_000, false), // SETXATTR
        (16, 3, false),
    ] {
        let request = request(opcode, len);
        let queue = Queue::with(&[&request]);
        let mut buffer = vec![0; BUFFER];
        let (got, piped) = match receive_spliced(&queue, &mut buffer).unwrap() {
            Received::Memory(all) => (all.to_vec(), false),
            Received::Piped(head, payload) => {
                assert_eq!((head.len(), payload.len()), (HEAD, len - HEAD));
                assert_eq!(payload.segment().flags, SegmentFlags::IS_FD);
                let mut all = head.to_vec();
                all.resize(len, 0);
                assert_eq!(payload.read_into(&mut all[HEAD..]), Ok(len - HEAD));
                (all, true)
            }
        };
        assert_eq!(piped, stays, "opcode {opcode}, {len} bytes");
        assert_same(&got, &request, "request");
        assert_eq!(queue.splices.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn what_a_handler_leaves_is_discarded() {
    let (first, second) = (request(16, 200_000), request(16, 100_000));
    for taken in [0, 1, 5000, 200_000 - HEAD] {
        let queue = Queue::with(&[&first, &second]);
        let mut buffer = vec![0; BUFFER];
        match receive_spliced(&queue, &mut buffer).unwrap() {
            Received::Piped(_, payload) => {
                let file = tmpfs_file(&[]);
                let target = [file_segment(&file, Some(7), taken)];
                let copied = copy(&mut vector(&target), &mut payload.vector(), CopyFlags::empty());
                assert_eq!(copied, Ok(taken));
                let mut got = vec![0; taken];
                std::os::unix::fs::FileExt::read_exact_at(&file, &mut got, 7).unwrap();
                assert_same(&got, &first[HEAD..HEAD + taken], "what the handler took");
            }
            Received::Memory(_) => panic!("must stay in the pipe"),
        }
        match receive_spliced(&queue, &mut buffer).unwrap() {
            Received::Piped(head, payload) => {
                assert_same(head, &second[..HEAD], "the next request");
                let mut got = vec![0; second.len() - HEAD];
                copy(
                    &mut Vector::from_bytes_mut(&mut got),
                    &mut payload.vector(),
                    CopyFlags::empty(),
                )
                .unwrap();
                assert_same(&got, &second[HEAD..], "the next request's data");
            }
            Received::Memory(_) => panic!("must stay in the pipe"),
        }
    }
}

#[test]
fn a_pipe_too_small_is_not_tried() {
    limit_thread_slots(Some(64));
    let write = request(16, 100_000);
    let queue = Queue::with(&[&write]);
    let mut buffer = vec![0; BUFFER];
    match receive_spliced(&queue, &mut buffer).unwrap() {
        Received::Memory(all) => assert_same(all, &write, "request"),
        Received::Piped(..) => panic!("the kernel would have lost a larger request"),
    }
    assert_eq!(queue.reads.load(Ordering::Relaxed), 1);
    limit_thread_slots(None);
}

#[test]
fn errors_of_the_device() {
    let write = request(16, 100_000);
    let mut buffer = vec![0; BUFFER];
    for refused in [Errno::EINVAL, Errno::ENOSYS] {
        let queue = Queue { refuse: Some(refused), ..Queue::with(&[&write]) };
        match receive_spliced(&queue, &mut buffer).unwrap() {
            Received::Memory(all) => assert_same(all, &write, "read instead"),
            Received::Piped(..) => panic!("not through the pipe"),
        }
    }
    for error in [Errno::ENODEV, Errno::EINTR, Errno::EAGAIN, Errno::ENOENT, Errno::EIO] {
        let queue = Queue { refuse: Some(error), ..Queue::with(&[&write]) };
        assert_eq!(receive_spliced(&queue, &mut buffer).err(), Some(error));
        assert_eq!(queue.reads.load(Ordering::Relaxed), 0);
    }
}
