//! The public symbols of the library as built, against the table of libfuse's.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use support::{Language, Scratch, Symbol, comments, dynamic_symbols};
use support::{exports, library, link, succeed, wanted_symbols};

/// `FUSE_3.1` extends `FUSE_3.0` and so on, as pairs, from the table's comment.
fn node_chain() -> BTreeSet<(String, Option<String>)> {
    let comments = comments("symbols-libfuse3.tsv");
    let (_, chain) = comments.split_once("node chain: ").expect("the table tells the chain");
    let (chain, _) = chain.split_once(" (").expect("and then explains it");
    let mut pairs = BTreeSet::new();
    // The newest node of libfuse 3.14 is FUSE_3.12; those after it belong to later libraries.
    let known =
        |version: &str| version.split('.').nth(1)?.parse::<u32>().ok().filter(|minor| *minor <= 12);
    for run in chain.split(['a', 'n', 'd', ';', ' ']).filter(|run| !run.is_empty()) {
        let mut parent = None;
        for version in run.split('<').take_while(|version| known(version).is_some()) {
            let node = format!("FUSE_{version}");
            // A run that forks off begins with a node that is known already.
            let forked = parent.is_none() && pairs.iter().any(|(name, _)| *name == node);
            if !forked {
                pairs.insert((node.clone(), parent));
            }
            parent = Some(node);
        }
    }
    pairs
}

fn show(symbols: &[&Symbol]) -> String {
    let line = |symbol: &&Symbol| {
        let at = if symbol.default { "@@" } else { "@" };
        format!("\n  {}{at}{}", symbol.name, symbol.node)
    };
    symbols.iter().map(line).collect()
}

#[track_caller]
fn assert_same(wanted: &[Symbol], found: &[Symbol], what: &str) {
    let missing: Vec<&Symbol> = wanted.iter().filter(|symbol| !found.contains(symbol)).collect();
    let extra: Vec<&Symbol> = found.iter().filter(|symbol| !wanted.contains(symbol)).collect();
    assert!(
        missing.is_empty(),
        "{what}: missing:{}\nnot expected:{}",
        show(&missing),
        show(&extra)
    );
    assert!(extra.is_empty(), "{what}: not expected:{}", show(&extra));
    assert_eq!(wanted.len(), found.len(), "{what}: something is there twice");
}

/// Every symbol at its node, with the same default, none without a version, and no other symbol.
#[test]
fn library_exports_the_symbols_of_libfuse() {
    let mut found: Vec<Symbol> =
        dynamic_symbols(&library()).into_iter().filter(|symbol| symbol.defined).collect();
    found.sort();
    assert_same(&wanted_symbols(), &found, "libfuse3.so.3");
}

/// The source of the exports says the same; this holds before anything is linked.
#[test]
fn export_table_lists_the_symbols_of_libfuse() {
    let mut found: Vec<Symbol> = exports().into_iter().map(|(symbol, _)| symbol).collect();
    found.sort();
    assert_same(&wanted_symbols(), &found, "exports.rs");
}

#[test]
fn library_has_the_name_programs_ask_for() {
    let dynamic = succeed(Command::new("readelf").args(["-d", "-W"]).arg(library()), "readelf");
    assert!(dynamic.contains("Library soname: [libfuse3.so.3]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// All nodes are defined, also those that no exported symbol needs yet.
#[test]
fn library_defines_the_version_nodes_of_libfuse() {
    let versions = succeed(Command::new("readelf").args(["-V", "-W"]).arg(library()), "readelf");
    let (_, definitions) =
        versions.split_once("Version definition section").expect("nodes are defined");
    let definitions = definitions.split("Version needs section").next().unwrap_or(definitions);
    let found: BTreeSet<&str> = definitions
        .lines()
        .filter(|line| !line.contains("BASE"))
        .filter_map(|line| line.split_once("Name: "))
        .map(|(_, name)| name.trim())
        .collect();
    let chain = node_chain();
    let wanted: BTreeSet<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(wanted, found);
}

/// lld does not record which node extends which, and the dynamic linker does not look. The version script says it
/// all the same, for linkers that do.
#[test]
fn version_script_has_the_parents_of_libfuse() {
    let path = Path::new(env!("OUT_DIR")).join("libfuse3.map");
    let script =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let found: BTreeSet<(String, Option<String>)> = script
        .lines()
        .map(|line| {
            let (name, parent) = line.split_once(" { }").expect("NODE { } PARENT;");
            let parent = parent.trim_matches([' ', ';']);
            (name.to_owned(), (!parent.is_empty()).then(|| parent.to_owned()))
        })
        .collect();
    assert_eq!(node_chain(), found);
    assert!(found.contains(&("FUSE_3.12".to_owned(), Some("FUSE_3.4".to_owned()))));
}

/// A program that asks for every symbol at every version starts, and gets an address for each.
#[test]
fn dynamic_linker_finds_every_version() {
    let wanted = wanted_symbols();
    let (mut directives, mut table) = (String::new(), String::new());
    for (number, symbol) in wanted.iter().enumerate() {
        let Symbol { name, node, .. } = symbol;
        let _ = writeln!(directives, "__asm__(\".symver probe_{number}, {name}@{node}\");");
        let _ = writeln!(directives, "extern void probe_{number}(void);");
        let _ = write!(table, "probe_{number}, ");
    }
    let source = format!(
        "{directives}static void (*const volatile functions[])(void) = {{ {table} }};\n\
         int main(void) {{ unsigned i, found = 0;\n\
         for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) found += functions[i] != 0;\n\
         return found == {} ? 0 : 1; }}\n",
        wanted.len()
    );
    let scratch = Scratch::new("versions");
    let shared = scratch.file("libfuse3.so.3");
    let target = library().canonicalize().expect("the library has a path");
    symlink(target, &shared).expect("a link in the temporary folder");
    let (object, program) = (scratch.file("probe.o"), scratch.file("probe"));
    let mut compile = Language::C99.compiler();
    compile.arg("-c").arg(scratch.write("probe.c", &source)).arg("-o").arg(&object);
    succeed(&mut compile, "compile");
    link(&object, &[&shared.display().to_string()], &program);

    let found: BTreeSet<(String, String)> = dynamic_symbols(&program)
        .into_iter()
        .filter(|symbol| !symbol.defined && symbol.node.starts_with("FUSE_"))
        .map(|symbol| (symbol.name, symbol.node))
        .collect();
    let names = wanted.into_iter().map(|symbol| (symbol.name, symbol.node));
    assert_eq!(found, names.collect());
    let mut run = Command::new(&program);
    run.env("LD_LIBRARY_PATH", scratch.file("")).env("LD_BIND_NOW", "1");
    succeed(&mut run, "a program that uses every version");
}
