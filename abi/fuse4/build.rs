//! Link settings of `libfuse3.so.4`, and layout assertions generated from the ABI tables.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "../fuse3/build/layout.rs"]
mod layout;
#[path = "../fuse3/build/link.rs"]
mod link;

/// The version nodes of libfuse3 and the node each one extends. `FUSE_3.18` continues `FUSE_3.17`, not `FUSE_3.17.3`.
const NODES: link::Nodes = &[
    ("FUSE_3.0", None),
    ("FUSE_3.1", Some("FUSE_3.0")),
    ("FUSE_3.2", Some("FUSE_3.1")),
    ("FUSE_3.3", Some("FUSE_3.2")),
    ("FUSE_3.4", Some("FUSE_3.3")),
    ("FUSE_3.7", Some("FUSE_3.4")),
    ("FUSE_3.12", Some("FUSE_3.4")),
    ("FUSE_3.17", Some("FUSE_3.12")),
    ("FUSE_3.17.3", Some("FUSE_3.17")),
    ("FUSE_3.18", Some("FUSE_3.17")),
    ("FUSE_3.19", Some("FUSE_3.18")),
];

/// The name programs ask the dynamic linker for.
const SONAME: &str = "libfuse3.so.4";

/// The C structs of the table and the Rust types that stand for them.
const STRUCTS: layout::Structs = &[
    ("fuse_file_info", "FuseFileInfo"),
    ("fuse_conn_info", "ConnInfo"),
    ("fuse_buf", "FuseBuf"),
    ("fuse_bufvec", "FuseBufvec"),
    ("libfuse_version", "LibfuseVersion"),
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
    // Those that all generations share.
    ("fuse_opt", "ferrofuse_abi_common::opt::FuseOpt"),
    ("fuse_args", "ferrofuse_abi_common::opt::FuseArgs"),
    ("fuse_cmdline_opts", "ferrofuse_abi_common::cmdline::CmdlineOpts"),
];

/// Tables of callbacks that begin with that of 3.14.
const GROWN: layout::Grown = &[
    ("fuse_lowlevel_ops", "base", &["tmpfile", "statx", "syncfs"]),
    ("fuse_operations", "base", &["statx", "syncfs"]),
];

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let table = Path::new("../tables/layout-fuse3-3.19.tsv");
    link::settings(&out.join("libfuse3.map"), NODES, SONAME)?;
    println!("cargo:rerun-if-changed={}", table.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../fuse3/build");
    let table = fs::read_to_string(table)?;
    fs::write(out.join("layout.rs"), layout::assertions(&table, STRUCTS, GROWN, "319"))
}
