//! How the path tree reads directories.

mod tree_support;

use ferrofuse::Errno;
use ferrofuse::tree::{Compat, FillFlags, OpenFile, TreeConfig};
use ferrofuse::wire::flags::OpenFlags;
use tree_support::Kernel;
use tree_support::scripted::Scripted;

fn kernel(fs: &Scripted) -> Kernel<Scripted> {
    Kernel::new(fs.clone(), TreeConfig::default())
}

#[test]
fn caching_bits_of_directories_depend_on_the_release() {
    let fs = Scripted::full();
    let caching = OpenFile { cache_readdir: true, keep_cache: true, ..OpenFile::default() };
    *fs.state.opened.lock().unwrap() = caching;
    assert_eq!(kernel(&fs).opendir(1).unwrap().open_flags, 0);
    let newer = Compat { opendir_caching: true, ..Compat::default() };
    let kernel = Kernel::with_compat(fs, TreeConfig::default(), newer);
    let flags = OpenFlags::CACHE_DIR | OpenFlags::KEEP_CACHE;
    assert_eq!(kernel.opendir(1).unwrap().open_flags, flags.bits());
}

#[test]
fn collected_directories_are_read_once_and_again_from_the_start() {
    let fs = Scripted::full();
    let plain = FillFlags::empty();
    *fs.state.entries.lock().unwrap() = vec![(".", 0, plain), ("a", 0, plain), ("b", 0, plain)];
    let kernel = kernel(&fs);
    let fh = kernel.opendir(1).unwrap().fh;
    assert_ne!(fh, 5, "the filesystem's handle is not the kernel's");
    fs.take_calls();
    // Each record takes 32 bytes.
    let first = kernel.readdir(1, fh, 0, 70).unwrap();
    assert_eq!(first.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(first[0].ino, 0xffff_ffff);
    assert_eq!(first[1].kind, libc::S_IFREG);
    let second = kernel.readdir(1, fh, 2, 70).unwrap();
    assert_eq!((second.len(), second[0].name.as_str(), second[0].offset), (1, "b", 3));
    assert_eq!(kernel.readdir(1, fh, 3, 70).unwrap(), []);
    assert_eq!(kernel.readdir(1, fh, u64::MAX, 70).unwrap(), []);
    assert_eq!(fs.take_calls(), ["readdir / 0 fh=5 0"]);
    kernel.readdir(1, fh, 0, 70).unwrap();
    assert_eq!(fs.take_calls().len(), 1, "rewinding reads again");
    kernel.releasedir(1, fh).unwrap();
    assert_eq!(fs.take_calls(), ["releasedir / fh=5"]);
    assert_eq!(kernel.readdir(1, fh, 0, 70), Err(Errno::EBADF));
}

#[test]
fn streamed_directories_are_asked_with_their_own_offsets() {
    let fs = Scripted::full();
    let plain = FillFlags::empty();
    let entries = vec![(".", 100, plain), ("a", 200, plain), ("b", 300, plain)];
    *fs.state.entries.lock().unwrap() = entries;
    let kernel = kernel(&fs);
    let fh = kernel.opendir(1).unwrap().fh;
    fs.take_calls();
    let first = kernel.readdir(1, fh, 0, 70).unwrap();
    assert_eq!(first.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [100, 200]);
    let second = kernel.readdir(1, fh, 200, 70).unwrap();
    assert_eq!((second.len(), second[0].offset), (1, 300));
    assert_eq!(kernel.readdir(1, fh, 300, 70).unwrap(), []);
    let asked = ["readdir / 0 fh=5 0", "readdir / 200 fh=5 0", "readdir / 300 fh=5 0"];
    assert_eq!(fs.take_calls(), asked);
}

#[test]
fn mixed_offsets_and_unknown_flags_fail_the_directory() {
    let fs = Scripted::full();
    let (plain, odd) = (FillFlags::empty(), FillFlags::from_bits_retain(4));
    let kernel = kernel(&fs);
    for entries in [
        vec![("a", 0, plain), ("b", 2, plain)],
        vec![("a", 1, plain), ("b", 0, plain)],
        vec![("a", 0, odd)],
    ] {
        *fs.state.entries.lock().unwrap() = entries;
        let fh = kernel.opendir(1).unwrap().fh;
        assert_eq!(kernel.readdir(1, fh, 0, 4096), Err(Errno::EIO));
    }
}

#[test]
fn readdirplus_counts_what_it_sends() {
    for stream in [false, true] {
        let fs = Scripted::full();
        let (plain, plus) = (FillFlags::empty(), FillFlags::PLUS);
        let offset = |at: i64| if stream { at } else { 0 };
        *fs.state.entries.lock().unwrap() = vec![
            (".", offset(1), plus),
            ("a", offset(2), plus),
            ("b", offset(3), plain),
            ("c", offset(4), plus),
        ];
        let kernel = kernel(&fs);
        let fh = kernel.opendir(1).unwrap().fh;
        // Records of 160 bytes: the fourth does not fit.
        let first = kernel.readdirplus(1, fh, 0, 500).unwrap();
        let nodes: Vec<_> = first.iter().map(|entry| entry.nodeid).collect();
        assert_eq!(nodes, [0, 2, 0]);
        assert_eq!(first[1].ino, 2);
        assert_eq!(first[2].ino, 0xffff_ffff);
        assert_eq!(kernel.tree.node_count(), 2);
        kernel.lose_readdirplus(1, fh);
        kernel.forget(2, 1);
        assert_eq!(kernel.tree.node_count(), 1);
    }
}

#[test]
fn readdir_ino_looks_into_the_tree() {
    let config = TreeConfig { readdir_ino: true, ..TreeConfig::default() };
    let fs = Scripted::full();
    let kernel = Kernel::new(fs.clone(), config);
    let f = kernel.lookup(1, b"f").unwrap().nodeid;
    let plain = FillFlags::empty();
    *fs.state.entries.lock().unwrap() = vec![("f", 0, plain), ("g", 0, plain)];
    let fh = kernel.opendir(1).unwrap().fh;
    let inos: Vec<_> =
        kernel.readdir(1, fh, 0, 4096).unwrap().iter().map(|entry| entry.ino).collect();
    assert_eq!(inos, [f, 0xffff_ffff]);
}
