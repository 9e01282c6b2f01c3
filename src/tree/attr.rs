//! Attributes: getattr, setattr, and what the options make of them.

use super::config::TreeConfig;
use super::core::Tree;
use super::file::{OpenFile, SetTime};
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::Result;
use crate::session::ops::FileInfo;
use crate::session::{NodeId, Request};
use crate::wire::flags::SetattrValid;
use crate::wire::layout::{Attr, SetattrIn};
use crate::wire::reply::Timeout;

/// Bits of a mode that say what kind of file it is.
pub(super) const TYPE: u32 = libc::S_IFMT;

impl TreeConfig {
    /// Makes attributes what the kernel is to see.
    #[inline]
    pub(super) fn present(&self, id: Id, attr: &mut Attr) {
        if !self.use_ino {
            attr.ino = id.into();
        }
        if self.set_mode {
            let mask = if self.dmask != 0 && attr.mode & TYPE == libc::S_IFDIR {
                self.dmask
            } else if self.fmask != 0 {
                self.fmask
            } else {
                self.umask
            };
            attr.mode = (attr.mode & TYPE) | (0o777 & !mask);
        }
        attr.uid = self.set_uid.unwrap_or(attr.uid);
        attr.gid = self.set_gid.unwrap_or(attr.gid);
    }
}

impl<P: PathOps> Tree<P> {
    pub(super) fn getattr(&self, req: Request, node: NodeId, file: Option<&FileInfo>) {
        let result = self.serve(&req, || {
            let file = file.map(OpenFile::new);
            let mut room = Room::new();
            let locked = self.lock_maybe_open(id_of(node), file.is_some(), &mut room)?;
            self.need(OpSet::GETATTR)?;
            Ok((self.ops.getattr(locked.path(), file.as_ref())?, locked.hidden()))
        });
        self.reply_attr(req, id_of(node), result);
    }

    /// Answers with attributes, and whether the node is out of sight if that is known.
    fn reply_attr(&self, req: Request, id: Id, result: Result<(Attr, Option<bool>)>) {
        let _ = match result {
            Ok((mut attr, mut hidden)) => {
                let config = self.config();
                if hidden.is_none() || config.auto_cache {
                    hidden = self.note_attr(id, &attr);
                }
                // The name out of sight is the library's own affair.
                if hidden == Some(true) {
                    attr.nlink = attr.nlink.saturating_sub(1);
                }
                config.present(id, &mut attr);
                req.reply_attr(attr, Timeout::from_secs_f64(config.attr_timeout))
            }
            Err(error) => req.reply_error(error),
        };
    }

    /// Keeps attributes where the cache goes by them; returns whether the node is out of sight.
    fn note_attr(&self, id: Id, attr: &Attr) -> Option<bool> {
        let seen = self.config().auto_cache.then(|| self.now());
        self.space.nodes.with(id, |node| {
            if let Some(now) = seen {
                node.extra().seen.update(attr, now);
            }
            node.hidden
        })
    }

    pub(super) fn setattr(
        &self,
        req: Request,
        node: NodeId,
        attr: &SetattrIn,
        valid: SetattrValid,
        file: Option<&FileInfo>,
    ) {
        let result = self.serve(&req, || {
            let file = file.map(OpenFile::new);
            let mut room = Room::new();
            let locked = self.lock_maybe_open(id_of(node), file.is_some(), &mut room)?;
            let (path, file) = (locked.path(), file.as_ref());
            if valid.contains(SetattrValid::MODE) {
                self.need(OpSet::CHMOD)?;
                self.ops.chmod(path, attr.mode, file)?;
            }
            if valid.intersects(SetattrValid::UID | SetattrValid::GID) {
                self.need(OpSet::CHOWN)?;
                let uid = if valid.contains(SetattrValid::UID) { attr.uid } else { u32::MAX };
                let gid = if valid.contains(SetattrValid::GID) { attr.gid } else { u32::MAX };
                self.ops.chown(path, uid, gid, file)?;
            }
            if valid.contains(SetattrValid::SIZE) {
                self.need(OpSet::TRUNCATE)?;
                self.ops.truncate(path, attr.size.cast_signed(), file)?;
            }
            if valid.intersects(SetattrValid::ATIME | SetattrValid::MTIME) {
                let both = valid.contains(SetattrValid::ATIME | SetattrValid::MTIME);
                if self.compat.utime_omit {
                    self.need(OpSet::UTIMENS)?;
                    self.ops.utimens(path, times(attr, valid), file)?;
                } else if both {
                    let given = valid - SetattrValid::ATIME_NOW - SetattrValid::MTIME_NOW;
                    self.need(OpSet::UTIMENS)?;
                    self.ops.utimens(path, times(attr, given), file)?;
                }
            }
            self.need(OpSet::GETATTR)?;
            Ok((self.ops.getattr(path, file)?, locked.hidden()))
        });
        self.reply_attr(req, id_of(node), result);
    }
}

/// Access and modification time that a SETATTR asks for.
fn times(attr: &SetattrIn, valid: SetattrValid) -> [SetTime; 2] {
    let time = |given, now, secs: u64, nanos| match (valid.contains(given), valid.contains(now)) {
        (_, true) => SetTime::Now,
        (true, false) => SetTime::At { secs: secs.cast_signed(), nanos },
        (false, false) => SetTime::Omit,
    };
    [
        time(SetattrValid::ATIME, SetattrValid::ATIME_NOW, attr.atime, attr.atimensec),
        time(SetattrValid::MTIME, SetattrValid::MTIME_NOW, attr.mtime, attr.mtimensec),
    ]
}
