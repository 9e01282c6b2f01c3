//! Static probes, for `bpftrace`, `perf` and gdb: a `nop` each, and a note that says where it is.
//!
//! Provider `ferrofuse`; arguments are numbers:
//!
//! * `request_start`: id, opcode, node, bytes
//! * `request_end`: id (0: a notification), error (0, or negative; of a notification its code), bytes
//! * `reply_path`: id, 0 copied, 1 spliced, 2 by io_uring, data bytes

/// A request has come and is about to be handed to the filesystem.
#[inline(always)]
pub fn request_start(unique: u64, opcode: u32, node: u64, len: u32) {
    probe::probe!(ferrofuse, request_start, unique, opcode, node, len);
}

/// An answer or a notification has been sent, or was refused.
#[inline(always)]
pub fn request_end(unique: u64, error: i32, len: u32) {
    probe::probe!(ferrofuse, request_end, unique, error, len);
}

/// The data of an answer that ends in a buffer vector has been sent this way.
#[inline(always)]
pub fn reply_path(unique: u64, route: u32, len: usize) {
    probe::probe!(ferrofuse, reply_path, unique, route, len);
}
