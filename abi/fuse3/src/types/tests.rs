//! What the compile-time layout assertions cannot say.

use super::{FuseBuf, FuseFileInfo};

const LAYOUT: &str = include_str!("../../../tables/layout-fuse3-3.14.tsv");
const CALLBACKS: &str = include_str!("../../../tables/callbacks-libfuse3.tsv");
const CONSTANTS: &str = include_str!("../../../tables/constants-fuse3.tsv");

/// No Rust type stands for these: the high-level API and CUSE are not there yet, and
/// `fuse_loop_config` is the old name of `fuse_loop_config_v1`.
const ABSENT: &[&str] = &[
    "cuse_info",
    "cuse_lowlevel_ops",
    "fuse_config",
    "fuse_context",
    "fuse_loop_config",
    "fuse_operations",
];

#[test]
fn every_struct_of_the_layout_table_is_asserted() {
    let asserted = include_str!(concat!(env!("OUT_DIR"), "/layout.rs"));
    let mut structs: Vec<&str> = LAYOUT
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("struct\t"))
        .filter_map(|line| line.split('\t').next())
        .collect();
    structs.dedup();
    for name in structs {
        let found = asserted.contains(&format!("// struct {name}\n"));
        assert!(found != ABSENT.contains(&name), "{name}: asserted: {found}");
    }
}

/// The table of callbacks also lists those that later releases appended.
#[test]
fn callbacks_of_3_14_are_44() {
    let old =
        |line: &&str| !matches!(line.split('\t').nth(4), Some("3.17.1" | "3.18.0" | "3.19rc0"));
    let slots = CALLBACKS
        .lines()
        .filter(|line| line.starts_with("fuse_lowlevel_ops\t"))
        .filter(old)
        .count();
    assert_eq!(slots * 8, size_of::<super::FuseLowlevelOps>());
}

#[test]
fn buffer_flags_match_the_constants_table() {
    let value = |name: &str| {
        CONSTANTS
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .find(|columns| columns[0] == name)
            .and_then(|columns| columns[2].parse::<i32>().ok())
    };
    assert_eq!(value("FUSE_BUF_IS_FD"), Some(FuseBuf::IS_FD));
    assert_eq!(value("FUSE_BUF_FD_SEEK"), Some(FuseBuf::FD_SEEK));
    assert_eq!(value("FUSE_BUF_FD_RETRY"), Some(FuseBuf::FD_RETRY));
}

#[test]
fn setting_a_bit_leaves_the_others_alone() {
    let mut info = FuseFileInfo { bits: FuseFileInfo::FLUSH, ..FuseFileInfo::default() };
    info.set(FuseFileInfo::KEEP_CACHE, true);
    assert!(info.has(FuseFileInfo::FLUSH) && info.has(FuseFileInfo::KEEP_CACHE));
    info.set(FuseFileInfo::FLUSH, false);
    assert_eq!(info.bits, FuseFileInfo::KEEP_CACHE);
}
