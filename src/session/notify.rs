//! Notifications: messages to the kernel that answer nothing.
//!
//! The kernel takes locks on the nodes and directories they name. Where it may hold such a lock and
//! wait for this filesystem meanwhile, a notification is queued: see [`notifier`](super::notifier).
//! Its result is the kernel's if that comes within 10 ms, and 0 otherwise.

use std::collections::HashMap;
use std::io::IoSlice;

use zerocopy::{Immutable, IntoBytes};

use super::notifier::Route;
use super::{NodeId, Session};
use crate::buf::{self, CopyFlags, Vector};
use crate::errno::{Errno, Result};
use crate::sys::uring::borrow;
use crate::sys::waiting;
use crate::transport::uring;
use crate::wire::NotifyCode;
use crate::wire::flags::EXPIRE_ONLY;
use crate::wire::layout::*;

/// Retrieve notifications whose answer has not come.
#[derive(Default)]
pub(super) struct Retrieves {
    last: u64,
    cookies: HashMap<u64, usize>,
}

impl Retrieves {
    /// A new id, counted from 1.
    ///
    /// io_uring looks answers up by id, and requests have small even ones: there, ids are taken from
    /// where requests never come to.
    fn insert(&mut self, cookie: usize, by_ring: bool) -> u64 {
        self.last += 1;
        let unique = if by_ring { RING_IDS | (self.last << 1) } else { self.last };
        self.cookies.insert(unique, cookie);
        unique
    }

    /// The cookie of an answer.
    pub fn remove(&mut self, unique: u64) -> Option<usize> {
        self.cookies.remove(&unique)
    }
}

/// Ids of retrieve notifications whose answers come by io_uring.
const RING_IDS: u64 = 1 << 62;

/// What the name of an entry notification ends with.
const NUL: &[u8] = &[0];

impl Session {
    /// Sends a notification, if the protocol has it (since `minor`) and INIT is done.
    fn notify(&self, minor: u32, code: NotifyCode, payload: &[IoSlice<'_>]) -> Result<()> {
        self.may_notify(minor)?;
        let channel = self.channel().ok_or(Errno::ENOTCONN)?;
        self.send(&*channel, 0, code as i32, payload)
    }

    fn may_notify(&self, minor: u32) -> Result<()> {
        // What the notification waits for in the kernel may wait for the answer that the caller,
        // inside its handler, has given before.
        uring::flush();
        if !self.is_initialized() {
            Err(Errno::ENOTCONN)
        } else if self.protocol().minor < minor {
            Err(Errno::ENOSYS)
        } else {
            Ok(())
        }
    }

    /// What became of data sent or asked for. Of a node that it forgot with the mount the kernel says `ENOENT` too, where
    /// programs look for `ENODEV`, as retrieving gives while the mount goes. (Of what is to be dropped from its cache
    /// they take `ENOENT` for good.)
    fn verdict(&self, sent: Result<()>) -> Result<()> {
        match (sent, self.channel()) {
            (Err(Errno::ENOENT), Some(channel)) if channel.is_kernel_device() => {
                let over = waiting::is_over(borrow(channel.raw_fd(), &channel));
                Err(if over { Errno::ENODEV } else { Errno::ENOENT })
            }
            (sent, _) => sent,
        }
    }

    /// Wakes whoever polls the file with this kernel handle.
    pub(super) fn notify_poll(&self, kh: u64) -> Result<()> {
        let out = NotifyPollWakeupOut { kh };
        self.notify(11, NotifyCode::Poll, &[IoSlice::new(out.as_bytes())])
    }

    /// Drops cached attributes and, unless `offset` is negative, `len` bytes of cached data from
    /// `offset` on; `len` 0 or less is to the end. `ENOENT`: the kernel does not know the node.
    pub fn notify_inval_inode(&self, node: NodeId, offset: i64, len: i64) -> Result<()> {
        let out = NotifyInvalInodeOut { ino: node, off: offset, len };
        self.may_notify(12)?;
        let send = move |session: &Session| {
            session.notify(12, NotifyCode::InvalInode, &[IoSlice::new(out.as_bytes())])
        };
        match self.route("fuse_lowlevel_notify_inval_inode", [node, 0]) {
            Route::Direct => send(self),
            Route::Queue { behind, patience } => {
                self.post([node, 0], 0, Box::new(send), (behind, patience))
            }
        }
    }

    /// Drops the cached name `name` in `parent`. `ENOENT`: it is not cached.
    pub fn notify_inval_entry(&self, parent: NodeId, name: &[u8]) -> Result<()> {
        self.entry_notification(12, parent, name, 0)
    }

    /// Lets the cached name expire, so that it is looked up again at its next use, but keeps it
    /// where it is in use.
    pub fn notify_expire_entry(&self, parent: NodeId, name: &[u8]) -> Result<()> {
        self.entry_notification(38, parent, name, EXPIRE_ONLY)
    }

    fn entry_notification(
        &self,
        minor: u32,
        parent: NodeId,
        name: &[u8],
        flags: u32,
    ) -> Result<()> {
        let namelen = u32::try_from(name.len()).map_err(|_| Errno::ENAMETOOLONG)?;
        let out = NotifyInvalEntryOut { parent, namelen, flags };
        let function = if flags & EXPIRE_ONLY == 0 {
            "fuse_lowlevel_notify_inval_entry"
        } else {
            "fuse_lowlevel_notify_expire_entry"
        };
        self.about_entry((function, [parent, 0]), (minor, NotifyCode::InvalEntry), out, name)
    }

    /// Tells the kernel that `child` was removed from `parent`, as if by unlink(2) or rmdir(2).
    pub fn notify_delete(&self, parent: NodeId, child: NodeId, name: &[u8]) -> Result<()> {
        let namelen = u32::try_from(name.len()).map_err(|_| Errno::ENAMETOOLONG)?;
        let out = NotifyDeleteOut { parent, child, namelen, padding: 0 };
        let function = "fuse_lowlevel_notify_delete";
        self.about_entry((function, [parent, child]), (18, NotifyCode::Delete), out, name)
    }

    /// Sends what names an entry, now or by the queue.
    fn about_entry(
        &self,
        (function, nodes): (&'static str, [NodeId; 2]),
        (minor, code): (u32, NotifyCode),
        out: impl IntoBytes + Immutable + Send + 'static,
        name: &[u8],
    ) -> Result<()> {
        self.may_notify(minor)?;
        let send = move |session: &Session, name: &[u8]| {
            let payload = [IoSlice::new(out.as_bytes()), IoSlice::new(name), IoSlice::new(NUL)];
            session.notify(minor, code, &payload)
        };
        match self.route(function, nodes) {
            Route::Direct => send(self, name),
            Route::Queue { behind, patience } => {
                let name = name.to_vec();
                let later = Box::new(move |session: &Session| send(session, &name));
                self.post(nodes, 0, later, (behind, patience))
            }
        }
    }

    /// Makes the kernel look up again, at its next use, every name that it has cached up to now.
    pub fn notify_increment_epoch(&self) -> Result<()> {
        self.notify(44, NotifyCode::IncEpoch, &[])
    }

    /// Asks the kernel to drop these nodes from its cache, as far as nothing uses them.
    pub fn notify_prune(&self, nodes: &[NodeId]) -> Result<()> {
        let count = u32::try_from(nodes.len()).map_err(|_| Errno::EINVAL)?;
        let out = NotifyPruneOut { count, padding: 0, spare: 0 };
        let payload = [IoSlice::new(out.as_bytes()), IoSlice::new(nodes.as_bytes())];
        self.notify(45, NotifyCode::Prune, &payload)
    }

    /// Puts data into the page cache of `node` at `offset`, as if it had been read.
    pub fn notify_store(
        &self,
        node: NodeId,
        offset: u64,
        data: Vector<'_>,
        flags: CopyFlags,
    ) -> Result<()> {
        self.may_notify(15)?;
        let size = u32::try_from(data.remaining()).map_err(|_| Errno::EINVAL)?;
        let (behind, patience) = match self.route("fuse_lowlevel_notify_store", [node, 0]) {
            Route::Direct => return self.store(node, offset, data, flags),
            Route::Queue { behind, patience } => (behind, patience),
        };
        // The caller's memory and descriptors are its own again when this returns.
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size as usize).map_err(|_| Errno::ENOMEM)?;
        bytes.resize(size as usize, 0);
        let mut data = data;
        let copied = buf::copy(&mut Vector::from_bytes_mut(&mut bytes), &mut data, flags)?;
        bytes.truncate(copied);
        let send = move |session: &Session| {
            session.store(node, offset, Vector::from_bytes(&bytes), CopyFlags::empty())
        };
        self.post([node, 0], size as usize, Box::new(send), (behind, patience))
    }

    fn store(&self, node: NodeId, offset: u64, data: Vector<'_>, flags: CopyFlags) -> Result<()> {
        let channel = self.channel().ok_or(Errno::ENOTCONN)?;
        let size = u32::try_from(data.remaining()).map_err(|_| Errno::EINVAL)?;
        let out = NotifyStoreOut { nodeid: node, offset, size, padding: 0 };
        let code = NotifyCode::Store as i32;
        let sent = self.send_vector(&*channel, (0, code), out.as_bytes(), data, flags);
        self.verdict(sent.flatten())
    }

    /// Asks for cached data of `node`; it comes as
    /// [`retrieve_reply`](super::LowLevelOps::retrieve_reply) with this cookie. `ENOTCONN` in a forked child
    /// that does not serve the session: the answer would come to its parent, with an id that may be another's.
    pub fn notify_retrieve(
        &self,
        node: NodeId,
        size: usize,
        offset: u64,
        cookie: usize,
    ) -> Result<()> {
        self.may_notify(15)?;
        if !self.notifier.is_served_here() {
            return Err(Errno::ENOTCONN);
        }
        let size = u32::try_from(size).map_err(|_| Errno::EINVAL)?;
        let notify_unique = self.retrieves.lock().insert(cookie, self.uses_rings());
        let out = NotifyRetrieveOut { notify_unique, nodeid: node, offset, size, padding: 0 };
        let sent = self.notify(15, NotifyCode::Retrieve, &[IoSlice::new(out.as_bytes())]);
        let sent = self.verdict(sent);
        if sent.is_err() {
            // No answer will come.
            self.retrieves.lock().remove(notify_unique);
        }
        sent
    }
}
