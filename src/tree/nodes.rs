//! The nodes, by number.
//!
//! Spread over shards by the low bits of the number, each with a lock of its own that is held for a
//! few instructions at a time and never while another shard's is taken.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::extra::Extra;
use super::name::Name;
use crate::session::NodeId;
use crate::sync::{self, Mutex};
use crate::sys::still::Lock;

/// A node number: 32 bits, as libfuse has it. 0 is no node.
pub(super) type Id = u32;

/// The root directory.
pub(super) const ROOT: Id = crate::wire::ROOT_NODE as Id;

/// The number for "unknown" in directory entries; no node gets it.
pub(super) const UNKNOWN: Id = Id::MAX;

/// The node a request names, if it can be one of ours.
pub(super) fn id_of(node: NodeId) -> Id {
    Id::try_from(node).unwrap_or(0)
}

pub(super) const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 64 };

/// One name of the filesystem that the kernel knows, or somebody uses.
pub(super) struct Node {
    pub id: Id,
    /// Tells nodes apart that had the same number.
    pub generation: u32,
    /// Directory it stands in; 0 for the root and for what was deleted.
    pub parent: Id,
    /// How many nodes have this one as parent.
    pub children: u32,
    /// How often the kernel was told of it and has not forgotten it.
    pub nlookup: u64,
    /// Requests whose path ends at this node, or at a name in it.
    pub users: u32,
    /// Open files.
    pub opens: u32,
    pub name: Name,
    /// What few nodes have.
    pub extra: Option<Box<Extra>>,
    /// When the kernel forgot it, in seconds of the tree's clock.
    pub forgotten: u32,
    /// A request changes this name: no other may use a path through it.
    pub marked: bool,
    /// Was renamed out of sight; removed when it is closed.
    pub hidden: bool,
    /// Stays although the kernel has forgotten it (`remember`).
    pub kept: bool,
    /// The [cleaner](super::cleaner) is going to look at it.
    pub queued: bool,
}

impl Node {
    pub fn new(id: Id, generation: u32, parent: Id, name: Name) -> Node {
        Node {
            id,
            generation,
            parent,
            children: 0,
            nlookup: 0,
            users: 0,
            opens: 0,
            name,
            extra: None,
            forgotten: 0,
            marked: false,
            hidden: false,
            kept: false,
            queued: false,
        }
    }

    /// Nothing refers to it any more.
    pub fn is_unused(&self) -> bool {
        self.nlookup == 0
            && self.users == 0
            && self.children == 0
            && !self.marked
            && !self.kept
            && self.id != ROOT
    }

    /// It stands under this name.
    pub fn is_named(&self, parent: Id, name: &[u8]) -> bool {
        self.parent == parent && self.name.as_bytes() == name
    }

    /// It has no path.
    pub fn is_deleted(&self) -> bool {
        self.parent == 0 && self.id != ROOT
    }

    pub fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Drops what [`Node::extra`] made if there is nothing in it.
    pub fn trim(&mut self) {
        if self.extra.as_ref().is_some_and(|extra| extra.is_empty()) {
            self.extra = None;
        }
    }
}

/// Aligned so that no two shards share a cache line (or a pair of them, which are fetched together).
#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<Content>);

#[derive(Default)]
struct Content {
    nodes: HashTable<Box<Node>>,
    /// Nodes with users; few at any time.
    active: Vec<Id>,
}

impl Content {
    #[inline]
    fn get(&mut self, id: Id) -> Option<&mut Node> {
        find(&mut self.nodes, id)
    }

    /// The node has no users any more.
    #[inline]
    fn rests(&mut self, id: Id) {
        // Most often there is no other.
        if self.active.last() == Some(&id) {
            self.active.pop();
        } else if let Some(at) = self.active.iter().position(|active| *active == id) {
            self.active.swap_remove(at);
        }
    }

    /// Makes the calling request a user of the node's path, if `condition` holds; then it is returned.
    #[inline]
    fn pin_if(
        &mut self,
        id: Id,
        condition: impl FnOnce(&Node) -> bool,
    ) -> Result<Option<&Node>, Refusal> {
        let node = find(&mut self.nodes, id).ok_or(Refusal::Missing)?;
        if !condition(node) {
            return Ok(None);
        }
        if node.marked {
            return Err(Refusal::Busy);
        }
        if node.is_deleted() {
            return Err(Refusal::Deleted);
        }
        node.users += 1;
        if node.users == 1 {
            self.active.push(id);
        }
        Ok(Some(node))
    }
}

#[inline]
fn find(nodes: &mut HashTable<Box<Node>>, id: Id) -> Option<&mut Node> {
    nodes.find_mut(hash(id), |node| node.id == id).map(|node| &mut **node)
}

/// Numbers are counted, so any odd factor spreads them; table and tag use both ends of the result.
fn hash(id: Id) -> u64 {
    let spread = u64::from(id / SHARDS as Id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ (spread >> 32)
}

/// Why a node could not be pinned or marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such node.
    Missing,
    /// It has no path any more.
    Deleted,
    /// Another request is in the way, or has to be looked for.
    Busy,
    /// A name is to be moved to below itself.
    Circular,
}

pub(super) struct Nodes(Box<[Shard; SHARDS]>);

impl Nodes {
    /// Just the root.
    pub fn new() -> Nodes {
        let nodes = Nodes(Box::new(std::array::from_fn(|_| Shard::default())));
        nodes.insert(Node::new(ROOT, 0, 0, Name::EMPTY));
        nodes
    }

    fn shard(&self, id: Id) -> &Mutex<Content> {
        &self.0[id as usize % SHARDS].0
    }

    /// Runs `f` on a node, under its shard's lock: `f` must not take any lock.
    pub fn with<T>(&self, id: Id, f: impl FnOnce(&mut Node) -> T) -> Option<T> {
        self.shard(id).lock().get(id).map(f)
    }

    /// Adds a node; false if its number is in use.
    pub fn insert(&self, node: Node) -> bool {
        let id = node.id;
        let mut content = self.shard(id).lock();
        let nodes = &mut content.nodes;
        match nodes.entry(hash(id), |other| other.id == id, |node| hash(node.id)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(Box::new(node));
                true
            }
        }
    }

    /// Takes the node out if `condition` holds.
    pub fn remove_if(&self, id: Id, condition: impl FnOnce(&Node) -> bool) -> Option<Box<Node>> {
        let mut content = self.shard(id).lock();
        let nodes = &mut content.nodes;
        let entry = nodes.find_entry(hash(id), |node| node.id == id).ok()?;
        if !condition(entry.get()) {
            return None;
        }
        let (node, _) = entry.remove();
        // Memory of a large tree goes back when the kernel has forgotten it.
        if nodes.capacity() > 64 && nodes.len() < nodes.capacity() / 8 {
            nodes.shrink_to(nodes.capacity() / 4, |node| hash(node.id));
        }
        Some(node)
    }

    /// Makes the calling request a user of the node's path.
    pub fn pin(&self, id: Id) -> Result<(), Refusal> {
        // Nobody marks the root, and nothing is above it.
        if id == ROOT { Ok(()) } else { self.pin_with(id, |_| ()) }
    }

    /// The same, and `f` on the node; not for the root.
    #[inline]
    pub fn pin_with<T>(&self, id: Id, f: impl FnOnce(&Node) -> T) -> Result<T, Refusal> {
        let mut content = self.shard(id).lock();
        content.pin_if(id, |_| true)?.map(f).ok_or(Refusal::Missing)
    }

    /// The same if `condition` holds, which is false for a node that does not exist.
    #[inline]
    pub fn pin_if(&self, id: Id, condition: impl FnOnce(&Node) -> bool) -> Result<bool, Refusal> {
        match self.shard(id).lock().pin_if(id, condition) {
            Ok(node) => Ok(node.is_some()),
            Err(Refusal::Missing) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Ends what [`Nodes::pin`] began; true if nothing else refers to the node.
    pub fn unpin(&self, id: Id) -> bool {
        if id == ROOT {
            return false;
        }
        let mut content = self.shard(id).lock();
        let Some(node) = content.get(id) else { return false };
        node.users = node.users.saturating_sub(1);
        let unused = node.is_unused();
        if node.users == 0 {
            content.rests(id);
        }
        unused
    }

    /// Keeps all others away from the node, if it has no users. With `lone`, nodes with children
    /// are refused, below which there may be users. Returns whether it has children.
    pub fn mark(&self, id: Id, lone: bool) -> Result<bool, Refusal> {
        self.with(id, |node| {
            if node.marked || node.users > 0 || (lone && node.children > 0) {
                return Err(Refusal::Busy);
            }
            node.marked = true;
            Ok(node.children > 0)
        })
        .unwrap_or(Err(Refusal::Missing))
    }

    /// Ends what [`Nodes::mark`] began; true if nothing else refers to the node.
    pub fn unmark(&self, id: Id) -> bool {
        self.with(id, |node| {
            node.marked = false;
            node.is_unused()
        })
        .unwrap_or(false)
    }

    /// Every node that has users at some moment during the call.
    pub fn active(&self) -> Vec<Id> {
        self.0.iter().flat_map(|shard| shard.0.lock().active.clone()).collect()
    }

    /// Every node for which `condition` holds at some moment during the call.
    pub fn select(&self, condition: impl Fn(&Node) -> bool) -> Vec<Id> {
        let matching = |shard: &Shard| -> Vec<Id> {
            let content = shard.0.lock();
            content.nodes.iter().filter(|node| condition(node)).map(|node| node.id).collect()
        };
        self.0.iter().flat_map(matching).collect()
    }

    /// Every shard's lock.
    pub fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        self.0.iter().for_each(|shard| each(sync::still(&shard.0)));
    }

    /// How many there are, the root included.
    pub fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.0.lock().nodes.len()).sum()
    }
}
