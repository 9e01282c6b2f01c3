//! Thin safe wrappers over system calls that nix does not offer in a usable form.
//!
//! With `buf`, the only part of the engine that may contain `unsafe`.

pub mod clone;
pub mod fork;
pub mod pipe;
pub mod shared;
pub mod splice;
