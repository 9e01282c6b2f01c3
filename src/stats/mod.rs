//! What a process tells about the filesystems it serves, and how it is asked.
//!
//! * [`counters`]: what is counted while somebody looks
//! * [`latency`]: the buckets of a latency histogram
//! * [`tally`]: requests per opcode, counted always
//! * [`snapshot`]: the answer, as Rust values and as JSON
//! * [`socket`]: where sockets lie
//! * [`server`]: the thread that answers
//!
//! Nobody looking costs a request one plain addition to a counter of its worker's own: the clock is
//! read, and everything else counted, from the first question on, or always with
//! `FERROFUSE_STATS=always`.

pub mod counters;
mod home;
pub mod latency;
mod policy;
pub mod server;
pub mod snapshot;
pub mod socket;
pub mod tally;

pub use policy::StatsPolicy;
