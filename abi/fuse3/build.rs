//! Link settings of `libfuse3.so`, and layout assertions generated from the ABI tables.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "build/layout.rs"]
mod layout;

/// The version nodes of libfuse3 and the node each one extends. `FUSE_3.12` continues `FUSE_3.4`, not `FUSE_3.7`.
const NODES: &[(&str, Option<&str>)] = &[
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

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let tables = Path::new("../tables");

    let map = out.join("libfuse3.map");
    fs::write(&map, version_script())?;
    let table = tables.join("layout-fuse3-3.14.tsv");
    println!("cargo:rerun-if-changed={}", table.display());
    println!("cargo:rerun-if-changed=build");
    fs::write(out.join("layout.rs"), layout::assertions(&fs::read_to_string(&table)?))?;

    // rustc writes a version script of its own, which keeps everything private that has no version; lld takes this
    // one beside it. `nodelete`, because threads and callbacks of the library may outlive a `dlclose`.
    for argument in [
        format!("--version-script={}", map.display()),
        "--undefined-version".to_owned(),
        format!("-soname,{SONAME}"),
        "-z,nodelete".to_owned(),
    ] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    }
    Ok(())
}

/// The nodes as a linker script. They list no symbols: each symbol names its node itself (`.symver`).
fn version_script() -> String {
    let node = |(name, parent): &(&str, Option<&str>)| match parent {
        Some(parent) => format!("{name} {{ }} {parent};\n"),
        None => format!("{name} {{ }};\n"),
    };
    NODES.iter().map(node).collect()
}
