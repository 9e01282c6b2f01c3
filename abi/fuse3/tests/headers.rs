//! The C headers, against the tables of layouts, constants and prototypes.
//!
//! Each probe is compiled as C99 and as C++11, for every interface version where something changes.

mod support;

use std::fmt::Write;
use std::process::Command;

use support::{Api, Headers, Language, Row, Scratch, header_sets, root, succeed, table};

const INCLUDES: &str =
    "#include <fuse3/fuse.h>\n#include <fuse3/fuse_lowlevel.h>\n#include <stddef.h>\n";
const INCLUDE_CUSE: &str = "#include <fuse3/cuse_lowlevel.h>\n";

/// Compiles a probe, links it without the library, and runs it.
fn run(headers: &Headers, language: Language, version: u32, source: &str, what: &str) {
    let what = format!(
        "{what}: {} headers of {:?}, {language:?}, FUSE_USE_VERSION {version}",
        headers.name, headers.api
    );
    let scratch = Scratch::new("headers");
    let program = scratch.file("probe");
    let mut compile = language.compiler();
    if let Some(include) = &headers.include {
        compile.arg("-I").arg(include);
    }
    compile.arg(format!("-DFUSE_USE_VERSION={version}"));
    compile.arg(scratch.write("probe.c", source)).arg("-o").arg(&program);
    succeed(&mut compile, &what);
    succeed(&mut Command::new(&program), &what);
}

/// Runs a probe everywhere.
fn run_all(source: impl Fn(Api, u32) -> String, what: &str) {
    for headers in header_sets() {
        for language in Language::ALL {
            for &version in headers.api.versions() {
                run(&headers, language, version, &source(headers.api, version), what);
            }
        }
    }
}

/// Whether a line of the layout table holds for programs of this version. The table names those it was probed with.
fn holds(row: &Row, version: u32) -> bool {
    let probed = match version {
        32..35 => "31".to_owned(),
        _ => version.to_string(),
    };
    // Only callbacks changed between 31 and 35. The old loop settings end at 312.
    let versions = &row["use_version"];
    versions == "any" || versions.split(',').any(|listed| listed == probed)
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

fn layout_probe(api: Api, version: u32) -> String {
    let mut checks = String::new();
    let mut tests = String::new();
    let mut last = String::new();
    for row in table(api.layouts()).iter().filter(|row| holds(row, version)) {
        let (name, field, offset) = (&row["struct"], &row["field"], &row["offset"]);
        if *name != last {
            let (size, align) = (&row["sizeof"], &row["alignof"]);
            let _ = writeln!(checks, "CHECK(size__{name}, sizeof(struct {name}) == {size})");
            let _ = writeln!(
                checks,
                "struct align_{name} {{ char c; struct {name} s; }};\n\
                 CHECK(align__{name}, offsetof(struct align_{name}, s) == {align})"
            );
            last.clone_from(name);
        }
        let code = if row["bf_width"] == "-" {
            let (pointer, size) = (pointer_to(&row["type"], "p"), &row["size"]);
            let _ = writeln!(
                checks,
                "CHECK(offset__{name}__{field}, offsetof(struct {name}, {field}) == {offset})"
            );
            let _ = writeln!(
                checks,
                "CHECK(size__{name}__{field}, sizeof(((struct {name} *)0)->{field}) == {size})"
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
    format!(
        "{INCLUDES}{INCLUDE_CUSE}#include <stdio.h>\n#include <string.h>\n\
         #define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1];\n\
         {checks}int main(void) {{\n{tests}return 0;\n}}\n"
    )
}

#[test]
fn structs_have_the_layout_of_libfuse() {
    run_all(layout_probe, "layout");
}

/// Also that names of later releases are absent: programs ask for them by `#ifdef`.
#[test]
fn constants_have_the_values_of_libfuse() {
    run_all(constants_probe, "constants");
}

fn constants_probe(api: Api, version: u32) -> String {
    let mut source = format!("{INCLUDES}{INCLUDE_CUSE}");
    if api == Api::V319 {
        source += "#include <fuse3/fuse_daemonize.h>\n#include <fuse3/fuse_service.h>\n";
    }
    source += "#define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1];\n";
    for row in table("constants-fuse3.tsv") {
        let name = &row["name"];
        if name.starts_with("FUSE_SERVICE_") && api == Api::V319 && version < 319 {
            continue;
        }
        let (value, size) = match api {
            Api::V314 => (&row["value_3.14"], "sizeof(int)"),
            Api::V319 => (&row["value_3.19"], &*row["size"]),
        };
        let is_macro = row["kind"] == "macro";
        if value != "-" {
            let _ =
                writeln!(source, "CHECK({name}, ({name}) == {value} && sizeof({name}) == {size})");
            if is_macro {
                let _ = writeln!(source, "#if ({name}) != {value}\n#error {name}\n#endif");
            }
        } else if is_macro {
            let _ = writeln!(source, "#ifdef {name}\n#error {name} is not of this release\n#endif");
        } else {
            let _ = writeln!(source, "enum later_{name} {{ {name} }};");
        }
    }
    source + "int main(void) { return 0; }\n"
}

/// Every function is declared, with the prototype of the library behind it.
#[test]
fn prototypes_are_those_of_libfuse() {
    for headers in header_sets() {
        let source = prototypes_probe(headers.api);
        for language in Language::ALL {
            for &version in headers.api.versions().iter().filter(|version| **version >= 312) {
                run(&headers, language, version, &source, "prototypes");
            }
            run(&headers, language, 35, &source, "prototypes");
        }
    }
}

fn prototypes_probe(api: Api) -> String {
    let mut source = format!("{INCLUDES}{INCLUDE_CUSE}");
    if api == Api::V319 {
        source += "#include <fuse3/fuse_daemonize.h>\n#include <fuse3/fuse_service.h>\n";
    }
    source += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
    let mut count = 0;
    for row in table("signatures-libfuse3.tsv") {
        let (old, new) = row["header_3.14|3.19"].split_once('|').expect("two columns in one");
        let header = if api == Api::V314 { old } else { new };
        let name = row["symbol@version"].split('@').next().unwrap_or_default();
        // Names with a number are declared where `import` tests find them.
        let numbered = name.rsplit('_').next().is_some_and(|word| word.parse::<u32>().is_ok());
        // There are services from 3.19 on only.
        let service = name.starts_with("fuse_service_");
        if row["libs"].split(',').any(|library| library == api.release())
            && header == "yes"
            && !numbered
            && !service
        {
            // The first line fails if the header lacks the function, the second if it differs.
            let prototype = &row["prototype"];
            let _ = writeln!(source, "extern __typeof__({name}) {name};\n{prototype};");
            count += 1;
        }
    }
    assert!(count > 130, "only {count} prototypes to compare");
    source + "#ifdef __cplusplus\n}\n#endif\nint main(void) { return 0; }\n"
}

/// The macros that are no constants, in use.
#[test]
fn macros_work_as_in_libfuse() {
    let source = format!(
        "{INCLUDES}#include <stdio.h>\n#include <string.h>
        struct settings {{ int number; }};
        static const struct fuse_opt options[] = {{
            {{ \"n=%d\", offsetof(struct settings, number), 0 }}, FUSE_OPT_KEY(\"-x\", 7), FUSE_OPT_END
        }};
        static struct fuse_fs *make(struct fuse_args *args, struct fuse_fs *fs[]) {{
            (void)args; return fs[0];
        }}
        FUSE_REGISTER_MODULE(probe, make);
        int main(int argc, char **argv) {{
            struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
            struct fuse_bufvec vector = FUSE_BUFVEC_INIT(5);
            const unsigned wanted = 77;
            size_t used;
            vector = FUSE_BUFVEC_INIT(wanted);
            used = vector.count + vector.buf[0].size + vector.idx + vector.off;
            if (used != 78 || vector.buf[0].flags || vector.buf[0].mem || vector.buf[0].fd != -1) return 1;
            if (args.argc != 1 || args.argv != argv || args.allocated) return 2;
            if (options[1].offset != 0xffffffffUL || options[1].value != 7 || options[2].templ) return 3;
            if (FUSE_MAKE_VERSION(3, 12) != 312 || fuse_module_probe_factory != make) return 4;
            return 0;
        }}\n"
    );
    run_all(|_, _| source.clone(), "macros");
}

/// The version macro spelled the long way, which names a macro of the header that is still to be read.
#[test]
fn use_version_may_be_made_by_macro() {
    let source = "#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 12)\n#include <fuse3/fuse_lowlevel.h>\n\
        int probe(struct fuse_loop_config_v1 *config); int probe(struct fuse_loop_config_v1 *config) {\n\
        return config->clone_fd; }\n";
    let scratch = Scratch::new("version");
    for language in Language::ALL {
        let mut compile = language.compiler();
        compile
            .arg("-I")
            .arg(root().join("include"))
            .arg("-fsyntax-only")
            .arg(scratch.write("probe.c", source));
        succeed(&mut compile, "FUSE_MAKE_VERSION");
    }
}

/// What a program must not do is refused with a message that says what to do.
#[test]
fn misuse_is_refused_with_a_reason() {
    let stubs = Scratch::new("stubs");
    std::fs::create_dir_all(stubs.file("gnu")).expect("a folder in the temporary folder");
    // What a compiler without 32-bit development files lacks.
    stubs.write("gnu/stubs-32.h", "");
    let stub_folder = format!("-I{}", stubs.file("").display());
    let narrow =
        ["-m32", &stub_folder, "-isystem", "/usr/include/x86_64-linux-gnu"].map(str::to_owned);
    let none = [];
    let cases: [(&str, &[String], &str); 5] = [
        ("#include <fuse3/fuse_lowlevel.h>\n", &none, "FUSE_USE_VERSION is not defined"),
        ("#include <fuse3/fuse.h>\n", &none, "FUSE_USE_VERSION is not defined"),
        (
            "#define FUSE_USE_VERSION 29\n#include <fuse3/fuse.h>\n",
            &none,
            "FUSE_USE_VERSION is below 30",
        ),
        (
            "#define FUSE_USE_VERSION 31\n#include <fuse3/fuse_common.h>\n",
            &none,
            "include fuse.h or fuse_lowlevel.h",
        ),
        (
            "#define FUSE_USE_VERSION 31\n#include <fuse3/fuse.h>\n",
            &narrow,
            "off_t_must_be_64_bits",
        ),
    ];
    let scratch = Scratch::new("misuse");
    let check = |source: &str, flags: &[String]| {
        let mut compile = Language::C99.compiler();
        compile.arg("-I").arg(root().join("include")).args(flags);
        compile.arg("-fsyntax-only").arg(scratch.write("probe.c", source));
        let output = compile.output().expect("gcc runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (source, flags, message) in cases {
        let (accepted, said) = check(source, flags);
        assert!(!accepted && said.contains(message), "{source}: accepted: {accepted}\n{said}");
    }
    let mut wide = narrow.to_vec();
    wide.push("-D_FILE_OFFSET_BITS=64".into());
    let (accepted, said) = check("#define FUSE_USE_VERSION 31\n#include <fuse3/fuse.h>\n", &wide);
    assert!(accepted, "{said}");
}
