//! The path tree: what making and locking a path costs, and what a node weighs.
//!
//! Requests go in as bytes and answers come out into nothing, so a figure is the whole way of a
//! LOOKUP or GETATTR through session and tree, without the system calls. Every thread works in a
//! directory of its own, as different programs mostly do; `shared` is all of them in one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::hint::black_box;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use ferrofuse::buf::Vector;
use ferrofuse::session::{Config, Message, Session};
use ferrofuse::transport::Channel;
use ferrofuse::tree::{Compat, OpSet, OpenFile, PathOps, ReadData, Tree, TreeConfig};
use ferrofuse::wire::layout::{Attr, GetattrIn, InHeader, InitIn};
use ferrofuse::wire::{MAJOR, MINOR, Opcode};
use ferrofuse::{Errno, Result};
use zerocopy::IntoBytes;

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// What glibc's malloc really takes for a request of this size.
fn real_size(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(real_size(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's promise is the system allocator's condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(real_size(layout.size()), Ordering::Relaxed);
        // SAFETY: likewise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A device that answers go into.
struct Sink;

impl Channel for Sink {
    fn raw_fd(&self) -> RawFd {
        -1
    }
    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }
    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        Ok(black_box(message).iter().map(|part| part.len()).sum())
    }
    fn can_splice_in(&self) -> bool {
        false
    }
    fn can_splice_out(&self) -> bool {
        false
    }
    fn splice_in(&self, _: BorrowedFd<'_>, _: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
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

/// A filesystem in which every path is a directory.
struct Everything;

enum NoData {}

impl ReadData for NoData {
    fn vector(&mut self) -> Vector<'_> {
        match *self {}
    }
}

impl PathOps for Everything {
    type Data = NoData;

    fn implements(&self) -> OpSet {
        OpSet::GETATTR
    }

    fn getattr(&self, path: Option<&CStr>, _: Option<&OpenFile>) -> Result<Attr> {
        black_box(path);
        Ok(Attr { mode: libc::S_IFDIR | 0o755, nlink: 2, ..Attr::default() })
    }
}

struct Mount {
    session: Arc<Session>,
    tree: Arc<Tree<Everything>>,
    channel: Arc<dyn Channel>,
}

fn request(opcode: Opcode, node: u64, body: &[u8]) -> Vec<u8> {
    let len = (size_of::<InHeader>() + body.len()) as u32;
    let header =
        InHeader { len, opcode: opcode as u32, unique: 2, nodeid: node, ..InHeader::default() };
    [header.as_bytes(), body].concat()
}

fn lookup(parent: u64, name: &str) -> Vec<u8> {
    request(Opcode::Lookup, parent, format!("{name}\0").as_bytes())
}

impl Mount {
    fn new() -> Mount {
        let tree = Tree::new(Everything, TreeConfig::default(), Compat::default());
        let session = Session::new(Box::new(tree.clone()), Config::default());
        let channel: Arc<dyn Channel> = Arc::new(Sink);
        session.attach(channel.clone()).expect("a new session has no channel");
        let init = InitIn { major: MAJOR, minor: MINOR, ..InitIn::default() };
        let mount = Mount { session, tree, channel };
        mount.send(&request(Opcode::Init, 0, init.as_bytes()));
        mount
    }

    fn send(&self, request: &[u8]) {
        self.session.process(Message::in_memory(request), &self.channel);
    }

    /// Looks a name up and returns its number: they are counted from 2.
    fn enter(&self, parent: u64, name: &str) -> u64 {
        let before = self.tree.node_count();
        self.send(&lookup(parent, name));
        assert_eq!(self.tree.node_count(), before + 1);
        before as u64 + 1
    }

    /// A chain of directories below the root, `depth - 1` of them, so that a name in the last one
    /// is at `depth`.
    fn descend(&self, first: &str, depth: usize) -> u64 {
        (1..depth).fold(1, |dir, level| match level {
            1 => self.enter(dir, first),
            _ => self.enter(dir, "directory"),
        })
    }

    /// Adds names until there are this many nodes, at most 1000 to a directory.
    fn fill(&self, nodes: usize) {
        let mut count = self.tree.node_count();
        let mut dir = 1;
        while count < nodes {
            if count % 1000 == 0 {
                self.send(&lookup(1, &format!("filling{count}")));
                dir = count as u64 + 1;
            } else {
                self.send(&lookup(dir, &format!("file{count:08}")));
            }
            count += 1;
        }
    }
}

/// The time that `threads` threads take for `rounds` requests each.
fn run(mount: &Mount, requests: &[Vec<u8>], rounds: u64) -> Duration {
    let barrier = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .iter()
            .map(|request| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let start = Instant::now();
                    for _ in 0..rounds {
                        mount.send(request);
                    }
                    start.elapsed()
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or_default()
    })
}

fn resolution(criterion: &mut Criterion) {
    for nodes in [1, 10_000, 1_000_000] {
        let mut group = criterion.benchmark_group(format!("lookup/{nodes}-nodes"));
        group.sample_size(10).measurement_time(Duration::from_secs(1));
        group.warm_up_time(Duration::from_millis(300));
        for depth in [1, 8, 32] {
            let mount = Mount::new();
            let dirs: Vec<u64> =
                (0..8).map(|thread| mount.descend(&format!("thread{thread}"), depth)).collect();
            mount.fill(nodes);
            for threads in [1, 2, 8] {
                let requests: Vec<_> =
                    dirs[..threads].iter().map(|dir| lookup(*dir, "a file")).collect();
                group.throughput(Throughput::Elements(threads as u64));
                let id = BenchmarkId::new(format!("depth-{depth}"), format!("{threads}-threads"));
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|rounds| run(&mount, &requests, rounds));
                });
            }
            let requests = vec![lookup(dirs[0], "a file"); 8];
            group.throughput(Throughput::Elements(8));
            group.bench_function(format!("depth-{depth}/8-threads-shared"), |bencher| {
                bencher.iter_custom(|rounds| run(&mount, &requests, rounds));
            });
        }
        group.finish();
    }
}

fn attributes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("getattr/10000-nodes");
    group.sample_size(10).measurement_time(Duration::from_secs(1));
    for depth in [1, 8, 32] {
        let mount = Mount::new();
        let node = mount.descend("thread0", depth + 1);
        mount.fill(10_000);
        let request = request(Opcode::Getattr, node, GetattrIn::default().as_bytes());
        group.bench_function(format!("depth-{depth}"), |bencher| {
            bencher.iter(|| mount.send(&request));
        });
    }
    group.finish();
}

/// Not a time: printed, for comparison with libfuse's `struct node` and its tables.
fn memory(_: &mut Criterion) {
    for nodes in [10_000, 1_000_000] {
        let mount = Mount::new();
        let before = IN_USE.load(Ordering::Relaxed);
        mount.fill(nodes);
        let bytes = IN_USE.load(Ordering::Relaxed) - before;
        println!("memory/{nodes}-nodes: {} bytes a node, names of 12", bytes / nodes);
    }
}

criterion_group!(benches, memory, resolution, attributes);
criterion_main!(benches);
