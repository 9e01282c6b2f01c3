//! A channel that records what it is sent, and sources of every kind.
#![allow(dead_code)] // each test binary uses its own part of it

use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ferrofuse::buf::{CopyFlags, Segment, Vector};
use ferrofuse::transport::Channel;
use ferrofuse::transport::{DataReply, SendOutcome, SplicePolicy, send_data};
use ferrofuse::{Errno, Result};

nix::ioctl_read_bad!(fionread, libc::FIONREAD, libc::c_int);

/// How [`Recorder::splice_out`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Takes the message as the kernel does: whole, and copied before returning.
    Take,
    /// Refuses without touching the pipe.
    Refuse(Errno),
    /// Empties the pipe, then fails.
    EatAndFail(Errno),
    /// Takes all but the last byte.
    Short,
}

/// A device that keeps every message.
pub struct Recorder {
    pub answer: Mutex<Answer>,
    pub messages: Mutex<Vec<Vec<u8>>>,
    pub splices: AtomicUsize,
    pub writes: AtomicUsize,
    pub steals: AtomicUsize,
    /// Inode of the pipe last spliced from.
    pub pipe: AtomicU64,
    /// What `writev` answers, if not success.
    pub write_error: Mutex<Option<Errno>>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            answer: Mutex::new(Answer::Take),
            messages: Mutex::default(),
            splices: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            steals: AtomicUsize::new(0),
            pipe: AtomicU64::new(0),
            write_error: Mutex::new(None),
        }
    }
}

impl Recorder {
    pub fn answering(answer: Answer) -> Recorder {
        Recorder { answer: Mutex::new(answer), ..Recorder::default() }
    }

    /// The only message there is, removed.
    pub fn take_one(&self) -> Vec<u8> {
        let mut messages = self.messages.lock().unwrap();
        assert_eq!(messages.len(), 1, "exactly one message must have been sent");
        messages.remove(0)
    }
}

pub fn buffered(fd: BorrowedFd<'_>) -> usize {
    let mut bytes = 0;
    // SAFETY: FIONREAD stores an int, which outlives the call.
    unsafe { fionread(fd.as_raw_fd(), &mut bytes) }.unwrap();
    bytes as usize
}

fn read_exactly(fd: BorrowedFd<'_>, len: usize) -> Vec<u8> {
    let mut message = vec![0; len];
    let mut done = 0;
    while done < len {
        let got = nix::unistd::read(fd, &mut message[done..]).expect("pipe");
        assert_ne!(got, 0, "the pipe ended before the message");
        done += got;
    }
    message
}

impl Channel for Recorder {
    fn raw_fd(&self) -> RawFd {
        -1
    }

    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        if let Some(error) = *self.write_error.lock().unwrap() {
            return Err(error);
        }
        self.writes.fetch_add(1, Ordering::Relaxed);
        assert!(message.len() <= 1024, "more elements than writev takes");
        let whole: Vec<u8> = message.iter().flat_map(|part| part.iter().copied()).collect();
        let len = whole.len();
        self.messages.lock().unwrap().push(whole);
        Ok(len)
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

    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, steal: bool) -> Result<usize> {
        assert_eq!(buffered(pipe), len, "the pipe must hold this message and nothing else");
        self.pipe.store(nix::sys::stat::fstat(pipe).unwrap().st_ino, Ordering::Relaxed);
        self.steals.fetch_add(usize::from(steal), Ordering::Relaxed);
        match *self.answer.lock().unwrap() {
            Answer::Take => {
                self.splices.fetch_add(1, Ordering::Relaxed);
                let message = read_exactly(pipe, len);
                self.messages.lock().unwrap().push(message);
                Ok(len)
            }
            Answer::Refuse(error) => Err(error),
            Answer::EatAndFail(error) => {
                read_exactly(pipe, len);
                Err(error)
            }
            Answer::Short => {
                read_exactly(pipe, len - 1);
                Ok(len - 1)
            }
        }
    }

    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::ENOSYS)
    }
}

pub const UNIQUE: u64 = 0x0123_4567_89ab_cdee;

/// A reply with everything granted.
pub fn reply<'a>(
    channel: &'a dyn Channel,
    data: Vector<'a>,
    policy: SplicePolicy,
) -> DataReply<'a> {
    DataReply {
        channel,
        unique: UNIQUE,
        error: 0,
        prefix: &[],
        data,
        flags: CopyFlags::empty(),
        allowed: true,
        wanted: true,
        steal: false,
        synchronous: true,
        policy,
        max_len: 2 << 20,
    }
}

/// Sends the vector and returns outcome and message.
pub fn send(data: Vector<'_>, policy: SplicePolicy) -> (SendOutcome, Vec<u8>) {
    let recorder = Recorder::default();
    let outcome = send_data(reply(&recorder, data, policy)).expect("the device took it");
    let message = match outcome {
        SendOutcome::Sent { .. } => recorder.take_one(),
        SendOutcome::SourceFailed(_) => {
            assert!(recorder.messages.lock().unwrap().is_empty(), "failed, yet something was sent");
            Vec::new()
        }
    };
    (outcome, message)
}

/// The message that must result.
pub fn expected(data: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend_from_slice(&(16 + data.len() as u32).to_ne_bytes());
    message.extend_from_slice(&0i32.to_ne_bytes());
    message.extend_from_slice(&UNIQUE.to_ne_bytes());
    message.extend_from_slice(data);
    message
}

/// Compares without printing megabytes.
#[track_caller]
pub fn assert_same(got: &[u8], want: &[u8], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    if let Some(at) = got.iter().zip(want).position(|(a, b)| a != b) {
        panic!("{what}: byte {at} is {} and must be {}", got[at], want[at]);
    }
}

pub fn noise(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 131 + seed * 7919) ^ (i >> 7) ^ (i >> 15)) as u8).collect()
}

pub fn tmpfs_file(content: &[u8]) -> File {
    // SAFETY: the name is a C string; the result is a fresh descriptor.
    let fd = unsafe { libc::memfd_create(c"splice".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0, "memfd_create: {}", Errno::last());
    // SAFETY: a descriptor just made, owned by nobody else.
    let mut file: File = unsafe { OwnedFd::from_raw_fd(fd) }.into();
    file.write_all(content).unwrap();
    file
}

/// A file without a name on the file system of the build directory.
pub fn disk_file(content: &[u8]) -> File {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open(env!("CARGO_TARGET_TMPDIR"))
        .expect("O_TMPFILE in the target directory");
    file.write_all(content).unwrap();
    file.sync_all().unwrap();
    file
}

pub fn pipe() -> (File, File) {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    (reader.into(), writer.into())
}

/// A pipe that holds `content`, grown so that it fits; its writing end is still open.
pub fn pipe_with(content: &[u8]) -> (File, File) {
    let (reader, mut writer) = pipe();
    let size = nix::fcntl::FcntlArg::F_SETPIPE_SZ(content.len().max(4096) as i32 * 2);
    nix::fcntl::fcntl(&writer, size).unwrap();
    writer.write_all(content).unwrap();
    (reader, writer)
}

pub fn file_segment(fd: &impl AsRawFd, pos: Option<i64>, size: usize) -> Segment {
    Segment::file(fd.as_raw_fd(), pos, size)
}

pub fn memory_segment(bytes: &[u8]) -> Segment {
    Segment::memory(bytes.as_ptr().cast_mut(), bytes.len())
}

/// A vector to send from.
pub fn vector(segments: &[Segment]) -> Vector<'_> {
    // SAFETY: the tests build the segments from live slices and open files, and only send them.
    unsafe { Vector::from_raw(segments, 0, 0) }
}
