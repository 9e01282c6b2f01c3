//! FUSE over io_uring, as far as the kernel's interface goes: rings, entries, their memory.
//!
//! The kernel has one queue of requests for each processor. An *entry* is a piece of memory that was
//! registered with a queue; the kernel puts one request into it, and takes the answer from it when
//! the entry is committed, which at once makes it ready for the next request. Whichever ring commits
//! an entry receives that next request.

mod bell;
mod buffers;
mod entry;
mod ring;

pub use bell::Bell;
pub use buffers::Buffers;
pub use entry::{Arrived, MAX_OP_HEADER};
pub use ring::{Event, Ring, possible_processors};
