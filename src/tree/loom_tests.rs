//! Path locks under loom: every order in which a few threads can meet, up to a number of preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib tree::loom_tests`
//!
//! loom itself fails a test in which nobody can go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::locks::{PathLocks, Target};
use super::namespace::Namespace;
use super::nodes::{Id, Node, ROOT, Refusal};
use super::path::Room;

/// loom sees the locks and counters; this, which checks them, it need not.
#[derive(Default)]
struct Use {
    readers: AtomicUsize,
    removals: AtomicUsize,
}

struct Fixture {
    locks: PathLocks,
    space: Namespace,
    used: Use,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { locks: PathLocks::default(), space: Namespace::new(), used: Use::default() }
    }

    fn add(&self, parent: Id, name: &str) -> Id {
        let looked_up = |node: &mut Node| {
            node.nlookup += 1;
            node.id
        };
        self.space.enter(parent, name.as_bytes(), looked_up).unwrap()
    }

    /// Uses paths, which no removal may do at the same time.
    fn read(&self, targets: &[Target<'_>]) {
        let _held = self.locks.acquire(&self.space, targets).unwrap();
        self.used.readers.fetch_add(1, Ordering::SeqCst);
        // A point at which loom may switch.
        thread::yield_now();
        assert_eq!(self.used.removals.load(Ordering::SeqCst), 0, "in use while removed");
        self.used.readers.fetch_sub(1, Ordering::SeqCst);
    }

    fn remove(&self, targets: &[Target<'_>]) {
        let _held = self.locks.acquire(&self.space, targets).unwrap();
        self.used.removals.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        assert_eq!(self.used.readers.load(Ordering::SeqCst), 0, "removed while in use");
        assert_eq!(self.used.removals.load(Ordering::SeqCst), 1);
        self.used.removals.fetch_sub(1, Ordering::SeqCst);
    }

    fn check(&self) {
        assert!(self.locks.is_calm());
        assert_eq!(self.locks.waiting(), 0);
        assert!(self.space.nodes.select(|node| node.marked || node.users > 0).is_empty());
        assert!(self.space.nodes.active().is_empty());
    }
}

fn explore(preemptions: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    builder.check(test);
}

fn together(f: &Arc<Fixture>, threads: Vec<Box<dyn FnOnce(&Fixture) + Send>>) {
    let spawn = |run: Box<dyn FnOnce(&Fixture) + Send>| {
        let f = f.clone();
        thread::spawn(move || run(&f))
    };
    let threads: Vec<_> = threads.into_iter().map(spawn).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn removal_of_a_directory_against_a_use_below_it() {
    explore(3, || {
        let f = Arc::new(Fixture::new());
        let dir = f.add(ROOT, "dir");
        let sub = f.add(dir, "sub");
        together(
            &f,
            vec![
                Box::new(move |f| f.read(&[Target::name(sub, b"x")])),
                Box::new(|f| f.remove(&[Target::write(ROOT, b"dir")])),
            ],
        );
        f.check();
    });
}

#[test]
fn removal_of_a_file_against_its_use() {
    explore(3, || {
        let f = Arc::new(Fixture::new());
        let file = f.add(ROOT, "file");
        together(
            &f,
            vec![
                Box::new(move |f| f.read(&[Target::node(file)])),
                Box::new(|f| f.remove(&[Target::write(ROOT, b"file")])),
            ],
        );
        f.check();
    });
}

#[test]
fn one_waits_and_two_pass() {
    explore(2, || {
        let f = Arc::new(Fixture::new());
        let dir = f.add(ROOT, "dir");
        let sub = f.add(dir, "sub");
        together(
            &f,
            vec![
                Box::new(move |f| f.read(&[Target::node(sub)])),
                Box::new(move |f| f.read(&[Target::node(dir)])),
                Box::new(|f| f.remove(&[Target::write(ROOT, b"dir")])),
            ],
        );
        f.check();
    });
}

#[test]
fn crossed_renames() {
    explore(2, || {
        let f = Arc::new(Fixture::new());
        let (a, b) = (f.add(ROOT, "a"), f.add(ROOT, "b"));
        f.add(a, "x");
        f.add(b, "x");
        together(
            &f,
            vec![
                Box::new(move |f| f.remove(&[Target::write(a, b"x"), Target::write(b, b"x")])),
                Box::new(move |f| f.remove(&[Target::write(b, b"x"), Target::write(a, b"x")])),
            ],
        );
        f.check();
    });
}

#[test]
fn a_directory_moves_while_something_below_is_used() {
    explore(2, || {
        let f = Arc::new(Fixture::new());
        let (a, b) = (f.add(ROOT, "a"), f.add(ROOT, "b"));
        let dir = f.add(a, "dir");
        let file = f.add(dir, "file");
        together(
            &f,
            vec![
                Box::new(move |f| {
                    let held = f
                        .locks
                        .acquire(&f.space, &[Target::write(a, b"dir"), Target::write(b, b"dir")])
                        .unwrap();
                    f.space.relink(dir, b, b"dir");
                    drop(held);
                }),
                Box::new(move |f| {
                    let held = f.locks.acquire(&f.space, &[Target::node(file)]).unwrap();
                    let path = || f.space.path(file, None, &mut Room::new()).unwrap().to_owned();
                    let before = path();
                    thread::yield_now();
                    assert_eq!(path(), before, "the path has changed under its lock");
                    drop(held);
                }),
                // Once it stands below b, removing b must wait for it too.
                Box::new(move |f| {
                    let held = f.locks.acquire(&f.space, &[Target::write(ROOT, b"b")]).unwrap();
                    let marked = f.space.nodes.with(b, |node| node.marked);
                    assert_eq!(marked, Some(true));
                    drop(held);
                }),
            ],
        );
        let mut room = Room::new();
        assert_eq!(f.space.path(file, None, &mut room), Some(c"/b/dir/file"));
        f.check();
    });
}

#[test]
fn a_name_is_looked_up_while_it_is_forgotten() {
    explore(3, || {
        let f = Arc::new(Fixture::new());
        let dir = f.add(ROOT, "dir");
        let file = f.add(dir, "file");
        together(
            &f,
            vec![
                Box::new(move |f| {
                    f.space.forget(file, 1, 0);
                    f.space.forget(dir, 1, 0);
                }),
                Box::new(move |f| {
                    let held = match f.locks.acquire(&f.space, &[Target::name(dir, b"file")]) {
                        Ok(held) => held,
                        Err(refusal) => return assert_eq!(refusal, Refusal::Missing),
                    };
                    let again = f.add(dir, "file");
                    drop(held);
                    f.space.forget(again, 1, 0);
                }),
            ],
        );
        assert_eq!(f.space.nodes.len(), 1, "nodes are left over");
        assert_eq!(f.space.name_count(), 0);
        f.check();
    });
}

#[test]
fn a_node_is_removed_while_it_is_forgotten() {
    explore(3, || {
        let f = Arc::new(Fixture::new());
        let dir = f.add(ROOT, "dir");
        let file = f.add(dir, "file");
        together(
            &f,
            vec![
                Box::new(move |f| {
                    f.space.forget(file, 1, 0);
                }),
                Box::new(move |f| {
                    let target = [Target::write(dir, b"file")];
                    let held = f.locks.acquire(&f.space, &target).unwrap();
                    if let Some(id) = f.space.child(dir, b"file") {
                        f.space.detach(id);
                    }
                    drop(held);
                }),
            ],
        );
        assert_eq!(f.space.nodes.len(), 2);
        assert_eq!(f.space.name_count(), 1);
        f.check();
    });
}
