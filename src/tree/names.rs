//! The nodes, by directory and name.
//!
//! Spread over shards by directory. An entry holds part of the name's hash and the node's number;
//! the name itself stands in the node only. A shard's lock comes before those of nodes.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;
use hashbrown::HashTable;

use super::nodes::{Id, SHARDS};
use crate::sync::{self, Mutex, MutexGuard};
use crate::sys::still::Lock;

/// One name.
#[derive(Clone, Copy)]
struct Entry {
    hash: NameHash,
    child: Id,
}

/// Hash of a directory's number and a name in it.
///
/// Keyed, because names are chosen by the users of the filesystem; they never see a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameHash(u32);

impl NameHash {
    /// For the table, which uses both ends of 64 bits.
    fn spread(self) -> u64 {
        let spread = u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        spread ^ (spread >> 32)
    }
}

#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<Content>);

/// The names of all directories of one shard.
#[derive(Default)]
pub(super) struct Content(HashTable<Entry>);

impl Content {
    /// The node whose name has this hash and of which `is_it` holds.
    pub fn find(&self, hash: NameHash, mut is_it: impl FnMut(Id) -> bool) -> Option<Id> {
        let matches = |entry: &Entry| entry.hash == hash && is_it(entry.child);
        self.0.find(hash.spread(), matches).map(|entry| entry.child)
    }

    /// Adds a name that is not there.
    pub fn insert(&mut self, hash: NameHash, child: Id) {
        self.0.insert_unique(hash.spread(), Entry { hash, child }, |entry| entry.hash.spread());
    }

    /// Takes the name of a node out.
    pub fn remove(&mut self, hash: NameHash, child: Id) {
        let names = &mut self.0;
        if let Ok(entry) = names.find_entry(hash.spread(), |entry| entry.child == child) {
            entry.remove();
        }
        if names.capacity() > 64 && names.len() < names.capacity() / 8 {
            names.shrink_to(names.capacity() / 4, |entry| entry.hash.spread());
        }
    }
}

pub(super) struct Names {
    shards: Box<[Shard; SHARDS]>,
    key: RandomState,
}

/// The locked shards of two directories, which may be one.
pub(super) struct Two<'n> {
    first: MutexGuard<'n, Content>,
    second: Option<MutexGuard<'n, Content>>,
    /// The first directory's shard is `second`.
    swapped: bool,
}

impl Two<'_> {
    pub fn of_first(&mut self) -> &mut Content {
        match &mut self.second {
            Some(second) if self.swapped => second,
            _ => &mut self.first,
        }
    }

    pub fn of_second(&mut self) -> &mut Content {
        match &mut self.second {
            Some(second) if !self.swapped => second,
            _ => &mut self.first,
        }
    }
}

/// From what the standard library has for its own tables; each of its hashers has another key.
fn random_key() -> RandomState {
    let seed = || std::hash::RandomState::new().build_hasher().finish();
    RandomState::with_seeds(seed(), seed(), seed(), seed())
}

impl Names {
    pub fn new() -> Names {
        let shards = Box::new(std::array::from_fn(|_| Shard::default()));
        Names { shards, key: random_key() }
    }

    pub fn hash(&self, parent: Id, name: &[u8]) -> NameHash {
        let mut hasher = self.key.build_hasher();
        hasher.write_u32(parent);
        hasher.write(name);
        NameHash(hasher.finish() as u32)
    }

    /// Every shard's lock.
    pub fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        self.shards.iter().for_each(|shard| each(sync::still(&shard.0)));
    }

    pub fn lock(&self, parent: Id) -> MutexGuard<'_, Content> {
        self.shards[parent as usize % SHARDS].0.lock()
    }

    /// Locks the shards of two directories, in an order that all keep to.
    pub fn lock_two(&self, first: Id, second: Id) -> Two<'_> {
        let (a, b) = (first as usize % SHARDS, second as usize % SHARDS);
        let low = self.shards[a.min(b)].0.lock();
        let high = (a != b).then(|| self.shards[a.max(b)].0.lock());
        Two { first: low, second: high, swapped: a > b }
    }

    /// How many names there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.lock().0.len()).sum()
    }
}
