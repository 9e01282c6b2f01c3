//! Operations that only need a path: access, statfs, extended attributes, bmap, syncfs.

use std::ffi::CStr;

use super::core::{Tree, finish};
use super::nodes::id_of;
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::Result;
use crate::memory;
use crate::session::{NodeId, Request};
use crate::wire::layout::Kstatfs;

/// Most that an attribute's value or list may take; the kernel's limit is 64 KiB.
const MAX_XATTR: usize = 1 << 20;

impl<P: PathOps> Tree<P> {
    /// Runs an operation on the path of a node.
    fn with_path<T>(
        &self,
        req: &Request,
        node: NodeId,
        op: OpSet,
        f: impl FnOnce(&CStr) -> Result<T>,
    ) -> Result<T> {
        self.serve(req, || {
            let mut room = Room::new();
            let locked = self.lock_node(id_of(node), &mut room)?;
            self.need(op)?;
            f(locked.path())
        })
    }

    pub(super) fn access(&self, req: Request, node: NodeId, mask: u32) {
        let result = self
            .with_path(&req, node, OpSet::ACCESS, |path| self.ops.access(path, mask.cast_signed()));
        finish(req, result);
    }

    pub(super) fn statfs(&self, req: Request, node: NodeId) {
        let result = self.serve(&req, || {
            // Old kernels may ask without a node.
            let mut room = Room::new();
            let locked =
                if node == 0 { None } else { Some(self.lock_node(id_of(node), &mut room)?) };
            let path = locked.as_ref().map_or(c"/", |locked| locked.path());
            if !self.has.contains(OpSet::STATFS) {
                return Ok(Kstatfs { namelen: 255, bsize: 512, ..Kstatfs::default() });
            }
            self.ops.statfs(path)
        });
        let _ = match result {
            Ok(st) => req.reply_statfs(&st),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn setxattr(
        &self,
        req: Request,
        node: NodeId,
        name: &CStr,
        value: &[u8],
        flags: u32,
    ) {
        let result = self.with_path(&req, node, OpSet::SETXATTR, |path| {
            self.ops.setxattr(path, name, value, flags.cast_signed())
        });
        finish(req, result);
    }

    pub(super) fn getxattr(&self, req: Request, node: NodeId, name: &CStr, size: usize) {
        self.answer_xattr(req, node, OpSet::GETXATTR, size, |path, buf| {
            self.ops.getxattr(path, name, buf)
        });
    }

    pub(super) fn listxattr(&self, req: Request, node: NodeId, size: usize) {
        self.answer_xattr(req, node, OpSet::LISTXATTR, size, |path, buf| {
            self.ops.listxattr(path, buf)
        });
    }

    /// Answers with the data, or with its size if that is all that was asked for.
    fn answer_xattr(
        &self,
        req: Request,
        node: NodeId,
        op: OpSet,
        size: usize,
        f: impl FnOnce(&CStr, &mut [u8]) -> Result<usize>,
    ) {
        let mut buf = Vec::new();
        let result =
            memory::zeroed("extended attributes", size.min(MAX_XATTR)).and_then(|memory| {
                buf = memory;
                self.with_path(&req, node, op, |path| f(path, &mut buf))
            });
        let _ = match result {
            Ok(len) if size == 0 => req.reply_xattr_size(u32::try_from(len).unwrap_or(u32::MAX)),
            Ok(len) => req.reply_bytes(buf.get(..len).unwrap_or(&buf)),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn removexattr(&self, req: Request, node: NodeId, name: &CStr) {
        let result =
            self.with_path(&req, node, OpSet::REMOVEXATTR, |path| self.ops.removexattr(path, name));
        finish(req, result);
    }

    pub(super) fn bmap(&self, req: Request, node: NodeId, blocksize: usize, block: u64) {
        let result =
            self.with_path(&req, node, OpSet::BMAP, |path| self.ops.bmap(path, blocksize, block));
        let _ = match result {
            Ok(block) => req.reply_bmap(block),
            Err(error) => req.reply_error(error),
        };
    }

    pub(super) fn syncfs(&self, req: Request, node: NodeId) {
        let result = self.with_path(&req, node, OpSet::SYNCFS, |path| self.ops.syncfs(path));
        finish(req, result);
    }
}
