//! Nodes and their names together: every change of the tree's shape.
//!
//! Locks are taken in the order names, node. Counters of a directory and the names in it change one
//! after the other, in the order that never makes the directory look unused too early.

use std::sync::atomic::Ordering;

use super::name::Name;
use super::names::Names;
use super::nodes::{Id, Node, Nodes, ROOT, Refusal, UNKNOWN};
use super::pathcache::PathCache;
use crate::errno::{Errno, Result};
use crate::sync::AtomicU64;
use crate::sys::still::Lock;

pub(super) struct Namespace {
    pub nodes: Nodes,
    names: Names,
    /// Last number given, below its generation: it grows by one at each wrap of the 32 bits.
    counter: AtomicU64,
    pub paths: PathCache,
}

/// What forgetting left of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgotten {
    /// Something still refers to it, or it never was.
    InUse,
    /// The kernel has forgotten it; it is kept for now, and the cleaner must be told.
    Kept,
    /// It is gone.
    Gone,
}

impl Namespace {
    pub fn new() -> Namespace {
        Namespace::counting_from(ROOT.into())
    }

    /// As [`Namespace::new`], the first number being the one after `last`.
    pub fn counting_from(last: u64) -> Namespace {
        Namespace {
            nodes: Nodes::new(),
            names: Names::new(),
            counter: AtomicU64::new(last),
            paths: PathCache::new(),
        }
    }

    /// Names in all directories.
    #[cfg(test)]
    pub fn name_count(&self) -> usize {
        self.names.len()
    }

    /// The locks of names and nodes.
    pub fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        self.names.locks(each);
        self.nodes.locks(each);
    }

    /// Whether the node stands under this name.
    pub fn is_named(&self, id: Id, parent: Id, name: &[u8]) -> bool {
        self.nodes.with(id, |node| node.is_named(parent, name)).unwrap_or(false)
    }

    /// The node of a name, if there is one.
    pub fn child(&self, parent: Id, name: &[u8]) -> Option<Id> {
        let hash = self.names.hash(parent, name);
        self.names.lock(parent).find(hash, |id| self.is_named(id, parent, name))
    }

    /// The node of a name, if there is one; it is pinned.
    pub fn pin_child(&self, parent: Id, name: &[u8]) -> Result<Option<Id>, Refusal> {
        let hash = self.names.hash(parent, name);
        let mut refused = None;
        let found = self.names.lock(parent).find(hash, |id| {
            let is_it = self.nodes.pin_if(id, |node| node.is_named(parent, name));
            is_it.unwrap_or_else(|refusal| {
                refused = Some(refusal);
                true
            })
        });
        refused.map_or(Ok(found), Err)
    }

    /// Adds a node under a fresh number.
    fn add(&self, parent: Id, name: &[u8]) -> Id {
        loop {
            let count = self.counter.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let (id, generation) = (count as u32, (count >> 32) as u32);
            if id == 0 || id == UNKNOWN {
                continue;
            }
            if self.nodes.insert(Node::new(id, generation, parent, Name::new(name))) {
                return id;
            }
        }
    }

    /// The node of a name, made if there is none, under the names' lock. `f` counts what the caller
    /// wants counted; it must not take a lock. `ESTALE` if the directory is not there.
    pub fn enter<T>(&self, parent: Id, name: &[u8], f: impl FnOnce(&mut Node) -> T) -> Result<T> {
        let hash = self.names.hash(parent, name);
        let mut names = self.names.lock(parent);
        let id = match names.find(hash, |id| self.is_named(id, parent, name)) {
            Some(id) => id,
            None => {
                let grown = self.nodes.with(parent, |dir| {
                    let alive = !dir.is_deleted();
                    dir.children += u32::from(alive);
                    alive
                });
                if grown != Some(true) {
                    return Err(Errno::ESTALE);
                }
                let id = self.add(parent, name);
                names.insert(hash, id);
                id
            }
        };
        // The names' lock keeps it from being freed.
        self.nodes.with(id, f).ok_or(Errno::ESTALE)
    }

    /// One child less.
    fn drop_child(&self, parent: Id) {
        let unused = self.nodes.with(parent, |dir| {
            dir.children = dir.children.saturating_sub(1);
            dir.is_unused()
        });
        if unused == Some(true) {
            self.free(parent);
        }
    }

    /// Where a node stands, if anywhere.
    pub fn place(&self, id: Id) -> Option<(Id, Name)> {
        self.nodes.with(id, |node| (node.parent, node.name.clone())).filter(|place| place.0 != 0)
    }

    /// Whether a node still stands there.
    fn is_at(&self, id: Id, place: &(Id, Name)) -> bool {
        self.is_named(id, place.0, place.1.as_bytes())
    }

    /// Removes a node that nothing refers to, then its directory if that was all that kept it, and
    /// so on upwards.
    pub fn free(&self, mut id: Id) {
        loop {
            let Some(place) = self.place(id) else {
                // Without a name nobody can find it any more.
                self.nodes.remove_if(id, |node| node.is_unused() && node.parent == 0);
                return;
            };
            let (parent, name) = &place;
            let mut names = self.names.lock(*parent);
            if !self.is_at(id, &place) {
                // Moved or removed meanwhile.
                continue;
            }
            if self.nodes.remove_if(id, Node::is_unused).is_none() {
                return;
            }
            names.remove(self.names.hash(*parent, name.as_bytes()), id);
            drop(names);
            self.paths.drop_path(id);
            let unused = self.nodes.with(*parent, |dir| {
                dir.children = dir.children.saturating_sub(1);
                dir.is_unused()
            });
            if unused != Some(true) {
                return;
            }
            id = *parent;
        }
    }

    /// Takes the name from a node: it was deleted.
    pub fn detach(&self, id: Id) {
        while let Some(place) = self.place(id) {
            let (parent, name) = &place;
            let mut names = self.names.lock(*parent);
            if !self.is_at(id, &place) {
                continue;
            }
            names.remove(self.names.hash(*parent, name.as_bytes()), id);
            let left = self.nodes.with(id, |node| {
                node.parent = 0;
                node.name = Name::EMPTY;
                // Nobody will look for it again.
                node.kept = false;
                (node.children > 0, node.is_unused())
            });
            drop(names);
            let (has_children, unused) = left.unwrap_or_default();
            self.moved(id, has_children);
            if unused {
                self.free(id);
            }
            self.drop_child(*parent);
            return;
        }
    }

    /// Cached paths that lead through a node are no longer right.
    fn moved(&self, id: Id, has_children: bool) {
        self.paths.drop_path(id);
        if has_children {
            self.paths.drop_all();
        }
    }

    /// Gives a node another name. What has that name already loses it.
    pub fn relink(&self, id: Id, newparent: Id, newname: &[u8]) {
        if self.nodes.with(newparent, |dir| dir.children += 1).is_none() {
            return;
        }
        loop {
            if let Some(former) = self.child(newparent, newname) {
                if former == id {
                    break;
                }
                self.detach(former);
                continue;
            }
            let Some(place) = self.place(id) else { break };
            let (parent, name) = &place;
            let mut names = self.names.lock_two(*parent, newparent);
            let hash = self.names.hash(newparent, newname);
            let taken = names.of_second().find(hash, |id| self.is_named(id, newparent, newname));
            if taken.is_some() || !self.is_at(id, &place) {
                continue;
            }
            names.of_first().remove(self.names.hash(*parent, name.as_bytes()), id);
            names.of_second().insert(hash, id);
            let has_children = self.nodes.with(id, |node| {
                node.parent = newparent;
                node.name = Name::new(newname);
                node.children > 0
            });
            drop(names);
            self.moved(id, has_children.unwrap_or(false));
            self.drop_child(*parent);
            return;
        }
        // Nothing came.
        self.drop_child(newparent);
    }

    /// Swaps the names of two nodes.
    pub fn exchange(&self, a: Id, b: Id) {
        if a == b {
            return;
        }
        while let (Some(of_a), Some(of_b)) = (self.place(a), self.place(b)) {
            let mut names = self.names.lock_two(of_a.0, of_b.0);
            if !self.is_at(a, &of_a) || !self.is_at(b, &of_b) {
                continue;
            }
            let hash_a = self.names.hash(of_a.0, of_a.1.as_bytes());
            let hash_b = self.names.hash(of_b.0, of_b.1.as_bytes());
            names.of_first().remove(hash_a, a);
            names.of_second().remove(hash_b, b);
            names.of_first().insert(hash_a, b);
            names.of_second().insert(hash_b, a);
            let put = |id: Id, place: (Id, Name)| {
                let put = self.nodes.with(id, |node| {
                    (node.parent, node.name) = place;
                    node.children > 0
                });
                put.unwrap_or(false)
            };
            let a_has = put(a, of_b);
            let b_has = put(b, of_a);
            drop(names);
            self.moved(a, a_has);
            self.moved(b, b_has);
            return;
        }
    }

    /// The kernel forgets a node `count` times.
    pub fn forget(&self, id: Id, count: u64, now: u32) -> Forgotten {
        if id == ROOT {
            return Forgotten::InUse;
        }
        let left = self.nodes.with(id, |node| {
            if node.nlookup < count {
                log::error!("fuse: node {id} forgotten more often than looked up");
            }
            let was_known = node.nlookup > 0;
            node.nlookup = node.nlookup.saturating_sub(count);
            if was_known && node.nlookup == 0 && node.kept {
                node.forgotten = now;
                let told = std::mem::replace(&mut node.queued, true);
                return if told { Forgotten::InUse } else { Forgotten::Kept };
            }
            if node.is_unused() { Forgotten::Gone } else { Forgotten::InUse }
        });
        let left = left.unwrap_or(Forgotten::InUse);
        if left == Forgotten::Gone {
            self.free(id);
        }
        left
    }

    /// Whether `above` is `id` itself or a directory above it.
    pub fn is_at_or_below(&self, mut id: Id, above: Id) -> bool {
        loop {
            if id == above {
                return true;
            }
            match self.nodes.with(id, |node| node.parent) {
                None | Some(0) => return false,
                Some(parent) => id = parent,
            }
        }
    }
}
