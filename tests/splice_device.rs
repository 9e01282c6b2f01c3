//! Splicing to and from a mounted `/dev/fuse`: one regular file, served by the least there is.

mod splice_support;

use std::ffi::CString;
use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ferrofuse::buf::{CopyFlags, Vector, copy};
use ferrofuse::transport::Channel;
use ferrofuse::transport::Device;
use ferrofuse::transport::{DataReply, SendOutcome, SplicePolicy, send_data};
use ferrofuse::transport::{Received, receive_spliced};
use ferrofuse::{Errno, Result};
use splice_support::*;

const MAX_WRITE: usize = 128 * 4096;
const CONTENT: usize = 3_000_123;

/// The device, counting what goes which way.
struct Counted {
    inner: Arc<dyn Channel>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    spliced_out: AtomicUsize,
    piped_writes: AtomicUsize,
}

impl Channel for Counted {
    fn raw_fd(&self) -> RawFd {
        self.inner.raw_fd()
    }
    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        self.inner.read(buf)
    }
    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        self.inner.writev(message)
    }
    fn can_splice_in(&self) -> bool {
        self.inner.can_splice_in()
    }
    fn can_splice_out(&self) -> bool {
        self.inner.can_splice_out()
    }
    fn splice_in(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
        self.inner.splice_in(pipe, len)
    }
    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, steal: bool) -> Result<usize> {
        let sent = self.inner.splice_out(pipe, len, steal)?;
        self.counts.spliced_out.fetch_add(1, Ordering::Relaxed);
        Ok(sent)
    }
    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        let inner = self.inner.try_clone()?;
        Ok(Arc::new(Counted { inner, counts: self.counts.clone() }))
    }
}

/// A mount on a temporary file and the threads that serve it.
struct Mounted {
    path: PathBuf,
    connection: u64,
    workers: Vec<JoinHandle<()>>,
    counts: Arc<Counts>,
    backing: Arc<File>,
}

fn mount_point() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("ferrofuse-splice-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    File::create(&path).unwrap();
    path
}

impl Mounted {
    /// `Err` if this machine does not let us mount.
    fn new(
        policy: SplicePolicy,
        steal: bool,
        direct: bool,
    ) -> std::result::Result<Mounted, String> {
        let device = File::options().read(true).write(true).open("/dev/fuse");
        let device = device.map_err(|error| format!("/dev/fuse: {error}"))?;
        let path = mount_point();
        let target = CString::new(path.to_str().unwrap()).unwrap();
        let options = format!("fd={},rootmode=100000,user_id=0,group_id=0", device.as_raw_fd());
        let options = CString::new(options).unwrap();
        // SAFETY: all are C strings that outlive the call.
        let mounted = unsafe {
            libc::mount(
                c"ferrofuse-test".as_ptr(),
                target.as_ptr(),
                c"fuse".as_ptr(),
                libc::MS_NOSUID | libc::MS_NODEV,
                options.as_ptr().cast(),
            )
        };
        if mounted != 0 {
            let error = Errno::last();
            let _ = std::fs::remove_file(&path);
            return Err(format!("mount: {error}"));
        }
        let counts = Arc::new(Counts::default());
        let inner: Arc<dyn Channel> = Arc::new(Device::new(device.into()));
        let first: Arc<dyn Channel> = Arc::new(Counted { inner, counts: counts.clone() });
        let backing = Arc::new(disk_file(&noise(77, CONTENT)));
        let server =
            Server { policy, steal, direct, backing: backing.clone(), counts: counts.clone() };
        // INIT first, so that the clone joins a connection that is up.
        server.one(&*first, &mut vec![0; MAX_WRITE + 4096]).unwrap();
        let second = first.try_clone().expect("FUSE_DEV_IOC_CLONE");
        let workers = [first, second].map(|channel| {
            let server = server.clone();
            std::thread::spawn(move || {
                let mut buffer = vec![0; MAX_WRITE + 4096];
                while server.one(&*channel, &mut buffer).is_ok() {}
            })
        });
        let connection = libc::minor(std::fs::metadata(&path).unwrap().dev());
        let (workers, connection) = (workers.into(), u64::from(connection));
        Ok(Mounted { path, connection, workers, counts, backing })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let target = CString::new(self.path.to_str().unwrap()).unwrap();
        // SAFETY: a C string that outlives the call; the mount is ours.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        let _ = std::fs::write(format!("/sys/fs/fuse/connections/{}/abort", self.connection), "1");
        for worker in self.workers.drain(..) {
            let ended = worker.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a worker panicked");
        }
        let _ = std::fs::remove_file(Path::new(&self.path));
    }
}

#[derive(Clone)]
struct Server {
    policy: SplicePolicy,
    steal: bool,
    direct: bool,
    backing: Arc<File>,
    counts: Arc<Counts>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

impl Server {
    /// Answers one request; `Err` at the end of the connection.
    fn one(&self, channel: &dyn Channel, buffer: &mut [u8]) -> Result<()> {
        let received = match receive_spliced(channel, buffer) {
            Err(Errno::EINTR | Errno::ENOENT | Errno::EAGAIN) => return Ok(()),
            received => received?,
        };
        let (request, payload) = match received {
            Received::Memory(all) => (all, None),
            Received::Piped(head, payload) => (head, Some(payload)),
        };
        let (opcode, unique) = (u32_at(request, 4), u64_at(request, 8));
        let answer: Vec<u8> = match opcode {
            26 => init(),
            3 => self.attributes(),
            14 => [0u64, u64::from(self.direct)].iter().flat_map(|n| n.to_ne_bytes()).collect(),
            15 => return self.read(channel, unique, &request[40..]),
            16 => {
                let offset = u64_at(request, 48) as i64;
                let size = u32_at(request, 56) as usize;
                self.counts
                    .piped_writes
                    .fetch_add(usize::from(payload.is_some()), Ordering::Relaxed);
                let mut data = match &payload {
                    Some(payload) => payload.vector(),
                    None => Vector::from_bytes(&request[80..]),
                };
                assert_eq!(data.remaining(), size, "WRITE's size and its data");
                let mut target = Vector::from_fd(self.backing.as_fd(), Some(offset), size);
                assert_eq!(copy(&mut target, &mut data, CopyFlags::empty()), Ok(size));
                [size as u32, 0].iter().flat_map(|n| n.to_ne_bytes()).collect()
            }
            18 | 20 | 25 => Vec::new(),   // RELEASE, FSYNC, FLUSH
            2 | 36 | 42 => return Ok(()), // INTERRUPT and FORGETs have no answer
            _ => return answer_with(channel, unique, Errno::ENOSYS.negated(), &[]),
        };
        answer_with(channel, unique, 0, &answer)
    }

    fn read(&self, channel: &dyn Channel, unique: u64, body: &[u8]) -> Result<()> {
        let (offset, size) = (u64_at(body, 8) as i64, u32_at(body, 16) as usize);
        let outcome = send_data(DataReply {
            channel,
            unique,
            error: 0,
            prefix: &[],
            // More than is wanted, as a careless filesystem would have it.
            data: Vector::from_fd(self.backing.as_fd(), Some(offset), size + 10_000),
            flags: CopyFlags::SPLICE_MOVE,
            allowed: true,
            wanted: true,
            steal: self.steal,
            synchronous: true,
            policy: self.policy,
            max_len: size,
        });
        match outcome {
            Ok(SendOutcome::SourceFailed(error)) => {
                answer_with(channel, unique, error.negated(), &[])
            }
            Ok(SendOutcome::Sent { .. }) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// `fuse_attr_out` for a file longer than the backing one, so that reads meet its end.
    fn attributes(&self) -> Vec<u8> {
        let mut out = vec![0; 104];
        out[16..24].copy_from_slice(&1u64.to_ne_bytes()); // ino
        out[24..32].copy_from_slice(&(CONTENT as u64 + 100_000).to_ne_bytes());
        out[76..80].copy_from_slice(&(libc::S_IFREG | 0o644).to_ne_bytes());
        out[80..84].copy_from_slice(&1u32.to_ne_bytes()); // nlink
        out
    }
}

/// `fuse_init_out`: 7.31 with large requests.
fn init() -> Vec<u8> {
    const ASYNC_READ: u32 = 1;
    const BIG_WRITES: u32 = 1 << 5;
    const MAX_PAGES: u32 = 1 << 22;
    let mut out = vec![0; 64];
    for (at, value) in [
        (0, 7),
        (4, 31),
        (8, 1 << 20),
        (12, ASYNC_READ | BIG_WRITES | MAX_PAGES),
        (20, MAX_WRITE as u32),
        (24, 1),
    ] {
        out[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }
    out[28..30].copy_from_slice(&((MAX_WRITE / 4096) as u16).to_ne_bytes());
    out
}

fn answer_with(channel: &dyn Channel, unique: u64, error: i32, body: &[u8]) -> Result<()> {
    let mut header = (16 + body.len() as u32).to_ne_bytes().to_vec();
    header.extend_from_slice(&error.to_ne_bytes());
    header.extend_from_slice(&unique.to_ne_bytes());
    match channel.writev(&[IoSlice::new(&header), IoSlice::new(body)]) {
        Ok(_) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Aborts the connection if a test takes far too long, so that nothing hangs on it.
fn watch(mounted: &Mounted) -> impl Drop {
    struct Watch(Option<std::sync::mpsc::Sender<()>>);
    impl Drop for Watch {
        fn drop(&mut self) {
            self.0 = None;
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let abort = format!("/sys/fs/fuse/connections/{}/abort", mounted.connection);
    std::thread::spawn(move || {
        let waited = receiver.recv_timeout(Duration::from_secs(60));
        if waited == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the mount hangs: aborting it");
            let _ = std::fs::write(abort, "1");
        }
    });
    Watch(Some(sender))
}

fn check(policy: SplicePolicy, steal: bool, direct: bool) {
    let mounted = match Mounted::new(policy, steal, direct) {
        Ok(mounted) => mounted,
        Err(reason) => {
            eprintln!("skipped: no FUSE mount to be had: {reason}");
            return;
        }
    };
    let _watch = watch(&mounted);
    let mut content = noise(77, CONTENT);
    let case = format!("{policy:?}, steal {steal}, direct {direct}");
    let file = File::options().read(true).write(true).open(&mounted.path).unwrap();
    for (at, len) in [
        (0, 1),
        (0, 8192),
        (5, 65_536),
        (100_000, 508 << 10),
        (4096, 1 << 20),
        (777, 1 << 20),
        (CONTENT - 5, 100),
        (CONTENT - 70_001, 131_072),
        (CONTENT - 600_000, 1 << 20),
        (CONTENT, 4096),
    ] {
        let mut got = vec![0xaa; len];
        let read = file.read_at(&mut got, at as u64).unwrap();
        let want = &content[at..(at + len).min(CONTENT)];
        // Through the page cache the file has the size it claims, padded with zeros.
        assert!(read == want.len() || !direct && read >= want.len(), "{case}: {read} of {len}");
        assert_same(&got[..want.len()], want, &format!("{case}: {len} at {at}"));
    }
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (file, content, case) = (&file, &content, &case);
            scope.spawn(move || {
                let mut got = vec![0; 200_000];
                for round in 0..100 {
                    let at = (round * 28_111 + thread * 917) % (CONTENT - got.len());
                    let len = 1 + (round * 7919) % got.len();
                    file.read_exact_at(&mut got[..len], at as u64).unwrap();
                    assert_same(&got[..len], &content[at..at + len], case);
                }
            });
        }
    });
    let spliced = mounted.counts.spliced_out.load(Ordering::Relaxed);
    assert_eq!(spliced > 0, policy != SplicePolicy::Never, "{case}: {spliced} spliced replies");

    for (at, len) in [(0, 10), (4096, 8192), (33, 5000), (1000, 400_000), (100_000, 1 << 20)] {
        let data = noise(at + len, len);
        assert_eq!(file.write_at(&data, at as u64).unwrap(), len, "{case}");
        content[at..at + len].copy_from_slice(&data);
    }
    file.sync_all().unwrap();
    let mut stored = vec![0; CONTENT];
    mounted.backing.read_exact_at(&mut stored, 0).unwrap();
    assert_same(&stored, &content, &format!("{case}: written"));
    assert!(mounted.counts.piped_writes.load(Ordering::Relaxed) > 0, "{case}: no write by pipe");
}

#[test]
fn the_kernel_takes_every_kind_of_reply() {
    for policy in [SplicePolicy::Always, SplicePolicy::Auto, SplicePolicy::Never] {
        for (steal, direct) in [(false, true), (false, false), (true, false)] {
            check(policy, steal, direct);
        }
    }
}

#[test]
fn only_a_mounted_device_can_be_cloned() {
    if let Err(error) = File::open("/dev/fuse") {
        eprintln!("skipped: /dev/fuse: {error}");
        return;
    }
    let device = Device::new(File::open("/dev/null").unwrap().into());
    assert_eq!(device.try_clone().err(), Some(Errno::EINVAL));
}
