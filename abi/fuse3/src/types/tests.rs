//! What the compile-time layout assertions cannot say.

use ferrofuse::buf::{CopyFlags, SegmentFlags};

use super::{FuseBuf, FuseFileInfo};

const LAYOUT: &str = include_str!("../../../tables/layout-fuse3-3.14.tsv");
const CALLBACKS: &str = include_str!("../../../tables/callbacks-libfuse3.tsv");
const CONSTANTS: &str = include_str!("../../../tables/constants-fuse3.tsv");

/// No Rust type stands for this: it is the old name of `fuse_loop_config_v1`.
const ABSENT: &[&str] = &["fuse_loop_config"];

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
fn callbacks_of_3_14_are_44_and_42() {
    let old =
        |line: &&str| !matches!(line.split('\t').nth(4), Some("3.17.1" | "3.18.0" | "3.19rc0"));
    let slots = |name: &str| {
        let of_table = |line: &&str| line.split('\t').next() == Some(name);
        CALLBACKS.lines().filter(of_table).filter(old).count()
    };
    assert_eq!(slots("fuse_lowlevel_ops") * 8, size_of::<super::FuseLowlevelOps>());
    assert_eq!(slots("fuse_operations") * 8, size_of::<super::FuseOperations>());
}

/// Flags go from C to the engine as they are.
#[test]
fn buffer_flags_of_the_engine_are_those_of_c() {
    let value = |name: &str| {
        let rows = CONSTANTS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let row = rows.into_iter().find(|columns| columns[0] == name);
        row.and_then(|columns| columns[2].parse::<u32>().ok())
    };
    assert_eq!(value("FUSE_BUF_IS_FD"), Some(FuseBuf::IS_FD.cast_unsigned()));
    assert_eq!(value("FUSE_BUF_IS_FD"), Some(SegmentFlags::IS_FD.bits()));
    assert_eq!(value("FUSE_BUF_FD_SEEK"), Some(SegmentFlags::FD_SEEK.bits()));
    assert_eq!(value("FUSE_BUF_FD_RETRY"), Some(SegmentFlags::FD_RETRY.bits()));
    assert_eq!(value("FUSE_BUF_NO_SPLICE"), Some(CopyFlags::NO_SPLICE.bits()));
    assert_eq!(value("FUSE_BUF_FORCE_SPLICE"), Some(CopyFlags::FORCE_SPLICE.bits()));
    assert_eq!(value("FUSE_BUF_SPLICE_MOVE"), Some(CopyFlags::SPLICE_MOVE.bits()));
    assert_eq!(value("FUSE_BUF_SPLICE_NONBLOCK"), Some(CopyFlags::SPLICE_NONBLOCK.bits()));
}

#[test]
fn setting_a_bit_leaves_the_others_alone() {
    let mut info = FuseFileInfo { bits: FuseFileInfo::FLUSH, ..FuseFileInfo::default() };
    info.set(FuseFileInfo::KEEP_CACHE, true);
    assert!(info.has(FuseFileInfo::FLUSH) && info.has(FuseFileInfo::KEEP_CACHE));
    info.set(FuseFileInfo::FLUSH, false);
    assert_eq!(info.bits, FuseFileInfo::KEEP_CACHE);
}
