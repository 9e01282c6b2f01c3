//! What programs import: the symbol and version that a call of a public name becomes.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Headers, Language, Row, Scratch, Symbol};
use support::{header_sets, library, link, succeed, table, wanted_symbols};

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
