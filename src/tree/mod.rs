//! The path API: a tree of names over the node numbers of the low-level one.
//!
//! A [`Tree`] turns a [`PathOps`] into a [`LowLevelOps`](crate::session::LowLevelOps):
//!
//! ```ignore
//! let tree = Tree::new(filesystem, TreeConfig::default(), Compat::default());
//! let session = Session::new(Box::new(tree.clone()), Config::default());
//! ```
//!
//! Each request locks the paths it needs ([`locks`]), calls the filesystem between
//! [`PathOps::enter`] and [`PathOps::leave`], changes nodes and names ([`namespace`]) and answers.

mod attr;
mod cleaner;
mod config;
mod core;
mod data;
mod directory;
mod extra;
mod file;
mod filelock;
mod hidden;
mod inquiry;
mod interrupt;
mod invalidate;
mod listing;
#[cfg(all(test, not(loom)))]
mod lock_tests;
mod locks;
mod lookup;
#[cfg(all(test, loom))]
mod loom_tests;
mod lowlevel;
mod modify;
mod name;
mod names;
mod namespace;
mod narrator;
mod nodes;
mod open;
pub mod ops;
mod opset;
mod path;
mod pathcache;
mod queue;
mod readdir;
mod reclock;
mod scope;
mod statx;
mod wording;

pub use self::core::Tree;
pub use config::{Compat, TreeConfig};
pub use file::{OpenFile, SetTime};
pub use narrator::{Narration, Narrator};
pub use ops::{FileRange, Filler, PathOps, ReadData, RequestContext};
pub use opset::{FillFlags, OpSet, ReaddirFlags};
