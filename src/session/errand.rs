//! What each worker serves, for whoever waits for its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::slots::Slot;
use crate::stats::tally::Tally;
use crate::sys::env;
use crate::wire::Opcode;
use crate::wire::layout::InHeader;

/// How long the end of a session waits for handlers that still run.
///
/// A handler that is stuck for good must not keep the process alive, and one that is still writing
/// somebody's data must not be cut off; which of the two it is can't be seen from outside, so the
/// one that can have data of the caller's is given more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitPatience {
    /// For requests that only read.
    pub reading: Duration,
    /// For requests that change something.
    pub changing: Duration,
}

impl Default for ExitPatience {
    fn default() -> ExitPatience {
        ExitPatience { reading: Duration::from_secs(5), changing: Duration::from_secs(60) }
    }
}

impl ExitPatience {
    /// As `FERROFUSE_EXIT_WAIT` says, in seconds for either kind; a value that is no number is
    /// reported and has no effect.
    pub fn from_env() -> ExitPatience {
        env::secure_var("FERROFUSE_EXIT_WAIT").map_or_else(ExitPatience::default, |value| {
            ExitPatience::parse(&value.to_string_lossy())
        })
    }

    fn parse(value: &str) -> ExitPatience {
        match value.trim().parse() {
            Ok(seconds) => {
                let both = Duration::from_secs(seconds);
                ExitPatience { reading: both, changing: both }
            }
            Err(_) => {
                log::warn!("fuse: FERROFUSE_EXIT_WAIT={value} is not a number of seconds");
                ExitPatience::default()
            }
        }
    }

    fn with(self, opcode: Option<Opcode>) -> Duration {
        if opcode.is_some_and(only_reads) { self.reading } else { self.changing }
    }
}

/// Whether nothing of the caller's is lost when the handler does not come to its end.
fn only_reads(opcode: Opcode) -> bool {
    use Opcode::*;
    matches!(
        opcode,
        Lookup
            | Getattr
            | Readlink
            | Open
            | Read
            | Statfs
            | Getxattr
            | Listxattr
            | Init
            | Opendir
            | Readdir
            | Readdirplus
            | Releasedir
            | Getlk
            | Setlkw
            | Access
            | Bmap
            | Poll
            | Lseek
            | Statx
    )
}

/// Requests of one kind by one worker, after which somebody may look whether much is to be done.
const MANY: u64 = 64;

/// The request that a worker serves.
#[derive(Default)]
pub(super) struct Errand {
    opcode: AtomicU32,
    /// 0 while there is none.
    unique: AtomicU64,
    /// The thread that asked, as the kernel knows it in this process's namespace.
    client: AtomicU32,
    /// How often it was another one than before.
    turns: AtomicU32,
    dismissed: AtomicBool,
    /// Where the worker's requests are while they are to be answered.
    slot: OnceLock<&'static Slot>,
    /// All that it has served.
    pub tally: Tally,
}

impl Errand {
    /// The worker serves this from now on. True once in many requests.
    #[inline]
    pub fn begin(&self, header: &InHeader) -> bool {
        let count = self.tally.count(header.opcode);
        // What the kernel asks for by itself, like FORGET, and clients of other namespaces have 0.
        if header.pid != self.client.load(Ordering::Relaxed) && header.pid != 0 {
            self.client.store(header.pid, Ordering::Relaxed);
            // Nobody else writes it.
            let turns = self.turns.load(Ordering::Relaxed);
            self.turns.store(turns.wrapping_add(1), Ordering::Relaxed);
        }
        self.opcode.store(header.opcode, Ordering::Relaxed);
        self.unique.store(header.unique, Ordering::Relaxed);
        count.is_multiple_of(MANY)
    }

    /// The thread that asked last.
    pub fn client(&self) -> u32 {
        self.client.load(Ordering::Relaxed)
    }

    /// How often that was another one than the one before; wraps around.
    pub fn turns(&self) -> u32 {
        self.turns.load(Ordering::Relaxed)
    }

    /// It has served it.
    pub fn end(&self) {
        self.unique.store(0, Ordering::Relaxed);
    }

    /// The worker's requests are in that slot, unless an earlier one still is.
    pub fn keep_in(&self, slot: &'static Slot) {
        // A worker has one post.
        let _ = self.slot.set(slot);
    }

    /// Whether the worker has answered, or does so now: unless the handler has more to do, it waits for the
    /// next request soon, if it does not already.
    pub fn is_answered(&self) -> bool {
        self.slot.get().is_some_and(|slot| slot.awaits_no_answer())
    }

    /// The loop goes on without the worker, which must begin nothing more.
    pub fn dismiss(&self) {
        self.dismissed.store(true, Ordering::SeqCst);
    }

    /// Whether the worker was told so.
    pub fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::SeqCst)
    }

    /// How long to wait for it from the session's end on; none if it serves nothing.
    pub fn patience(&self, patience: ExitPatience) -> Option<Duration> {
        (self.unique.load(Ordering::Relaxed) != 0).then(|| patience.with(self.opcode()))
    }

    /// Whether it serves something.
    pub fn is_busy(&self) -> bool {
        self.unique.load(Ordering::Relaxed) != 0
    }

    fn opcode(&self) -> Option<Opcode> {
        Opcode::from_raw(self.opcode.load(Ordering::Relaxed))
    }

    /// Names it in a message.
    pub fn describe(&self) -> String {
        let name = self.opcode().map_or("request", Opcode::name);
        format!("{name} (unique {})", self.unique.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_waited_for_longer() {
        let patience = ExitPatience::default();
        assert_eq!(patience.with(Some(Opcode::Read)), patience.reading);
        for opcode in [Opcode::Write, Opcode::Release, Opcode::Flush, Opcode::Rename2] {
            assert_eq!(patience.with(Some(opcode)), patience.changing);
        }
        assert!(patience.reading < patience.changing);
    }

    #[test]
    fn seconds_hold_for_both() {
        let two = Duration::from_secs(2);
        assert_eq!(ExitPatience::parse(" 2"), ExitPatience { reading: two, changing: two });
        assert_eq!(ExitPatience::parse("never"), ExitPatience::default());
        assert_eq!(ExitPatience::parse("-1"), ExitPatience::default());
    }
}
