//! What the ABI tests share: the fact tables, the C compilers, and the library under test.

// Each test program uses its own part of this module.
#![allow(dead_code)]

pub mod symbols;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A line of a fact table, by column name.
pub type Row = HashMap<String, String>;

/// Reads `abi/tables/NAME`: comment lines, a line of column names, then the facts, of which there are some.
pub fn table(name: &str) -> Vec<Row> {
    let rows = rows(name);
    assert!(!rows.is_empty(), "{name} is empty");
    rows
}

/// The same for a table that may be empty.
fn rows(name: &str) -> Vec<Row> {
    let path = root().join("abi/tables").join(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<&str> = lines.next().expect("a table has column names").split('\t').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), columns.len(), "{name}: wrong number of columns: {line}");
            columns
                .iter()
                .zip(cells)
                .map(|(column, cell)| (column.to_string(), cell.to_string()))
                .collect()
        })
        .collect()
}

/// The comment lines of `abi/tables/NAME`.
pub fn comments(name: &str) -> String {
    let path = root().join("abi/tables").join(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// A release of the interface, and where the tables tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    V314,
    V319,
}

impl Api {
    /// The name of the release in the tables.
    pub const fn release(self) -> &'static str {
        match self {
            Api::V314 => "3.14.0",
            Api::V319 => "3.19rc0",
        }
    }

    /// The table of layouts.
    pub const fn layouts(self) -> &'static str {
        match self {
            Api::V314 => "layout-fuse3-3.14.tsv",
            Api::V319 => "layout-fuse3-3.19.tsv",
        }
    }

    /// Interface versions, each the first or last of one behaviour.
    pub const fn versions(self) -> &'static [u32] {
        match self {
            Api::V314 => &[30, 31, 32, 35, 312, 314],
            Api::V319 => &[30, 31, 32, 35, 312, 314, 317, 318, 319],
        }
    }

    /// The library that has it.
    pub fn library(self) -> PathBuf {
        match self {
            Api::V314 => library(),
            Api::V319 => library_4(),
        }
    }

    /// What that library exports.
    pub fn symbols(self) -> Vec<Symbol> {
        match self {
            Api::V314 => wanted_symbols(),
            Api::V319 => wanted_symbols_4(),
        }
    }
}

/// A set of headers that a probe is compiled with.
pub struct Headers {
    pub name: &'static str,
    pub api: Api,
    /// The folder above `fuse3/`, if the compiler does not look there by itself.
    pub include: Option<PathBuf>,
}

/// Our headers, and first, to prove the probe, those of libfuse 3.14.0 if the system has them.
pub fn header_sets() -> Vec<Headers> {
    let mut sets = Vec::new();
    if system_libfuse() {
        sets.push(Headers { name: "system", api: Api::V314, include: None });
    }
    let ours = |api, folder| Headers { name: "ferrofuse", api, include: Some(root().join(folder)) };
    sets.push(ours(Api::V314, "include"));
    sets.push(ours(Api::V319, "include/fuse-3.19"));
    sets
}

/// Whether the development files of libfuse 3.14.0 are installed.
pub fn system_libfuse() -> bool {
    let mut command = Command::new("pkg-config");
    command.env_remove("PKG_CONFIG_PATH").args(["--exact-version=3.14.0", "fuse3"]);
    let found = command.status().is_ok_and(|status| status.success());
    if !found {
        eprintln!("libfuse 3.14.0 is not installed: the probes run on ferrofuse alone");
    }
    found
}

/// The language a probe is compiled as. Every one is valid in both.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    C99,
    Cxx11,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::C99, Language::Cxx11];

    /// The compiler, with every warning an error.
    pub fn compiler(self) -> Command {
        let (compiler, language, standard) = match self {
            Language::C99 => ("gcc", "c", "-std=c99"),
            Language::Cxx11 => ("g++", "c++", "-std=c++11"),
        };
        let mut command = Command::new(compiler);
        command.args([standard, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror"]);
        // `T v[2]` and `T *v` declare the same function; the tables write a pointer for both.
        command.args(["-Wno-array-parameter", "-x", language]);
        command
    }
}

/// A folder that goes away with the value.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            env::temp_dir().join(format!("ferrofuse-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Scratch(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command that must succeed and returns its standard output.
pub fn succeed(command: &mut Command, what: &str) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{what}: {command:?}: {error}"));
    assert!(status.success(), "{what}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}

/// The shared library under test: `$FERROFUSE_LIBRARY`, or the one that was built with this test.
pub fn library() -> PathBuf {
    existing(env::var_os("FERROFUSE_LIBRARY").map_or_else(|| built("libfuse3.so"), PathBuf::from))
}

/// The same of `libfuse3.so.4`: `$FERROFUSE_LIBRARY4`.
pub fn library_4() -> PathBuf {
    let given = env::var_os("FERROFUSE_LIBRARY4");
    existing(given.map_or_else(|| built("libfuse3_4.so"), PathBuf::from))
}

/// A library that was built with this test.
pub fn built(name: &str) -> PathBuf {
    let program = env::current_exe().expect("a running program has a path");
    program.with_file_name("..").join(name)
}

/// A library that is there.
pub fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{}: no library to test; build it or set FERROFUSE_LIBRARY",
        path.display()
    );
    path
}

/// A line of a dynamic symbol table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    pub name: String,
    /// The version node; empty if it has none.
    pub node: String,
    /// Whether it is the version that a program linked today gets.
    pub default: bool,
    pub defined: bool,
    pub kind: String,
}

/// Reads the dynamic symbols of an ELF file.
pub fn dynamic_symbols(file: &Path) -> Vec<Symbol> {
    let text = succeed(Command::new("readelf").args(["--dyn-syms", "-W"]).arg(file), "readelf");
    text.lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // Num: Value Size Type Bind Vis Ndx Name [(number of the version)]
            let (kind, index, full) = (columns.get(3)?, columns.get(6)?, columns.get(7)?);
            columns.first()?.strip_suffix(':')?.parse::<u32>().ok()?;
            let (name, node) = full.split_once('@').unwrap_or((full, ""));
            Some(Symbol {
                name: name.to_owned(),
                node: node.trim_start_matches('@').to_owned(),
                default: node.starts_with('@'),
                defined: *index != "UND",
                kind: kind.to_string(),
            })
        })
        .collect()
}

/// The symbols that an ELF file gives to others, in order.
pub fn defined_symbols(file: &Path) -> Vec<Symbol> {
    let mut symbols = dynamic_symbols(file);
    symbols.retain(|symbol| symbol.defined);
    symbols.sort();
    symbols
}

/// The symbols of libfuse 3.14.0 that the library must export: the table, less what the scope file names.
pub fn wanted_symbols() -> Vec<Symbol> {
    let scope = rows("scope-fuse3.tsv");
    let mut used = vec![false; scope.len()];
    let mut wanted = Vec::new();
    for row in table("symbols-libfuse3.tsv").iter().filter(|row| row["in_debian12"] == "yes") {
        let name = &row["symbol"];
        let excluded: Vec<usize> = scope
            .iter()
            .enumerate()
            .filter(|(_, entry)| match entry["symbol"].strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => *name == entry["symbol"],
            })
            .map(|(index, _)| index)
            .collect();
        excluded.iter().for_each(|&index| used[index] = true);
        if excluded.is_empty() {
            wanted.push(Symbol {
                name: name.clone(),
                node: row["version"].clone(),
                default: row["def_3.14.0"] == "@@",
                defined: true,
                kind: "FUNC".to_owned(),
            });
        }
    }
    for (entry, used) in scope.iter().zip(used) {
        assert!(used, "scope-fuse3.tsv: {} stands for no symbol", entry["symbol"]);
    }
    wanted.sort();
    wanted
}

/// The symbols of libfuse 3.19 that the newer library must export.
pub fn wanted_symbols_4() -> Vec<Symbol> {
    let mut wanted: Vec<Symbol> = table("symbols-libfuse3.tsv")
        .iter()
        .filter(|row| row["def_3.19rc0"] != "-")
        .map(|row| Symbol {
            name: row["symbol"].clone(),
            node: row["version"].clone(),
            default: row["def_3.19rc0"] == "@@",
            defined: true,
            kind: "FUNC".to_owned(),
        })
        .collect();
    wanted.sort();
    wanted
}

/// Links an object file to a library, given as the linker takes it.
pub fn link(object: &Path, library: &[&str], program: &Path) {
    let mut command = Command::new("gcc");
    command.arg(object).args(library).arg("-o").arg(program);
    succeed(&mut command, "link");
}

/// What `exports.rs` of a crate exports, and what every libfuse 3 does if it is one of those, each with the name of
/// the function behind it.
pub fn exports(library: &str) -> Vec<(Symbol, String)> {
    let mut text = String::new();
    let common = library.starts_with("fuse3") || library.starts_with("fuse4");
    let common = common.then_some("fuse3/src/exports_common.rs".to_owned());
    for file in common.into_iter().chain([format!("{library}/src/exports.rs")]) {
        let path = root().join("abi").join(file);
        text += &fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    text.lines()
        .filter_map(|line| line.strip_prefix("export!(")?.strip_suffix(");"))
        .map(|line| {
            let (symbol, function) = line.split_once(" = ").expect("symbol = function");
            let (name, node) = symbol.split_once(" @").expect("a symbol has a version");
            let symbol = Symbol {
                name: name.to_owned(),
                node: node.trim_matches(['@', ' ', '"']).to_owned(),
                default: node.starts_with('@'),
                defined: true,
                kind: "FUNC".to_owned(),
            };
            (symbol, function.rsplit("::").next().unwrap_or(function).to_owned())
        })
        .collect()
}
