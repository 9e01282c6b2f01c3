//! Attributes as statx(2) has them.

use super::attr::TYPE;
use super::core::Tree;
use super::file::OpenFile;
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::session::ops::FileInfo;
use crate::session::{NodeId, Request};
use crate::wire::layout::{Attr, Statx};
use crate::wire::reply::Timeout;

impl<P: PathOps> Tree<P> {
    pub(super) fn statx(
        &self,
        req: Request,
        node: NodeId,
        (flags, mask): (u32, u32),
        file: Option<&FileInfo>,
    ) {
        let id = id_of(node);
        let result = self.serve(&req, || {
            let file = file.map(OpenFile::new);
            let mut room = Room::new();
            let locked = self.lock_maybe_open(id, file.is_some(), &mut room)?;
            self.need(OpSet::STATX)?;
            let path = locked.path();
            let empty = if path.is_none() { libc::AT_EMPTY_PATH.cast_unsigned() } else { 0 };
            self.ops.statx(path, flags | empty, mask, file.as_ref())
        });
        let _ = match result {
            Ok(stat) => {
                let timeout = Timeout::from_secs_f64(self.config().attr_timeout);
                req.reply_statx(self.present_statx(id, stat), 0, timeout)
            }
            Err(error) => req.reply_error(error),
        };
    }

    /// What the options make of them, as of other attributes ([`Tree::present`]).
    fn present_statx(&self, id: Id, mut stat: Statx) -> Statx {
        let seen = self.config().auto_cache.then(|| self.now());
        let mut attr = Attr {
            ino: stat.ino,
            size: stat.size,
            mtime: stat.mtime.tv_sec.cast_unsigned(),
            mtimensec: stat.mtime.tv_nsec,
            mode: stat.mode.into(),
            uid: stat.uid,
            gid: stat.gid,
            ..Attr::default()
        };
        let hidden = self.space.nodes.with(id, |node| {
            if let Some(now) = seen {
                node.extra().seen.update(&attr, now);
            }
            node.hidden
        });
        if hidden == Some(true) {
            stat.nlink = stat.nlink.saturating_sub(1);
        }
        self.config().present(id, &mut attr);
        // 16 bits hold the type and the permissions.
        stat.mode = (attr.mode & (TYPE | 0o7777)) as u16;
        (stat.ino, stat.uid, stat.gid) = (attr.ino, attr.uid, attr.gid);
        stat
    }
}
