//! `libfuse3.so.4`: the C ABI of libfuse 3.17 to 3.19 on the ferrofuse engine.
//!
//! Thin: every function checks its pointers, converts, calls the engine and converts back. What `libfuse3.so.3` has
//! just so is written once, in `abi/fuse3`; that source is compiled here with this library's own `types`. What came
//! after 3.14 is in [`newer`]. The names, versions and implementations of all public symbols stand in [`exports`] and
//! [`exports_common`].

#[path = "../../fuse3/src/buffer.rs"]
mod buffer;
#[path = "../../fuse3/src/cmdline.rs"]
mod cmdline;
mod conn;
#[path = "../../fuse3/src/convert.rs"]
mod convert;
#[path = "../../fuse3/src/cuse.rs"]
mod cuse;
#[path = "../../fuse3/src/cuse_device.rs"]
mod cuse_device;
#[path = "../../fuse3/src/cuse_setup.rs"]
mod cuse_setup;
#[path = "../../fuse3/src/custom.rs"]
mod custom;
mod daemon;
#[path = "../../fuse3/src/device.rs"]
mod device;
mod exports;
#[path = "../../fuse3/src/exports_common.rs"]
mod exports_common;
#[path = "../../fuse3/src/extra.rs"]
mod extra;
#[path = "../../fuse3/src/file.rs"]
mod file;
#[path = "../../fuse3/src/filesystem.rs"]
mod filesystem;
mod high;
#[path = "../../fuse3/src/inside.rs"]
mod inside;
mod later;
#[path = "../../fuse3/src/loops.rs"]
mod loops;
mod mounting;
mod newer;
#[allow(dead_code)] // a notification has one argument less here
#[path = "../../fuse3/src/notify.rs"]
mod notify;
#[path = "../../fuse3/src/polls.rs"]
mod polls;
#[path = "../../fuse3/src/reply.rs"]
mod reply;
#[path = "../../fuse3/src/request.rs"]
mod request;
#[path = "../../fuse3/src/session/mod.rs"]
mod session;
#[path = "../../fuse3/src/signals.rs"]
mod signals;
mod texts;
mod types;
