//! Link settings of `libfuse3.so`, and layout assertions generated from the ABI tables.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "build/layout.rs"]
mod layout;
#[path = "build/link.rs"]
mod link;

/// The version nodes of libfuse3 and the node each one extends. `FUSE_3.12` continues `FUSE_3.4`, not `FUSE_3.7`.
const NODES: link::Nodes = &[
    ("FUSE_3.0", None),
    ("FUSE_3.1", Some("FUSE_3.0")),
    ("FUSE_3.2", Some("FUSE_3.1")),
    ("FUSE_3.3", Some("FUSE_3.2")),
    ("FUSE_3.4", Some("FUSE_3.3")),
    ("FUSE_3.7", Some("FUSE_3.4")),
    ("FUSE_3.12", Some("FUSE_3.4")),
];

/// The name programs ask the dynamic linker for.
const SONAME: &str = "libfuse3.so.3";

/// The C structs of the table and the Rust types that stand for them.
const STRUCTS: layout::Structs = &[
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

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let tables = Path::new("../tables");

    link::settings(&out.join("libfuse3.map"), NODES, SONAME)?;
    let table = tables.join("layout-fuse3-3.14.tsv");
    println!("cargo:rerun-if-changed={}", table.display());
    println!("cargo:rerun-if-changed=build");
    fs::write(
        out.join("layout.rs"),
        layout::assertions(&fs::read_to_string(&table)?, STRUCTS, &[], "314"),
    )?;
    Ok(())
}
