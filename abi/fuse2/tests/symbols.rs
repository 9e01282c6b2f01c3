//! The public symbols of the library as built, against the table of libfuse's.

#[path = "../../fuse3/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::symbols::{
    assert_every_version, assert_name, assert_same, version_nodes, version_script,
};
use support::{
    Language, Scratch, Symbol, built, comments, defined_symbols, dynamic_symbols, existing,
    exports, link, root, succeed, table,
};

const SONAME: &str = "libfuse.so.2";
const TABLE: &str = "symbols-libfuse2.tsv";

/// The library under test: `$FERROFUSE_LIBRARY2`, or a copy of the one that was built with this test, finished as the
/// staged one is.
fn library(scratch: &Scratch) -> PathBuf {
    if let Some(path) = env::var_os("FERROFUSE_LIBRARY2") {
        return existing(path.into());
    }
    let copy = scratch.file("libfuse-built.so");
    fs::copy(existing(built("libfuse.so")), &copy).expect("the library can be copied");
    succeed(Command::new(root().join("tools/hide-base")).arg(&copy), "hide-base");
    copy
}

/// The symbols of libfuse 2.9.9.
fn wanted_symbols() -> Vec<Symbol> {
    let symbol = |row: &support::Row| Symbol {
        name: row["symbol"].clone(),
        node: if row["version"] == "BASE" { String::new() } else { row["version"].clone() },
        default: row["default"] == "@@",
        defined: true,
        kind: "FUNC".to_owned(),
    };
    let mut wanted: Vec<Symbol> = table(TABLE).iter().map(symbol).collect();
    wanted.sort();
    wanted
}

/// Those that have no version.
fn without_version() -> Vec<String> {
    let wanted = wanted_symbols().into_iter();
    wanted.filter(|symbol| symbol.node.is_empty()).map(|symbol| symbol.name).collect()
}

/// `FUSE_2.4` extends `FUSE_2.2` and so on, as pairs, from the table's comment.
fn node_chain() -> BTreeSet<(String, Option<String>)> {
    let comments = comments(TABLE);
    let (_, chain) = comments.split_once("nodes chain: ").expect("the table tells the chain");
    let mut parent = None;
    let nodes = chain.trim().split('<').map(|version| {
        let node = format!("FUSE_{version}");
        (node.clone(), parent.replace(node))
    });
    nodes.collect()
}

/// Every symbol at its node, with the same default, and no other symbol.
#[test]
fn library_exports_the_symbols_of_libfuse() {
    let scratch = Scratch::new("symbols");
    assert_same(&wanted_symbols(), &defined_symbols(&library(&scratch)), SONAME);
}

/// The source of the exports says the same; this holds before anything is linked.
#[test]
fn export_table_lists_the_symbols_of_libfuse() {
    let mut found: Vec<Symbol> = exports("fuse2").into_iter().map(|(symbol, _)| symbol).collect();
    found.sort();
    assert_same(&wanted_symbols(), &found, "exports.rs");
}

#[test]
fn library_has_the_name_programs_ask_for() {
    assert_name(&library(&Scratch::new("name")), SONAME);
}

#[test]
fn library_defines_the_version_nodes_of_libfuse() {
    let wanted: BTreeSet<String> = node_chain().into_iter().map(|(name, _)| name).collect();
    assert_eq!(wanted, version_nodes(&library(&Scratch::new("nodes"))));
    assert_eq!(wanted.len(), 9);
}

#[test]
fn version_script_has_the_parents_of_libfuse() {
    assert_eq!(node_chain(), version_script(&Path::new(env!("OUT_DIR")).join("libfuse.map")));
}

/// A program that asks for every symbol at every version starts, among them all that a Debian program imports.
#[test]
fn dynamic_linker_finds_every_version() {
    let mut wanted = wanted_symbols();
    wanted.retain(|symbol| !symbol.node.is_empty());
    let used = table(TABLE).into_iter().filter(|row| row["used_by"] != "0");
    for row in used {
        let found = wanted.iter().any(|s| s.name == row["symbol"] && s.node == row["version"]);
        assert!(found, "{}@{}", row["symbol"], row["version"]);
    }
    assert_every_version(&library(&Scratch::new("bind")), SONAME, &wanted);
}

/// The source of a program that uses functions, whatever they take.
fn user(names: &[String]) -> String {
    let declare = |name: &String| format!("extern void {name}(void);\n");
    let declarations: String = names.iter().map(declare).collect();
    format!(
        "{declarations}static void (*const volatile functions[])(void) = {{ {} }};\n\
         int main(void) {{ return functions[0] == 0; }}\n",
        names.join(", ")
    )
}

/// Compiles a file of C.
fn compile(scratch: &Scratch, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let object = scratch.file(&format!("{name}.o"));
    let source = scratch.write(&format!("{name}.c"), source);
    let mut command = Language::C99.compiler();
    command.args(flags).arg("-c").arg(source).arg("-o").arg(&object);
    succeed(&mut command, name);
    object
}

/// Names that exist with and without a version lead a program that is linked today to the version.
#[test]
fn names_alone_lead_to_the_default_version() {
    let scratch = Scratch::new("default");
    let names = ["fuse_main".to_owned(), "fuse_new".to_owned()];
    let shared = scratch.file(SONAME);
    fs::copy(library(&scratch), &shared).expect("the library can be copied");
    let object = compile(&scratch, "today", &user(&names), &[]);
    let program = scratch.file("today");
    link(&object, &[&shared.display().to_string()], &program);
    let imports: BTreeSet<(String, String)> = dynamic_symbols(&program)
        .into_iter()
        .filter(|symbol| !symbol.defined && names.contains(&symbol.name))
        .map(|symbol| (symbol.name, symbol.node))
        .collect();
    let wanted = [("fuse_main", "FUSE_2.2"), ("fuse_new", "FUSE_2.6")];
    let wanted = wanted.map(|(name, node)| (name.to_owned(), node.to_owned()));
    assert_eq!(imports, BTreeSet::from(wanted));
}

/// A program that was linked when the library had no versions starts.
#[test]
fn programs_from_before_versions_start() {
    let scratch = Scratch::new("ancient");
    let names = without_version();
    assert_eq!(names.len(), 9);
    // A library as it was then.
    let define = |name: &String| format!("void {name}(void);\nvoid {name}(void) {{ }}\n");
    let ancient: String = names.iter().map(define).collect();
    let object = compile(&scratch, "ancient", &ancient, &["-fPIC"]);
    let folder = scratch.file("ancient");
    fs::create_dir(&folder).expect("a folder in the temporary one");
    let shared = folder.join(SONAME);
    let mut command = Command::new("gcc");
    command.arg("-shared").arg(format!("-Wl,-soname,{SONAME}")).arg(&object).arg("-o").arg(&shared);
    succeed(&mut command, "link");
    let program = scratch.file("program");
    let object = compile(&scratch, "program", &user(&names), &[]);
    link(&object, &[&shared.display().to_string()], &program);
    // And ours in its place.
    fs::copy(library(&scratch), &shared).expect("the library can be copied");
    let mut run = Command::new(&program);
    run.env("LD_LIBRARY_PATH", &folder).env("LD_BIND_NOW", "1");
    succeed(&mut run, "a program without versions");
}
