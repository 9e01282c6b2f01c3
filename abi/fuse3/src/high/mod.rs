//! The path-based API: `struct fuse`, stacks of file systems, and `fuse_main`.
//!
//! * [`fuse`], [`handle`]: `fuse_new` and what is done with its result; [`main`]: `fuse_main_real`; [`loops`]
//! * [`options`], [`option_table`], [`config`]: what the command line and `init` may choose
//! * [`fs`]: `struct fuse_fs`; [`names`], [`files`], [`data`]: calling its operations
//! * [`stack`]: the file systems of a `struct fuse` as the tree sees them; [`layers`], [`open_file`]: parts of that
//! * [`modules`], [`loading`], [`pushing`]: file systems put on top by name; [`mapped`], [`mapped_ops`]: those built in
//! * [`shaped`], [`start`]: what libfuse 2 has with other arguments
//! * [`context`]: whom an operation serves

mod config;
pub mod context;
pub mod data;
pub mod files;
mod filler;
pub mod fs;
pub mod fuse;
pub mod handle;
mod later;
mod layers;
mod loading;
pub mod loops;
pub mod main;
mod mapped;
mod mapped_ops;
mod modules;
pub mod names;
mod open_file;
mod option_table;
pub mod options;
mod outcome;
mod pushing;
pub mod shaped;
mod stack;
pub mod start;
