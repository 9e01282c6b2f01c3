//! From a name to a node that the kernel knows.

use std::ffi::CStr;
use std::fmt;

use super::core::Tree;
use super::file::OpenFile;
use super::namespace::Forgotten;
use super::nodes::{Id, Node, ROOT, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use super::wording::name as shown;
use crate::errno::{Errno, Result};
use crate::session::{NodeId, Request};
use crate::wire::layout::Attr;
use crate::wire::reply::{Entry, Timeout};

impl<P: PathOps> Tree<P> {
    pub(super) fn lookup(&self, req: Request, parent: NodeId, name: &[u8]) {
        let result = self.serve(&req, || match name {
            b"." | b".." => self.look_up_dots(id_of(parent), name.len() == 2),
            _ => {
                let mut room = Room::new();
                let locked = self.lock_looked_up(id_of(parent), name, &mut room)?;
                self.tell(format_args!("LOOKUP {}", shown(Some(locked.path()))));
                match locked.known {
                    Some(id) => self.look_up_held(id, locked.path()),
                    None => self.look_up(id_of(parent), name, locked.path(), None),
                }
            }
        });
        let result = result.or_else(|error| self.negative(error));
        self.reply_entry(req, result);
    }

    /// A name that does not exist, where the kernel is to remember that.
    fn negative(&self, error: Errno) -> Result<Entry> {
        let timeout = self.config().negative_timeout;
        if error != Errno::ENOENT || timeout == 0.0 {
            return Err(error);
        }
        Ok(Entry { entry_timeout: Timeout::from_secs_f64(timeout), ..Entry::default() })
    }

    /// A node by its number alone, or the directory it stands in: for NFS, which has numbers where
    /// others have paths.
    fn look_up_dots(&self, id: Id, of_parent: bool) -> Result<Entry> {
        self.tell(format_args!("LOOKUP-{}", if of_parent { "DOTDOT" } else { "DOT" }));
        let id = match of_parent {
            false => id,
            true if id == ROOT => ROOT,
            true => self.space.nodes.with(id, |node| node.parent).unwrap_or(0),
        };
        // Not logged: the number may come from long ago.
        if self.space.nodes.with(id, |_| ()).is_none() {
            return Err(Errno::ESTALE);
        }
        let mut room = Room::new();
        let locked = self.lock_node(id, &mut room)?;
        self.tell(format_args!("LOOKUP {}", shown(Some(locked.path()))));
        self.look_up_held(id, locked.path())
    }

    /// The node of a name where both are held, so that they stay together.
    fn look_up_held(&self, id: Id, path: &CStr) -> Result<Entry> {
        self.need(OpSet::GETATTR)?;
        let attr = self.ops.getattr(Some(path), None)?;
        let count = self.counter(&attr);
        let (id, generation) = self.space.nodes.with(id, count).ok_or(Errno::ESTALE)?;
        self.tell(format_args!("   NODEID: {id}"));
        Ok(self.entry(id, generation, attr))
    }

    /// The node of a name whose path is held, if the filesystem has that name.
    pub(super) fn look_up(
        &self,
        dir: Id,
        name: &[u8],
        path: &CStr,
        file: Option<&OpenFile>,
    ) -> Result<Entry> {
        self.need(OpSet::GETATTR)?;
        let attr = self.ops.getattr(Some(path), file)?;
        let entry = self.enter_name(dir, name, attr)?;
        self.tell(format_args!("   NODEID: {}", entry.node));
        Ok(entry)
    }

    /// A line of debug output.
    fn tell(&self, line: fmt::Arguments<'_>) {
        if self.config().debug {
            log::debug!("{line}");
        }
    }

    /// The kernel takes lookups back.
    pub(super) fn forgotten(&self, node: NodeId, count: u64) {
        self.tell(format_args!("FORGET {node}/{count}"));
        self.forget_node(node, count);
    }

    /// The node of a name that exists, counted as looked up once.
    pub(super) fn enter_name(&self, dir: Id, name: &[u8], attr: Attr) -> Result<Entry> {
        let (id, generation) = self.space.enter(dir, name, self.counter(&attr))?;
        Ok(self.entry(id, generation, attr))
    }

    /// What a lookup does to a node.
    fn counter(&self, attr: &Attr) -> impl FnOnce(&mut Node) -> (Id, u32) {
        let kept = self.config().remember != 0;
        let seen = self.config().auto_cache.then(|| (self.now(), *attr));
        move |node| {
            node.nlookup += 1;
            node.kept |= kept && !node.is_deleted();
            if let Some((now, attr)) = seen {
                node.extra().seen.update(&attr, now);
            }
            (node.id, node.generation)
        }
    }

    fn entry(&self, id: Id, generation: u32, mut attr: Attr) -> Entry {
        let config = self.config();
        config.present(id, &mut attr);
        Entry {
            node: id.into(),
            generation: generation.into(),
            attr,
            attr_timeout: Timeout::from_secs_f64(config.attr_timeout),
            entry_timeout: Timeout::from_secs_f64(config.entry_timeout),
        }
    }

    /// Answers with a node, or takes the lookup back if nobody waits for the answer.
    pub(super) fn reply_entry(&self, req: Request, result: Result<Entry>) {
        match result {
            Ok(entry) => {
                if req.reply_entry(&entry) == Err(Errno::ENOENT) && entry.node != 0 {
                    self.forget_node(entry.node, 1);
                }
            }
            Err(error) => {
                let _ = req.reply_error(error);
            }
        }
    }

    /// Takes `count` lookups back.
    pub(super) fn forget_node(&self, node: NodeId, count: u64) {
        let id = id_of(node);
        let remember = self.config().remember > 0;
        let now = if remember { self.now_secs() } else { 0 };
        match self.space.forget(id, count, now) {
            Forgotten::Kept if remember => self.cleaner.push(id, now),
            Forgotten::Gone => self.tell(format_args!("DELETE: {id}")),
            Forgotten::Kept | Forgotten::InUse => {}
        }
    }
}
