//! The path tree under a real kernel.

mod tree_support;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use ferrofuse::Errno;
use ferrofuse::buf::{CopyFlags, Vector};
use ferrofuse::mount::{self, Flavor, MountOptions, MountPoint};
use ferrofuse::session::{Config, Session};
use ferrofuse::transport::Device;
use ferrofuse::tree::{Compat, Tree, TreeConfig};
use tree_support::memory::MemoryFs;

struct Mounted {
    dir: PathBuf,
    fs: MemoryFs,
    session: Arc<Session>,
    point: Option<MountPoint>,
    server: Option<JoinHandle<i32>>,
}

impl Mounted {
    /// `None`, with the reason on standard error, where nothing can be mounted.
    fn new(stream: bool) -> Option<Mounted> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/fuse") {
            eprintln!("skipped: /dev/fuse: {error}");
            return None;
        }
        let name = format!("ferrofuse-tree-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).unwrap();
        let (device, point) =
            mount::mount(&dir, &MountOptions::new(Flavor::FUSE3)).unwrap().into_parts();
        let fs = MemoryFs { stream, ..MemoryFs::new() };
        let tree = Tree::new(fs.clone(), TreeConfig::default(), Compat::default());
        let session = Session::new(Box::new(tree), Config::default());
        session.attach(Arc::new(Device::new(device))).unwrap();
        let server = {
            let session = session.clone();
            thread::spawn(move || session.run_multi(Default::default()))
        };
        Some(Mounted { dir, fs, session, point: Some(point), server: Some(server) })
    }

    fn unmount(&mut self) {
        if let Some(point) = self.point.take() {
            point.unmount(None).unwrap();
        }
        if let Some(server) = self.server.take() {
            assert_eq!(server.join().unwrap(), 0);
        }
        self.session.destroy();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.unmount();
            let violations = self.fs.memory.violations.lock().unwrap();
            assert!(violations.is_empty(), "{violations:?}");
            let _ = fs::remove_dir(&self.dir);
        } else if let Some(point) = self.point.take() {
            let _ = point.unmount(None);
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn files_directories_and_links() {
    let Some(mut mounted) = Mounted::new(false) else { return };
    let at = |name: &str| mounted.path(name);
    fs::create_dir_all(at("a/b/c")).unwrap();
    fs::write(at("a/b/c/file"), b"content").unwrap();
    assert_eq!(fs::read(at("a/b/c/file")).unwrap(), b"content");
    fs::rename(at("a/b"), at("moved")).unwrap();
    assert_eq!(fs::read(at("moved/c/file")).unwrap(), b"content");
    assert!(!at("a/b").exists());
    fs::hard_link(at("moved/c/file"), at("hard")).unwrap();
    std::os::unix::fs::symlink("hard", at("soft")).unwrap();
    assert_eq!(fs::read(at("soft")).unwrap(), b"content");
    assert_eq!(fs::read_link(at("soft")).unwrap(), Path::new("hard"));
    assert_eq!(names(&mounted.dir), ["a", "hard", "moved", "soft"]);
    fs::remove_dir_all(at("moved")).unwrap();
    fs::remove_dir(at("a")).unwrap();
    assert_eq!(mounted.fs.memory.paths(), ["/", "/hard", "/soft"]);
    mounted.unmount();
    assert!(mounted.fs.memory.destroyed.load(Ordering::SeqCst));
}

#[test]
fn a_file_removed_while_open_lives_until_it_is_closed() {
    let Some(mounted) = Mounted::new(false) else { return };
    let path = mounted.path("file");
    let mut file = File::create_new(&path).unwrap();
    file.write_all(b"before").unwrap();
    fs::remove_file(&path).unwrap();
    assert!(!path.exists());
    file.write_all(b" and after").unwrap();
    let mut file = {
        let again = OpenOptions::new()
            .read(true)
            .open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)));
        drop(file);
        again.unwrap()
    };
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "before and after");
    assert_eq!(mounted.fs.memory.paths().len(), 2);
    drop(file);
    // RELEASE is not waited for.
    let start = std::time::Instant::now();
    while mounted.fs.memory.paths().len() != 1 {
        assert!(start.elapsed().as_secs() < 10, "the hidden file stays");
        thread::yield_now();
    }
}

#[test]
fn large_directories_are_read_whole_in_both_modes() {
    for stream in [false, true] {
        let Some(mounted) = Mounted::new(stream) else { return };
        let expected: Vec<String> = (0..1500).map(|at| format!("name{at:05}")).collect();
        for name in &expected {
            File::create(mounted.path(name)).unwrap();
        }
        assert_eq!(names(&mounted.dir), expected);
    }
}

#[test]
fn many_threads_on_one_mount() {
    let Some(mut mounted) = Mounted::new(false) else { return };
    mounted.fs.memory.record.store(false, Ordering::SeqCst);
    mounted.fs.memory.slow.store(true, Ordering::SeqCst);
    let dir = mounted.dir.clone();
    thread::scope(|scope| {
        for number in 0..6u64 {
            let dir = &dir;
            scope.spawn(move || {
                let mut random = number + 1;
                let mut below = |limit: u64| {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (random >> 33) % limit
                };
                for _ in 0..400 {
                    let mut path = || {
                        let depth = 1 + below(3);
                        (0..depth).fold(dir.clone(), |path, _| path.join(format!("{}", below(3))))
                    };
                    let (path, other) = (path(), path());
                    // What succeeds depends on the others; that nothing breaks is the test.
                    match below(8) {
                        0 | 1 => drop(fs::create_dir(&path)),
                        2 => drop(fs::write(&path, b"data")),
                        3 => drop(fs::remove_file(&path)),
                        4 => drop(fs::remove_dir(&path)),
                        5 => drop(fs::rename(&path, &other)),
                        6 => drop(fs::read_dir(&path).map(|entries| entries.count())),
                        _ => drop(fs::metadata(&path)),
                    }
                }
            });
        }
    });
    mounted.unmount();
    assert_eq!(mounted.fs.memory.open_files(), 0);
    let paths = mounted.fs.memory.paths();
    assert!(!paths.iter().any(|path| path.contains(".fuse_hidden")), "{paths:?}");
}

#[test]
fn storing_and_retrieving_after_the_unmount_say_that_it_is_gone() {
    let Some(mut mounted) = Mounted::new(false) else { return };
    fs::write(mounted.path("file"), b"content").unwrap();
    let session = mounted.session.clone();
    // The first one after the root.
    let node = 2;
    session.notify_inval_inode(node, 0, 0).unwrap();
    // A node that the kernel never heard of is another matter.
    assert_eq!(session.notify_retrieve(node + 1, 4, 0, 1), Err(Errno::ENOENT));
    mounted.point.take().unwrap().unmount(None).unwrap();
    assert_eq!(mounted.server.take().unwrap().join().unwrap(), 0);
    // Nothing is cached any more, which programs take for success.
    assert_eq!(session.notify_inval_inode(node, 0, 0), Err(Errno::ENOENT));
    assert_eq!(session.notify_inval_entry(1, b"file"), Err(Errno::ENOENT));
    let store = session.notify_store(node, 0, Vector::from_bytes(b"text"), CopyFlags::empty());
    assert_eq!(store, Err(Errno::ENODEV));
    assert_eq!(session.notify_retrieve(node, 4, 0, 1), Err(Errno::ENODEV));
}
