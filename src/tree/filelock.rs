//! Record locks and flock(2).

use super::core::{Tree, finish};
use super::file::OpenFile;
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::Result;
use crate::session::ops::FileInfo;
use crate::session::{NodeId, Request};
use crate::wire::layout::FileLock;

impl<P: PathOps> Tree<P> {
    fn lock_op(&self, id: Id, file: &FileInfo, command: i32, lock: &mut FileLock) -> Result<()> {
        let mut room = Room::new();
        let locked = self.lock_open(id, &mut room)?;
        self.need(OpSet::LOCK)?;
        self.ops.lock(locked.path(), &OpenFile::new(file), command, lock)
    }

    /// Remembers what was granted.
    pub(super) fn note_lock(&self, id: Id, lock: &FileLock, owner: u64) {
        self.space.nodes.with(id, |node| {
            if lock.kind != libc::F_UNLCK as u32 || node.extra.is_some() {
                node.extra().locks.insert(lock, owner);
                node.trim();
            }
        });
    }

    pub(super) fn getlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock) {
        let id = id_of(node);
        let result = self.serve(&req, || {
            let known = self.space.nodes.with(id, |node| {
                node.extra.as_ref().and_then(|extra| extra.locks.conflict(lock, file.lock_owner))
            });
            if let Some(Some(conflict)) = known {
                return Ok(conflict);
            }
            let mut lock = *lock;
            self.lock_op(id, file, libc::F_GETLK, &mut lock)?;
            Ok(lock)
        });
        let _ = match result {
            Ok(lock) => req.reply_lock(&lock),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn setlk(
        &self,
        req: Request,
        node: NodeId,
        file: &FileInfo,
        lock: &FileLock,
        sleep: bool,
    ) {
        let id = id_of(node);
        let result = self.serve(&req, || {
            let command = if sleep { libc::F_SETLKW } else { libc::F_SETLK };
            self.lock_op(id, file, command, &mut lock.clone())?;
            self.note_lock(id, lock, file.lock_owner);
            Ok(())
        });
        finish(req, result);
    }

    pub(super) fn flock(&self, req: Request, node: NodeId, file: &FileInfo, op: i32) {
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_open(id_of(node), &mut room)?;
            self.need(OpSet::FLOCK)?;
            self.ops.flock(locked.path(), &OpenFile::new(file), op)
        });
        finish(req, result);
    }
}
