//! Path locks: a path given to an operation stays valid until the operation returns.
//!
//! An operation uses the path of a node, or of a name in a directory; it *pins* that node, by a
//! counter in it. A look-up of a name that has a node pins that one too, since the kernel may ask for
//! it without the lock of its directory. Operations that take a name away (unlink, rmdir, both ends of a rename) also
//! *mark* the node behind the name. No mark is given on a node while an operation has a path
//! through it, and no path through a marked node is given out.
//!
//! Pinning touches one node, however deep it is. A mark on a node without children conflicts with
//! pins on that node only, so both sides see each other under the node's lock. A mark on a node
//! with children (a *wide* one) must also keep away from all pins below it, which it finds by
//! walking up from every active node, of which there are few. Whoever pins must then look for marks
//! above: the counter `contended` tells when, and sends everybody to the [queue](super::queue)
//! meanwhile. A wide mark raises it before it looks for pins, a pin is made before the counter is
//! read, so one of the two always sees the other.
//!
//! All that an operation needs is granted together or not at all, so those that wait hold nothing
//! and no circle of waiting can come about.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::namespace::Namespace;
use super::nodes::{Id, Node, ROOT, Refusal};
use super::queue::{Attempt, Queue, Waiter};
use crate::sync::{AtomicUsize, Mutex};

/// One path that an operation needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'n> {
    /// The node, or the directory of `name`.
    pub node: Id,
    /// The name in the directory.
    pub name: Option<&'n [u8]>,
    /// The name is going to be taken away.
    pub write: bool,
}

impl<'n> Target<'n> {
    pub fn node(node: Id) -> Target<'n> {
        Target { node, name: None, write: false }
    }

    pub fn name(node: Id, name: &'n [u8]) -> Target<'n> {
        Target { node, name: Some(name), write: false }
    }

    pub fn write(node: Id, name: &'n [u8]) -> Target<'n> {
        Target { node, name: Some(name), write: true }
    }
}

/// Most paths that an operation needs.
pub(super) const MOST: usize = 2;

/// As many nodes as an operation needs at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Few {
    ids: [Id; MOST],
    len: u8,
}

impl Few {
    /// Adds one; there must be room.
    pub fn push(&mut self, id: Id) {
        self.ids[usize::from(self.len)] = id;
        self.len += 1;
    }
}

impl Deref for Few {
    type Target = [Id];

    fn deref(&self) -> &[Id] {
        &self.ids[..usize::from(self.len).min(MOST)]
    }
}

/// What an operation was given.
#[derive(Debug, Default)]
pub(super) struct Grant {
    pub pinned: Few,
    pub marked: Few,
    /// A marked node has children; counts as contention as long as it lasts.
    pub wide: bool,
}

impl Grant {
    /// Gives everything back. Does not wake those who wait.
    pub fn undo(&mut self, space: &Namespace) {
        for id in &*std::mem::take(&mut self.marked) {
            if space.nodes.unmark(*id) {
                space.free(*id);
            }
        }
        for id in &*std::mem::take(&mut self.pinned) {
            if space.nodes.unpin(*id) {
                space.free(*id);
            }
        }
    }
}

#[derive(Default)]
pub(super) struct PathLocks {
    /// Operations in the queue or about to enter it, and wide marks.
    contended: AtomicUsize,
    queue: Mutex<Queue>,
}

/// Paths held; released when dropped.
pub(super) struct Held<'t> {
    locks: &'t PathLocks,
    space: &'t Namespace,
    grant: Grant,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.grant.undo(self.space);
        self.locks.released(self.space, self.grant.wide);
    }
}

impl PathLocks {
    /// Waits until all targets can be had.
    pub fn acquire<'t>(
        &'t self,
        space: &'t Namespace,
        targets: &[Target<'_>],
    ) -> Result<Held<'t>, Refusal> {
        if self.contended.load(Ordering::SeqCst) == 0 {
            let mut held = Held { locks: self, space, grant: Grant::default() };
            match try_fast(space, targets, &mut held.grant) {
                Ok(()) if self.contended.load(Ordering::SeqCst) == 0 => return Ok(held),
                Ok(()) | Err(Refusal::Busy) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        let grant = self.acquire_slowly(space, targets)?;
        Ok(Held { locks: self, space, grant })
    }

    /// The same for the path of one node. Where nobody is in the way, `f` is run on the node as soon
    /// as it is held, which spares looking for it again. If this is false, what `f` saw may have changed.
    #[inline]
    pub fn acquire_node<'t>(
        &'t self,
        space: &'t Namespace,
        id: Id,
        f: impl FnOnce(&Node),
    ) -> Result<(Held<'t>, bool), Refusal> {
        if id != ROOT && self.contended.load(Ordering::SeqCst) == 0 {
            match space.nodes.pin_with(id, f) {
                Ok(()) => {
                    let mut held = Held { locks: self, space, grant: Grant::default() };
                    held.grant.pinned.push(id);
                    if self.contended.load(Ordering::SeqCst) == 0 {
                        return Ok((held, true));
                    }
                }
                Err(Refusal::Busy) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok((self.acquire(space, &[Target::node(id)])?, false))
    }

    /// The same for the path of a name and, if it has one, that of its node, which is named too. `None`
    /// where somebody may be in the way.
    #[inline]
    pub fn acquire_looked_up<'t>(
        &'t self,
        space: &'t Namespace,
        dir: Id,
        name: &[u8],
    ) -> Option<(Held<'t>, Option<Id>)> {
        if self.contended.load(Ordering::SeqCst) != 0 {
            return None;
        }
        let mut held = Held { locks: self, space, grant: Grant::default() };
        space.nodes.pin(dir).ok()?;
        held.grant.pinned.push(dir);
        let child = space.pin_child(dir, name).ok()?;
        if let Some(child) = child {
            held.grant.pinned.push(child);
        }
        (self.contended.load(Ordering::SeqCst) == 0).then_some((held, child))
    }

    fn acquire_slowly(&self, space: &Namespace, targets: &[Target<'_>]) -> Result<Grant, Refusal> {
        // Before anything is looked at: whoever releases what is found in the way must see it.
        self.contended.fetch_add(1, Ordering::SeqCst);
        let waiter = {
            let mut queue = self.queue.lock();
            match queue.attempt(space, targets) {
                Attempt::Done(outcome) => {
                    drop(queue);
                    self.settle(&outcome);
                    return outcome;
                }
                Attempt::Blocked(claims) => {
                    let waiter = Arc::new(Waiter::new(targets));
                    queue.push(waiter.clone(), claims);
                    waiter
                }
            }
        };
        waiter.wait()
    }

    /// An operation has left the queue; only a wide mark goes on counting.
    fn settle(&self, outcome: &Result<Grant, Refusal>) {
        if !outcome.as_ref().is_ok_and(|grant| grant.wide) {
            self.contended.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Something was given back: whoever waits may have a chance.
    fn released(&self, space: &Namespace, wide: bool) {
        if wide {
            self.contended.fetch_sub(1, Ordering::SeqCst);
        }
        if self.contended.load(Ordering::SeqCst) != 0 {
            self.queue.lock().retry(space, |outcome| self.settle(outcome));
        }
    }

    /// How many operations wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.queue.lock().len()
    }

    /// Whether nothing is counted as contention.
    #[cfg(test)]
    pub fn is_calm(&self) -> bool {
        self.contended.load(Ordering::SeqCst) == 0
    }
}

/// Takes everything if nobody is in the way and no mark needs a look around.
fn try_fast(space: &Namespace, targets: &[Target<'_>], grant: &mut Grant) -> Result<(), Refusal> {
    for target in targets {
        space.nodes.pin(target.node)?;
        grant.pinned.push(target.node);
    }
    for target in targets {
        let Target { node, name: Some(name), write: true } = *target else { continue };
        let Some(child) = space.child(node, name) else { continue };
        if grant.marked.contains(&child) {
            continue;
        }
        match space.nodes.mark(child, true) {
            Ok(_) => grant.marked.push(child),
            // Forgotten at this moment.
            Err(Refusal::Missing) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}
