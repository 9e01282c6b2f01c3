//! What the path tree makes of each request: the order of operations, fallbacks, options.

mod tree_support;

use std::time::{Duration, Instant};

use ferrofuse::Errno;
use ferrofuse::tree::{Compat, FillFlags, OpSet, OpenFile, TreeConfig};
use ferrofuse::wire::Opcode;
use ferrofuse::wire::flags::{InitFlags, OpenFlags, ReleaseFlags, SetattrValid};
use ferrofuse::wire::layout::*;
use tree_support::Kernel;
use tree_support::memory::MemoryFs;
use tree_support::scripted::Scripted;
use zerocopy::{FromBytes, IntoBytes};

fn kernel(fs: &Scripted) -> Kernel<Scripted> {
    Kernel::new(fs.clone(), TreeConfig::default())
}

/// A kernel that knows the file `/f`, and the file's node.
fn with_file(fs: &Scripted, config: TreeConfig) -> (Kernel<Scripted>, u64) {
    let kernel = Kernel::new(fs.clone(), config);
    let node = kernel.lookup(1, b"f").unwrap().nodeid;
    fs.take_calls();
    (kernel, node)
}

fn get<T: FromBytes>(bytes: &[u8]) -> T {
    T::read_from_prefix(bytes).unwrap().0
}

#[test]
fn capabilities_follow_the_operations() {
    let all = InitFlags::EXPORT_SUPPORT | InitFlags::DO_READDIRPLUS | InitFlags::READDIRPLUS_AUTO;
    let locks = InitFlags::POSIX_LOCKS | InitFlags::FLOCK_LOCKS;
    let full = kernel(&Scripted::full());
    assert!(full.init_flags.contains(all | locks));
    let few = kernel(&Scripted::with(OpSet::GETATTR));
    assert!(few.init_flags.contains(all));
    assert!(!few.init_flags.intersects(locks));
}

#[test]
fn missing_operations_are_answered_as_libfuse_does() {
    let fs = Scripted::with(OpSet::GETATTR);
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    let open = kernel.open(f, libc::O_RDONLY).unwrap();
    assert_eq!((open.fh, open.open_flags), (0, 0));
    kernel.release(f, open.fh).unwrap();
    let dir = kernel.opendir(1).unwrap();
    assert_eq!(kernel.readdir(1, dir.fh, 0, 4096), Err(Errno::ENOSYS));
    kernel.releasedir(1, dir.fh).unwrap();
    let st: Kstatfs = get(&kernel.call(Opcode::Statfs, 1, &[]).unwrap());
    assert_eq!((st.namelen, st.bsize, st.blocks), (255, 512, 0));
    assert_eq!(kernel.create(1, b"x").map(drop), Err(Errno::ENOSYS));
    assert_eq!(kernel.mkdir(1, b"x").map(drop), Err(Errno::ENOSYS));
    assert_eq!(kernel.unlink(1, b"f"), Err(Errno::ENOSYS));
    assert_eq!(kernel.call(Opcode::Readlink, f, &[]), Err(Errno::ENOSYS));
    assert_eq!(kernel.read(f, 0, 10, 0), Err(Errno::ENOSYS));
    assert_eq!(kernel.write(f, 0, b"x", 0), Err(Errno::ENOSYS));
    let flush = FlushIn::default();
    assert_eq!(kernel.call(Opcode::Flush, f, &[flush.as_bytes()]), Err(Errno::ENOSYS));
    assert_eq!(kernel.call(Opcode::Syncfs, 1, &[&[0; 8]]), Err(Errno::ENOSYS));
    let calls = fs.take_calls();
    assert!(calls.iter().all(|call| call.starts_with("getattr")), "{calls:?}");
}

#[test]
fn mknod_of_a_file_goes_through_create() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    let mode = libc::S_IFREG | 0o644;
    kernel.mknod(1, b"x", mode).unwrap();
    // O_CREAT | O_EXCL | O_WRONLY
    let expected = ["create /x 100644 0xc1", "getattr /x fh=5", "release /x fh=5"];
    assert_eq!(fs.take_calls(), expected);
    fs.fail("create", Errno::ENOSYS);
    kernel.mknod(1, b"y", mode).unwrap();
    assert_eq!(fs.take_calls(), ["create /y 100644 0xc1", "mknod /y 100644 0", "getattr /y"]);
    kernel.mknod(1, b"p", libc::S_IFIFO).unwrap();
    assert_eq!(fs.take_calls(), ["mknod /p 10000 0", "getattr /p"]);
    fs.fail("create", Errno::EACCES);
    assert_eq!(kernel.mknod(1, b"z", mode).map(drop), Err(Errno::EACCES));
    assert_eq!(fs.take_calls(), ["create /z 100644 0xc1"]);
}

#[test]
fn create_must_make_a_regular_file() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    fs.state.attr.lock().unwrap().mode = libc::S_IFIFO;
    assert_eq!(kernel.create(1, b"x").map(drop), Err(Errno::EIO));
    let calls = fs.take_calls();
    assert_eq!(calls[1..], ["getattr /x fh=5", "release /x fh=5"]);
    fs.fail("getattr", Errno::EACCES);
    assert_eq!(kernel.create(1, b"x").map(drop), Err(Errno::EACCES));
    assert_eq!(fs.take_calls().last().unwrap(), "release /x fh=5");
    assert_eq!(kernel.tree.node_count(), 1);
}

#[test]
fn setattr_has_a_fixed_order_and_stops_at_the_first_error() {
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    let valid = SetattrValid::MODE
        | SetattrValid::UID
        | SetattrValid::SIZE
        | SetattrValid::ATIME
        | SetattrValid::MTIME
        | SetattrValid::MTIME_NOW;
    let args = SetattrIn {
        valid: valid.bits(),
        mode: 0o100_600,
        uid: 5,
        gid: 6,
        size: 10,
        atime: 3,
        atimensec: 4,
        ..SetattrIn::default()
    };
    kernel.setattr(f, args).unwrap();
    let expected = [
        "chmod /f 100600",
        "chown /f 5 -1",
        "truncate /f 10",
        "utimens /f At { secs: 3, nanos: 4 } Now",
        "getattr /f",
    ];
    assert_eq!(fs.take_calls(), expected);
    fs.fail("truncate", Errno::EFBIG);
    assert_eq!(kernel.setattr(f, args), Err(Errno::EFBIG));
    assert_eq!(fs.take_calls(), expected[..3]);
    let only_mtime = SetattrIn { valid: SetattrValid::MTIME.bits(), mtime: 9, ..args };
    kernel.setattr(f, only_mtime).unwrap();
    assert_eq!(fs.take_calls()[0], "utimens /f Omit At { secs: 9, nanos: 0 }");
    let by_handle = SetattrValid::MODE | SetattrValid::FH;
    kernel.setattr(f, SetattrIn { valid: by_handle.bits(), fh: 8, ..args }).unwrap();
    assert_eq!(fs.take_calls(), ["chmod /f 100600 fh=8", "getattr /f fh=8"]);
}

#[test]
fn reported_attributes_follow_the_options() {
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    assert_eq!(kernel.getattr(f, None).unwrap().ino, f);
    let config = TreeConfig {
        use_ino: true,
        set_uid: Some(12),
        set_gid: Some(13),
        set_mode: true,
        umask: 0o027,
        dmask: 0o077,
        ..TreeConfig::default()
    };
    let (kernel, f) = with_file(&fs, config);
    let attr = kernel.getattr(f, None).unwrap();
    assert_eq!((attr.ino, attr.uid, attr.gid, attr.mode), (77, 12, 13, 0o100_750));
    fs.state.attr.lock().unwrap().mode = libc::S_IFDIR;
    assert_eq!(kernel.getattr(f, None).unwrap().mode, 0o040_700);
}

#[test]
fn missing_names_can_be_remembered() {
    let fs = Scripted::full();
    fs.fail("getattr", Errno::ENOENT);
    assert_eq!(kernel(&fs).lookup(1, b"x"), Err(Errno::ENOENT));
    let config = TreeConfig { negative_timeout: 2.5, ..TreeConfig::default() };
    let entry = Kernel::new(fs, config).lookup(1, b"x").unwrap();
    assert_eq!((entry.nodeid, entry.entry_valid, entry.entry_valid_nsec), (0, 2, 500_000_000));
}

#[test]
fn dots_are_looked_up_by_number() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    let dir = kernel.mkdir(1, b"d").unwrap().nodeid;
    let sub = kernel.mkdir(dir, b"s").unwrap().nodeid;
    fs.take_calls();
    assert_eq!(kernel.lookup(sub, b".").unwrap().nodeid, sub);
    assert_eq!(kernel.lookup(sub, b"..").unwrap().nodeid, dir);
    assert_eq!(kernel.lookup(1, b"..").unwrap().nodeid, 1);
    assert_eq!(fs.take_calls(), ["getattr /d/s", "getattr /d", "getattr /"]);
    assert_eq!(kernel.lookup(1234, b".").map(drop), Err(Errno::ESTALE));
    assert_eq!(kernel.lookup(u64::MAX, b"x").map(drop), Err(Errno::ESTALE));
    // Each was one lookup more.
    kernel.forget(sub, 2);
    kernel.forget(dir, 2);
    assert_eq!(kernel.tree.node_count(), 1);
}

#[test]
fn open_files_are_hidden_and_removed_at_the_last_close() {
    let fs = MemoryFs::new();
    let kernel = Kernel::new(fs.clone(), TreeConfig::default());
    let (entry, open) = kernel.create(1, b"f").unwrap();
    let second = kernel.open(entry.nodeid, libc::O_RDONLY).unwrap();
    kernel.write(entry.nodeid, open.fh, b"hello", 0).unwrap();
    kernel.unlink(1, b"f").unwrap();
    assert_eq!(fs.memory.paths(), ["/", "/.fuse_hidden0000000200000001"]);
    // The hidden name does not count.
    assert_eq!(kernel.getattr(entry.nodeid, None).unwrap().nlink, 0);
    kernel.release(entry.nodeid, open.fh).unwrap();
    assert_eq!(kernel.read(entry.nodeid, second.fh, 10, 0).unwrap(), b"hello");
    assert_eq!(fs.memory.paths().len(), 2);
    kernel.release(entry.nodeid, second.fh).unwrap();
    assert_eq!(fs.memory.paths(), ["/"]);
    assert_eq!(kernel.getattr(entry.nodeid, None), Err(Errno::ESTALE));
}

#[test]
fn hiding_gives_up_after_ten_names() {
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    kernel.open(f, 0).unwrap();
    fs.take_calls();
    assert_eq!(kernel.unlink(1, b"f"), Err(Errno::EBUSY));
    let calls = fs.take_calls();
    assert_eq!(calls.len(), 10);
    assert_eq!(calls[9], "getattr /.fuse_hidden000000020000000a");
    fs.fail("getattr", Errno::EIO);
    assert_eq!(kernel.unlink(1, b"f"), Err(Errno::EBUSY));
    assert_eq!(fs.take_calls().len(), 1);
}

#[test]
fn hard_remove_does_not_hide_and_leaves_a_file_without_path() {
    let config = TreeConfig { hard_remove: true, ..TreeConfig::default() };
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, config);
    let open = kernel.open(f, 0).unwrap();
    kernel.unlink(1, b"f").unwrap();
    fs.take_calls();
    assert_eq!(kernel.read(f, open.fh, 10, 0).unwrap(), b"ok");
    kernel.getattr(f, Some(5)).unwrap();
    kernel.release(f, open.fh).unwrap();
    assert_eq!(fs.take_calls(), ["read - fh=5", "getattr - fh=5", "release - fh=5"]);
    let access = AccessIn { mask: 4, padding: 0 };
    assert_eq!(kernel.call(Opcode::Access, f, &[access.as_bytes()]), Err(Errno::ESTALE));
    assert_eq!(kernel.open(f, 0), Err(Errno::ESTALE));
}

#[test]
fn destroy_removes_what_is_still_hidden() {
    let fs = MemoryFs::new();
    let kernel = Kernel::new(fs.clone(), TreeConfig::default());
    let (_, _open) = kernel.create(1, b"f").unwrap();
    kernel.unlink(1, b"f").unwrap();
    assert_eq!(fs.memory.paths().len(), 2);
    kernel.session.destroy();
    assert_eq!(fs.memory.paths(), ["/"]);
    assert!(fs.memory.destroyed.load(std::sync::atomic::Ordering::SeqCst));
}

#[test]
fn nullpath_leaves_paths_out_where_there_is_a_file() {
    let config = TreeConfig { nullpath_ok: true, ..TreeConfig::default() };
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, config);
    let open = kernel.open(f, 0).unwrap();
    kernel.read(f, open.fh, 10, 0).unwrap();
    kernel.getattr(f, Some(5)).unwrap();
    kernel.getattr(f, None).unwrap();
    kernel.release(f, open.fh).unwrap();
    let expected = ["open /f", "read - fh=5", "getattr - fh=5", "getattr /f", "release - fh=5"];
    assert_eq!(fs.take_calls(), expected);
}

#[test]
fn open_tells_the_kernel_what_file_and_options_say() {
    let fs = Scripted::full();
    let flags = |config: TreeConfig, open: i32| {
        let (kernel, f) = with_file(&fs, config);
        OpenFlags::from_bits_retain(kernel.open(f, open).unwrap().open_flags)
    };
    assert_eq!(flags(TreeConfig::default(), 0), OpenFlags::empty());
    let direct = TreeConfig { direct_io: true, ..TreeConfig::default() };
    assert_eq!(flags(direct, 0), OpenFlags::DIRECT_IO);
    let cached = TreeConfig { kernel_cache: true, ..TreeConfig::default() };
    assert_eq!(flags(cached, 0), OpenFlags::KEEP_CACHE);
    let unflushed = TreeConfig { no_rofd_flush: true, ..TreeConfig::default() };
    assert_eq!(flags(unflushed.clone(), libc::O_RDONLY), OpenFlags::NOFLUSH);
    assert_eq!(flags(unflushed, libc::O_RDWR), OpenFlags::empty());
    *fs.state.opened.lock().unwrap() = OpenFile { nonseekable: true, ..OpenFile::default() };
    assert_eq!(flags(TreeConfig::default(), 0), OpenFlags::NONSEEKABLE);
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
fn auto_cache_keeps_data_while_the_file_stays_the_same() {
    let fs = Scripted::full();
    let config =
        TreeConfig { auto_cache: true, ac_attr_timeout: Some(3600.0), ..TreeConfig::default() };
    let (kernel, f) = with_file(&fs, config);
    let keeps = || {
        let open = kernel.open(f, 0).unwrap();
        open.open_flags & OpenFlags::KEEP_CACHE.bits() != 0
    };
    assert!(!keeps(), "nothing is cached at first");
    assert!(keeps());
    fs.state.attr.lock().unwrap().size = 10;
    assert!(keeps(), "looked at too recently to notice");
    kernel.getattr(f, None).unwrap();
    assert!(!keeps());
    assert!(keeps());
    let impatient =
        TreeConfig { auto_cache: true, ac_attr_timeout: Some(0.0), ..TreeConfig::default() };
    let (kernel, f) = with_file(&fs, impatient);
    kernel.open(f, 0).unwrap();
    fs.take_calls();
    let again = kernel.open(f, 0).unwrap();
    assert_eq!(again.open_flags, OpenFlags::KEEP_CACHE.bits());
    assert_eq!(fs.take_calls(), ["open /f", "getattr /f fh=5"]);
    fs.state.attr.lock().unwrap().mtime = 99;
    assert_eq!(kernel.open(f, 0).unwrap().open_flags, 0);
}

#[test]
fn closing_flushes_and_unlocks() {
    let flush = FlushIn { fh: 5, lock_owner: 9, ..FlushIn::default() };
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    kernel.call(Opcode::Flush, f, &[flush.as_bytes()]).unwrap();
    let unlock = format!("lock /f set 2 0..{} owner=9", i64::MAX);
    assert_eq!(fs.take_calls(), ["flush /f owner=9".to_owned(), unlock.clone()]);
    // Locks alone are reason enough for the kernel to go on flushing.
    fs.fail("flush", Errno::ENOSYS);
    kernel.call(Opcode::Flush, f, &[flush.as_bytes()]).unwrap();
    fs.fail("flush", Errno::ENOSPC);
    assert_eq!(kernel.call(Opcode::Flush, f, &[flush.as_bytes()]), Err(Errno::ENOSPC));
    fs.fail("flush", Errno::ENOSYS);
    fs.fail("lock", Errno::ENOSYS);
    assert_eq!(kernel.call(Opcode::Flush, f, &[flush.as_bytes()]), Err(Errno::ENOSYS));
    fs.take_calls();
    let release = ReleaseIn {
        fh: 5,
        lock_owner: 9,
        release_flags: ReleaseFlags::FLUSH.bits(),
        ..ReleaseIn::default()
    };
    kernel.call(Opcode::Release, f, &[release.as_bytes()]).unwrap();
    assert_eq!(
        fs.take_calls(),
        ["flush /f owner=9".to_owned(), unlock, "release /f fh=5".to_owned()]
    );
    fs.fail("release", Errno::EIO);
    kernel.release(f, 5).expect("nobody is told");
}

#[test]
fn granted_locks_are_remembered_for_other_owners() {
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    let lock = |kind: i32, start, end| FileLock { start, end, kind: kind as u32, pid: 3 };
    let body = |owner, lk| LkIn { fh: 5, owner, lk, lk_flags: 0, padding: 0 };
    let set = body(1, lock(libc::F_WRLCK, 10, 19));
    kernel.call(Opcode::Setlkw, f, &[set.as_bytes()]).unwrap();
    assert_eq!(fs.take_calls(), ["lock /f wait 1 10..19 owner=1"]);
    let ask = body(2, lock(libc::F_RDLCK, 0, 100));
    let found: LkOut = get(&kernel.call(Opcode::Getlk, f, &[ask.as_bytes()]).unwrap());
    assert_eq!(found.lk, set.lk);
    assert_eq!(fs.take_calls(), [""; 0]);
    let own = body(1, lock(libc::F_RDLCK, 0, 100));
    let found: LkOut = get(&kernel.call(Opcode::Getlk, f, &[own.as_bytes()]).unwrap());
    assert_eq!(found.lk.kind, libc::F_UNLCK as u32);
    assert_eq!(fs.take_calls(), ["lock /f get 0 0..100 owner=1"]);
    let flush = FlushIn { fh: 5, lock_owner: 1, ..FlushIn::default() };
    kernel.call(Opcode::Flush, f, &[flush.as_bytes()]).unwrap();
    let found: LkOut = get(&kernel.call(Opcode::Getlk, f, &[ask.as_bytes()]).unwrap());
    assert_eq!(found.lk.kind, libc::F_UNLCK as u32);
    let flock = LkIn { lk_flags: 1, ..set };
    kernel.call(Opcode::Setlk, f, &[flock.as_bytes()]).unwrap();
    let op = libc::LOCK_EX | libc::LOCK_NB;
    assert_eq!(*fs.take_calls().last().unwrap(), format!("flock /f {op}"));
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
    let (kernel, f) = with_file(&fs, config);
    let plain = FillFlags::empty();
    *fs.state.entries.lock().unwrap() = vec![("f", 0, plain), ("g", 0, plain)];
    let fh = kernel.opendir(1).unwrap().fh;
    let inos: Vec<_> =
        kernel.readdir(1, fh, 0, 4096).unwrap().iter().map(|entry| entry.ino).collect();
    assert_eq!(inos, [f, 0xffff_ffff]);
}

#[test]
fn a_lost_opendir_is_released() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    kernel.lose(Opcode::Opendir, 1, &[OpenIn::default().as_bytes()]);
    assert_eq!(fs.take_calls(), ["opendir /", "releasedir / fh=5"]);
    let f = kernel.lookup(1, b"f").unwrap().nodeid;
    fs.take_calls();
    kernel.lose_open(f);
    assert_eq!(fs.take_calls(), ["open /f", "release /f fh=5"]);
    kernel.unlink(1, b"f").unwrap();
    assert_eq!(fs.take_calls(), ["unlink /f"], "it does not count as open");
}

#[test]
fn data_goes_through_buffers_where_there_are_operations_for_them() {
    let fs = Scripted::with(OpSet::all());
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    assert_eq!(kernel.read(f, 5, 4096, 10).unwrap(), b"buffer");
    assert_eq!(kernel.write(f, 5, b"abc", 20), Ok(3));
    assert_eq!(fs.take_calls(), ["read_buf /f 4096 10", "write_buf /f 3 20"]);
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    assert_eq!(kernel.read(f, 5, 4096, 10).unwrap(), b"ok");
    assert_eq!(kernel.write(f, 5, b"abc", 20), Ok(3));
    assert_eq!(fs.take_calls(), ["read /f fh=5", "write /f abc"]);
}

#[test]
fn the_other_operations_pass_their_arguments_on() {
    let fs = Scripted::full();
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    let target = kernel.call(Opcode::Readlink, f, &[]).unwrap();
    assert_eq!(target.len(), libc::PATH_MAX as usize);
    let seek = LseekIn { fh: 5, offset: 7, whence: 3, padding: 0 };
    let out: LseekOut = get(&kernel.call(Opcode::Lseek, f, &[seek.as_bytes()]).unwrap());
    assert_eq!(out.offset, 8);
    let allocate = FallocateIn { fh: 5, offset: 1, length: 2, mode: 3, padding: 0 };
    kernel.call(Opcode::Fallocate, f, &[allocate.as_bytes()]).unwrap();
    let bmap = BmapIn { block: 6, blocksize: 512, padding: 0 };
    let out: BmapOut = get(&kernel.call(Opcode::Bmap, f, &[bmap.as_bytes()]).unwrap());
    assert_eq!(out.block, 7);
    let poll = PollIn { fh: 5, kh: 1, flags: 1, events: 2 };
    let out: PollOut = get(&kernel.call(Opcode::Poll, f, &[poll.as_bytes()]).unwrap());
    assert_eq!(out.revents, 4);
    let ioctl = IoctlIn { fh: 5, cmd: 9, in_size: 2, out_size: 2, ..IoctlIn::default() };
    let out = kernel.call(Opcode::Ioctl, f, &[ioctl.as_bytes(), &[1, 2]]).unwrap();
    assert_eq!(get::<IoctlOut>(&out).result, 3);
    assert_eq!(out[size_of::<IoctlOut>()..], [2, 1]);
    let unrestricted = IoctlIn { flags: 2, ..ioctl };
    let refused = kernel.call(Opcode::Ioctl, f, &[unrestricted.as_bytes(), &[1, 2]]);
    assert_eq!(refused, Err(Errno::EPERM));
    let copy =
        CopyFileRangeIn { fh_in: 5, off_in: 1, nodeid_out: f, len: 30, ..Default::default() };
    let out: WriteOut = get(&kernel.call(Opcode::CopyFileRange, f, &[copy.as_bytes()]).unwrap());
    assert_eq!(out.size, 30);
    let xattr = GetxattrIn { size: 0, padding: 0 };
    let body: [&[u8]; 2] = [xattr.as_bytes(), b"user.x\0"];
    let out: GetxattrOut = get(&kernel.call(Opcode::Getxattr, f, &body).unwrap());
    assert_eq!(out.size, 3);
    let xattr = GetxattrIn { size: 3, padding: 0 };
    let body: [&[u8]; 2] = [xattr.as_bytes(), b"user.x\0"];
    assert_eq!(kernel.call(Opcode::Getxattr, f, &body).unwrap(), b"val");
    let expected = [
        "readlink /f 4097",
        "lseek /f 7 3",
        "fallocate /f 3 1 2",
        "bmap /f 512 6",
        "poll /f 2 true",
        "ioctl /f 9 fh=5 [1, 2]",
        "copy_file_range /f 1 /f 30",
        "getxattr /f user.x 0",
        "getxattr /f user.x 3",
    ];
    assert_eq!(fs.take_calls(), expected);
    // On a directory the filesystem gets its own handle.
    let dir = kernel.opendir(1).unwrap();
    let on_dir = IoctlIn { fh: dir.fh, flags: 16, in_size: 0, out_size: 0, ..ioctl };
    kernel.call(Opcode::Ioctl, 1, &[on_dir.as_bytes()]).unwrap();
    assert_eq!(*fs.take_calls().last().unwrap(), "ioctl / 9 fh=5 []");
}

#[test]
fn the_context_says_who_asks() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    kernel.mkdir(1, b"d").unwrap();
    let contexts = fs.state.contexts.lock().unwrap();
    let context = contexts.last().unwrap();
    assert_eq!((context.uid, context.gid, context.pid), (1000, 1000, 4242));
    assert_eq!(context.umask, 0o22);
    assert!(context.handle.is_some());
    assert!(contexts[0].handle.is_none(), "init is the library's own");
}

#[test]
fn forgotten_nodes_are_remembered_for_a_while() {
    let config = TreeConfig { remember: 1, ..TreeConfig::default() };
    let fs = Scripted::full();
    let kernel = Kernel::new(fs, config);
    let dir = kernel.mkdir(1, b"d").unwrap();
    let file = kernel.lookup(dir.nodeid, b"f").unwrap();
    kernel.forget(file.nodeid, 1);
    kernel.forget(dir.nodeid, 1);
    assert_eq!(kernel.tree.clean_cache(), 60);
    assert_eq!(kernel.tree.node_count(), 3, "too young");
    assert_eq!(kernel.lookup(1, b"d").unwrap().nodeid, dir.nodeid);
    std::thread::sleep(Duration::from_millis(2100));
    kernel.tree.clean_cache();
    assert_eq!(kernel.tree.node_count(), 2, "known again, unlike the file");
    kernel.forget(dir.nodeid, 1);
    std::thread::sleep(Duration::from_millis(2100));
    kernel.tree.clean_cache();
    assert_eq!(kernel.tree.node_count(), 1);
}

#[test]
fn noforget_keeps_names_but_not_what_was_removed() {
    let config = TreeConfig { remember: -1, ..TreeConfig::default() };
    let fs = Scripted::full();
    let kernel = Kernel::new(fs, config);
    let kept = kernel.lookup(1, b"kept").unwrap().nodeid;
    let removed = kernel.lookup(1, b"removed").unwrap().nodeid;
    kernel.forget(kept, 1);
    kernel.unlink(1, b"removed").unwrap();
    kernel.forget(removed, 1);
    assert_eq!(kernel.tree.node_count(), 2);
    assert_eq!(kernel.lookup(kept, b".").unwrap().nodeid, kept);
}

#[test]
fn the_cleanup_thread_ends_when_told() {
    let fs = Scripted::full();
    let kernel = Kernel::new(fs, TreeConfig { remember: 60, ..TreeConfig::default() });
    kernel.tree.start_cleanup_thread().unwrap();
    kernel.tree.start_cleanup_thread().unwrap();
    let start = Instant::now();
    kernel.tree.stop_cleanup_thread();
    kernel.tree.stop_cleanup_thread();
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn paths_are_invalidated_by_their_nodes() {
    let fs = Scripted::full();
    let kernel = kernel(&fs);
    let dir = kernel.mkdir(1, b"d").unwrap().nodeid;
    let sub = kernel.mkdir(dir, b"s").unwrap().nodeid;
    kernel.tree.invalidate_path(&kernel.session, b"/d/s").unwrap();
    let sent = kernel.wire.notifications.lock().unwrap().pop().unwrap();
    let out: NotifyInvalInodeOut = get(&sent[16..]);
    assert_eq!((out.ino, out.off, out.len), (sub, 0, 0));
    let missing = kernel.tree.invalidate_path(&kernel.session, b"/d/x");
    assert_eq!(missing, Err(Errno::ENOENT));
}

#[test]
fn an_interrupt_reaches_the_thread_of_its_request_until_that_returns() {
    let fs = Scripted::full();
    let config = TreeConfig { intr: true, intr_signal: libc::SIGUSR2, ..TreeConfig::default() };
    // Set by init, which is when the signal must be made harmless.
    *fs.state.config.lock().unwrap() = Some(config);
    let (kernel, f) = with_file(&fs, TreeConfig::default());
    let (asleep, wait) = std::sync::mpsc::channel();
    *fs.state.during_access.lock().unwrap() = Some(Box::new(move || {
        asleep.send(()).unwrap();
        // The first signal is ignored, to see the second one.
        for _ in 0..2 {
            let long = libc::timespec { tv_sec: 30, tv_nsec: 0 };
            // SAFETY: sleeping reads a live timespec.
            let result = unsafe { libc::nanosleep(&long, std::ptr::null_mut()) };
            assert_eq!(result, -1, "not interrupted");
        }
        Err(Errno::EINTR)
    }));
    let start = Instant::now();
    std::thread::scope(|scope| {
        let unique = kernel.coming_unique();
        let access = AccessIn { mask: 4, padding: 0 };
        let kernel = &kernel;
        let call = scope.spawn(move || kernel.call(Opcode::Access, f, &[access.as_bytes()]));
        wait.recv().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        kernel.interrupt(unique);
        assert_eq!(call.join().unwrap(), Err(Errno::EINTR));
    });
    let took = start.elapsed();
    assert!(took > Duration::from_millis(900) && took < Duration::from_secs(20), "{took:?}");
}
