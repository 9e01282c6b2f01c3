//! What the linker is told of a C library: its name, and the version nodes of its symbols.

use std::path::Path;
use std::{fs, io};

/// Version nodes, and the node that each one extends.
pub type Nodes = &'static [(&'static str, Option<&'static str>)];

/// Writes the version script `map` and has cargo pass it to the linker, with the name `soname`.
pub fn settings(map: &Path, nodes: Nodes, soname: &str) -> io::Result<()> {
    fs::write(map, version_script(nodes))?;
    // rustc writes a version script of its own, which keeps everything private that has no version; lld takes this
    // one beside it. `nodelete`, because threads and callbacks of the library may outlive a `dlclose`. Segments that begin
    // on pages of the file have their addresses as offsets: older versions of perf take the one for the other, and set
    // probes somewhere else.
    for argument in [
        format!("--version-script={}", map.display()),
        "--undefined-version".to_owned(),
        format!("-soname,{soname}"),
        "-z,nodelete".to_owned(),
        "-z,separate-loadable-segments".to_owned(),
    ] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    }
    Ok(())
}

/// The nodes as a linker script. They list no symbols: each symbol names its node itself (`.symver`).
fn version_script(nodes: Nodes) -> String {
    let node = |(name, parent): &(&str, Option<&str>)| match parent {
        Some(parent) => format!("{name} {{ }} {parent};\n"),
        None => format!("{name} {{ }};\n"),
    };
    nodes.iter().map(node).collect()
}
