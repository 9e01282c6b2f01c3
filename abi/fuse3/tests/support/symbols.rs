//! What a library's symbols, versions and name are held against.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Language, Scratch, Symbol, comments, dynamic_symbols, link, succeed};

fn show(symbols: &[&Symbol]) -> String {
    let line = |symbol: &&Symbol| {
        let at = if symbol.default { "@@" } else { "@" };
        format!("\n  {}{at}{}", symbol.name, symbol.node)
    };
    symbols.iter().map(line).collect()
}

/// Both lists have the same symbols.
#[track_caller]
pub fn assert_same(wanted: &[Symbol], found: &[Symbol], what: &str) {
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

/// Programs find the library by this name, and it is never unloaded.
pub fn assert_name(library: &Path, soname: &str) {
    let dynamic = succeed(Command::new("readelf").args(["-d", "-W"]).arg(library), "readelf");
    assert!(dynamic.contains(&format!("Library soname: [{soname}]")), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// `FUSE_3.1` extends `FUSE_3.0` and so on, as pairs, from the table's comment, up to the nodes of 3.`newest`.
pub fn node_chain(newest: u32) -> BTreeSet<(String, Option<String>)> {
    let comments = comments("symbols-libfuse3.tsv");
    let (_, chain) = comments.split_once("node chain: ").expect("the table tells the chain");
    let (chain, _) = chain.split_once(" (").expect("and then explains it");
    let mut pairs = BTreeSet::new();
    let known = |version: &str| {
        version.split('.').nth(1)?.parse::<u32>().ok().filter(|minor| *minor <= newest)
    };
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

/// The version nodes that the library defines.
pub fn version_nodes(library: &Path) -> BTreeSet<String> {
    let versions = succeed(Command::new("readelf").args(["-V", "-W"]).arg(library), "readelf");
    let (_, definitions) =
        versions.split_once("Version definition section").expect("nodes are defined");
    let definitions = definitions.split("Version needs section").next().unwrap_or(definitions);
    definitions
        .lines()
        .filter(|line| !line.contains("BASE"))
        .filter_map(|line| line.split_once("Name: "))
        .map(|(_, name)| name.trim().to_owned())
        .collect()
}

/// The nodes of a version script, and the node that each one extends.
pub fn version_script(path: &Path) -> BTreeSet<(String, Option<String>)> {
    let script =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    script
        .lines()
        .map(|line| {
            let (name, parent) = line.split_once(" { }").expect("NODE { } PARENT;");
            let parent = parent.trim_matches([' ', ';']);
            (name.to_owned(), (!parent.is_empty()).then(|| parent.to_owned()))
        })
        .collect()
}

/// A program that asks for every symbol at every version starts, and gets an address for each.
pub fn assert_every_version(library: &Path, soname: &str, wanted: &[Symbol]) {
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
    let shared = scratch.file(soname);
    let target = library.canonicalize().expect("the library has a path");
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
    let names = wanted.iter().map(|symbol| (symbol.name.clone(), symbol.node.clone()));
    assert_eq!(found, names.collect());
    let mut run = Command::new(&program);
    run.env("LD_LIBRARY_PATH", scratch.file("")).env("LD_BIND_NOW", "1");
    succeed(&mut run, "a program that uses every version");
}
