//! `libfuse3.so.3`: the C ABI of libfuse 3 on the ferrofuse engine.
//!
//! Thin: every function checks its pointers, converts, calls the engine and converts back. The
//! names, versions and implementations of all public symbols stand in [`exports`].

mod buffer;
mod cmdline;
mod conn;
mod convert;
mod cuse;
mod cuse_device;
mod cuse_setup;
mod custom;
mod daemon;
mod device;
mod exports;
mod exports_common;
mod extra;
mod file;
mod filesystem;
mod high;
mod inside;
mod later;
mod loops;
mod mounting;
mod notify;
mod polls;
mod reply;
mod request;
mod session;
mod signals;
mod texts;
mod types;
