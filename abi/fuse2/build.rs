//! Link settings of `libfuse.so.2`, and layout assertions generated from the ABI tables.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "../fuse3/build/layout.rs"]
mod layout;
#[path = "../fuse3/build/link.rs"]
mod link;

/// The version nodes of libfuse 2.9 and the node each one extends.
const NODES: link::Nodes = &[
    ("FUSE_2.2", None),
    ("FUSE_2.4", Some("FUSE_2.2")),
    ("FUSE_2.5", Some("FUSE_2.4")),
    ("FUSE_2.6", Some("FUSE_2.5")),
    ("FUSE_2.7", Some("FUSE_2.6")),
    ("FUSE_2.7.5", Some("FUSE_2.7")),
    ("FUSE_2.8", Some("FUSE_2.7.5")),
    ("FUSE_2.9", Some("FUSE_2.8")),
    ("FUSE_2.9.1", Some("FUSE_2.9")),
];

/// The name programs ask the dynamic linker for.
const SONAME: &str = "libfuse.so.2";

/// The C structs of the table and the Rust types that stand for them.
const STRUCTS: layout::Structs = &[
    ("fuse_file_info", "FuseFileInfo"),
    ("fuse_conn_info", "ConnInfo"),
    ("fuse_buf", "FuseBuf"),
    ("fuse_bufvec", "FuseBufvec"),
    ("fuse_entry_param", "FuseEntryParam"),
    ("fuse_ctx", "FuseCtx"),
    ("fuse_forget_data", "FuseForgetData"),
    ("fuse_lowlevel_ops", "FuseLowlevelOps"),
    ("fuse_operations", "FuseOperations"),
    ("fuse_context", "FuseContext"),
    ("fuse_module", "FuseModule"),
    ("fuse_session_ops", "FuseSessionOps"),
    ("fuse_chan_ops", "FuseChanOps"),
    ("cuse_info", "CuseInfo"),
    ("cuse_lowlevel_ops", "CuseLowlevelOps"),
    // The engine reads buffers where they are.
    ("fuse_buf", "ferrofuse::buf::Segment"),
    // Those that all generations share.
    ("fuse_opt", "ferrofuse_abi_common::opt::FuseOpt"),
    ("fuse_args", "ferrofuse_abi_common::opt::FuseArgs"),
];

/// The same of programs for older interfaces: the version, and its structs.
const OLD_STRUCTS: [(&str, layout::Structs); 3] = [
    ("25", &[("fuse_chan_ops_compat24", "FuseChanOpsCompat24")]),
    ("24", &[("fuse_file_info_compat", "FuseFileInfoCompat")]),
    ("11", &[("fuse_statfs_compat1", "FuseStatfsCompat1")]),
];

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let table = Path::new("../tables/layout-fuse2-2.9.tsv");
    println!("cargo:rerun-if-changed={}", table.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../fuse3/build");
    link::settings(&out.join("libfuse.map"), NODES, SONAME)?;
    let table = fs::read_to_string(table)?;
    let mut code = layout::assertions(&table, STRUCTS, &[], "26");
    for (version, structs) in OLD_STRUCTS {
        code.push_str(&layout::assertions(&table, structs, &[], version));
    }
    fs::write(out.join("layout.rs"), code)
}
