//! C-ABI parts shared by every libfuse generation.
//!
//! This crate exports no C symbol. Functions that C calls are `pub unsafe extern "C" fn` here; the
//! crates that are shared objects attach the versioned symbol names. Every such function catches
//! panics ([`panic::guard`]) and answers misuse that would crash libfuse with a message and its
//! documented failure value.
//!
//! * [`opt`]: the option parser (`fuse_opt_*`) on `struct fuse_args` and `struct fuse_opt`
//! * [`cmdline`]: `fuse_parse_cmdline`; [`help`]: the texts of `--help`
//! * [`conn_info`], [`conn_opts`]: `struct fuse_conn_info` and the options that edit it
//! * [`bits`]: bit-fields of these structs
//! * [`handle`]: structs that programs only hold pointers to
//! * [`log`]: `fuse_log`, and the engine's records routed to it
//! * [`daemonize`], [`signals`]: process set-up
//! * [`modules`]: what the built-in filesystem modules do to names
//! * [`table`]: tables of callbacks
//! * [`version`]: the version this library claims
//! * [`panic`](mod@panic): the boundary no panic crosses

pub mod bits;
pub mod cmdline;
pub mod conn_info;
pub mod conn_opts;
pub mod daemonize;
pub mod export;
pub mod handle;
pub mod help;
pub mod log;
pub mod modules;
pub mod opt;
pub mod panic;
pub mod signals;
pub mod stdio;
pub mod table;
pub mod version;
