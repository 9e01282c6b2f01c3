//! The public symbols of the library as built, against the table of libfuse's.

#[path = "../../fuse3/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use support::symbols::{
    assert_every_version, assert_name, assert_same, node_chain, version_nodes, version_script,
};
use support::{Symbol, defined_symbols, exports, library_4, wanted_symbols_4};

const NEWEST: u32 = 19;

/// Every symbol at its node, with the same default, none without a version, and no other symbol.
#[test]
fn library_exports_the_symbols_of_libfuse() {
    let found = defined_symbols(&library_4());
    assert_same(&wanted_symbols_4(), &found, "libfuse3.so.4");
}

/// The source of the exports says the same; this holds before anything is linked.
#[test]
fn export_table_lists_the_symbols_of_libfuse() {
    let mut found: Vec<Symbol> = exports("fuse4").into_iter().map(|(symbol, _)| symbol).collect();
    found.sort();
    assert_same(&wanted_symbols_4(), &found, "exports.rs");
}

#[test]
fn library_has_the_name_programs_ask_for() {
    assert_name(&library_4(), "libfuse3.so.4");
}

/// All nodes are defined, also those that no exported symbol needs yet.
#[test]
fn library_defines_the_version_nodes_of_libfuse() {
    let found = version_nodes(&library_4());
    let chain = node_chain(NEWEST);
    let wanted: BTreeSet<String> = chain.into_iter().map(|(name, _)| name).collect();
    assert_eq!(wanted, found);
}

/// lld does not record which node extends which, and the dynamic linker does not look. The version script says it
/// all the same, for linkers that do.
#[test]
fn version_script_has_the_parents_of_libfuse() {
    let found = version_script(&Path::new(env!("OUT_DIR")).join("libfuse3.map"));
    assert_eq!(node_chain(NEWEST), found);
    assert!(found.contains(&("FUSE_3.18".to_owned(), Some("FUSE_3.17".to_owned()))));
}

/// A program that asks for every symbol at every version starts, and gets an address for each.
#[test]
fn dynamic_linker_finds_every_version() {
    assert_every_version(&library_4(), "libfuse3.so.4", &wanted_symbols_4());
}
