//! `libfuse.so.2`: the C ABI of libfuse 2.9 on the ferrofuse engine.
//!
//! Thin: every function checks its pointers, converts, calls the engine and converts back. What libfuse 3 has just so
//! is written once, in `abi/fuse3`; that source is compiled here with this library's own `types`. The names, versions
//! and implementations of all public symbols stand in [`exports`].

#[path = "../../fuse3/src/buffer.rs"]
mod buffer;
mod channel;
mod cmdline;
mod compat;
mod conn;
#[path = "../../fuse3/src/convert.rs"]
mod convert;
#[path = "../../fuse3/src/cuse.rs"]
mod cuse;
#[path = "../../fuse3/src/cuse_device.rs"]
mod cuse_device;
mod cuse_setup;
#[path = "../../fuse3/src/device.rs"]
mod device;
mod dirent;
mod exports;
mod extra;
mod file;
#[path = "../../fuse3/src/filesystem.rs"]
mod filesystem;
mod gains;
mod hand;
mod help;
mod high;
#[path = "../../fuse3/src/later.rs"]
mod later;
mod loops;
mod mount;
#[allow(dead_code)] // libfuse 2 has no notification that lets a name expire
#[path = "../../fuse3/src/notify.rs"]
mod notify;
mod options;
mod own_io;
#[path = "../../fuse3/src/polls.rs"]
mod polls;
#[allow(dead_code)] // libfuse 2 has no lseek and no entries with attributes
#[path = "../../fuse3/src/reply.rs"]
mod reply;
#[path = "../../fuse3/src/request.rs"]
mod request;
mod session;
#[path = "../../fuse3/src/signals.rs"]
mod signals;
mod types;
