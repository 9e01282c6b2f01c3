//! Making the kernel look into a queue, and the files that it takes.
//!
//! A request that found no entry ready waits in its queue until an entry there is *committed*;
//! registering another one does not make the kernel look. A doorbell is a notification (RETRIEVE, of
//! nothing) that the kernel answers with a request of its own, in the queue of the processor that
//! sends it. That request finds the new entry, and committing it makes the kernel look for others.
//!
//! The kernel takes such a notification for a regular file that it knows, only.

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use zerocopy::IntoBytes;

use crate::errno::{Errno, Result};
use crate::transport::Channel;
use crate::wire::layout::{InHeader, NotifyRetrieveOut, OutHeader};
use crate::wire::{NotifyCode, OUT_HEADER_SIZE, Opcode};

/// What the ids of these notifications begin with; no request and no other notification has such.
const MARK: u64 = 0x6d00_0000_0000_0000;
const MARK_MASK: u64 = 0xff00_0000_0000_0000;

/// Whether a request is what came of a doorbell; it only has to be committed.
pub(super) fn is_echo(header: &InHeader) -> bool {
    header.opcode == Opcode::NotifyReply as u32 && header.unique & MARK_MASK == MARK
}

/// The last few regular files that were used.
#[derive(Debug, Default)]
pub(super) struct RegularFiles {
    nodes: [AtomicU64; 4],
    next: AtomicUsize,
}

impl RegularFiles {
    /// Remembers the file of a request, if it is one that only regular files have.
    pub fn note(&self, header: &InHeader) {
        let regular = matches!(
            Opcode::from_raw(header.opcode),
            Some(Opcode::Open | Opcode::Read | Opcode::Write | Opcode::Flush | Opcode::Release)
        );
        if !regular || self.nodes.iter().any(|node| node.load(Ordering::Relaxed) == header.nodeid) {
            return;
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len();
        self.nodes[at].store(header.nodeid, Ordering::Relaxed);
    }

    fn nodes(&self) -> impl Iterator<Item = u64> + '_ {
        self.nodes.iter().map(|node| node.load(Ordering::Relaxed)).filter(|node| *node != 0)
    }
}

/// Rings for a queue. `ENOENT` where no regular file is known, `EINVAL` where this process may not run on the queue's processor; then a
/// request that waits there goes on waiting until one that is being served is answered.
///
/// The calling thread moves to that processor and back; it must not start anything meanwhile.
pub(super) fn ring(device: &Arc<dyn Channel>, queue: u16, files: &RegularFiles) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    // Even: the lowest bit is the kernel's.
    let number = COUNT.fetch_add(1, Ordering::Relaxed) << 1;
    let mut body = NotifyRetrieveOut {
        notify_unique: MARK | (number & !MARK_MASK),
        nodeid: 0,
        offset: 0,
        size: 0,
        padding: 0,
    };
    let header = OutHeader {
        len: (OUT_HEADER_SIZE + size_of::<NotifyRetrieveOut>()) as u32,
        error: NotifyCode::Retrieve as i32,
        unique: 0,
    };
    let me = Pid::from_raw(0);
    let everywhere = sched_getaffinity(me)?;
    let mut there = CpuSet::new();
    there.set(usize::from(queue))?;
    sched_setaffinity(me, &there)?;
    let mut sent = Err(Errno::ENOENT);
    for node in files.nodes() {
        body.nodeid = node;
        let message = [IoSlice::new(header.as_bytes()), IoSlice::new(body.as_bytes())];
        sent = device.writev(&message);
        if sent.is_ok() {
            break;
        }
    }
    sched_setaffinity(me, &everywhere)?;
    sent.map(|_| ())
}
