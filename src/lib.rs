//! The ferrofuse engine: everything of a FUSE library that is not a C calling convention.
//!
//! Layers, each depending only on those below it:
//!
//! * [`tree`]: the path API, over node numbers
//! * [`session`]: negotiation, dispatch, replies, notifications, interrupts, loops
//! * [`buf`]: the buffer vector
//! * [`transport`]: the device, splicing through a pipe, the caller's own I/O
//! * [`mount`]: mounting and unmounting, directly or through the set-user-ID helper
//! * [`stats`]: what a process tells about its sessions, and the socket it is asked by
//! * [`wire`]: the kernel protocol, pure and safe
//! * [`sys`]: system calls
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod buf;
pub mod errno;
pub mod mount;
pub mod session;
pub mod stats;
mod sync;
#[allow(unsafe_code)]
pub mod sys;
pub mod transport;
pub mod tree;
pub mod wire;

pub use errno::{Errno, Result};
