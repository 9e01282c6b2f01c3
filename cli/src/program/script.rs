//! Scripts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What kind of script it is, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It names a FUSE module that loads the library.
    Fuse,
    /// Any other.
    Other,
}

impl Kind {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Fuse => "it is a script that loads a FUSE module",
            Kind::Other => "it is a script; what it loads or starts finds our libraries first",
        }
    }
}

/// What kind of script this is.
pub fn kind(bytes: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    if text.contains("fuse") { Kind::Fuse } else { Kind::Other }
}

/// The interpreter that the first line names; that of `env` is the program it would look for.
pub fn interpreter(bytes: &[u8]) -> Option<PathBuf> {
    let line = bytes.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = line
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| Path::new(OsStr::from_bytes(word)));
    let first = words.next()?;
    if first.file_name() == Some(OsStr::new("env")) {
        let program = words.find(|word| {
            let word = word.as_os_str().as_bytes();
            !word.starts_with(b"-") && !word.contains(&b'=')
        });
        return Some(program.unwrap_or(first).to_owned());
    }
    Some(first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        let of = |line: &str| interpreter(line.as_bytes());
        assert_eq!(of("#!/bin/sh\n"), Some("/bin/sh".into()));
        assert_eq!(of("#! /usr/bin/perl -w\n"), Some("/usr/bin/perl".into()));
        assert_eq!(of("#!/usr/bin/env python3\n"), Some("python3".into()));
        assert_eq!(of("#!/usr/bin/env -S A=1 python3 -u\n"), Some("python3".into()));
        assert_eq!(of("\x7fELF"), None);
        assert_eq!(of("#!\n"), None);
    }

    #[test]
    fn kinds() {
        assert_eq!(kind(b"#!/usr/bin/python3\nimport pyfuse3\n"), Kind::Fuse);
        assert_eq!(kind(b"#!/bin/sh\necho\n"), Kind::Other);
    }
}
