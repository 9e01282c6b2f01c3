//! What is fuzzed. Each target takes any bytes and panics if something is wrong.
//!
//! `cargo fuzz run NAME` runs one with libFuzzer and AddressSanitizer; the tests of this crate run all
//! of them over the corpus and a few thousand mutations of it.

mod handover;
mod options;
mod session;
mod tape;
mod wire;

/// A target.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("wire", wire::run),
    ("init", session::run_init),
    ("options", options::run),
    ("handover", handover::run),
    ("session", session::run),
];
