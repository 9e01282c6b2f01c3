//! Many threads on one tree, with the locks that a kernel holds on directories and no others: no
//! operation's path may change under it, nothing may be left over, and nobody may wait for ever.

mod tree_support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::thread;
use std::time::Duration;

use ferrofuse::tree::TreeConfig;
use tree_support::Kernel;
use tree_support::memory::MemoryFs;

const THREADS: u64 = 8;
const ROUNDS: usize = 2000;
const WATCHDOG: Duration = Duration::from_secs(120);
const NAMES: [&str; 5] = ["a", "b", "c", "d", "a name that is longer than what fits inline"];

/// An inode in the kernel's cache.
struct Known {
    id: u64,
    is_dir: bool,
    nlookup: AtomicU64,
    /// i_rwsem.
    names: RwLock<()>,
}

struct Cache {
    kernel: Kernel<MemoryFs>,
    known: Mutex<HashMap<u64, Arc<Known>>>,
    /// s_vfs_rename_mutex.
    rename: Mutex<()>,
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    fn name(&mut self) -> &'static [u8] {
        NAMES[self.below(NAMES.len())].as_bytes()
    }
}

impl Cache {
    /// A node that is in use as long as the result lives.
    fn pick(&self, random: &mut Random, dirs: bool) -> Arc<Known> {
        let known = self.known.lock().unwrap();
        let fit: Vec<&Arc<Known>> = known.values().filter(|node| node.is_dir == dirs).collect();
        match fit.len() {
            0 => known[&1].clone(),
            len => fit[random.below(len)].clone(),
        }
    }

    fn add(&self, id: u64, mode: u32) -> Arc<Known> {
        let mut known = self.known.lock().unwrap();
        let node = known.entry(id).or_insert_with(|| {
            Arc::new(Known {
                id,
                is_dir: mode & libc::S_IFMT == libc::S_IFDIR,
                nlookup: AtomicU64::new(0),
                names: RwLock::default(),
            })
        });
        node.nlookup.fetch_add(1, Ordering::SeqCst);
        node.clone()
    }

    fn forget_some(&self, random: &mut Random) {
        let evicted = {
            let mut known = self.known.lock().unwrap();
            let unused: Vec<u64> = known
                .values()
                .filter(|node| node.id != 1 && Arc::strong_count(node) == 1)
                .map(|node| node.id)
                .collect();
            match unused.len() {
                0 => return,
                len => known.remove(&unused[random.below(len)]),
            }
        };
        let Some(node) = evicted else { return };
        let count = node.nlookup.load(Ordering::SeqCst);
        match random.below(2) {
            0 => self.kernel.forget(node.id, count),
            _ => self.kernel.batch_forget(&[(node.id, count)]),
        }
    }

    fn rename(&self, random: &mut Random) {
        let (from, to) = (self.pick(random, true), self.pick(random, true));
        let (name, newname) = (random.name(), random.name());
        let flags = [0, 0, libc::RENAME_NOREPLACE, libc::RENAME_EXCHANGE][random.below(4)];
        let send = || {
            // Errors are the filesystem's, and what a kernel would not ask for.
            let _ = self.kernel.rename((from.id, name), (to.id, newname), flags);
        };
        if from.id == to.id {
            let _names = from.names.write().unwrap();
            return send();
        }
        let _rename = self.rename.lock().unwrap();
        let (low, high) = if from.id < to.id { (&from, &to) } else { (&to, &from) };
        let _low = low.names.write().unwrap();
        let _high = high.names.write().unwrap();
        send();
    }

    fn open_and_close(&self, random: &mut Random) {
        let file = self.pick(random, false);
        if file.is_dir {
            return;
        }
        let Ok(open) = self.kernel.open(file.id, libc::O_RDWR) else { return };
        self.kernel.write(file.id, open.fh, b"data", 0).unwrap();
        assert_eq!(self.kernel.read(file.id, open.fh, 4, 0).unwrap(), b"data");
        self.kernel.release(file.id, open.fh).unwrap();
    }

    fn list(&self, random: &mut Random) {
        let dir = self.pick(random, true);
        let Ok(open) = self.kernel.opendir(dir.id) else { return };
        {
            let _names = dir.names.read().unwrap();
            for entry in self.kernel.readdirplus(dir.id, open.fh, 0, 4096).unwrap_or_default() {
                if entry.nodeid != 0 {
                    self.add(entry.nodeid, entry.kind);
                }
            }
        }
        self.kernel.releasedir(dir.id, open.fh).unwrap();
    }

    fn round(&self, random: &mut Random) {
        let dir = self.pick(random, true);
        let name = random.name();
        match random.below(16) {
            0..3 => {
                let _names = dir.names.read().unwrap();
                if let Ok(entry) = self.kernel.lookup(dir.id, name) {
                    self.add(entry.nodeid, entry.attr.mode);
                }
            }
            3..5 => {
                let _names = dir.names.write().unwrap();
                if let Ok(entry) = self.kernel.mkdir(dir.id, name) {
                    self.add(entry.nodeid, entry.attr.mode);
                }
            }
            5..7 => {
                let created = {
                    let _names = dir.names.write().unwrap();
                    self.kernel
                        .create(dir.id, name)
                        .map(|(entry, open)| (self.add(entry.nodeid, entry.attr.mode), open))
                };
                if let Ok((file, open)) = created {
                    thread::yield_now();
                    self.kernel.release(file.id, open.fh).unwrap();
                }
            }
            7 => {
                let _names = dir.names.write().unwrap();
                let _ = self.kernel.unlink(dir.id, name);
            }
            8 => {
                let _names = dir.names.write().unwrap();
                let _ = self.kernel.rmdir(dir.id, name);
            }
            9..11 => self.rename(random),
            11 => self.open_and_close(random),
            12 => {
                let file = self.pick(random, false);
                let _names = dir.names.write().unwrap();
                if let Ok(entry) = self.kernel.link(file.id, dir.id, name) {
                    self.add(entry.nodeid, entry.attr.mode);
                }
            }
            13 => {
                let dirs = random.below(2) == 0;
                let node = self.pick(random, dirs);
                let _ = self.kernel.getattr(node.id, None);
            }
            14 => self.list(random),
            _ => self.forget_some(random),
        }
    }
}

fn run(config: TreeConfig, seed: u64) {
    let fs = MemoryFs::new();
    fs.memory.record.store(false, Ordering::SeqCst);
    fs.memory.slow.store(true, Ordering::SeqCst);
    let kernel = Kernel::new(fs.clone(), config);
    let cache = Arc::new(Cache { kernel, known: Mutex::default(), rename: Mutex::new(()) });
    cache.add(1, libc::S_IFDIR);
    let (finished, done) = mpsc::channel();
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let (cache, finished) = (cache.clone(), finished.clone());
            thread::spawn(move || {
                let mut random = Random(seed.wrapping_mul(31).wrapping_add(number));
                for _ in 0..ROUNDS {
                    cache.round(&mut random);
                }
                let _ = finished.send(());
            })
        })
        .collect();
    for _ in &threads {
        done.recv_timeout(WATCHDOG).expect("a deadlock, or a thread failed");
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let violations = fs.memory.violations.lock().unwrap();
    assert!(violations.is_empty(), "{} in all, first: {}", violations.len(), violations[0]);
    assert_eq!(fs.memory.open_files(), 0);
    let hidden: Vec<String> =
        fs.memory.paths().into_iter().filter(|path| path.contains(".fuse_hidden")).collect();
    assert!(hidden.is_empty(), "left over: {hidden:?}");
    for node in cache.known.lock().unwrap().values().filter(|node| node.id != 1) {
        cache.kernel.forget(node.id, node.nlookup.load(Ordering::SeqCst));
    }
    assert_eq!(cache.kernel.tree.node_count(), 1, "nodes are left over");
}

#[test]
fn no_path_changes_under_an_operation() {
    for seed in 1..4 {
        run(TreeConfig::default(), seed);
    }
}

#[test]
fn nor_with_files_removed_while_open() {
    run(TreeConfig { hard_remove: true, ..TreeConfig::default() }, 7);
}
