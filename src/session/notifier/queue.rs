//! The order in which queued notifications go out.
//!
//! Those that name the same node keep their order; others pass a notification that has to wait.

use std::collections::{HashSet, VecDeque};

use smallvec::SmallVec;

use crate::session::NodeId;

/// The nodes that a notification is about; 0 is none.
pub type Nodes = [NodeId; 2];

/// Most notifications that wait.
pub const MOST: usize = 1 << 16;
/// Most bytes of data that wait.
pub const MOST_BYTES: usize = 64 << 20;

/// What waits to be sent.
pub struct Item<T> {
    /// What it is about.
    pub nodes: Nodes,
    /// Bytes of data it carries.
    pub size: usize,
    /// How it is sent, and who waits for it.
    pub content: T,
}

/// Notifications that wait, and what is being sent.
pub struct Queue<T> {
    waiting: VecDeque<Item<T>>,
    sending: SmallVec<[Nodes; 4]>,
    bytes: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { waiting: VecDeque::new(), sending: SmallVec::new(), bytes: 0 }
    }
}

impl<T> Queue<T> {
    /// Puts a notification at the end; gives it back if too much waits already.
    pub fn push(&mut self, item: Item<T>) -> Result<(), Item<T>> {
        let bytes = self.bytes.saturating_add(item.size);
        if self.waiting.len() >= MOST || bytes > MOST_BYTES {
            return Err(item);
        }
        self.bytes = bytes;
        self.waiting.push_back(item);
        Ok(())
    }

    /// The first one that `ready` lets go and that no earlier one is to precede. It counts as being
    /// sent until [`Queue::sent`].
    pub fn take(&mut self, mut ready: impl FnMut(&T) -> bool) -> Option<Item<T>> {
        let mut before: HashSet<NodeId> = self.sending.iter().flatten().copied().collect();
        let at = self.waiting.iter().position(|item| {
            let nodes = || item.nodes.iter().filter(|node| **node != 0);
            let found = !nodes().any(|node| before.contains(node)) && ready(&item.content);
            before.extend(nodes());
            found
        })?;
        let item = self.waiting.remove(at)?;
        self.bytes -= item.size;
        self.sending.push(item.nodes);
        Some(item)
    }

    /// What was taken with these nodes has been sent.
    pub fn sent(&mut self, nodes: Nodes) {
        if let Some(at) = self.sending.iter().position(|sending| *sending == nodes) {
            self.sending.swap_remove(at);
        }
    }

    /// Whether anything about one of these nodes waits or is being sent.
    pub fn concerns(&self, nodes: Nodes) -> bool {
        let same = |other: &Nodes| other.iter().any(|node| *node != 0 && nodes.contains(node));
        self.sending.iter().any(same) || self.waiting.iter().any(|item| same(&item.nodes))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many are being sent.
    pub fn under_way(&self) -> usize {
        self.sending.len()
    }

    /// Takes everything that waits.
    pub fn clear(&mut self) -> VecDeque<Item<T>> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(node: NodeId, content: u32) -> Item<u32> {
        Item { nodes: [node, 0], size: 1, content }
    }

    #[test]
    fn the_same_node_keeps_its_order_and_others_pass() {
        let mut queue = Queue::default();
        for (node, content) in [(1, 10), (1, 11), (2, 20), (3, 30)] {
            assert!(queue.push(item(node, content)).is_ok());
        }
        // The first of node 1 has to wait, and so do those behind it.
        let take = |queue: &mut Queue<u32>| queue.take(|c| *c != 10).map(|item| item.content);
        assert_eq!(take(&mut queue), Some(20));
        assert_eq!(take(&mut queue), Some(30));
        assert_eq!(take(&mut queue), None);
        let any = |queue: &mut Queue<u32>| queue.take(|_| true).map(|item| item.content);
        assert_eq!(any(&mut queue), Some(10));
        // Being sent, it still precedes.
        assert_eq!(any(&mut queue), None);
        queue.sent([1, 0]);
        assert_eq!(any(&mut queue), Some(11));
    }

    #[test]
    fn data_is_bounded_and_room_comes_back() {
        let mut queue = Queue::default();
        let large = |content| Item { nodes: [5, 0], size: MOST_BYTES, content };
        assert!(queue.push(large(1)).is_ok());
        assert!(queue.push(item(6, 2)).is_err());
        assert!(queue.take(|_| true).is_some());
        assert!(queue.push(item(6, 2)).is_ok());
        assert!(queue.concerns([5, 0]) && queue.concerns([0, 6]) && !queue.concerns([7, 0]));
    }
}
