//! Files that are removed while they are open: renamed out of sight, and removed at the last close,
//! so that a filesystem of paths can still serve them.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::lock::Mutex;

use super::core::Tree;
use super::nodes::{Id, Node};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::session::Request;

/// How many names are tried.
const TRIES: usize = 10;

/// The names given.
#[derive(Default)]
pub(super) struct HiddenNames {
    count: AtomicU32,
    /// The files that have one; few at any time.
    files: Mutex<Vec<Id>>,
}

impl HiddenNames {
    fn next(&self, id: Id) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        format!(".fuse_hidden{id:08x}{count:08x}")
    }
}

impl<P: PathOps> Tree<P> {
    /// The node of a name, if it must be hidden rather than removed.
    pub(super) fn must_hide(&self, dir: Id, name: &[u8]) -> Option<Id> {
        if self.config().hard_remove {
            return None;
        }
        let id = self.space.child(dir, name)?;
        self.space.nodes.with(id, |node| node.opens > 0)?.then_some(id)
    }

    /// Before a name is taken away: what its process has closed is closed. No path may be held.
    pub(super) fn settle_name(&self, req: &Request, dir: Id, name: &[u8]) {
        if let Some(id) = self.must_hide(dir, name)
            && let Some(session) = req.session()
        {
            session.await_releases(&[id.into()]);
        }
    }

    /// Before a directory is removed: what was hidden in it and is closed is gone. No path may be held.
    pub(super) fn settle_hidden_in(&self, req: &Request, dir: Id, name: &[u8]) {
        let files = self.hidden.files.lock().clone();
        if files.is_empty() {
            return;
        }
        let Some(removed) = self.space.child(dir, name) else { return };
        let stands_there = |id: &Id| self.space.place(*id).is_some_and(|place| place.0 == removed);
        let nodes: Vec<_> = files.into_iter().filter(stands_there).map(u64::from).collect();
        if !nodes.is_empty()
            && let Some(session) = req.session()
        {
            session.await_releases(&nodes);
        }
    }

    /// Renames an open file out of sight. Its path is held for removal. `EBUSY` if there is no way.
    pub(super) fn hide(&self, id: Id, path: &CStr, dir: Id) -> Result<()> {
        if !self.has.contains(OpSet::RENAME | OpSet::UNLINK | OpSet::GETATTR) {
            return Err(Errno::EBUSY);
        }
        let (name, hidden) = self.free_name(id, dir)?;
        self.ops.rename(path, &hidden, 0)?;
        self.space.relink(id, dir, name.as_bytes());
        self.hidden.files.lock().push(id);
        // Files without paths are closed without asking for this one: it may have been just now.
        let closed = self.space.nodes.with(id, |node| {
            node.hidden = node.opens > 0;
            !node.hidden
        });
        if closed == Some(true) {
            self.remove_held(id, &hidden);
        }
        Ok(())
    }

    /// A name that neither the tree nor the filesystem has.
    fn free_name(&self, id: Id, dir: Id) -> Result<(String, CString)> {
        let mut room = Room::new();
        for _ in 0..TRIES {
            let mut name = self.hidden.next(id);
            while self.space.child(dir, name.as_bytes()).is_some() {
                name = self.hidden.next(id);
            }
            let path = self.space.path(dir, Some(name.as_bytes()), &mut room);
            let path = path.ok_or(self.compat.deleted)?;
            match self.ops.getattr(Some(path), None) {
                Err(Errno::ENOENT) => return Ok((name, path.to_owned())),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Err(Errno::EBUSY)
    }

    /// Removes a hidden file that nobody has open any more. No path may be held.
    pub(super) fn remove_hidden(&self, id: Id) {
        // Its directory may be moved meanwhile, but nothing gives the file itself another name.
        let Some((dir, name)) = self.space.place(id) else { return };
        // Otherwise it has been removed under its hidden name.
        let mut room = Room::new();
        if let Ok(locked) = self.lock_for_removal(dir, name.as_bytes(), &mut room)
            && self.space.child(dir, name.as_bytes()) == Some(id)
        {
            self.remove_held(id, locked.path());
        }
        self.hidden.files.lock().retain(|other| *other != id);
    }

    fn remove_held(&self, id: Id, path: &CStr) {
        match self.ops.unlink(path) {
            Ok(()) => self.space.detach(id),
            Err(error) => log::warn!("fuse: can't remove the hidden file of node {id}: {error}"),
        }
        self.hidden.files.lock().retain(|other| *other != id);
    }

    /// Removes all hidden files, open or not, before the filesystem ends. No request is served any
    /// more, so paths stay as they are; they are not locked, as a handler that never returned may
    /// hold one for ever.
    pub(super) fn remove_all_hidden(&self) {
        if !self.has.contains(OpSet::UNLINK) {
            return;
        }
        for id in self.space.nodes.select(|node: &Node| node.hidden) {
            self.space.nodes.with(id, |node| node.hidden = false);
            let mut room = Room::new();
            if let Some(place) = self.space.place(id)
                && let Some(path) = self.space.path_at(&place, &mut room)
            {
                self.remove_held(id, path);
            }
        }
    }
}
