//! The Rust functions behind the public symbols, against the prototypes of libfuse's.
//!
//! cbindgen writes the Rust functions as C; a compiler then sees both as declarations of one function and refuses
//! those that differ. That the headers have the same prototypes is what `headers.rs` tests.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, ItemType};
use support::{Api, Language, Scratch, exports, root, succeed, table};

const INCLUDES: &str = "#include <fuse3/fuse.h>\n#include <fuse3/cuse_lowlevel.h>\n";

/// Written in C, since Rust has no variadic functions.
const IN_C: &[&str] = &["ferrofuse_fuse_log"];

/// All Rust files below a folder.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The C prototypes of the functions of a file, by name.
fn prototypes_in(
    file: &Path,
    wanted: &BTreeSet<&str>,
    config: &Config,
    found: &mut BTreeMap<String, String>,
) {
    let mut source =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut here = Vec::new();
    // cbindgen writes only what is exported by Rust's means.
    for name in wanted {
        for kind in ["pub unsafe extern \"C\" fn ", "pub extern \"C\" fn "] {
            let function = format!("{kind}{name}(");
            if source.contains(&function) {
                source = source.replace(&function, &format!("#[unsafe(no_mangle)] {function}"));
                here.push(*name);
            }
        }
    }
    if here.is_empty() {
        return;
    }
    // A function pointer of C may be NULL; cbindgen knows that only of those that are spelled out.
    for name in config.export.rename.keys() {
        source = source.replace(&format!("Option<{name}>"), name);
        source = source.replace(&format!("Option<types::{name}>"), name);
    }
    let scratch = Scratch::new("prototypes");
    let copy = scratch.write("source.rs", &source);
    let bindings = Builder::new()
        .with_config(config.clone())
        .with_src(copy)
        .generate()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8_lossy(&text);
    for name in here {
        let ours = |prototype: &&str| {
            prototype
                .split_once('(')
                .is_some_and(|(head, _)| head.rsplit([' ', '*', '\n']).next() == Some(name))
        };
        let prototype = text
            .split(';')
            .find(ours)
            .unwrap_or_else(|| panic!("{}: cbindgen left out {name}\n{text}", file.display()));
        let old = found.insert(name.to_owned(), prototype.trim().to_owned());
        assert!(old.is_none(), "{}: {name} is in another file, too", file.display());
    }
}

/// Two prototypes without what makes no difference to a call: `const`, and which integer an enum is
/// passed as. A C enum may hold any number, so Rust has no type for it.
fn comparable(theirs: &str, ours: &str) -> (String, String) {
    // A struct that the file of the function defines is tagged twice, by cbindgen and by the list.
    let mut ours = ours.replace("const ", "").replace("struct struct", "struct");
    let theirs = theirs.replace("const ", "");
    let mut words = Vec::new();
    let mut all = theirs.split(' ');
    while let Some(word) = all.next() {
        let Some(before) = word.strip_suffix("enum") else {
            words.push(word.to_owned());
            continue;
        };
        let (_enum, parameter) = (all.next(), all.next().unwrap_or_default());
        words.push(format!("{before}int {parameter}"));
        ours = ours.replace(&format!("unsigned int {parameter}"), &format!("int {parameter}"));
    }
    (words.join(" "), ours)
}

fn configuration() -> Config {
    Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid")
}

/// Has a compiler look for contradictions.
fn check(source: &str, api: Api, what: &str) {
    let scratch = Scratch::new("prototypes");
    let mut compile = Language::C99.compiler();
    let (version, include) = match api {
        Api::V314 => ("314", "include"),
        Api::V319 => ("319", "include/fuse-3.19"),
    };
    compile.arg(format!("-DFUSE_USE_VERSION={version}")).arg("-I").arg(root().join(include));
    compile.arg("-fsyntax-only").arg(scratch.write("prototypes.c", source));
    succeed(&mut compile, what);
}

/// The sources of the libraries, each before those that it takes the rest from.
const SOURCES: [&str; 3] = ["abi/fuse4/src", "abi/fuse3/src", "abi/common/src"];

#[test]
fn rust_functions_have_the_prototypes_of_libfuse() {
    check_functions("fuse3", Api::V314, &SOURCES[1..]);
    check_functions("fuse4", Api::V319, &SOURCES);
}

fn check_functions(library: &str, api: Api, sources: &[&str]) {
    let exports = exports(library);
    let mut functions: BTreeSet<&str> =
        exports.iter().map(|(_, function)| function.as_str()).collect();
    let config = configuration();
    let mut found = BTreeMap::new();
    for folder in sources {
        let mut files = Vec::new();
        rust_files(&root().join(folder), &mut files);
        for file in files {
            prototypes_in(&file, &functions, &config, &mut found);
        }
        functions.retain(|function| !found.contains_key(*function));
    }

    let signatures = table("signatures-libfuse3.tsv");
    let mut source = INCLUDES.to_owned();
    if api == Api::V319 {
        source += "#include <fuse3/fuse_service.h>\n#include <stdbool.h>\n";
    }
    for (symbol, function) in &exports {
        if IN_C.contains(&function.as_str()) {
            continue;
        }
        let full = format!("{}@{}", symbol.name, symbol.node);
        let row = signatures.iter().find(|row| {
            row["symbol@version"] == full
                && row["libs"].split(',').any(|library| library == api.release())
        });
        let row = row.unwrap_or_else(|| panic!("{full}: not in the table of signatures"));
        let ours =
            found.get(function).unwrap_or_else(|| panic!("{function}: not found in the sources"));
        // Versions of one name differ, so each gets a name of its own.
        let name = full.replace(['@', '.'], "_");
        let (theirs, ours) = comparable(&row["prototype"], ours);
        let theirs = theirs.replace(&format!("{}(", symbol.name), &format!("{name}("));
        let ours = ours.replace(&format!("{function}("), &format!("{name}("));
        let _ = writeln!(source, "{theirs};\n{ours};");
    }
    check(&source, api, "Rust functions as C");
}

/// Callbacks are called with the arguments that a program's functions take.
#[test]
fn rust_callbacks_have_the_prototypes_of_libfuse() {
    for (file, rust_name, c_name) in [
        ("ops.rs", "FuseLowlevelOps", "fuse_lowlevel_ops"),
        ("era.rs", "FuseCustomIo", "fuse_custom_io"),
        ("high_ops.rs", "FuseOperations", "fuse_operations"),
    ] {
        let mut source = INCLUDES.to_owned();
        let mut config = configuration();
        config.export.item_types = vec![ItemType::Structs, ItemType::Typedefs];
        config.export.include = vec![rust_name.to_owned()];
        // Ours is to stand beside the header's.
        config.export.rename.remove(rust_name);
        let path = root().join("abi/fuse3/src/types").join(file);
        let text = fs::read_to_string(&path).expect("the types are there");
        let scratch = Scratch::new("callbacks");
        let copy = scratch.write(file, &text.replace("Option<CustomSplice>", "CustomSplice"));
        let bindings = Builder::new().with_config(config).with_src(copy).generate();
        let mut written = Vec::new();
        bindings.unwrap_or_else(|error| panic!("{file}: {error}")).write(&mut written);
        source += &String::from_utf8_lossy(&written);
        let _ = writeln!(source, "int main(void) {{");
        let _ = writeln!(source, "static struct {c_name} theirs; struct {rust_name} ours;");
        for row in table("layout-fuse3-3.14.tsv") {
            if row["struct"] == c_name && !row["use_version"].starts_with("30,") {
                let _ = writeln!(source, "ours.{0} = theirs.{0}; (void)ours.{0};", row["field"]);
            }
        }
        source += "return 0; }\n";
        check(&source, Api::V314, &format!("{rust_name} as C"));
    }
}
