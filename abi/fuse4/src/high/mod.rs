//! The path-based API, as in `abi/fuse3/src/high`, from where all of it comes but [`later`].

#[path = "../../../fuse3/src/high/config.rs"]
mod config;
#[path = "../../../fuse3/src/high/context.rs"]
pub mod context;
#[path = "../../../fuse3/src/high/data.rs"]
pub mod data;
#[path = "../../../fuse3/src/high/files.rs"]
pub mod files;
#[path = "../../../fuse3/src/high/filler.rs"]
mod filler;
#[path = "../../../fuse3/src/high/fs.rs"]
pub mod fs;
#[path = "../../../fuse3/src/high/fuse.rs"]
pub mod fuse;
#[path = "../../../fuse3/src/high/handle.rs"]
pub mod handle;
mod later;
#[path = "../../../fuse3/src/high/layers.rs"]
mod layers;
#[path = "../../../fuse3/src/high/loading.rs"]
mod loading;
#[path = "../../../fuse3/src/high/loops.rs"]
pub mod loops;
#[path = "../../../fuse3/src/high/main.rs"]
pub mod main;
#[path = "../../../fuse3/src/high/mapped.rs"]
mod mapped;
#[path = "../../../fuse3/src/high/mapped_ops.rs"]
mod mapped_ops;
#[path = "../../../fuse3/src/high/modules.rs"]
mod modules;
#[path = "../../../fuse3/src/high/names.rs"]
pub mod names;
#[path = "../../../fuse3/src/high/open_file.rs"]
mod open_file;
#[path = "../../../fuse3/src/high/option_table.rs"]
mod option_table;
#[path = "../../../fuse3/src/high/options.rs"]
pub mod options;
#[path = "../../../fuse3/src/high/outcome.rs"]
mod outcome;
#[path = "../../../fuse3/src/high/pushing.rs"]
mod pushing;
#[path = "../../../fuse3/src/high/shaped.rs"]
pub mod shaped;
#[path = "../../../fuse3/src/high/stack.rs"]
mod stack;
#[path = "../../../fuse3/src/high/start.rs"]
pub mod start;
