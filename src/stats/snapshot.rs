//! What a process answers, as values that serde writes as JSON.
//!
//! Fields may be added, and readers must pass over those they don't know; `version` grows when one
//! changes its meaning.

use serde::{Deserialize, Serialize};

/// The version of this form.
pub const VERSION: u32 = 1;

/// A process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`VERSION`].
    pub version: u32,
    /// Its id, in its own pid namespace.
    pub pid: u32,
    /// The program's name, as the kernel has it.
    pub program: String,
    /// The release of ferrofuse.
    pub ferrofuse: String,
    /// The filesystems it serves.
    pub sessions: Vec<SessionSnapshot>,
}

/// A filesystem.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SessionSnapshot {
    /// Its number in this process.
    pub id: u64,
    /// The kernel's number of the connection, where it tells: the name of its folder under
    /// `/sys/fs/fuse/connections`, and the minor number of the mount's device.
    pub connection: Option<u32>,
    /// The minor number of the protocol; the major one is 7.
    pub minor: u32,
    /// `single` or `workers`.
    pub r#loop: String,
    /// `dev` or `io_uring`.
    pub transport: String,
    /// Whether file data may be spliced into answers.
    pub splice: bool,
    /// For how many nanoseconds all has been counted; 0: nobody has looked yet.
    pub watched_ns: u64,
    /// Threads that serve requests.
    pub workers: Workers,
    /// Requests under way.
    pub in_flight: Vec<InFlight>,
    /// What there was of each opcode.
    pub operations: Vec<Operation>,
    /// Bytes of requests, since the count began.
    pub bytes_in: Bytes,
    /// Bytes of answers and notifications, since the count began.
    pub bytes_out: Bytes,
    /// Notifications sent, since the count began.
    pub notifications: u64,
}

/// Threads that serve requests.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Workers {
    /// There are.
    pub alive: usize,
    /// Of these, so many are in a handler.
    pub busy: usize,
    /// There may be, of those that read the device.
    pub most: usize,
}

/// A request under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InFlight {
    /// The kernel's id.
    pub unique: u64,
    /// What is asked.
    pub opcode: String,
    /// Of which node.
    pub node: u64,
    /// By which process.
    pub pid: i32,
    /// For how many nanoseconds; not known of those that came before anybody looked.
    pub age_ns: Option<u64>,
    /// Of those: for how many nanoseconds it is known to be under way, since a question first found it.
    #[serde(default)]
    pub seen_ns: Option<u64>,
}

/// What there was of one opcode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Operation {
    /// The kernel's name for it.
    pub opcode: String,
    /// Requests since the filesystem began.
    pub requests: u64,
    /// Answers whose duration is known, since the count began: one in sixteen, or all with
    /// `FERROFUSE_STATS=always`.
    pub timed: u64,
    /// Answers that were errors, since the count began.
    pub errors: u64,
    /// The sum of the durations, in nanoseconds.
    pub time_ns: u64,
    /// How many of them took how long: the largest duration of a bucket in nanoseconds, and the
    /// number in it. Empty buckets are left out.
    pub latency: Vec<(u64, u64)>,
}

/// Bytes, by the way that they went.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Bytes {
    /// Read or written by the process.
    pub copied: u64,
    /// Moved through a pipe.
    pub spliced: u64,
    /// In entries of io_uring queues.
    pub ring: u64,
}

impl From<[u64; super::counters::ROUTES]> for Bytes {
    fn from([copied, spliced, ring]: [u64; super::counters::ROUTES]) -> Bytes {
        Bytes { copied, spliced, ring }
    }
}
