//! What programs import: the symbol and version that a call of a public name becomes, and whether the dynamic linker
//! finds it.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Headers, Language, Row, Scratch, Symbol};
use support::{dynamic_symbols, header_sets, library, succeed, table, wanted_symbols};

/// How many arguments a name of the mapping table takes; a zero will do for any of them.
fn arguments(name: &str) -> usize {
    match name {
        "fuse_loop_mt" | "fuse_session_loop_mt" | "fuse_parse_cmdline" => 2,
        "fuse_session_custom_io (args3)" => 3,
        "fuse_new" | "fuse_session_new" | "cuse_lowlevel_new" => 4,
        "fuse_main_real" | "cuse_lowlevel_main" => 5,
        "cuse_lowlevel_setup" => 6,
        _ => panic!("{name}: a new name in the mapping table"),
    }
}

/// A program that calls a public name.
fn caller(name: &str) -> String {
    let call = if name == "fuse_main" {
        "struct fuse_operations *operations = 0; fuse_main(0, 0, operations, 0)".to_owned()
    } else {
        let function = name.split(' ').next().unwrap_or(name);
        format!("{function}({})", vec!["0"; arguments(name)].join(", "))
    };
    format!(
        "#include <fuse3/fuse.h>\n#include <fuse3/fuse_lowlevel.h>\n#include <fuse3/cuse_lowlevel.h>\n\
         int main(void) {{ {call}; return 0; }}\n"
    )
}

/// Compiles to an object file.
fn compile(headers: &Headers, version: &str, source: &str, scratch: &Scratch) -> PathBuf {
    let object = scratch.file("probe.o");
    let mut command = Language::C99.compiler();
    if let Some(include) = &headers.include {
        command.arg("-I").arg(include);
    }
    command.arg(format!("-DFUSE_USE_VERSION={version}")).arg("-c");
    command.arg(scratch.write("probe.c", source)).arg("-o").arg(&object);
    succeed(&mut command, source);
    object
}

/// The fuse symbols that a file leaves to others: `name`, or `name@NODE`.
fn imports(file: &Path) -> BTreeSet<String> {
    let undefined = succeed(Command::new("nm").arg("--undefined-only").arg(file), "nm");
    let names = undefined
        .split_whitespace()
        .filter(|word| word.contains("fuse_") || word.contains("cuse_"));
    names.map(str::to_owned).collect()
}

fn link(object: &Path, library: &[&str], program: &Path) {
    let mut command = Command::new("gcc");
    command.arg(object).args(library).arg("-o").arg(program);
    succeed(&mut command, "link");
}

fn mapping() -> Vec<Row> {
    table("header-mapping-libfuse3.tsv")
        .into_iter()
        .filter(|row| row["headers"] == "3.14.0")
        .collect()
}

/// For every name that means different symbols, in every interface version: the symbol, and, linked against the
/// library of the headers, its version.
#[test]
fn names_become_the_symbols_of_libfuse() {
    let wanted = wanted_symbols();
    let mut linked = 0;
    for headers in header_sets() {
        for row in mapping() {
            for version in row["use_versions"].split(',') {
                let scratch = Scratch::new("imports");
                let object = compile(&headers, version, &caller(&row["name"]), &scratch);
                let imported = &row["imported_symbol"];
                let (symbol, node) = imported.split_once('@').expect("symbol@node");
                let what = format!(
                    "{}, FUSE_USE_VERSION {version}, {} headers",
                    row["name"], headers.name
                );
                assert_eq!(imports(&object), BTreeSet::from([symbol.to_owned()]), "{what}");

                let ours = library().display().to_string();
                let library: &[&str] = match headers.include {
                    None => &["-lfuse3"],
                    Some(_) => &[&ours],
                };
                // What is not exported yet cannot be linked to.
                let exported =
                    |known: &Symbol| known.name == symbol && known.node == node && known.default;
                if headers.include.is_none() || wanted.iter().any(exported) {
                    let program = scratch.file("probe");
                    link(&object, library, &program);
                    assert_eq!(imports(&program), BTreeSet::from([imported.clone()]), "{what}");
                    linked += 1;
                }
            }
        }
    }
    assert!(linked >= 4 * 8, "only {linked} programs were linked");
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
