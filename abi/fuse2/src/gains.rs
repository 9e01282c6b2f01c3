//! What programs of libfuse 2 gain without knowing, and the environment that takes it back.
//!
//! Entries with attributes (readdirplus) are not among it: the fillers of libfuse 2 carry a number and a type, so that
//! every entry would cost the program a getattr that the kernel may never ask for.

use std::ffi::OsString;

use ferrofuse::session::caps::Capabilities;
use ferrofuse::sys::env;

use crate::conn::Wishes;

/// Bytes of the largest write request.
const MAX_WRITE: &str = "FERROFUSE_MAX_WRITE";
/// Whether look-ups and listings in one directory run in parallel.
const PARALLEL_DIROPS: &str = "FERROFUSE_PARALLEL_DIROPS";

/// A limit of writes; `None`, with a message, for what is no number.
fn max_write(value: &str) -> Option<u32> {
    let limit = value.trim().parse().ok().filter(|limit| *limit > 0);
    if limit.is_none() {
        log::warn!("fuse: {MAX_WRITE}={value} is not a number of bytes; using the default");
    }
    limit
}

/// Whether directories are to be served one request at a time.
fn is_serial(value: &str) -> bool {
    if !["auto", "never"].contains(&value) {
        log::warn!("fuse: {PARALLEL_DIROPS}={value} is not auto or never; using auto");
    }
    value == "never"
}

/// Adds to the wishes of the command line, which come first, those of the environment.
pub fn limit(wishes: &mut Wishes) {
    let text = |value: OsString| value.to_string_lossy().into_owned();
    if wishes.max_write == 0
        && let Some(value) = env::secure_var(MAX_WRITE).map(text)
    {
        wishes.max_write = max_write(&value).unwrap_or(0);
    }
    if env::secure_var(PARALLEL_DIROPS).map(text).is_some_and(|value| is_serial(&value)) {
        wishes.refused |= Capabilities::PARALLEL_DIROPS.bits() as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(max_write("65536\n"), Some(65536));
        assert_eq!((max_write("0"), max_write("64k"), max_write("-1")), (None, None, None));
        assert!(is_serial("never"));
        assert!(!is_serial("auto") && !is_serial("no"));
    }
}
