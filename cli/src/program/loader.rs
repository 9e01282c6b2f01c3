//! What the loader would load, by its own word.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Libraries that a program loads at its start with `folder` in front, and the file of each; `None`
/// for one that is not found. Nothing of the program runs: the loader only lists.
pub fn loaded(interpreter: &str, program: &Path, folder: &Path) -> Vec<(String, Option<PathBuf>)> {
    let listed = Command::new(interpreter)
        .arg("--list")
        .arg(program)
        .env("LD_LIBRARY_PATH", library_path(folder))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    // Without an answer the program is started as it is, and its own loader says what is wrong.
    let text = listed.map(|output| output.stdout).unwrap_or_default();
    parse(&String::from_utf8_lossy(&text))
}

/// The search path with our folder in front.
pub fn library_path(folder: &Path) -> std::ffi::OsString {
    let mut path = folder.as_os_str().to_owned();
    if let Some(before) = std::env::var_os("LD_LIBRARY_PATH").filter(|before| !before.is_empty()) {
        path.push(":");
        path.push(before);
    }
    path
}

/// Reads `NAME => PATH (ADDRESS)` and `NAME => not found`.
fn parse(text: &str) -> Vec<(String, Option<PathBuf>)> {
    let lines = text.lines().filter_map(|line| line.trim().split_once(" => "));
    lines
        .map(|(name, found)| {
            let path = found.rsplit_once(" (").map(|(path, _)| PathBuf::from(path));
            (name.to_owned(), path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_s_list() {
        let text = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibfuse3.so.3 => /a b/libfuse3.so.3 (0x1)\n\
                    \tlibfuse3.so.4 => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x2)\n";
        let found = parse(text);
        assert_eq!(found[0], ("libfuse3.so.3".into(), Some("/a b/libfuse3.so.3".into())));
        assert_eq!(found[1], ("libfuse3.so.4".into(), None));
        assert_eq!(found.len(), 2);
    }
}
