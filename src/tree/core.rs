//! The tree itself, and what every operation goes through.

use std::ffi::CStr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use super::cleaner::Cleaner;
use super::config::{Compat, TreeConfig};
use super::directory::Directories;
use super::hidden::HiddenNames;
use super::interrupt::Interrupts;
use super::locks::{Held, PathLocks, Target};
use super::name::Name;
use super::namespace::Namespace;
use super::nodes::{Id, Node, Refusal};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::session::Request;
use crate::sys::signal::EmptyHandler;
use crate::sys::still::{self, Lock, Still};

/// A path-based filesystem as a low-level one.
///
/// Shared by all threads; `Arc<Tree<P>>` is what implements
/// [`LowLevelOps`](crate::session::LowLevelOps).
pub struct Tree<P> {
    pub(super) ops: P,
    pub(super) has: OpSet,
    /// As given; then, from init on, as the filesystem edited it.
    before_init: TreeConfig,
    pub(super) settings: OnceLock<TreeConfig>,
    pub(super) compat: Compat,
    pub(super) space: Namespace,
    pub(super) locks: PathLocks,
    pub(super) directories: Directories,
    pub(super) hidden: HiddenNames,
    pub(super) interrupts: Arc<Interrupts>,
    /// Keeps the interrupt signal from ending the process.
    pub(super) signal: OnceLock<Option<EmptyHandler>>,
    pub(super) cleaner: Cleaner,
    start: Instant,
}

/// A path and the lock that keeps it valid.
pub(super) struct Locked<'t> {
    path: &'t CStr,
    /// The node of the name, where that is held too.
    pub known: Option<Id>,
    /// Whether the node is out of sight, where that is known.
    hidden: Option<bool>,
    _held: Held<'t>,
}

impl Locked<'_> {
    pub fn path(&self) -> &CStr {
        self.path
    }
}

/// Two paths and their lock.
pub(super) struct LockedTwo<'t> {
    first: &'t CStr,
    second: &'t CStr,
    _held: Held<'t>,
}

impl LockedTwo<'_> {
    pub fn first(&self) -> &CStr {
        self.first
    }

    pub fn second(&self) -> &CStr {
        self.second
    }
}

/// Where an operation has an open file: perhaps a path, and its lock.
#[derive(Default)]
pub(super) struct MaybeLocked<'t>(Option<Locked<'t>>, Option<&'static CStr>);

impl MaybeLocked<'_> {
    /// Whether the node is out of sight, where that is known.
    pub fn hidden(&self) -> Option<bool> {
        self.0.as_ref()?.hidden
    }

    pub fn path(&self) -> Option<&CStr> {
        self.0.as_ref().map(Locked::path).or(self.1)
    }
}

/// What a path is found by, for forked children that notify.
impl<P: PathOps> Still for Tree<P> {
    fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        self.space.locks(each);
    }
}

impl<P: PathOps> Tree<P> {
    /// A tree over `ops`, with nothing but a root.
    pub fn new(ops: P, config: TreeConfig, compat: Compat) -> Arc<Tree<P>>
    where
        P: 'static,
    {
        let tree = Arc::new(Tree {
            has: ops.implements(),
            ops,
            before_init: config,
            settings: OnceLock::new(),
            compat,
            space: Namespace::new(),
            locks: PathLocks::default(),
            directories: Directories::default(),
            hidden: HiddenNames::default(),
            interrupts: Arc::default(),
            signal: OnceLock::new(),
            cleaner: Cleaner::default(),
            start: Instant::now(),
        });
        let owner: Weak<Tree<P>> = Arc::downgrade(&tree);
        still::keep(owner);
        tree
    }

    /// The filesystem.
    pub fn ops(&self) -> &P {
        &self.ops
    }

    /// The options in force.
    pub fn config(&self) -> &TreeConfig {
        self.settings.get().unwrap_or(&self.before_init)
    }

    /// How many nodes there are, the root included.
    pub fn node_count(&self) -> usize {
        self.space.nodes.len()
    }

    /// Fails an operation that the filesystem does not have.
    pub(super) fn need(&self, op: OpSet) -> Result<()> {
        if self.has.contains(op) { Ok(()) } else { Err(Errno::ENOSYS) }
    }

    /// The tree's clock, in ns; never 0.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// The same in seconds.
    pub(super) fn now_secs(&self) -> u32 {
        self.start.elapsed().as_secs() as u32
    }

    pub(super) fn refused(&self, refusal: Refusal, id: Id) -> Errno {
        match refusal {
            Refusal::Missing => {
                log::error!("fuse: request for a node that does not exist: {id}");
                Errno::ESTALE
            }
            Refusal::Deleted | Refusal::Busy => self.compat.deleted,
            Refusal::Circular => Errno::EINVAL,
        }
    }

    fn lock<'t>(&'t self, target: Target<'_>, room: &'t mut Room) -> Result<Locked<'t>> {
        let held = self.locks.acquire(&self.space, &[target]);
        let held = held.map_err(|refusal| self.refused(refusal, target.node))?;
        let path = self.space.path(target.node, target.name, room).ok_or(self.compat.deleted)?;
        Ok(Locked { path, known: None, hidden: None, _held: held })
    }

    /// The path of a node.
    pub(super) fn lock_node<'t>(&'t self, id: Id, room: &'t mut Room) -> Result<Locked<'t>> {
        let (mut place, mut hidden) = ((0, Name::EMPTY), false);
        let look = |node: &Node| {
            place = (node.parent, node.name.clone());
            hidden = node.hidden;
        };
        let held = self.locks.acquire_node(&self.space, id, look);
        let (held, seen) = held.map_err(|refusal| self.refused(refusal, id))?;
        let path = match seen {
            // Nobody renames what is held.
            true => self.space.path_at(&place, room),
            false => self.space.path(id, None, room),
        };
        let hidden = seen.then_some(hidden);
        let path = path.ok_or(self.compat.deleted)?;
        Ok(Locked { path, known: None, hidden, _held: held })
    }

    /// The path of a name in a directory.
    pub(super) fn lock_name<'t>(
        &'t self,
        dir: Id,
        name: &[u8],
        room: &'t mut Room,
    ) -> Result<Locked<'t>> {
        self.lock(Target::name(dir, name), room)
    }

    /// The path of a name that may have a node. The kernel looks a known name up again without the
    /// lock of its directory (after `ESTALE`, or when an entry's time is over), so the node is held
    /// too: otherwise the name could be taken away meanwhile.
    pub(super) fn lock_looked_up<'t>(
        &'t self,
        dir: Id,
        name: &[u8],
        room: &'t mut Room,
    ) -> Result<Locked<'t>> {
        if let Some((held, known)) = self.locks.acquire_looked_up(&self.space, dir, name) {
            let path = self.space.path(dir, Some(name), room).ok_or(self.compat.deleted)?;
            return Ok(Locked { path, known, hidden: None, _held: held });
        }
        while let Some(child) = self.space.child(dir, name) {
            let targets = [Target::name(dir, name), Target::node(child)];
            // A refusal that concerns the directory comes again below, or without the node.
            let held = self.locks.acquire(&self.space, &targets);
            // Until it was held, the name may have got another node, or none.
            if let Ok(held) = held
                && self.space.is_named(child, dir, name)
            {
                let path = self.space.path(dir, Some(name), room).ok_or(self.compat.deleted)?;
                return Ok(Locked { path, known: Some(child), hidden: None, _held: held });
            }
            if self.space.nodes.with(dir, |node| node.is_deleted()) != Some(false) {
                break;
            }
        }
        self.lock_name(dir, name, room)
    }

    /// The path of a name that is going to be taken away.
    pub(super) fn lock_for_removal<'t>(
        &'t self,
        dir: Id,
        name: &[u8],
        room: &'t mut Room,
    ) -> Result<Locked<'t>> {
        self.lock(Target::write(dir, name), room)
    }

    pub(super) fn lock_two<'t>(
        &'t self,
        first: Target<'_>,
        second: Target<'_>,
        [first_room, second_room]: &'t mut [Room; 2],
    ) -> Result<LockedTwo<'t>> {
        let held = self.locks.acquire(&self.space, &[first, second]);
        let held = held.map_err(|refusal| self.refused(refusal, first.node))?;
        let first = self.space.path(first.node, first.name, first_room);
        let second = self.space.path(second.node, second.name, second_room);
        let (first, second) = first.zip(second).ok_or(self.compat.deleted)?;
        Ok(LockedTwo { first, second, _held: held })
    }

    /// The path of an open file, if it still has one and the filesystem wants it.
    pub(super) fn lock_open<'t>(&'t self, id: Id, room: &'t mut Room) -> Result<MaybeLocked<'t>> {
        if self.config().nullpath_ok {
            return Ok(MaybeLocked::default());
        }
        self.lock_if_named(id, room)
    }

    /// The path of an open file, if it still has one.
    pub(super) fn lock_if_named<'t>(
        &'t self,
        id: Id,
        room: &'t mut Room,
    ) -> Result<MaybeLocked<'t>> {
        match self.lock_node(id, room) {
            Ok(locked) => Ok(MaybeLocked(Some(locked), None)),
            Err(error) if error == self.compat.deleted && self.compat.deleted_open => {
                Ok(MaybeLocked::default())
            }
            Err(error) => Err(error),
        }
    }

    /// The same for flush, which gives locks back whether the file has a name or not.
    pub(super) fn lock_to_flush<'t>(
        &'t self,
        id: Id,
        room: &'t mut Room,
    ) -> Result<MaybeLocked<'t>> {
        match self.lock_open(id, room) {
            Err(error) if error == self.compat.deleted => Ok(MaybeLocked::default()),
            locked => locked,
        }
    }

    /// The same for an operation that must not fail: libfuse 2 makes up a path for it.
    pub(super) fn lock_to_release<'t>(&'t self, id: Id, room: &'t mut Room) -> MaybeLocked<'t> {
        let made_up = !self.compat.deleted_open && !self.config().nullpath_ok;
        self.lock_open(id, room).unwrap_or(MaybeLocked(None, made_up.then_some(c"-")))
    }

    /// The path of a node that may be open.
    pub(super) fn lock_maybe_open<'t>(
        &'t self,
        id: Id,
        is_open: bool,
        room: &'t mut Room,
    ) -> Result<MaybeLocked<'t>> {
        if is_open && self.compat.open_attributes {
            return self.lock_open(id, room);
        }
        self.lock_node(id, room).map(|locked| MaybeLocked(Some(locked), None))
    }
}

/// Answers with success or the error. A failure to deliver was logged and leaves nothing to undo.
pub(super) fn finish(req: Request, result: Result<()>) {
    let _ = match result {
        Ok(()) => req.reply_ok(),
        Err(error) => req.reply_error(error),
    };
}
