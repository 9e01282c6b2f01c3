//! Open files: open, create, flush, release.

use std::ffi::CStr;

use super::attr::TYPE;
use super::core::{Tree, finish};
use super::file::OpenFile;
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::session::ops::FileInfo;
use crate::session::{NodeId, OpenReply, Request};
use crate::wire::layout::FileLock;
use crate::wire::reply::Entry;

fn open_reply(file: &OpenFile) -> OpenReply {
    OpenReply { fh: file.fh, flags: file.open_flags(), backing_id: file.backing_id }
}

impl<P: PathOps> Tree<P> {
    pub(super) fn open(&self, req: Request, node: NodeId, file: &FileInfo) {
        let mut scope = self.scope(&req);
        let mut file = OpenFile::new(file);
        let result = self.open_file(id_of(node), &mut file);
        scope.returned();
        let _ = match result {
            Ok(()) => {
                if req.reply_open(open_reply(&file)) == Err(Errno::ENOENT) {
                    self.take_back_open(id_of(node), &file);
                }
                return;
            }
            Err(error) => req.reply_error(error),
        };
    }

    fn open_file(&self, id: Id, file: &mut OpenFile) -> Result<()> {
        let mut room = Room::new();
        let locked = self.lock_node(id, &mut room)?;
        if self.has.contains(OpSet::OPEN) {
            self.ops.open(locked.path(), file)?;
        }
        self.apply_options(file);
        let config = self.config();
        if config.auto_cache {
            self.judge_cache(id, locked.path(), file);
        }
        if config.no_rofd_flush && file.flags & libc::O_ACCMODE == libc::O_RDONLY {
            file.noflush = true;
        }
        self.space.nodes.with(id, |node| node.opens += 1);
        Ok(())
    }

    /// What the options say of every open file.
    fn apply_options(&self, file: &mut OpenFile) {
        let config = self.config();
        file.direct_io |= config.direct_io;
        file.keep_cache |= config.kernel_cache;
        file.parallel_direct_writes |= config.parallel_direct_writes && file.direct_io;
    }

    /// `auto_cache`: cached data stays if the file has not changed since it was last looked at,
    /// which is done now if that was too long ago.
    fn judge_cache(&self, id: Id, path: &CStr, file: &mut OpenFile) {
        let config = self.config();
        let limit = config.ac_attr_timeout.unwrap_or(config.attr_timeout);
        let now = self.now();
        let seen = |node: &mut super::nodes::Node| node.extra().seen;
        let Some(seen) = self.space.nodes.with(id, seen) else { return };
        let age = now.saturating_sub(seen.at) as f64 / 1.0e9;
        let fresh = (seen.valid && age > limit).then(|| match self.need(OpSet::GETATTR) {
            Ok(()) => self.ops.getattr(Some(path), Some(file)),
            Err(error) => Err(error),
        });
        let now = self.now();
        let keep = self.space.nodes.with(id, |node| {
            let seen = &mut node.extra().seen;
            match fresh {
                Some(Ok(attr)) => seen.update(&attr, now),
                Some(Err(_)) => seen.valid = false,
                None => {}
            }
            // What is read from here on is as fresh as what was last seen.
            std::mem::replace(&mut seen.valid, true)
        });
        file.keep_cache |= keep == Some(true);
    }

    /// Nobody got the answer to an open: the file is released as if it had been closed.
    fn take_back_open(&self, id: Id, file: &OpenFile) {
        {
            let mut room = Room::new();
            let locked = self.lock_to_release(id, &mut room);
            self.release_op(locked.path(), file);
        }
        self.closed(id);
    }

    pub(super) fn create(
        &self,
        req: Request,
        parent: NodeId,
        name: &[u8],
        mode: u32,
        file: &FileInfo,
    ) {
        let mut scope = self.scope(&req);
        let mut file = OpenFile::new(file);
        let result = self.create_file(id_of(parent), name, mode, &mut file);
        scope.returned();
        match result {
            Ok(entry) => {
                if req.reply_create(&entry, open_reply(&file)) == Err(Errno::ENOENT) {
                    self.take_back_open(id_of(entry.node), &file);
                    self.forget_node(entry.node, 1);
                }
            }
            Err(error) => {
                let _ = req.reply_error(error);
            }
        }
    }

    fn create_file(&self, dir: Id, name: &[u8], mode: u32, file: &mut OpenFile) -> Result<Entry> {
        let mut room = Room::new();
        let locked = self.lock_name(dir, name, &mut room)?;
        let path = locked.path();
        self.need(OpSet::CREATE)?;
        self.ops.create(path, mode, file)?;
        let entry = match self.look_up(dir, name, path, Some(file)) {
            Ok(entry) if entry.attr.mode & TYPE == libc::S_IFREG => entry,
            Ok(entry) => {
                self.release_op(Some(path), file);
                self.forget_node(entry.node, 1);
                return Err(Errno::EIO);
            }
            Err(error) => {
                self.release_op(Some(path), file);
                return Err(error);
            }
        };
        self.apply_options(file);
        self.space.nodes.with(id_of(entry.node), |node| node.opens += 1);
        Ok(entry)
    }

    /// The filesystem's release, whose result nobody is told.
    pub(super) fn release_op(&self, path: Option<&CStr>, file: &OpenFile) {
        if self.has.contains(OpSet::RELEASE)
            && let Err(error) = self.ops.release(path, file)
        {
            log::debug!("fuse: release: {error}");
        }
    }

    /// One open file less; the last one takes a hidden file with it. No path may be held.
    fn closed(&self, id: Id) {
        let gone = self.space.nodes.with(id, |node| {
            node.opens = node.opens.saturating_sub(1);
            let gone = node.hidden && node.opens == 0;
            node.hidden &= !gone;
            gone
        });
        if gone == Some(true) {
            self.remove_hidden(id);
        }
    }

    pub(super) fn flush(&self, req: Request, node: NodeId, file: &FileInfo) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_to_flush(id_of(node), &mut room)?;
            self.flush_file(id_of(node), locked.path(), &OpenFile::new(file))
        });
        finish(req, result);
    }

    /// Flushes, and drops the locks that the owner has on the file, as close(2) does.
    fn flush_file(&self, id: Id, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let flushed = match self.need(OpSet::FLUSH) {
            Ok(()) => self.ops.flush(path, file),
            Err(error) => Err(error),
        };
        if !self.has.contains(OpSet::LOCK) {
            return flushed;
        }
        let whole = FileLock {
            start: 0,
            end: i64::MAX.cast_unsigned(),
            kind: libc::F_UNLCK as u32,
            pid: 0,
        };
        let unlocked = self.ops.lock(path, file, libc::F_SETLK, &mut whole.clone());
        if unlocked == Err(Errno::ENOSYS) {
            return flushed;
        }
        self.note_lock(id, &whole, file.lock_owner);
        // With locks the kernel must go on sending FLUSH, whether there is a flush or not.
        if flushed == Err(Errno::ENOSYS) { Ok(()) } else { flushed }
    }

    pub(super) fn release(&self, req: Request, node: NodeId, file: &FileInfo) {
        let id = id_of(node);
        let file = OpenFile::new(file);
        let result = self.serve(&req, || {
            // The file is closed whatever becomes of its path.
            let mut room = Room::new();
            let locked = self.lock_to_release(id, &mut room);
            let mut flushed = Ok(());
            if file.flush {
                flushed = self.flush_file(id, locked.path(), &file);
                if flushed == Err(Errno::ENOSYS) {
                    flushed = Ok(());
                }
            }
            self.release_op(locked.path(), &file);
            drop(locked);
            self.closed(id);
            flushed
        });
        finish(req, result);
    }

    pub(super) fn fsync(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::FSYNC)?;
            self.ops.fsync(locked.path(), datasync, &OpenFile::new(file))
        });
        finish(req, result);
    }
}
