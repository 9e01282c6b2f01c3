//! Where our libraries are.

use std::path::{Path, PathBuf};

/// The names that programs ask for.
pub const SONAMES: [&str; 3] = ["libfuse3.so.4", "libfuse3.so.3", "libfuse.so.2"];

/// What no other libfuse has in it.
const MARK: &[u8] = b"FERROFUSE_TRANSPORT";

/// Whether a file is one of our libraries.
pub fn is_ours(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return false };
    bytes.windows(MARK.len()).any(|window| window == MARK)
}

/// Folders where our libraries may be, given that of the tools: in a staged or installed tree, or
/// where the Debian packages have them.
fn candidates(tools: &Path) -> Vec<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let lib = tools.join("../lib");
    let multiarch = lib.join(triplet);
    vec![
        multiarch.join("ferrofuse"),
        lib.join("ferrofuse"),
        lib.clone(),
        multiarch,
        "../lib64".into(),
    ]
    .into_iter()
    .map(|path| if path.is_absolute() { path } else { tools.join(path) })
    .collect()
}

/// The folder with our libraries: `FERROFUSE_LIBDIR`, or found from where this program is.
pub fn folder() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("FERROFUSE_LIBDIR") {
        let named = PathBuf::from(named);
        return if present(&named).is_empty() {
            Err(format!("FERROFUSE_LIBDIR: {}: none of our libraries is there", named.display()))
        } else {
            named.canonicalize().map_err(|error| format!("{}: {error}", named.display()))
        };
    }
    let me = std::env::current_exe().map_err(|error| format!("/proc/self/exe: {error}"))?;
    let tools = me.parent().unwrap_or(Path::new("/"));
    let found = candidates(tools).into_iter().find(|path| !present(path).is_empty());
    found.and_then(|path| path.canonicalize().ok()).ok_or_else(|| {
        format!("no ferrofuse library near {}; set FERROFUSE_LIBDIR", tools.display())
    })
}

/// The names under which our libraries are in a folder.
pub fn present(folder: &Path) -> Vec<&'static str> {
    SONAMES.into_iter().filter(|name| is_ours(&folder.join(name))).collect()
}
