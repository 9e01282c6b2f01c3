//! Turns the layout table into compile-time assertions on the Rust structs.

use std::fmt::Write;

/// The C structs of the table and the Rust types that stand for them.
const STRUCTS: &[(&str, &str)] = &[
    ("fuse_file_info", "FuseFileInfo"),
    ("fuse_buf", "FuseBuf"),
    ("fuse_bufvec", "FuseBufvec"),
    ("fuse_entry_param", "FuseEntryParam"),
    ("fuse_ctx", "FuseCtx"),
    ("fuse_forget_data", "FuseForgetData"),
    ("fuse_custom_io", "FuseCustomIo"),
    ("fuse_lowlevel_ops", "FuseLowlevelOps"),
    ("fuse_loop_config_v1", "FuseLoopConfigV1"),
    ("fuse_operations", "FuseOperations"),
    ("fuse_config", "FuseConfig"),
    ("fuse_context", "FuseContext"),
    ("cuse_info", "CuseInfo"),
    ("cuse_lowlevel_ops", "CuseLowlevelOps"),
    // The engine reads buffers where they are.
    ("fuse_buf", "ferrofuse::buf::Segment"),
    // Those that all generations share.
    ("fuse_opt", "ferrofuse_abi_common::opt::FuseOpt"),
    ("fuse_args", "ferrofuse_abi_common::opt::FuseArgs"),
    ("fuse_conn_info", "ferrofuse_abi_common::conn_info::ConnInfo"),
    ("fuse_cmdline_opts", "ferrofuse_abi_common::cmdline::CmdlineOpts"),
];

/// One assertion for the size, the alignment and every field of every struct in [`STRUCTS`].
///
/// A bit-field is looked for as a mask, an associated constant in upper case, in a field called `bits`.
pub fn assertions(table: &str) -> String {
    let rows: Vec<Row> = table.lines().filter_map(Row::parse).collect();
    let mut code = String::new();
    for (c_name, rust_name) in STRUCTS {
        let rows: Vec<&Row> =
            rows.iter().filter(|row| row.name == *c_name && row.newest()).collect();
        let Some(first) = rows.first() else {
            let _ = writeln!(code, "compile_error!(\"{c_name}: not in the layout table\");");
            continue;
        };
        let _ = writeln!(
            code,
            "// struct {c_name}\nconst _: () = {{\n    \
             use core::mem::{{align_of, offset_of, size_of}};"
        );
        let _ = writeln!(code, "    assert!(size_of::<{rust_name}>() == {});", first.size);
        let _ = writeln!(code, "    assert!(align_of::<{rust_name}>() == {});", first.align);
        for row in rows {
            let _ = writeln!(code, "    assert!({});", row.condition(rust_name));
        }
        code.push_str("};\n");
    }
    code
}

/// A line of the layout table.
struct Row<'a> {
    name: &'a str,
    size: &'a str,
    align: &'a str,
    versions: &'a str,
    field: &'a str,
    offset: &'a str,
    bit: Option<(u32, u32)>,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, size, align, versions, field, _, offset, _, _, bit, width, _] = columns[..]
        else {
            return None;
        };
        let bit = bit.parse().ok().zip(width.parse().ok());
        Some(Row { name, size, align, versions, field, offset, bit })
    }

    /// Whether the line holds for programs written for the newest interface.
    fn newest(&self) -> bool {
        self.versions == "any" || self.versions.split(',').any(|version| version == "314")
    }

    fn condition(&self, rust_name: &str) -> String {
        let Row { field, offset, .. } = self;
        match self.bit {
            Some((bit, width)) if width < 32 && !field.starts_with("padding") => {
                let mask = ((1u32 << width) - 1) << bit;
                let constant = field.to_uppercase();
                format!(
                    "offset_of!({rust_name}, bits) == {offset} && {rust_name}::{constant} == {mask:#x}"
                )
            }
            Some((_, width)) if width < 32 => format!("offset_of!({rust_name}, bits) == {offset}"),
            _ => format!("offset_of!({rust_name}, {field}) == {offset}"),
        }
    }
}
