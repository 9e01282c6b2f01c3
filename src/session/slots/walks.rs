//! Walks over all requests in flight, for what is rare: interrupts, notifications, a session's end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::{Context, Session, Slot, SlotRef, USED, slot};
use crate::session::beginning::Age;
use crate::session::check;
use crate::session::request::is_unanswered;
use crate::transport::Channel;
use crate::wire::Opcode;

/// Every slot ever used, for the rare walks over all requests.
pub(super) fn all() -> impl Iterator<Item = &'static Slot> {
    (0..USED.load(Ordering::SeqCst)).filter_map(slot)
}

/// The request of `session` with this unique id, if it is in flight.
pub(in crate::session) fn by_unique(session: &Arc<Session>, unique: u64) -> Option<SlotRef> {
    if unique == 0 {
        return None;
    }
    all().find_map(|slot| {
        if slot.unique.load(Ordering::SeqCst) != unique {
            return None;
        }
        let generation = slot.tenure.generation();
        let body = slot.body.lock();
        let ours = body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session));
        let live = slot.is_live(generation) && slot.unique.load(Ordering::SeqCst) == unique;
        // The answer to a retrieve notification carries an id that this side chose.
        let waits = !is_unanswered(slot.opcode());
        (ours && live && waits).then_some(SlotRef { slot, generation })
    })
}

/// Requests of `session` in flight for which the kernel may hold one of these nodes; 0 is none.
pub(in crate::session) fn in_the_way(session: &Session, nodes: [u64; 2]) -> SmallVec<[SlotRef; 4]> {
    let named = |node| node != 0 && nodes.contains(&node);
    all()
        .filter_map(|slot| {
            if slot.unique.load(Ordering::SeqCst) == 0 {
                return None;
            }
            let generation = slot.tenure.generation();
            let body = slot.body.lock();
            // An answer under way has taken the session out; the kernel is about to let go.
            let ours = body.session.as_ref().is_some_and(|held| std::ptr::eq(&**held, session));
            let opcode = slot.opcode();
            let holds = named(slot.node.load(Ordering::Relaxed)) && !is_unanswered(opcode)
                || opcode.is_some_and(has_second_node);
            (ours && holds && slot.is_live(generation)).then_some(SlotRef { slot, generation })
        })
        .collect()
}

/// Requests that hold a directory beside the one in their header.
fn has_second_node(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Rename | Opcode::Rename2 | Opcode::Link)
}

/// The requests of `session` that somebody waits for: ids, and where their answers go.
pub(in crate::session) fn waiting(session: &Arc<Session>) -> Vec<(SlotRef, u64, Arc<dyn Channel>)> {
    all()
        .filter_map(|slot| {
            let unique = slot.unique.load(Ordering::SeqCst);
            let generation = slot.tenure.generation();
            let body = slot.body.lock();
            let ours = body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session));
            let live = slot.is_live(generation) && slot.unique.load(Ordering::SeqCst) == unique;
            let waited_for = unique != 0 && ours && live && !is_unanswered(slot.opcode());
            let at = SlotRef { slot, generation };
            waited_for.then(|| Some((at, unique, body.channel.clone()?))).flatten()
        })
        .collect()
}

/// Calls `each` with every request of `session` that is in the filesystem's hands or the engine's:
/// its id, what is asked of which node, by whom, and how old it is at `now`. A request whose answer is under way
/// is left out.
pub(in crate::session) fn in_flight(
    session: &Session,
    now: u64,
    mut each: impl FnMut(u64, Option<Opcode>, u64, &Context, Age),
) {
    for slot in all() {
        let unique = slot.unique.load(Ordering::SeqCst);
        if unique == 0 {
            continue;
        }
        let generation = slot.tenure.generation();
        let body = slot.body.lock();
        let ours = body.session.as_ref().is_some_and(|held| std::ptr::eq(&**held, session));
        let live = slot.is_live(generation) && slot.unique.load(Ordering::SeqCst) == unique;
        if ours && live {
            // Its thread may end it meanwhile; then this is the last that is heard of it.
            let age = slot.begun.age(generation, now);
            each(unique, slot.opcode(), slot.node.load(Ordering::Relaxed), &slot.context, age);
        }
    }
}

/// Drops every reference to `session`; requests the filesystem still holds become stale handles.
/// Returns how many of those there were.
pub(in crate::session) fn forget_session(session: &Arc<Session>) -> usize {
    let mut unanswered = 0;
    for slot in all() {
        let mut body = slot.body.lock();
        if !body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            continue;
        }
        let generation = slot.tenure.generation();
        if slot.take(generation) {
            unanswered += 1;
            drop(body);
            let found = SlotRef { slot, generation };
            if check::on() {
                check::unanswered(found);
            }
            let held = slot.unbind(&mut slot.body.lock());
            found.release();
            drop(held);
        } else if !slot.is_live(generation) {
            let held = slot.unbind(&mut body);
            drop(body);
            drop(held);
        }
    }
    unanswered
}

/// Drops every reference from requests of `session` to a channel.
pub(in crate::session) fn forget_channels(session: &Arc<Session>) {
    for slot in all() {
        let mut body = slot.body.lock();
        if body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            slot.bound.channel.store(0, Ordering::Release);
            let channel = body.channel.take();
            drop(body);
            drop(channel);
        }
    }
}
