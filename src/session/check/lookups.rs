//! Counting look-ups: what the kernel was given, and what it gives back.

use std::collections::HashMap;

use zerocopy::FromBytes;

use super::{name, report};
use crate::session::{NodeId, Session};
use crate::sys::lock::Mutex;
use crate::sys::still;
use crate::wire::Opcode;
use crate::wire::layout::{Dirent, EntryOut, InHeader};

/// The node every filesystem begins with, which is never looked up.
const ROOT: NodeId = 1;

#[derive(Default)]
struct Counts {
    nodes: HashMap<NodeId, u64>,
    /// Entries were given out in a form that is not looked into.
    blind: bool,
}

/// By the session's address, which is nobody else's until the session has ended.
static COUNTS: Mutex<Option<HashMap<usize, Counts>>> = Mutex::new(None);

/// For each session that is made.
pub fn prepare() {
    still::keep_static(&COUNTS);
}

fn with<T>(session: &Session, look: impl FnOnce(&mut Counts) -> T) -> T {
    let key = std::ptr::from_ref(session).addr();
    look(COUNTS.lock().get_or_insert_default().entry(key).or_default())
}

/// An entry is being sent. Counted before, as the kernel may use it at once.
#[cold]
pub fn looked_up(session: &Session, node: NodeId) {
    if node != 0 {
        with(session, |counts| *counts.nodes.entry(node).or_default() += 1);
    }
}

/// It could not be sent.
#[cold]
pub fn taken_back(session: &Session, node: NodeId) {
    with(session, |counts| subtract(counts, node, 1));
}

fn subtract(counts: &mut Counts, node: NodeId, count: u64) -> Option<u64> {
    let known = counts.nodes.get_mut(&node)?;
    let before = *known;
    *known = before.saturating_sub(count);
    if *known == 0 {
        counts.nodes.remove(&node);
    }
    Some(before)
}

/// Nodes of a directory listing with attributes, but for `.` and `..`.
fn listed(mut bytes: &[u8]) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    while let Ok((entry, rest)) = EntryOut::read_from_prefix(bytes)
        && let Ok((dirent, rest)) = Dirent::read_from_prefix(rest)
    {
        let len = dirent.namelen as usize;
        let Some(name) = rest.get(..len) else { break };
        if entry.nodeid != 0 && name != b"." && name != b".." {
            nodes.push(entry.nodeid);
        }
        let Some(rest) = rest.get(len.next_multiple_of(8)..) else { break };
        bytes = rest;
    }
    nodes
}

/// The same for a listing.
#[cold]
pub fn looked_up_in_listing(session: &Session, bytes: &[u8]) {
    listed(bytes).into_iter().for_each(|node| looked_up(session, node));
}

/// It could not be sent.
#[cold]
pub fn taken_back_in_listing(session: &Session, bytes: &[u8]) {
    listed(bytes).into_iter().for_each(|node| taken_back(session, node));
}

/// A listing is sent whose bytes are not at hand: no more is said of this session's counts.
#[cold]
pub fn not_countable(session: &Session) {
    with(session, |counts| counts.blind = true);
}

/// The kernel gives look-ups back.
#[cold]
pub fn forgotten(session: &Session, unique: u64, node: NodeId, count: u64) {
    if node == ROOT {
        return;
    }
    let (known, blind) =
        with(session, |counts| (subtract(counts, node, count).unwrap_or(0), counts.blind));
    if !blind && count > known {
        report(
            "FORGET",
            format_args!(
                "unique {unique} forgets {count} look-ups of node {node}, of which {known} were \
                 answered"
            ),
        );
    }
}

/// A request names a node.
pub fn named(session: &Session, header: &InHeader) {
    let opcode = Opcode::from_raw(header.opcode);
    let about_none = matches!(
        opcode,
        Some(
            Opcode::Init
                | Opcode::CuseInit
                | Opcode::Destroy
                | Opcode::Interrupt
                | Opcode::Forget
                | Opcode::BatchForget
                | Opcode::NotifyReply
        )
    );
    if header.nodeid <= ROOT || about_none || session.config.device.is_some() {
        return;
    }
    let known = with(session, |counts| counts.blind || counts.nodes.contains_key(&header.nodeid));
    if !known {
        report(
            name(header.opcode),
            format_args!(
                "unique {} names node {}, which no answer gave",
                header.unique, header.nodeid
            ),
        );
    }
}

/// The session is gone.
pub fn ended(session: &Session) {
    if let Some(counts) = COUNTS.lock().as_mut() {
        counts.remove(&std::ptr::from_ref(session).addr());
    }
}
