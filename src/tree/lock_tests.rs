//! Path locks: who waits for whom, in what order, and that nobody waits for ever.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::locks::{Held, PathLocks, Target};
use super::namespace::Namespace;
use super::nodes::{Id, ROOT, Refusal};
use super::path::Room;

/// Long enough for a thread that can go on to have gone on.
const A_WHILE: Duration = Duration::from_millis(40);
/// Far longer than anything takes; Miri is some hundred times slower.
const LIMIT: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 10 });

struct Fixture {
    locks: PathLocks,
    space: Namespace,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { locks: PathLocks::default(), space: Namespace::new() }
    }

    fn space(&self) -> &Namespace {
        &self.space
    }

    fn add(&self, parent: Id, name: &str) -> Id {
        let looked_up = |node: &mut super::nodes::Node| {
            node.nlookup += 1;
            node.id
        };
        self.space().enter(parent, name.as_bytes(), looked_up).unwrap()
    }

    fn take(&self, targets: &[Target<'_>]) -> Held<'_> {
        self.locks.acquire(self.space(), targets).unwrap()
    }

    fn wait_for_queue(&self, len: usize) {
        let start = Instant::now();
        while self.locks.waiting() != len {
            assert!(start.elapsed() < LIMIT, "queue is not {len} long");
            thread::yield_now();
        }
    }
}

fn read(id: Id) -> Target<'static> {
    Target::node(id)
}

fn write(dir: Id, name: &'static str) -> Target<'static> {
    Target::write(dir, name.as_bytes())
}

#[test]
fn readers_share() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    let _one = f.take(&[read(dir)]);
    let _two = f.take(&[Target::name(dir, b"x"), read(dir)]);
    assert!(f.locks.is_calm());
}

#[test]
fn removal_waits_for_the_node_and_everything_below() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    let sub = f.add(dir, "sub");
    let file = f.add(sub, "file");
    for below in [read(dir), read(sub), read(file), Target::name(sub, b"new")] {
        let held = f.take(&[below]);
        let got = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _held = f.take(&[write(ROOT, "dir")]);
                got.store(true, Ordering::SeqCst);
            });
            f.wait_for_queue(1);
            assert!(!got.load(Ordering::SeqCst), "{below:?} does not hold up the removal");
            drop(held);
        });
        assert!(got.load(Ordering::SeqCst));
        assert!(f.locks.is_calm());
    }
}

#[test]
fn removal_keeps_away_what_is_below_and_nothing_else() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    let sub = f.add(dir, "sub");
    let other = f.add(ROOT, "other");
    let held = f.take(&[write(ROOT, "dir")]);
    // Neither waits.
    drop(f.take(&[read(other), Target::name(ROOT, b"new")]));
    drop(f.take(&[write(ROOT, "other")]));
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for below in [read(dir), Target::name(sub, b"new"), write(dir, "sub")] {
            let (f, done) = (&f, &done);
            scope.spawn(move || {
                let _held = f.take(&[below]);
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        f.wait_for_queue(3);
        assert_eq!(done.load(Ordering::SeqCst), 0);
        drop(held);
    });
    assert_eq!(done.load(Ordering::SeqCst), 3);
    assert!(f.locks.is_calm());
}

#[test]
fn those_who_wait_are_served_in_order() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    f.add(dir, "sub");
    let order = Mutex::new(Vec::new());
    let held = f.take(&[read(dir)]);
    thread::scope(|scope| {
        // A reader that could have the lock at once must not pass a writer that came before it.
        for (at, target) in
            [write(ROOT, "dir"), read(dir), write(ROOT, "dir"), read(dir)].into_iter().enumerate()
        {
            let (f, order) = (&f, &order);
            scope.spawn(move || {
                let _held = f.take(&[target]);
                order.lock().unwrap().push(at);
                thread::sleep(Duration::from_millis(2));
            });
            f.wait_for_queue(at + 1);
        }
        thread::sleep(A_WHILE);
        assert!(order.lock().unwrap().is_empty());
        drop(held);
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
}

#[test]
fn a_holder_that_never_returns_blocks_only_its_own_path() {
    let f = Fixture::new();
    let stuck_dir = f.add(ROOT, "stuck");
    let stuck = f.add(stuck_dir, "file");
    let other = f.add(ROOT, "other");
    f.add(other, "file");
    let (release, wait) = mpsc::channel::<()>();
    let f = &f;
    thread::scope(|scope| {
        scope.spawn(move || {
            let _held = f.take(&[read(stuck)]);
            let _ = wait.recv();
        });
        while f.space().nodes.active().is_empty() {
            thread::yield_now();
        }
        scope.spawn(|| drop(f.take(&[write(ROOT, "stuck")])));
        f.wait_for_queue(1);
        // All in this thread, so any waiting would be for ever.
        for _ in 0..if cfg!(miri) { 3 } else { 100 } {
            drop(f.take(&[write(other, "file")]));
            drop(f.take(&[write(ROOT, "other"), Target::name(ROOT, b"new")]));
            drop(f.take(&[Target::name(other, b"x")]));
        }
        assert_eq!(f.locks.waiting(), 1);
        release.send(()).unwrap();
    });
    assert!(f.locks.is_calm());
}

#[test]
fn moving_a_directory_below_itself_is_refused_and_not_waited_for() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    let sub = f.add(dir, "sub");
    let acquire = |targets: &[Target<'_>]| f.locks.acquire(f.space(), targets).err();
    let below = [write(ROOT, "dir"), write(sub, "x")];
    assert_eq!(acquire(&below), Some(Refusal::Circular));
    let own = [write(ROOT, "dir"), write(dir, "x")];
    assert_eq!(acquire(&own), Some(Refusal::Circular));
    let exchange = [write(dir, "sub"), write(ROOT, "dir")];
    assert_eq!(acquire(&exchange), Some(Refusal::Circular));
    assert!(f.locks.is_calm());
    assert!(f.space().nodes.active().is_empty());
}

#[test]
fn deleted_and_unknown_nodes_have_no_path() {
    let f = Fixture::new();
    let dir = f.add(ROOT, "dir");
    let file = f.add(dir, "file");
    f.space().detach(dir);
    let acquire = |target: Target<'_>| f.locks.acquire(f.space(), &[target]).err();
    assert_eq!(acquire(read(dir)), Some(Refusal::Deleted));
    assert_eq!(acquire(read(9)), Some(Refusal::Missing));
    // Pinning looks at one node only; the path tells.
    let _held = f.take(&[read(file)]);
    assert!(f.space().path(file, None, &mut Room::new()).is_none());
}

#[test]
fn paths_cached_before_a_rename_are_not_used_after_it() {
    let f = Fixture::new();
    let a = f.add(ROOT, "a");
    let b = f.add(a, "b");
    let c = f.add(b, "c");
    let path =
        |id, name: Option<&[u8]>| f.space().path(id, name, &mut Room::new()).unwrap().to_owned();
    assert_eq!(path(c, Some(b"x")).as_c_str(), c"/a/b/c/x");
    assert_eq!(path(c, None).as_c_str(), c"/a/b/c");
    f.space().relink(a, ROOT, b"z");
    assert_eq!(path(c, Some(b"x")).as_c_str(), c"/z/b/c/x");
    f.space().relink(c, ROOT, b"cc");
    assert_eq!(path(c, Some(b"x")).as_c_str(), c"/cc/x");
    f.space().exchange(a, c);
    assert_eq!(path(c, Some(b"x")).as_c_str(), c"/z/x");
    assert_eq!(path(b, Some(b"x")).as_c_str(), c"/cc/b/x");
    assert_eq!(path(ROOT, None).as_c_str(), c"/");
    assert_eq!(path(ROOT, Some(b"x")).as_c_str(), c"/x");
}

#[test]
fn numbers_skip_those_in_use_and_the_generation_grows_at_the_wrap() {
    let space = Namespace::counting_from(u64::from(u32::MAX) - 2);
    let enter = |name: &[u8]| {
        let seen = |node: &mut super::nodes::Node| {
            node.nlookup += 1;
            (node.id, node.generation)
        };
        space.enter(ROOT, name, seen).unwrap()
    };
    assert_eq!(enter(b"last"), (u32::MAX - 1, 0));
    // 0xffffffff is "unknown", 0 is none, 1 is the root.
    assert_eq!(enter(b"first"), (2, 1));
    assert_eq!(enter(b"last"), (u32::MAX - 1, 0));
}

/// Two-path operations in every order on a few directories, with a check that no two that exclude
/// each other hold their locks together.
#[test]
fn nobody_waits_for_ever() {
    const THREADS: usize = if cfg!(miri) { 3 } else { 8 };
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 3000 };
    let f = Arc::new(Fixture::new());
    let tops: Vec<Id> = (0..3).map(|at| f.add(ROOT, ["p", "q", "r"][at])).collect();
    for top in &tops {
        let sub = f.add(*top, "sub");
        f.add(sub, "file");
        f.add(*top, "file");
    }
    let (finished, done) = mpsc::channel();
    for number in 0..THREADS {
        let (f, tops, finished) = (f.clone(), tops.clone(), finished.clone());
        thread::spawn(move || {
            let mut random = number as u64 + 1;
            let mut pick = |limit: usize| {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                (random >> 33) as usize % limit
            };
            for _ in 0..ROUNDS {
                let dirs = [ROOT, tops[0], tops[1], tops[2]];
                let name = ["p", "q", "r", "sub", "file", "new"];
                let mut target = || {
                    let (dir, name) = (dirs[pick(4)], name[pick(6)]);
                    match pick(3) {
                        0 => read(dir),
                        1 => Target::name(dir, name.as_bytes()),
                        _ => write(dir, name),
                    }
                };
                let targets = [target(), target()];
                let count = 1 + pick(2);
                match f.locks.acquire(f.space(), &targets[..count]) {
                    Ok(_held) => {
                        for target in &targets[..count] {
                            let Target { node, name: Some(name), write: true } = *target else {
                                continue;
                            };
                            let Some(child) = f.space().child(node, name) else { continue };
                            let below = |id: &Id| f.space().is_at_or_below(*id, child);
                            let marked = f.space().nodes.with(child, |node| node.marked);
                            assert_eq!(marked, Some(true));
                            // Others may pin for an instant before they see the mark, but not stay.
                            let start = Instant::now();
                            while f.space().nodes.active().iter().any(below) {
                                assert!(start.elapsed() < LIMIT, "in use below");
                                thread::yield_now();
                            }
                        }
                    }
                    Err(refusal) => assert_eq!(refusal, Refusal::Circular),
                }
            }
            let _ = finished.send(());
        });
    }
    for _ in 0..THREADS {
        done.recv_timeout(LIMIT * 6).expect("deadlock, or a thread failed");
    }
    assert!(f.locks.is_calm());
    assert!(f.space().nodes.active().is_empty());
    assert!(f.space().nodes.select(|node| node.marked || node.users > 0).is_empty());
}

#[test]
fn the_tables_are_empty_once_everything_is_forgotten() {
    let f = Fixture::new();
    let mut dir = ROOT;
    let mut ids = Vec::new();
    for depth in 0..40 {
        dir = f.add(dir, &format!("directory {depth} with a name that has its own memory"));
        ids.push(dir);
        ids.extend((0..10).map(|at| f.add(dir, &format!("{at}"))));
    }
    assert_eq!(f.space().nodes.len(), 1 + ids.len());
    assert_eq!(f.space().name_count(), ids.len());
    for id in ids {
        f.space().forget(id, 1, 0);
    }
    assert_eq!(f.space().nodes.len(), 1);
    assert_eq!(f.space().name_count(), 0);
}
