//! Operations that make, remove and move names.

use std::ffi::CStr;

use super::attr::TYPE;
use super::core::{Tree, finish};
use super::file::OpenFile;
use super::locks::Target;
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::session::{NodeId, Request};
use crate::wire::reply::Entry;

impl<P: PathOps> Tree<P> {
    /// Makes a name by `make` and answers with its node.
    fn make(
        &self,
        req: Request,
        dir: NodeId,
        name: &[u8],
        op: OpSet,
        make: impl FnOnce(&CStr) -> Result<()>,
    ) {
        let dir = id_of(dir);
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_name(dir, name, &mut room)?;
            self.need(op)?;
            make(locked.path())?;
            self.look_up(dir, name, locked.path(), None)
        });
        self.reply_entry(req, result);
    }

    pub(super) fn mkdir(&self, req: Request, dir: NodeId, name: &[u8], mode: u32) {
        self.make(req, dir, name, OpSet::MKDIR, |path| self.ops.mkdir(path, mode));
    }

    pub(super) fn symlink(&self, req: Request, target: &CStr, dir: NodeId, name: &[u8]) {
        self.make(req, dir, name, OpSet::SYMLINK, |path| self.ops.symlink(target, path));
    }

    pub(super) fn mknod(&self, req: Request, dir: NodeId, name: &[u8], mode: u32, rdev: u32) {
        let dir = id_of(dir);
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_name(dir, name, &mut room)?;
            let path = locked.path();
            if mode & TYPE == libc::S_IFREG && self.has.contains(OpSet::CREATE) {
                match self.make_regular(dir, name, path, mode) {
                    Err(Errno::ENOSYS) => {}
                    result => return result,
                }
            }
            self.need(OpSet::MKNOD)?;
            self.ops.mknod(path, mode, rdev)?;
            self.look_up(dir, name, path, None)
        });
        self.reply_entry(req, result);
    }

    /// mknod of a regular file by create, which more filesystems have.
    fn make_regular(&self, dir: Id, name: &[u8], path: &CStr, mode: u32) -> Result<Entry> {
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
        let mut file = OpenFile { flags, ..OpenFile::default() };
        self.ops.create(path, mode, &mut file)?;
        let entry = self.look_up(dir, name, path, Some(&file));
        self.release_op(Some(path), &file);
        entry
    }

    pub(super) fn link(&self, req: Request, node: NodeId, newdir: NodeId, newname: &[u8]) {
        let newdir = id_of(newdir);
        let result = self.serve(&req, || {
            let mut rooms = [Room::new(), Room::new()];
            let locked = self.lock_two(
                Target::node(id_of(node)),
                Target::name(newdir, newname),
                &mut rooms,
            )?;
            self.need(OpSet::LINK)?;
            self.ops.link(locked.first(), locked.second())?;
            self.look_up(newdir, newname, locked.second(), None)
        });
        self.reply_entry(req, result);
    }

    pub(super) fn unlink(&self, req: Request, dir: NodeId, name: &[u8]) {
        let dir = id_of(dir);
        let result = self.serve(&req, || {
            self.settle_name(&req, dir, name);
            let mut room = Room::new();
            let locked = self.lock_for_removal(dir, name, &mut room)?;
            if let Some(id) = self.must_hide(dir, name) {
                return self.hide(id, locked.path(), dir);
            }
            self.need(OpSet::UNLINK)?;
            self.ops.unlink(locked.path())?;
            self.removed(dir, name);
            Ok(())
        });
        finish(req, result);
    }

    pub(super) fn rmdir(&self, req: Request, dir: NodeId, name: &[u8]) {
        let dir = id_of(dir);
        let result = self.serve(&req, || {
            self.settle_hidden_in(&req, dir, name);
            let mut room = Room::new();
            let locked = self.lock_for_removal(dir, name, &mut room)?;
            self.need(OpSet::RMDIR)?;
            self.ops.rmdir(locked.path())?;
            self.removed(dir, name);
            Ok(())
        });
        finish(req, result);
    }

    /// A name is gone.
    fn removed(&self, dir: Id, name: &[u8]) {
        if let Some(id) = self.space.child(dir, name) {
            self.space.detach(id);
        }
    }

    pub(super) fn rename(
        &self,
        req: Request,
        (dir, name): (NodeId, &[u8]),
        (newdir, newname): (NodeId, &[u8]),
        flags: u32,
    ) {
        let (dir, newdir) = (id_of(dir), id_of(newdir));
        let exchange = flags & libc::RENAME_EXCHANGE != 0;
        let result = self.serve(&req, || {
            if !exchange {
                self.settle_name(&req, newdir, newname);
                self.settle_hidden_in(&req, newdir, newname);
            }
            let mut rooms = [Room::new(), Room::new()];
            let locked = self.lock_two(
                Target::write(dir, name),
                Target::write(newdir, newname),
                &mut rooms,
            )?;
            self.need(OpSet::RENAME)?;
            if !exchange
                && (dir, name) != (newdir, newname)
                && let Some(id) = self.must_hide(newdir, newname)
            {
                self.hide(id, locked.second(), newdir)?;
            }
            self.ops.rename(locked.first(), locked.second(), flags)?;
            let from = self.space.child(dir, name);
            let to = self.space.child(newdir, newname);
            match (from, to) {
                (Some(from), Some(to)) if exchange => self.space.exchange(from, to),
                (None, Some(to)) if exchange => self.space.relink(to, dir, name),
                (Some(from), _) => self.space.relink(from, newdir, newname),
                // The name means another file now, of which the kernel knows nothing yet.
                (None, Some(to)) => self.space.detach(to),
                (None, None) => {}
            }
            Ok(())
        });
        finish(req, result);
    }

    pub(super) fn readlink(&self, req: Request, node: NodeId) {
        // PATH_MAX and the NUL.
        let mut target = [0; libc::PATH_MAX as usize + 1];
        let result = self.serve(&req, || {
            let mut room = Room::new();
            let locked = self.lock_node(id_of(node), &mut room)?;
            self.need(OpSet::READLINK)?;
            self.ops.readlink(locked.path(), &mut target)
        });
        let _ = match result {
            Ok(()) => {
                let cut = &target[..target.len() - 1];
                let len = cut.iter().position(|byte| *byte == 0).unwrap_or(cut.len());
                req.reply_bytes(&cut[..len])
            }
            Err(error) => req.reply_error(error),
        };
    }
}
