//! Nodes that the kernel forgot and `remember` keeps for a while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::sys::lock::{Condvar, Mutex};

use super::core::Tree;
use super::nodes::Id;
use super::ops::PathOps;
use crate::errno::Result;

/// Tells the cleanup thread to end.
#[derive(Default)]
struct Stop {
    requested: Mutex<bool>,
    changed: Condvar,
}

/// What becomes of a node whose time has come.
enum Fate {
    /// It was forgotten only then.
    Later(u32),
    Free,
    Stays,
}

#[derive(Default)]
pub(super) struct Cleaner {
    /// Since when nodes have been forgotten, and which. Looked up again, a node stays in here until
    /// its time comes, and is in here once however often it is forgotten.
    forgotten: Mutex<BTreeSet<(u32, Id)>>,
    thread: Mutex<Option<(JoinHandle<()>, Arc<Stop>)>>,
}

impl Cleaner {
    pub fn push(&self, id: Id, now: u32) {
        self.forgotten.lock().insert((now, id));
    }

    /// The oldest entry, if it is at least `age` seconds old.
    fn pop(&self, now: u32, age: u32) -> Option<Id> {
        let mut forgotten = self.forgotten.lock();
        let due = forgotten.first().is_some_and(|(when, _)| now.saturating_sub(*when) >= age);
        if due { forgotten.pop_first().map(|(_, id)| id) } else { None }
    }
}

impl<P: PathOps> Tree<P> {
    /// Drops the nodes that the kernel forgot more than
    /// [`remember`](super::TreeConfig::remember) seconds ago. Returns in how many seconds it should
    /// be called again.
    pub fn clean_cache(&self) -> u32 {
        let remember = self.config().remember;
        let age = match u32::try_from(remember) {
            // Nothing is kept, or everything for ever.
            Ok(0) | Err(_) => return 3600,
            Ok(age) => age,
        };
        let now = self.now_secs();
        while let Some(id) = self.cleaner.pop(now, age) {
            let fate = self.space.nodes.with(id, |node| {
                if node.nlookup == 0 && node.kept && now.saturating_sub(node.forgotten) < age {
                    // Known and forgotten again since it was queued.
                    return Fate::Later(node.forgotten);
                }
                node.queued = false;
                // A directory whose nodes are still kept goes with the last of them.
                node.kept &= node.nlookup > 0;
                if node.is_unused() { Fate::Free } else { Fate::Stays }
            });
            match fate {
                Some(Fate::Later(when)) => self.cleaner.push(id, when),
                Some(Fate::Free) => self.space.free(id),
                Some(Fate::Stays) | None => {}
            }
        }
        (age / 10).clamp(60, 3600)
    }
}

impl<P: PathOps + 'static> Tree<P> {
    /// Starts a thread that calls [`clean_cache`](Tree::clean_cache) whenever it is due. Does
    /// nothing if `remember` is not above 0 or the thread runs.
    pub fn start_cleanup_thread(self: &Arc<Self>) -> Result<()> {
        let mut own = self.cleaner.thread.lock();
        if own.is_some() || self.config().remember <= 0 {
            return Ok(());
        }
        let stop = Arc::new(Stop::default());
        let (tree, theirs) = (Arc::downgrade(self), stop.clone());
        let thread =
            std::thread::Builder::new().name("fuse_prune_nodes".into()).spawn(move || {
                let mut requested = theirs.requested.lock();
                while !*requested {
                    let Some(tree) = tree.upgrade() else { return };
                    let pause = tree.clean_cache();
                    drop(tree);
                    theirs.changed.wait_for(&mut requested, Duration::from_secs(pause.into()));
                }
            })?;
        *own = Some((thread, stop));
        Ok(())
    }

    /// Ends that thread and waits for it.
    pub fn stop_cleanup_thread(&self) {
        let Some((thread, stop)) = self.cleaner.thread.lock().take() else { return };
        *stop.requested.lock() = true;
        stop.changed.notify_all();
        if thread.join().is_err() {
            log::error!("fuse: the cleanup thread panicked");
        }
    }
}
