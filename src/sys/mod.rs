//! Thin safe wrappers over system calls that nix does not offer in a usable form.
//!
//! With `buf`, the only part of the engine that may contain `unsafe`.

pub mod backing;
pub mod cancel;
pub mod chunks;
pub mod clone;
pub mod env;
pub mod fork;
pub mod fsmount;
pub mod futex;
pub mod imports;
pub mod known_fd;
pub mod lock;
pub mod pipe;
pub mod place;
pub mod probes;
pub mod proc;
pub mod procfs;
pub mod scm;
pub mod scoped;
pub mod shared;
pub mod signal;
pub mod splice;
pub mod stack;
pub mod stat;
pub mod still;
pub mod sync_init;
pub mod uring;
pub mod waiting;
pub mod wake;
