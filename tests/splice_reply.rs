//! Replies with data: the exact bytes, for every kind of source, spliced or not.

mod splice_support;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferrofuse::Errno;
use ferrofuse::buf::{CopyFlags, SegmentFlags, Vector};
use ferrofuse::sys::pipe::{Pipe, page_size};
use ferrofuse::transport::SendOutcome::{Sent, SourceFailed};
use ferrofuse::transport::pipe::limit_thread_slots;
use ferrofuse::transport::{SplicePolicy, send_data};
use splice_support::*;

const POLICIES: [SplicePolicy; 3] = [SplicePolicy::Never, SplicePolicy::Auto, SplicePolicy::Always];
/// `None` is what the kernel grants.
const PIPES: [Option<usize>; 5] = [None, Some(1), Some(2), Some(8), Some(16)];

/// Runs `test` under each policy and pipe size.
fn everywhere(test: impl Fn(SplicePolicy, &str)) {
    for slots in PIPES {
        for policy in POLICIES {
            limit_thread_slots(slots);
            test(policy, &format!("{policy:?}, pipe {slots:?}"));
        }
    }
    limit_thread_slots(None);
}

fn check_regular(file: &File, content: &[u8]) {
    let end = content.len();
    // A megabyte and its header need more than the usual fs.pipe-max-size allows.
    let mut pipe = Pipe::new().unwrap();
    let granted = pipe.resize(512).or_else(|_| pipe.resize(256)).unwrap();
    let ranges = [
        (0, 1),
        (0, 4096),
        (0, 8192),
        (1, 8192),
        (4095, 8194),
        (100, 60_000),
        (0, 61_440),
        (0, 131_072),
        (777, 131_072),
        (0, 1 << 20),
        (4097, 1 << 20),
        (end - 1, 100_000),
        (end - 5000, 8192),
        (end - 70_000, 131_072),
        (end, 4096),
        (end + 9, 65_536),
    ];
    everywhere(|policy, case| {
        for (pos, len) in ranges {
            let want = &content[pos.min(end)..(pos + len).min(end)];
            let data = Vector::from_fd(file.as_fd(), Some(pos as i64), len);
            let (outcome, message) = send(data, policy);
            let what = format!("{case}, {len} bytes at {pos}");
            assert_same(&message, &expected(want), &what);
            let Sent { len: sent, spliced } = outcome else { panic!("{what}: {outcome:?}") };
            assert_eq!(sent, want.len(), "{what}");
            assert!(!(spliced && policy == SplicePolicy::Never), "{what}: spliced all the same");
            let slots = 1 + (pos % page_size() + want.len()).div_ceil(page_size());
            if policy == SplicePolicy::Always && case.ends_with("None") {
                assert_eq!(spliced, slots <= granted, "{what}: {slots} of {granted} slots");
            }
        }
    });
    let mut file = file;
    assert_eq!(file.stream_position().unwrap(), end as u64, "positioned reads moved the offset");
}

#[test]
fn regular_files_on_tmpfs() {
    let content = noise(1, (1 << 20) + 12_345);
    check_regular(&tmpfs_file(&content), &content);
}

#[test]
fn regular_files_on_disk() {
    let content = noise(2, (1 << 20) + 12_345);
    check_regular(&disk_file(&content), &content);
}

#[test]
fn files_at_their_own_offset() {
    let content = noise(3, 300_000);
    everywhere(|policy, case| {
        let mut file = tmpfs_file(&content);
        file.seek(SeekFrom::Start(1000)).unwrap();
        let (_, message) = send(Vector::from_fd(file.as_fd(), None, 150_000), policy);
        assert_same(&message, &expected(&content[1000..151_000]), case);
        assert_eq!(file.stream_position().unwrap(), 151_000, "{case}: file offset");
    });
}

#[test]
fn block_device() {
    let content = noise(4, 1 << 20);
    match LoopDevice::attach(&content) {
        Ok(device) => check_block(&device.file, &content),
        Err(reason) => eprintln!("skipped: no loop device to be had: {reason}"),
    }
}

fn check_block(file: &File, content: &[u8]) {
    everywhere(|policy, case| {
        for (pos, len) in [(0, 1 << 20), (513, 8192), ((1 << 20) - 6000, 65_536)] {
            let want = &content[pos..(pos + len).min(content.len())];
            let data = Vector::from_fd(file.as_fd(), Some(pos as i64), len);
            assert_same(&send(data, policy).1, &expected(want), case);
        }
    });
}

struct LoopDevice {
    file: File,
}

impl LoopDevice {
    /// Attaches a copy of `content` to a free loop device.
    fn attach(content: &[u8]) -> std::io::Result<LoopDevice> {
        const LOOP_SET_FD: libc::c_ulong = 0x4C00;
        const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4C82;
        let control = File::options().read(true).write(true).open("/dev/loop-control")?;
        let backing = disk_file(content);
        // SAFETY: the ioctl takes no argument.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) };
        if number < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let file = File::options().read(true).write(true).open(format!("/dev/loop{number}"))?;
        // SAFETY: the argument is a descriptor, which the device keeps a reference to.
        let set = unsafe { libc::ioctl(file.as_raw_fd(), LOOP_SET_FD, backing.as_raw_fd()) };
        if set < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(LoopDevice { file })
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        const LOOP_CLR_FD: libc::c_ulong = 0x4C01;
        // SAFETY: detaches the device this test attached; no argument.
        unsafe { libc::ioctl(self.file.as_raw_fd(), LOOP_CLR_FD) };
    }
}

#[test]
fn a_pipe_gives_what_it_has_and_loses_nothing() {
    let content = noise(5, 200_000);
    everywhere(|policy, case| {
        let (mut reader, writer) = pipe_with(&content);
        // Less than it has, then more than it has, with the writer still there.
        let (_, first) = send(Vector::from_fd(reader.as_fd(), None, 70_000), policy);
        assert_same(&first, &expected(&content[..70_000]), case);
        let (_, second) = send(Vector::from_fd(reader.as_fd(), None, 500_000), policy);
        assert_same(&second, &expected(&content[70_000..]), case);
        drop(writer);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{case}: bytes left behind");
        let (_, end) = send(Vector::from_fd(reader.as_fd(), None, 1000), policy);
        assert_same(&end, &expected(&[]), case);
    });
}

#[test]
fn a_socket_gives_what_it_has_and_loses_nothing() {
    let content = noise(6, 60_000);
    everywhere(|policy, case| {
        let (mut near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        near.write_all(&content).unwrap();
        let (_, message) = send(Vector::from_fd(far.as_fd(), None, 25_000), policy);
        assert_same(&message, &expected(&content[..25_000]), case);
        // How much one call takes of the rest is up to the kernel, but it comes in order.
        let mut at = 25_000;
        while at < content.len() {
            let (outcome, message) = send(Vector::from_fd(far.as_fd(), None, 1 << 20), policy);
            let Sent { len, .. } = outcome else { panic!("{case}: {outcome:?}") };
            assert!(len > 0, "{case}: nothing came");
            assert_same(&message, &expected(&content[at..at + len]), case);
            at += len;
        }
    });
}

#[test]
fn an_empty_stream_is_waited_for_once() {
    for policy in POLICIES {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let (reader, writer) = pipe();
        for (mut near, far) in
            [(File::from(OwnedFd::from(near)), File::from(OwnedFd::from(far))), (writer, reader)]
        {
            let late = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                near.write_all(b"late").unwrap();
                near
            });
            let (_, message) = send(Vector::from_fd(far.as_fd(), None, 100_000), policy);
            assert_same(&message, &expected(b"late"), "late data");
            drop(late.join().unwrap());
        }
    }
}

#[test]
fn a_retrying_stream_is_read_until_complete() {
    let content = noise(7, 150_000);
    everywhere(|policy, case| {
        let (reader, mut writer) = pipe();
        let to_write = content.clone();
        let feeder = std::thread::spawn(move || {
            for part in to_write.chunks(11_111) {
                writer.write_all(part).unwrap();
                std::thread::yield_now();
            }
        });
        let mut segment = file_segment(&reader, None, 140_000);
        segment.flags |= SegmentFlags::FD_RETRY;
        let segments = [segment];
        let (_, message) = send(vector(&segments), policy);
        assert_same(&message, &expected(&content[..140_000]), case);
        drop(reader);
        let _ = feeder.join(); // it may have met the closed pipe
    });
}

#[test]
fn memory_goes_as_it_is() {
    let content = noise(8, 1 << 20);
    everywhere(|policy, case| {
        for parts in [1, 3, 100, 1022, 1023, 5000] {
            let segments: Vec<_> =
                content.chunks(content.len().div_ceil(parts)).map(memory_segment).collect();
            let (outcome, message) = send(vector(&segments), policy);
            assert_same(&message, &expected(&content), case);
            assert_eq!(outcome, Sent { len: 1 << 20, spliced: false }, "{case}");
        }
        let (_, nothing) = send(Vector::from_bytes(&[]), policy);
        assert_same(&nothing, &expected(&[]), case);
        let none = [];
        assert_same(&send(vector(&none), policy).1, &expected(&[]), case);
    });
}

#[test]
fn mixtures_and_prefix() {
    let (memory, content) = (noise(9, 30_001), noise(10, 100_000));
    let file = tmpfs_file(&content);
    everywhere(|policy, case| {
        for synchronous in [true, false] {
            let (reader, _writer) = pipe_with(&content[..5000]);
            let segments = [
                memory_segment(&memory[..7]),
                file_segment(&file, Some(3), 20_000),
                memory_segment(&[]),
                memory_segment(&memory[7..]),
                file_segment(&reader, None, 5000),
                file_segment(&file, Some(90_000), 20_000), // ends at end of file
                memory_segment(&memory),                   // so this is not reached
            ];
            let mut want = b"prefix of 24 bytes......".to_vec();
            for part in [&memory[..7], &content[3..20_003], &memory[7..]] {
                want.extend_from_slice(part);
            }
            want.extend_from_slice(&content[..5000]);
            want.extend_from_slice(&content[90_000..]);
            let recorder = Recorder::default();
            let mut reply = reply(&recorder, vector(&segments), policy);
            reply.prefix = &want[..24];
            reply.synchronous = synchronous;
            let outcome = send_data(reply).unwrap();
            assert!(matches!(outcome, Sent { len, .. } if len == want.len() - 24), "{case}");
            assert_same(&recorder.take_one(), &expected(&want), case);
        }
    });
}

#[test]
fn a_started_cursor_and_a_limit() {
    let content = noise(11, 50_000);
    let file = tmpfs_file(&content);
    let segments = [memory_segment(&content[..100]), file_segment(&file, Some(10), 40_000)];
    everywhere(|policy, case| {
        let recorder = Recorder::default();
        // SAFETY: live memory and an open file.
        let data = unsafe { Vector::from_raw(&segments, 1, 90) };
        let mut reply = reply(&recorder, data, policy);
        reply.max_len = 9000;
        send_data(reply).unwrap();
        assert_same(&recorder.take_one(), &expected(&content[100..9100]), case);
        let recorder = Recorder::default();
        let mut reply = self::reply(&recorder, Vector::from_bytes(&content), policy);
        reply.max_len = 9000;
        send_data(reply).unwrap();
        assert_same(&recorder.take_one(), &expected(&content[..9000]), case);
    });
}

#[test]
fn sources_that_cannot_splice_are_copied() {
    everywhere(|policy, case| {
        // SAFETY: makes a fresh descriptor, owned by nobody else.
        let event: File = unsafe { OwnedFd::from_raw_fd(libc::eventfd(7, 0)) }.into();
        let (outcome, message) = send(Vector::from_fd(event.as_fd(), None, 65_536), policy);
        assert_same(&message, &expected(&7u64.to_ne_bytes()), case);
        assert_eq!(outcome, Sent { len: 8, spliced: false }, "{case}");
        for path in ["/proc/version", "/proc/sys/kernel/ostype", "/proc/self/limits"] {
            let want = std::fs::read(path).unwrap();
            let file = File::open(path).unwrap();
            let (_, message) = send(Vector::from_fd(file.as_fd(), Some(0), 65_536), policy);
            assert_same(&message, &expected(&want), &format!("{case}, {path}"));
        }
        let zero = File::open("/dev/zero").unwrap();
        let (_, message) = send(Vector::from_fd(zero.as_fd(), None, 100_000), policy);
        assert_same(&message, &expected(&[0; 100_000]), case);
    });
}

#[test]
fn a_source_error_is_told_from_the_device() {
    let directory = File::open("/").unwrap();
    let write_only = File::options().write(true).open("/dev/null").unwrap();
    let (reader, _writer) = pipe();
    everywhere(|policy, case| {
        let (sent, _) = send(Vector::from_fd(directory.as_fd(), Some(0), 65_536), policy);
        assert_eq!(sent, SourceFailed(Errno::EISDIR), "{case}");
        let (sent, _) = send(Vector::from_fd(write_only.as_fd(), Some(0), 65_536), policy);
        assert_eq!(sent, SourceFailed(Errno::EBADF), "{case}");
        let (sent, _) = send(Vector::from_fd(reader.as_fd(), Some(0), 65_536), policy);
        assert_eq!(sent, SourceFailed(Errno::ESPIPE), "{case}");
        let closed = [file_segment(&-1, Some(0), 65_536)];
        assert_eq!(send(vector(&closed), policy).0, SourceFailed(Errno::EBADF), "{case}");
        let far = [file_segment(&directory, Some(i64::MAX), 65_536)];
        assert!(matches!(send(vector(&far), policy).0, SourceFailed(_)), "{case}");
        let null = [ferrofuse::buf::Segment::memory(std::ptr::null_mut(), 10)];
        assert_eq!(send(vector(&null), policy).0, SourceFailed(Errno::EFAULT), "{case}");

        // After some data an error only ends it.
        let file = tmpfs_file(b"some data");
        let segments = [file_segment(&file, Some(0), 9), file_segment(&-1, None, 65_536)];
        let (_, message) = send(vector(&segments), policy);
        assert_same(&message, &expected(b"some data"), case);
    });
}

#[test]
fn a_nonblocking_empty_source_is_an_error() {
    everywhere(|policy, case| {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let (sent, _) = send(Vector::from_fd(far.as_fd(), None, 65_536), policy);
        assert_eq!(sent, SourceFailed(Errno::EAGAIN), "{case}");
        drop(near);
    });
}

#[test]
fn what_the_device_answers() {
    let content = noise(12, 100_000);
    let file = tmpfs_file(&content);
    let data = || Vector::from_fd(file.as_fd(), Some(0), 70_000);
    let want = expected(&content[..70_000]);
    let good = Recorder::default();
    let still_clean = || {
        let outcome = send_data(reply(&good, data(), SplicePolicy::Always)).unwrap();
        assert_eq!(outcome, Sent { len: 70_000, spliced: true });
        assert_same(&good.take_one(), &want, "the reply after a failed one");
    };
    for refused in [Errno::EINVAL, Errno::EAGAIN, Errno::ENOSYS, Errno::ENOMEM] {
        let device = Recorder::answering(Answer::Refuse(refused));
        let outcome = send_data(reply(&device, data(), SplicePolicy::Always)).unwrap();
        assert_eq!(outcome, Sent { len: 70_000, spliced: false }, "{refused:?}");
        assert_same(&device.take_one(), &want, "written instead");
        still_clean();
    }
    for verdict in [Errno::ENOENT, Errno::ENODEV, Errno::EINVAL] {
        let device = Recorder::answering(Answer::EatAndFail(verdict));
        assert_eq!(send_data(reply(&device, data(), SplicePolicy::Always)), Err(verdict));
        assert!(device.messages.lock().unwrap().is_empty(), "a verdict must not be retried");
        still_clean();
    }
    for verdict in [Errno::ENOENT, Errno::ENODEV, Errno::EIO] {
        let device = Recorder::answering(Answer::Refuse(verdict));
        assert_eq!(send_data(reply(&device, data(), SplicePolicy::Always)), Err(verdict));
        assert!(device.messages.lock().unwrap().is_empty(), "a verdict must not be retried");
        still_clean();
        *device.write_error.lock().unwrap() = Some(verdict);
        assert_eq!(send_data(reply(&device, data(), SplicePolicy::Never)), Err(verdict));
        let memory = reply(&device, Vector::from_bytes(&content), SplicePolicy::Auto);
        assert_eq!(send_data(memory), Err(verdict));
    }
    let device = Recorder::answering(Answer::Short);
    assert_eq!(send_data(reply(&device, data(), SplicePolicy::Always)), Err(Errno::EIO));
    still_clean();
}

#[test]
fn when_it_splices() {
    use SplicePolicy::{Always, Auto, Never};
    let file = tmpfs_file(&noise(13, 200_000));
    let page = page_size();
    let none = CopyFlags::empty();
    let (no, force) = (CopyFlags::NO_SPLICE, CopyFlags::FORCE_SPLICE);
    // length, policy, flags, allowed, wanted, does it splice?
    for (len, policy, flags, allowed, wanted, splices) in [
        (1, Always, none, true, false, true),
        (1, Auto, force, true, false, true),
        (1, Auto, none, true, true, false),
        (2 * page - 1, Auto, none, true, true, false),
        (2 * page, Auto, none, true, true, true),
        (2 * page, Auto, none, true, false, false),
        (65_535, Auto, none, true, false, false),
        (65_536, Auto, none, true, false, true),
        (65_536, Auto, none, false, true, false),
        (65_536, Always, force, false, true, false),
        (65_536, Always, no, true, true, false),
        (65_536, Auto, no | force, true, true, false),
        (65_536, Never, force, true, true, false),
    ] {
        let recorder = Recorder::default();
        let data = Vector::from_fd(file.as_fd(), Some(0), len);
        let mut reply = reply(&recorder, data, policy);
        (reply.flags, reply.allowed, reply.wanted) = (flags, allowed, wanted);
        let case = format!("{len} {policy:?} {flags:?} allowed {allowed} wanted {wanted}");
        assert_eq!(send_data(reply), Ok(Sent { len, spliced: splices }), "{case}");
        assert_eq!(recorder.splices.load(Ordering::Relaxed), usize::from(splices), "{case}");
    }
    for (steal, flags, stolen) in
        [(true, CopyFlags::SPLICE_MOVE, 1), (true, none, 0), (false, CopyFlags::SPLICE_MOVE, 0)]
    {
        let recorder = Recorder::default();
        let data = Vector::from_fd(file.as_fd(), Some(0), 65_536);
        let mut reply = reply(&recorder, data, Always);
        (reply.steal, reply.flags) = (steal, flags);
        send_data(reply).unwrap();
        assert_eq!(recorder.steals.load(Ordering::Relaxed), stolen);
    }
}

#[test]
fn notifications_carry_their_code() {
    let content = noise(14, 20_000);
    let file = tmpfs_file(&content);
    for policy in POLICIES {
        let recorder = Recorder::default();
        let data = Vector::from_fd(file.as_fd(), Some(0), 20_000);
        let mut reply = reply(&recorder, data, policy);
        (reply.unique, reply.error, reply.prefix) = (0, 4, b"fuse_notify_store_out...");
        send_data(reply).unwrap();
        let message = recorder.take_one();
        assert_eq!(message[..4], (16 + 24 + 20_000u32).to_ne_bytes());
        assert_eq!(message[4..8], 4i32.to_ne_bytes());
        assert_eq!(message[8..16], [0; 8]);
        assert_same(&message[40..], &content, "stored data");
    }
}

#[test]
fn a_pipe_is_kept_between_replies() {
    let file = tmpfs_file(&noise(15, 100_000));
    let recorder = Recorder::default();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let data = Vector::from_fd(file.as_fd(), Some(0), 100_000);
        send_data(reply(&recorder, data, SplicePolicy::Always)).unwrap();
        seen.push(recorder.pipe.load(Ordering::Relaxed));
    }
    assert!(seen.iter().all(|inode| *inode == seen[0]), "a new pipe for each reply: {seen:?}");
}
