//! The C headers of libfuse 2, against the tables of layouts, constants and prototypes.
//!
//! Each probe is compiled as C99 and as C++11, with the system's headers, which proves it, and with ours.

#[path = "../../fuse3/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Api, Headers, Language, Row, Scratch, root, succeed, table};

/// Interface versions that programs ask for.
const USE_VERSIONS: [u32; 8] = [11, 21, 22, 24, 25, 26, 28, 29];

/// What an old version renames. Undone, every struct goes by its own name.
const RENAMED: [&str; 14] = [
    "fuse_dirfil_t",
    "fuse_operations",
    "fuse_file_info",
    "fuse_lowlevel_ops",
    "fuse_chan_ops",
    "fuse_chan_new",
    "fuse_lowlevel_new",
    "fuse_reply_open",
    "fuse_reply_statfs",
    "fuse_new",
    "fuse_setup",
    "fuse_teardown",
    "fuse_mount",
    "fuse_unmount",
];

/// The probes here don't look at the release of libfuse 3 that a set of headers can be for.
fn of_libfuse2(name: &'static str, include: Option<PathBuf>) -> Headers {
    Headers { name, api: Api::V314, include }
}

/// Our headers, and first, to prove the probe, those of libfuse 2.9.9 if the system has them.
fn header_sets() -> Vec<Headers> {
    let mut sets = Vec::new();
    if Path::new("/usr/include/fuse/fuse_common_compat.h").exists() {
        sets.push(of_libfuse2("system", None));
    } else {
        eprintln!("the headers of libfuse 2 are not installed: the probes run on ferrofuse alone");
    }
    sets.push(of_libfuse2("ferrofuse", Some(root().join("include"))));
    sets
}

/// Whether there is a high-level interface of a version, and a low-level one.
fn interfaces(version: u32) -> (bool, bool) {
    (version != 24, version >= 24)
}

fn includes(version: u32) -> String {
    let (high, low) = interfaces(version);
    let mut source = "#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n".to_owned();
    if high {
        source += "#include <fuse/fuse.h>\n";
    }
    if low {
        source += "#include <fuse/fuse_lowlevel.h>\n";
    }
    if version >= 25 {
        source += "#include <fuse/cuse_lowlevel.h>\n";
    }
    source
}

fn own_names() -> String {
    RENAMED.iter().map(|name| format!("#undef {name}\n")).collect()
}

const CHECK: &str =
    "#define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1];\n";

fn compiler(
    headers: &Headers,
    language: Language,
    version: u32,
    source: &str,
    scratch: &Scratch,
) -> Command {
    let mut compile = language.compiler();
    if let Some(include) = &headers.include {
        compile.arg("-I").arg(include);
    }
    // That interface 1.1 is old is something that the system's headers warn of.
    compile.args(["-Wno-cpp", "-D_FILE_OFFSET_BITS=64"]);
    compile.arg(format!("-DFUSE_USE_VERSION={version}"));
    compile.arg(scratch.write("probe.c", source));
    compile
}

/// Compiles a probe, links it without the library, and runs it.
fn run(headers: &Headers, language: Language, version: u32, source: &str, what: &str) {
    let what =
        format!("{what}: {} headers, {language:?}, FUSE_USE_VERSION {version}", headers.name);
    let scratch = Scratch::new("headers2");
    let program = scratch.file("probe");
    let mut compile = compiler(headers, language, version, source, &scratch);
    succeed(compile.arg("-o").arg(&program), &what);
    succeed(&mut Command::new(&program), &what);
}

/// Runs a probe everywhere.
fn run_all(versions: &[u32], source: impl Fn(u32) -> String, what: &str) {
    for headers in header_sets() {
        for language in Language::ALL {
            for &version in versions {
                run(&headers, language, version, &source(version), what);
            }
        }
    }
}

/// Whether a struct is declared for programs of a version.
fn declared(row: &Row, version: u32) -> bool {
    let (high, low) = interfaces(version);
    let name = row["struct"].as_str();
    let of_high = name.contains("fuse_operations")
        || ["fuse_context", "fuse_module", "fuse_statfs_compat1"].contains(&name);
    let of_low = ["lowlevel", "cuse", "chan_ops", "session_ops"].iter().any(|p| name.contains(p))
        || ["fuse_entry_param", "fuse_ctx", "fuse_forget_data"].contains(&name);
    let old = row["use_version"] != "any";
    (!old || version < 26)
        && (version >= 25 || !name.starts_with("cuse"))
        && (high || !of_high)
        && (low || !of_low)
}

/// A declaration of `name` as a pointer to `kind`, a type as the table writes it.
fn pointer_to(kind: &str, name: &str) -> String {
    if let Some((result, arguments)) = kind.split_once("(*)") {
        format!("{result}(**{name}){arguments}")
    } else if let Some((element, length)) = kind.split_once('[') {
        format!("{element}(*{name})[{length}")
    } else {
        format!("{kind} *{name}")
    }
}

fn layout_probe(version: u32) -> String {
    let mut checks = String::new();
    let mut tests = String::new();
    let mut last = String::new();
    for row in table("layout-fuse2-2.9.tsv").iter().filter(|row| declared(row, version)) {
        let (name, field, offset) = (&row["struct"], &row["field"], &row["offset"]);
        if *name != last {
            let (size, align) = (&row["sizeof"], &row["alignof"]);
            let _ = writeln!(
                checks,
                "CHECK(size__{name}, sizeof(struct {name}) == {size})\n\
                 struct align_{name} {{ char c; struct {name} s; }};\n\
                 CHECK(align__{name}, offsetof(struct align_{name}, s) == {align})"
            );
            last.clone_from(name);
        }
        let code = if row["bf_width"] == "-" {
            let (pointer, size) = (pointer_to(&row["type"], "p"), &row["size"]);
            let _ = writeln!(
                checks,
                "CHECK(offset__{name}__{field}, offsetof(struct {name}, {field}) == {offset})\n\
                 CHECK(size__{name}__{field}, sizeof(((struct {name} *)0)->{field}) == {size})"
            );
            format!("{{ static struct {name} s; {pointer} = &s.{field}; (void)p; }}")
        } else {
            let (bit, width) = (&row["bf_bit"], &row["bf_width"]);
            format!(
                "{{ struct {name} s; unsigned word; memset(&s, 0, sizeof(s)); s.{field} = ~s.{field};\n\
                 memcpy(&word, (char *)&s + {offset}, sizeof(word));\n\
                 if (word != (0xffffffffu >> (32 - {width})) << {bit}) {{ puts(\"{name}.{field}\"); return 1; }} }}"
            )
        };
        let _ = writeln!(tests, "{code}");
    }
    let (includes, own) = (includes(version), own_names());
    format!("{includes}{own}{CHECK}{checks}int main(void) {{\n{tests}return 0;\n}}\n")
}

#[test]
fn structs_have_the_layout_of_libfuse() {
    run_all(&USE_VERSIONS, layout_probe, "layout");
}

/// The plain name of a struct stands for that of the version that the program asks for.
#[test]
fn versions_select_their_structs() {
    let source = |version: u32| {
        let mut checks = BTreeSet::new();
        let asked = version.to_string();
        for row in table("layout-fuse2-2.9.tsv") {
            let full = &row["struct"];
            let Some((plain, _)) = full.split_once("_compat") else { continue };
            let selects = row["use_version"].split(',').any(|listed| listed == asked);
            if selects && plain != "fuse_statfs" && declared(&row, version) {
                checks.insert(format!(
                    "static struct {plain} *var_{plain};\n\
                     struct {full} **same_{plain}(void);\n\
                     struct {full} **same_{plain}(void) {{ return &var_{plain}; }}\n"
                ));
            }
        }
        assert!(version >= 26 || !checks.is_empty(), "nothing is old in {version}");
        let checks: String = checks.into_iter().collect();
        format!("{}{checks}int main(void) {{ return 0; }}\n", includes(version))
    };
    run_all(&USE_VERSIONS, source, "selection");
}

#[test]
fn constants_have_the_values_of_libfuse() {
    let source = |version: u32| {
        let mut source = includes(version) + CHECK;
        for row in table("constants-fuse2.tsv") {
            let (name, value) = (&row["name"], &row["value"]);
            if row["note"] != "-" && version != 11 || version == 11 && name.ends_with("_VERSION") {
                continue;
            }
            if version == 11
                && (name.starts_with("CUSE") || name.contains("ATTR") || name.contains("ROOT"))
            {
                continue;
            }
            let _ = writeln!(
                source,
                "CHECK({name}, ({name}) == {value} && sizeof({name}) == sizeof(int))"
            );
            if row["kind"] == "macro" {
                let _ = writeln!(source, "#if ({name}) != {value}\n#error {name}\n#endif");
            }
        }
        source + "int main(void) { return 0; }\n"
    };
    run_all(&[11, 26, 29], source, "constants");
}

/// What a program for an old version finds as the version of the interface.
#[test]
fn the_version_is_that_of_the_interface() {
    for (asked, version) in [(11, 11), (21, 21), (22, 24), (24, 24), (25, 25), (26, 29), (29, 29)] {
        let source = format!(
            "{}{CHECK}CHECK(version, FUSE_VERSION == {version})\nint main(void) {{ return 0; }}\n",
            includes(asked)
        );
        run_all(&[asked], |_| source.clone(), "version");
    }
}

/// Every function is declared, with the prototype of the library behind it.
#[test]
fn prototypes_are_those_of_libfuse() {
    let defaults: BTreeSet<String> = table("symbols-libfuse2.tsv")
        .iter()
        .filter(|row| row["default"] == "@@")
        .map(|row| format!("{}@{}", row["symbol"], row["version"]))
        .collect();
    let source = |version: u32| {
        let mut source = includes(version) + &own_names();
        source += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
        let mut count = 0;
        for row in table("signatures-libfuse2.tsv") {
            let symbol = &row["symbol@version"];
            let name = symbol.split('@').next().unwrap_or_default();
            let old = name.contains("_compat")
                || [
                    "fuse_add_dirent",
                    "fuse_dirent_size",
                    "fuse_chan_receive",
                    "fuse_kern_chan_new",
                ]
                .contains(&name);
            if row["in_header"] == "macro" || !defaults.contains(symbol) || old && version >= 26 {
                continue;
            }
            // The first line fails if the header lacks the function, the second if it differs.
            let prototype = &row["prototype"];
            let _ = writeln!(source, "extern __typeof__({name}) {name};\n{prototype};");
            count += 1;
        }
        assert!(count > 140, "only {count} prototypes to compare");
        source + "#ifdef __cplusplus\n}\n#endif\nint main(void) { return 0; }\n"
    };
    run_all(&[25, 26, 29], source, "prototypes");
}

/// The macros that are no constants, in use.
#[test]
fn macros_work_as_in_libfuse() {
    let source = |version| {
        format!(
            "{}
            struct settings {{ int number; }};
            static const struct fuse_opt options[] = {{
                {{ \"n=%d\", offsetof(struct settings, number), 0 }}, FUSE_OPT_KEY(\"-x\", 7), FUSE_OPT_END
            }};
            static struct fuse_fs *make(struct fuse_args *args, struct fuse_fs *fs[]) {{
                (void)args; return fs[0];
            }}
            FUSE_REGISTER_MODULE(probe, make)
            int main(int argc, char **argv) {{
                struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
                struct fuse_bufvec vector = FUSE_BUFVEC_INIT(5);
                if (vector.count != 1 || vector.buf[0].size != 5 || vector.buf[0].flags) return 1;
                if (vector.buf[0].mem || vector.buf[0].fd != -1 || vector.idx || vector.off) return 1;
                if (args.argc != 1 || args.argv != argv || args.allocated) return 2;
                if (options[1].offset != 0xffffffffUL || options[1].value != 7 || options[2].templ) return 3;
                if (FUSE_MAKE_VERSION(2, 9) != 29 || fuse_fusemod_probe_module.factory != make) return 4;
                if (strcmp(fuse_fusemod_probe_module.name, \"probe\") || fuse_fusemod_probe_module.ctr) return 5;
                return 0;
            }}\n",
            includes(version)
        )
    };
    for headers in header_sets() {
        for version in [22, 25, 26, 29] {
            run(&headers, Language::C99, version, &source(version), "macros");
            // The system's headers are no strict C++.
            if headers.include.is_some() {
                run(&headers, Language::Cxx11, version, &source(version), "macros");
            }
        }
    }
}

/// The undefined symbols of a program that calls what its version has under the plain names.
fn imports(headers: &Headers, version: u32, calls: &str) -> Vec<String> {
    let scratch = Scratch::new("imports2");
    let source =
        format!("{}void calls(void);\nvoid calls(void) {{\n{calls}}}\n", includes(version));
    let object: PathBuf = scratch.file("probe.o");
    let mut compile = compiler(headers, Language::C99, version, &source, &scratch);
    compile.args(["-O0", "-c"]).arg("-o").arg(&object);
    succeed(&mut compile, &format!("{} headers, FUSE_USE_VERSION {version}", headers.name));
    let mut nm = Command::new("nm");
    let text = succeed(nm.arg("-u").arg(&object), "nm");
    text.lines().filter_map(|line| line.split_whitespace().last().map(str::to_owned)).collect()
}

/// Programs of an old version are linked to the functions of then.
#[test]
fn versions_select_their_functions() {
    const HIGH_26: &str = "fuse_main(0, 0, (struct fuse_operations *)0, 0); fuse_new(0, 0, 0, 0, 0);
        fuse_setup(0, 0, 0, 0, 0, 0, 0); fuse_teardown(0, 0); fuse_mount(0, 0); fuse_unmount(0, 0);";
    const HIGH_25: &str = "fuse_main(0, 0, (struct fuse_operations *)0); fuse_new(0, 0, 0, 0);
        fuse_setup(0, 0, 0, 0, 0, 0, 0); fuse_teardown(0, 0, 0); fuse_mount(0, 0); fuse_unmount(0);";
    const HIGH_21: &str = "fuse_main(0, 0, 0); fuse_new(0, 0, 0); __fuse_setup(0, 0, 0, 0, 0, 0);
        __fuse_teardown(0, 0, 0); fuse_mount(0, 0); fuse_unmount(0); __fuse_exited(0);
        __fuse_read_cmd(0); __fuse_process_cmd(0, 0); __fuse_loop_mt(0, 0, 0);
        __fuse_set_getcontext_func(0);";
    const HIGH_11: &str = "fuse_main(0, 0, 0); fuse_new(0, FUSE_DEBUG, 0); fuse_mount(0, 0);
        fuse_unmount(0); __fuse_read_cmd(0); __fuse_process_cmd(0, 0); __fuse_loop_mt(0, 0, 0);";
    const LOW: &str = "fuse_lowlevel_new(0, 0, 0, 0); fuse_chan_new(0, 0, 0, 0);
        fuse_reply_open(0, 0); fuse_reply_statfs(0, 0); fuse_mount(0, 0);";
    let cases: [(u32, &str, &[&str]); 9] = [
        (
            11,
            HIGH_11,
            &[
                "fuse_loop_mt_proc",
                "fuse_main_compat1",
                "fuse_mount_compat1",
                "fuse_new_compat1",
                "fuse_process_cmd",
                "fuse_read_cmd",
                "fuse_unmount_compat22",
            ],
        ),
        (
            21,
            HIGH_21,
            &[
                "fuse_exited",
                "fuse_loop_mt_proc",
                "fuse_main_compat2",
                "fuse_mount_compat22",
                "fuse_new_compat2",
                "fuse_process_cmd",
                "fuse_read_cmd",
                "fuse_set_getcontext_func",
                "fuse_setup_compat2",
                "fuse_teardown_compat22",
                "fuse_unmount_compat22",
            ],
        ),
        (
            22,
            HIGH_25,
            &[
                "fuse_main_real_compat22",
                "fuse_mount_compat22",
                "fuse_new_compat22",
                "fuse_setup_compat22",
                "fuse_teardown_compat22",
                "fuse_unmount_compat22",
            ],
        ),
        (
            25,
            HIGH_25,
            &[
                "fuse_main_real_compat25",
                "fuse_mount_compat25",
                "fuse_new_compat25",
                "fuse_setup_compat25",
                "fuse_teardown_compat22",
                "fuse_unmount_compat22",
            ],
        ),
        (
            26,
            HIGH_26,
            &[
                "fuse_main_real",
                "fuse_mount",
                "fuse_new",
                "fuse_setup",
                "fuse_teardown",
                "fuse_unmount",
            ],
        ),
        (
            29,
            HIGH_26,
            &[
                "fuse_main_real",
                "fuse_mount",
                "fuse_new",
                "fuse_setup",
                "fuse_teardown",
                "fuse_unmount",
            ],
        ),
        (
            24,
            LOW,
            &[
                "fuse_chan_new_compat24",
                "fuse_lowlevel_new_compat",
                "fuse_mount_compat22",
                "fuse_reply_open_compat",
                "fuse_reply_statfs_compat",
            ],
        ),
        (
            25,
            LOW,
            &[
                "fuse_chan_new_compat24",
                "fuse_lowlevel_new_compat25",
                "fuse_mount_compat25",
                "fuse_reply_open",
                "fuse_reply_statfs",
            ],
        ),
        (
            26,
            LOW,
            &[
                "fuse_chan_new",
                "fuse_lowlevel_new",
                "fuse_mount",
                "fuse_reply_open",
                "fuse_reply_statfs",
            ],
        ),
    ];
    for headers in header_sets() {
        for (version, calls, wanted) in &cases {
            let found = imports(&headers, *version, calls);
            assert_eq!(found, *wanted, "{} headers, FUSE_USE_VERSION {version}", headers.name);
        }
    }
}

/// What a program must not do is refused with a message that says what to do.
#[test]
fn misuse_is_refused_with_a_reason() {
    let headers = of_libfuse2("ferrofuse", Some(root().join("include")));
    for (version, header, message) in [
        (23, "fuse.h", "FUSE_USE_VERSION must be"),
        (24, "fuse.h", "use 22 or 25"),
        (22, "fuse_lowlevel.h", "not older than FUSE_USE_VERSION 24"),
        (26, "fuse_common.h", "include fuse.h or fuse_lowlevel.h"),
    ] {
        let scratch = Scratch::new("misuse2");
        let source = format!("#include <fuse/{header}>\n");
        let mut compile = compiler(&headers, Language::C99, version, &source, &scratch);
        let output = compile.arg("-fsyntax-only").output().expect("gcc runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(message), "{header}: {said}");
    }
}
