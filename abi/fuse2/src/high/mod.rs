//! The path-based API: `struct fuse`, stacks of file systems, and `fuse_main`.
//!
//! As in `abi/fuse3/src/high`, from where most of it comes. What is otherwise here:
//!
//! * [`fuse`], [`setup`], [`options`], [`loops`]: a file system is made over a mounted channel
//! * [`shaped`]: operations with other arguments, or two that libfuse 3 has as one, for the stack; [`fs_calls`]: the same
//!   for C
//! * [`aged`]: programs of older interfaces
//! * [`getdir`]: listing directories the old way, [`filler`]: and the new
//! * [`modules`], [`loading`]: modules register themselves
//! * [`commands`]: serving requests by hand
//! * [`daemonize`]: going into the background

pub mod aged;
pub mod commands;
#[path = "../../../fuse3/src/high/config.rs"]
mod config;
#[path = "../../../fuse3/src/high/context.rs"]
pub mod context;
pub mod daemonize;
#[path = "../../../fuse3/src/high/data.rs"]
pub mod data;
#[path = "../../../fuse3/src/high/files.rs"]
pub mod files;
mod filler;
#[path = "../../../fuse3/src/high/fs.rs"]
pub mod fs;
pub mod fs_calls;
pub mod fuse;
mod getdir;
#[path = "../../../fuse3/src/high/handle.rs"]
pub mod handle;
#[path = "../../../fuse3/src/high/later.rs"]
mod later;
#[path = "../../../fuse3/src/high/layers.rs"]
mod layers;
mod loading;
pub mod loops;
#[path = "../../../fuse3/src/high/mapped.rs"]
pub mod mapped;
pub mod mapped_ops;
pub mod modules;
#[path = "../../../fuse3/src/high/names.rs"]
pub mod names;
#[path = "../../../fuse3/src/high/open_file.rs"]
mod open_file;
#[path = "../../../fuse3/src/high/option_table.rs"]
mod option_table;
pub mod options;
#[path = "../../../fuse3/src/high/outcome.rs"]
mod outcome;
#[path = "../../../fuse3/src/high/pushing.rs"]
mod pushing;
pub mod setup;
pub mod shaped;
#[path = "../../../fuse3/src/high/stack.rs"]
mod stack;
pub mod start;
