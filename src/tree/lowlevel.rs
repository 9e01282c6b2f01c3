//! The tree as a low-level filesystem: each request to the module that serves it.

use std::ffi::CStr;
use std::sync::Arc;

use super::core::Tree;
use super::ops::PathOps;
use super::opset::OpSet;
use crate::buf::Vector;
use crate::session::caps::{Capabilities, ConnInfo, Features};
use crate::session::ops::{CopyRange, FileInfo, Forget, IoctlCall};
use crate::session::{LowLevelOps, NodeId, PollHandle, Request};
use crate::sys::signal::EmptyHandler;
use crate::wire::flags::SetattrValid;
use crate::wire::layout::{FileLock, SetattrIn};

impl<P: PathOps> LowLevelOps for Arc<Tree<P>> {
    fn features(&self) -> Features {
        let mut features = Features::READDIR | Features::READDIRPLUS | Features::PARALLEL_DIROPS;
        features.set(Features::POSIX_LOCKS, self.has.contains(OpSet::LOCK));
        features.set(Features::FLOCK, self.has.contains(OpSet::FLOCK));
        features.set(Features::WRITE_VECTOR, self.has.contains(OpSet::WRITE_BUF));
        features
    }

    fn init(&self, conn: &mut ConnInfo) {
        // For "." and "..", which the tree can look up.
        conn.want |= conn.capable & Capabilities::EXPORT_SUPPORT;
        for (op, capability) in [
            (OpSet::WRITE_BUF, Capabilities::SPLICE_READ),
            (OpSet::LOCK, Capabilities::POSIX_LOCKS),
            (OpSet::FLOCK, Capabilities::FLOCK_LOCKS),
        ] {
            if !self.has.contains(op) {
                conn.want &= !capability;
            }
        }
        let mut config = self.config().clone();
        {
            let _scope = self.own_scope();
            self.ops.init(conn, &mut config);
        }
        if config.intr {
            let handler = EmptyHandler::install(config.intr_signal).unwrap_or_else(|error| {
                log::error!("fuse: can't handle signal {}: {error}", config.intr_signal);
                None
            });
            // Once, like init itself.
            let _ = self.signal.set(handler);
        }
        if self.compat.interrupts_if_asked && !config.intr {
            conn.no_interrupt = true;
        }
        let _ = self.settings.set(config);
    }

    fn negotiated(&self, conn: &ConnInfo) {
        self.ops.negotiated(conn);
    }

    fn destroy(&self) {
        let _scope = self.own_scope();
        self.remove_all_hidden();
        self.ops.destroy();
    }

    fn lookup(&self, req: Request, parent: NodeId, name: &CStr) {
        Tree::lookup(self, req, parent, name.to_bytes());
    }

    fn forget(&self, req: Request, forgets: &mut dyn ExactSizeIterator<Item = Forget>) {
        for Forget { node, nlookup } in forgets {
            self.forgotten(node, nlookup);
        }
        req.finish();
    }

    fn getattr(&self, req: Request, node: NodeId, file: Option<&FileInfo>) {
        Tree::getattr(self, req, node, file);
    }

    fn setattr(
        &self,
        req: Request,
        node: NodeId,
        attr: &SetattrIn,
        valid: SetattrValid,
        file: Option<&FileInfo>,
    ) {
        Tree::setattr(self, req, node, attr, valid, file);
    }

    fn readlink(&self, req: Request, node: NodeId) {
        Tree::readlink(self, req, node);
    }

    fn mknod(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, rdev: u32) {
        Tree::mknod(self, req, parent, name.to_bytes(), mode, rdev);
    }

    fn mkdir(&self, req: Request, parent: NodeId, name: &CStr, mode: u32) {
        Tree::mkdir(self, req, parent, name.to_bytes(), mode);
    }

    fn unlink(&self, req: Request, parent: NodeId, name: &CStr) {
        Tree::unlink(self, req, parent, name.to_bytes());
    }

    fn rmdir(&self, req: Request, parent: NodeId, name: &CStr) {
        Tree::rmdir(self, req, parent, name.to_bytes());
    }

    fn symlink(&self, req: Request, target: &CStr, parent: NodeId, name: &CStr) {
        Tree::symlink(self, req, target, parent, name.to_bytes());
    }

    fn rename(
        &self,
        req: Request,
        parent: NodeId,
        name: &CStr,
        newparent: NodeId,
        newname: &CStr,
        flags: u32,
    ) {
        let (from, to) = ((parent, name.to_bytes()), (newparent, newname.to_bytes()));
        Tree::rename(self, req, from, to, flags);
    }

    fn link(&self, req: Request, node: NodeId, newparent: NodeId, newname: &CStr) {
        Tree::link(self, req, node, newparent, newname.to_bytes());
    }

    fn open(&self, req: Request, node: NodeId, file: &FileInfo) {
        Tree::open(self, req, node, file);
    }

    fn read(&self, req: Request, node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        Tree::read(self, req, node, size, offset, file);
    }

    fn write(&self, req: Request, node: NodeId, data: &[u8], offset: u64, file: &FileInfo) {
        Tree::write(self, req, node, data, offset, file);
    }

    fn write_vector(
        &self,
        req: Request,
        node: NodeId,
        data: Vector<'_>,
        offset: u64,
        file: &FileInfo,
    ) {
        Tree::write_vector(self, req, node, data, offset, file);
    }

    fn flush(&self, req: Request, node: NodeId, file: &FileInfo) {
        Tree::flush(self, req, node, file);
    }

    fn release(&self, req: Request, node: NodeId, file: &FileInfo) {
        Tree::release(self, req, node, file);
    }

    fn fsync(&self, req: Request, node: NodeId, datasync: bool, file: &FileInfo) {
        Tree::fsync(self, req, node, datasync, file);
    }

    fn opendir(&self, req: Request, node: NodeId, file: &FileInfo) {
        Tree::opendir(self, req, node, file);
    }

    fn readdir(&self, req: Request, _node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        Tree::readdir(self, req, size, offset, file, false);
    }

    fn readdirplus(&self, req: Request, _node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        Tree::readdir(self, req, size, offset, file, true);
    }

    fn releasedir(&self, req: Request, _node: NodeId, file: &FileInfo) {
        Tree::releasedir(self, req, file);
    }

    fn fsyncdir(&self, req: Request, _node: NodeId, datasync: bool, file: &FileInfo) {
        Tree::fsyncdir(self, req, datasync, file);
    }

    fn statfs(&self, req: Request, node: NodeId) {
        Tree::statfs(self, req, node);
    }

    fn setxattr(&self, req: Request, node: NodeId, name: &CStr, value: &[u8], flags: u32) {
        Tree::setxattr(self, req, node, name, value, flags);
    }

    fn getxattr(&self, req: Request, node: NodeId, name: &CStr, size: usize) {
        Tree::getxattr(self, req, node, name, size);
    }

    fn listxattr(&self, req: Request, node: NodeId, size: usize) {
        Tree::listxattr(self, req, node, size);
    }

    fn removexattr(&self, req: Request, node: NodeId, name: &CStr) {
        Tree::removexattr(self, req, node, name);
    }

    fn access(&self, req: Request, node: NodeId, mask: u32) {
        Tree::access(self, req, node, mask);
    }

    fn create(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, file: &FileInfo) {
        Tree::create(self, req, parent, name.to_bytes(), mode, file);
    }

    fn getlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock) {
        Tree::getlk(self, req, node, file, lock);
    }

    fn setlk(&self, req: Request, node: NodeId, file: &FileInfo, lock: &FileLock, sleep: bool) {
        Tree::setlk(self, req, node, file, lock, sleep);
    }

    fn flock(&self, req: Request, node: NodeId, file: &FileInfo, op: i32) {
        Tree::flock(self, req, node, file, op);
    }

    fn bmap(&self, req: Request, node: NodeId, blocksize: usize, block: u64) {
        Tree::bmap(self, req, node, blocksize, block);
    }

    fn ioctl(&self, req: Request, node: NodeId, call: &IoctlCall, data: &[u8], file: &FileInfo) {
        Tree::ioctl(self, req, node, call, data, file);
    }

    fn poll(&self, req: Request, node: NodeId, file: &FileInfo, handle: Option<PollHandle>) {
        Tree::poll(self, req, node, file, handle);
    }

    fn fallocate(
        &self,
        req: Request,
        node: NodeId,
        mode: u32,
        offset: u64,
        length: u64,
        file: &FileInfo,
    ) {
        Tree::fallocate(self, req, node, mode, (offset, length), file);
    }

    fn copy_file_range(&self, req: Request, range: &CopyRange) {
        Tree::copy_file_range(self, req, range);
    }

    fn lseek(&self, req: Request, node: NodeId, offset: u64, whence: u32, file: &FileInfo) {
        Tree::lseek(self, req, node, offset, whence, file);
    }

    fn statx(&self, req: Request, node: NodeId, flags: u32, mask: u32, file: Option<&FileInfo>) {
        Tree::statx(self, req, node, (flags, mask), file);
    }

    fn syncfs(&self, req: Request, node: NodeId) {
        Tree::syncfs(self, req, node);
    }
}
