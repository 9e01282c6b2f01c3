//! Nodes that stay although the kernel has forgotten them.

mod tree_support;

use std::time::{Duration, Instant};

use ferrofuse::tree::TreeConfig;
use tree_support::Kernel;
use tree_support::scripted::Scripted;

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
fn a_node_forgotten_again_and_again_lives_from_the_last_time() {
    let config = TreeConfig { remember: 2, ..TreeConfig::default() };
    let kernel = Kernel::new(Scripted::full(), config);
    let start = Instant::now();
    let mut last = start;
    while start.elapsed() < Duration::from_millis(4500) {
        let node = kernel.lookup(1, b"f").unwrap().nodeid;
        kernel.forget(node, 1);
        last = Instant::now();
        std::thread::sleep(Duration::from_millis(100));
        kernel.tree.clean_cache();
        assert_eq!(kernel.tree.node_count(), 2);
    }
    while kernel.tree.node_count() == 2 {
        assert!(last.elapsed() < Duration::from_secs(20), "it stays for ever");
        std::thread::sleep(Duration::from_millis(50));
        kernel.tree.clean_cache();
    }
    // The clock has whole seconds.
    assert!(last.elapsed() > Duration::from_millis(1000));
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
