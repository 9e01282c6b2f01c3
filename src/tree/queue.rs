//! Operations that wait for their paths.
//!
//! First come, first served: an operation is passed over by a later one only if the two have
//! nothing to do with each other. Everything here happens under the queue's lock.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use smallvec::SmallVec;

use super::locks::{Grant, Target};
use super::namespace::Namespace;
use super::nodes::{Id, ROOT, Refusal};
use crate::sync::{self, Condvar, Mutex};

/// What an operation stands for while it waits.
#[derive(Default)]
pub(super) struct Claims {
    /// Every node its paths lead through.
    path: Vec<Id>,
    /// The nodes it is going to mark.
    writes: SmallVec<[Id; 2]>,
}

/// The claims of all who came earlier.
#[derive(Default)]
struct Ahead {
    paths: HashSet<Id>,
    writes: HashSet<Id>,
}

impl Ahead {
    fn add(&mut self, claims: &Claims) {
        self.paths.extend(&claims.path);
        self.writes.extend(&claims.writes);
    }

    fn conflicts(&self, claims: &Claims) -> bool {
        claims.path.iter().any(|id| self.writes.contains(id))
            || claims.writes.iter().any(|id| self.writes.contains(id) || self.paths.contains(id))
    }
}

/// A [`Target`] with a name of its own.
struct OwnTarget {
    node: Id,
    name: Option<Box<[u8]>>,
    write: bool,
}

/// One operation in the queue.
pub(super) struct Waiter {
    targets: SmallVec<[OwnTarget; 2]>,
    outcome: Mutex<Option<Result<Grant, Refusal>>>,
    decided: Condvar,
}

impl Waiter {
    pub fn new(targets: &[Target<'_>]) -> Waiter {
        let own = |target: &Target<'_>| OwnTarget {
            node: target.node,
            name: target.name.map(Box::from),
            write: target.write,
        };
        Waiter {
            targets: targets.iter().map(own).collect(),
            outcome: Mutex::new(None),
            decided: Condvar::new(),
        }
    }

    fn targets(&self) -> SmallVec<[Target<'_>; 2]> {
        let lend = self.targets.iter().map(|target| Target {
            node: target.node,
            name: target.name.as_deref(),
            write: target.write,
        });
        lend.collect()
    }

    fn decide(&self, outcome: Result<Grant, Refusal>) {
        *self.outcome.lock() = Some(outcome);
        self.decided.notify_one();
    }

    /// Blocks until there is a decision.
    pub fn wait(&self) -> Result<Grant, Refusal> {
        let mut outcome = self.outcome.lock();
        loop {
            if let Some(outcome) = outcome.take() {
                return outcome;
            }
            outcome = sync::wait(&self.decided, outcome);
        }
    }
}

/// What came of trying.
pub(super) enum Attempt {
    Done(Result<Grant, Refusal>),
    /// Somebody is in the way.
    Blocked(Claims),
}

#[derive(Default)]
pub(super) struct Queue(VecDeque<(Arc<Waiter>, Claims)>);

impl Queue {
    /// Tries for an operation that comes after all in the queue.
    pub fn attempt(&self, space: &Namespace, targets: &[Target<'_>]) -> Attempt {
        let mut ahead = Ahead::default();
        for (_, claims) in &self.0 {
            ahead.add(claims);
        }
        attempt(space, targets, &ahead)
    }

    pub fn push(&mut self, waiter: Arc<Waiter>, claims: Claims) {
        self.0.push_back((waiter, claims));
    }

    /// Tries for all, in order; `settle` is told of each that leaves.
    pub fn retry(&mut self, space: &Namespace, settle: impl Fn(&Result<Grant, Refusal>)) {
        let mut ahead = Ahead::default();
        self.0.retain_mut(|(waiter, claims)| match attempt(space, &waiter.targets(), &ahead) {
            Attempt::Done(outcome) => {
                settle(&outcome);
                waiter.decide(outcome);
                false
            }
            Attempt::Blocked(now) => {
                ahead.add(&now);
                *claims = now;
                true
            }
        });
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn attempt(space: &Namespace, targets: &[Target<'_>], ahead: &Ahead) -> Attempt {
    let mut grant = Grant::default();
    match try_all(space, targets, ahead, &mut grant) {
        Ok(None) => Attempt::Done(Ok(grant)),
        Ok(Some(claims)) => {
            grant.undo(space);
            Attempt::Blocked(claims)
        }
        Err(refusal) => {
            grant.undo(space);
            Attempt::Done(Err(refusal))
        }
    }
}

/// Takes all targets, or says what they stand for if somebody is in the way. Pins come before the
/// look for marks above them, marks before the look for pins below them.
fn try_all(
    space: &Namespace,
    targets: &[Target<'_>],
    ahead: &Ahead,
    grant: &mut Grant,
) -> Result<Option<Claims>, Refusal> {
    let mut blocked = false;
    for target in targets {
        match space.nodes.pin(target.node) {
            Ok(()) => grant.pinned.push(target.node),
            Err(Refusal::Busy) => blocked = true,
            Err(refusal) => return Err(refusal),
        }
    }
    let mut claims = Claims::default();
    for target in targets {
        blocked |= walk_up(space, target.node, &mut claims.path)?;
        if let (Some(name), true) = (target.name, target.write)
            && let Some(child) = space.child(target.node, name)
            && !claims.writes.contains(&child)
        {
            claims.writes.push(child);
        }
    }
    if claims.writes.iter().any(|id| claims.path.contains(id)) {
        return Err(Refusal::Circular);
    }
    if blocked || ahead.conflicts(&claims) {
        return Ok(Some(claims));
    }
    for id in &claims.writes {
        match space.nodes.mark(*id, false) {
            Ok(has_children) => {
                grant.marked.push(*id);
                grant.wide |= has_children;
            }
            // Forgotten at this moment.
            Err(Refusal::Missing) => {}
            Err(_) => return Ok(Some(claims)),
        }
    }
    if grant.wide {
        let in_the_way =
            |active: &Id| grant.marked.iter().any(|id| space.is_at_or_below(*active, *id));
        if space.nodes.active().iter().any(in_the_way) {
            return Ok(Some(claims));
        }
    }
    Ok(None)
}

/// Notes every node from `id` to the root; true if one of them is marked.
fn walk_up(space: &Namespace, mut id: Id, path: &mut Vec<Id>) -> Result<bool, Refusal> {
    let mut marked = false;
    while id != ROOT {
        path.push(id);
        let step = space.nodes.with(id, |node| (node.parent, node.marked));
        let (parent, is_marked) = step.ok_or(Refusal::Missing)?;
        if parent == 0 {
            return Err(Refusal::Deleted);
        }
        marked |= is_marked;
        id = parent;
    }
    Ok(marked)
}
