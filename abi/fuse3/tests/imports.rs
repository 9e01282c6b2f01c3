//! What programs import: the symbol and version that a call of a public name becomes.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Api, Headers, Language, Scratch};
use support::{header_sets, link, succeed, table};

/// How many arguments a name of the mapping table takes; a zero will do for any of them.
fn arguments(name: &str) -> usize {
    match name {
        "fuse_loop_mt" | "fuse_session_loop_mt" | "fuse_parse_cmdline" => 2,
        "fuse_session_custom_io (args3)" => 3,
        "fuse_session_custom_io (args4)" => 4,
        "fuse_new" | "fuse_session_new" | "cuse_lowlevel_new" => 4,
        "fuse_main_real" | "cuse_lowlevel_main" => 5,
        "cuse_lowlevel_setup" => 6,
        _ => panic!("{name}: a new name in the mapping table"),
    }
}

/// A program that calls public names.
fn caller(names: &BTreeSet<String>) -> String {
    let mut calls = String::new();
    for name in names {
        if name == "fuse_main" {
            calls += "struct fuse_operations *operations = 0; fuse_main(0, 0, operations, 0);\n";
        } else {
            let function = name.split(' ').next().unwrap_or(name);
            calls += &format!("{function}({});\n", vec!["0"; arguments(name)].join(", "));
        }
    }
    format!(
        "#include <fuse3/fuse.h>\n#include <fuse3/fuse_lowlevel.h>\n#include <fuse3/cuse_lowlevel.h>\n\
         int main(void) {{ {calls} return 0; }}\n"
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

/// What each interface version makes of the names that mean different symbols: the names, and the imports.
fn mapping(api: Api) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let mut versions = BTreeMap::<String, (BTreeSet<String>, BTreeSet<String>)>::new();
    let rows = table("header-mapping-libfuse3.tsv");
    for row in rows.into_iter().filter(|row| row["headers"] == api.release()) {
        for version in row["use_versions"].split(',') {
            let (names, imports) = versions.entry(version.to_owned()).or_default();
            names.insert(row["name"].clone());
            imports.insert(row["imported_symbol"].clone());
        }
    }
    versions
}

/// In every interface version: the symbols that the names become, and, linked against the library of the headers, their
/// versions.
#[test]
fn names_become_the_symbols_of_libfuse() {
    for headers in header_sets() {
        let versions = mapping(headers.api);
        assert!(versions.len() >= 8, "only {} versions", versions.len());
        for (version, (names, wanted)) in versions {
            let scratch = Scratch::new("imports");
            let object = compile(&headers, &version, &caller(&names), &scratch);
            let what = format!(
                "{} headers of {:?}, FUSE_USE_VERSION {version}",
                headers.name, headers.api
            );
            let plain = |symbol: &String| symbol.split('@').next().unwrap_or_default().to_owned();
            assert_eq!(imports(&object), wanted.iter().map(plain).collect(), "{what}");

            let ours = headers.api.library().display().to_string();
            let library: &[&str] = match headers.include {
                None => &["-lfuse3"],
                Some(_) => &[&ours],
            };
            let program = scratch.file("probe");
            link(&object, library, &program);
            assert_eq!(imports(&program), wanted, "{what}");
        }
    }
}
