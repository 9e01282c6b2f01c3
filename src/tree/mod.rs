//! The path API: a tree of names over the node numbers of the low-level one.

mod config;
mod file;
pub mod ops;
mod opset;

pub use config::{Compat, TreeConfig};
pub use file::{OpenFile, SetTime};
pub use ops::{FileRange, Filler, PathOps, ReadData, RequestContext};
pub use opset::{FillFlags, OpSet, ReaddirFlags};
