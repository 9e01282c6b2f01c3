//! Open directories.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::lock::Mutex;

use super::core::{Tree, finish};
use super::file::OpenFile;
use super::listing::Listing;
use super::nodes::{Id, id_of};
use super::ops::PathOps;
use super::opset::OpSet;
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::session::ops::FileInfo;
use crate::session::{NodeId, OpenReply, Request};
use crate::wire::flags::OpenFlags;

/// An open directory. The kernel knows it by a handle of the tree, behind which the filesystem's
/// own stands.
pub(super) struct Directory {
    pub id: Id,
    /// The filesystem's handle.
    fh: u64,
    /// Held while the filesystem reads the directory.
    pub listing: Mutex<Listing>,
}

impl Directory {
    /// What the filesystem's operations get: as from libfuse, nothing but its own handle.
    pub fn file(&self) -> OpenFile {
        OpenFile { fh: self.fh, ..OpenFile::default() }
    }
}

#[derive(Default)]
pub(super) struct Directories {
    last: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Directory>>>,
}

impl Directories {
    fn insert(&self, directory: Directory) -> u64 {
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.open.lock().insert(handle, Arc::new(directory));
        handle
    }

    fn remove(&self, handle: u64) -> Option<Arc<Directory>> {
        self.open.lock().remove(&handle)
    }

    /// `EBADF` for a handle that no open directory has.
    pub fn get(&self, handle: u64) -> Result<Arc<Directory>> {
        self.open.lock().get(&handle).cloned().ok_or(Errno::EBADF)
    }
}

impl<P: PathOps> Tree<P> {
    pub(super) fn opendir(&self, req: Request, node: NodeId, file: &FileInfo) {
        let id = id_of(node);
        let mut scope = self.scope(&req);
        let mut file = OpenFile::new(file);
        let result = self.open_directory(id, &mut file);
        scope.returned();
        if let Err(error) = result {
            let _ = req.reply_error(error);
            return;
        }
        let listing = Mutex::default();
        let handle = self.directories.insert(Directory { id, fh: file.fh, listing });
        let mut flags = OpenFlags::empty();
        if self.compat.opendir_caching {
            flags.set(OpenFlags::CACHE_DIR, file.cache_readdir);
            flags.set(OpenFlags::KEEP_CACHE, file.keep_cache);
        }
        if req.reply_open(OpenReply { fh: handle, flags, backing_id: 0 }) == Err(Errno::ENOENT) {
            self.directories.remove(handle);
            let mut room = Room::new();
            let locked = self.lock_to_release(id, &mut room);
            self.releasedir_op(locked.path(), &file);
        }
    }

    fn open_directory(&self, id: Id, file: &mut OpenFile) -> Result<()> {
        let mut room = Room::new();
        let locked = self.lock_node(id, &mut room)?;
        if self.has.contains(OpSet::OPENDIR) {
            self.ops.opendir(locked.path(), file)?;
        }
        Ok(())
    }

    /// The filesystem's releasedir, whose result nobody is told.
    fn releasedir_op(&self, path: Option<&std::ffi::CStr>, file: &OpenFile) {
        if self.has.contains(OpSet::RELEASEDIR)
            && let Err(error) = self.ops.releasedir(path, file)
        {
            log::debug!("fuse: releasedir: {error}");
        }
    }

    pub(super) fn releasedir(&self, req: Request, file: &FileInfo) {
        let result = self.serve(&req, || {
            let directory = self.directories.remove(file.fh).ok_or(Errno::EBADF)?;
            let mut room = Room::new();
            let locked = self.lock_to_release(directory.id, &mut room);
            self.releasedir_op(locked.path(), &directory.file());
            Ok(())
        });
        finish(req, result);
    }

    pub(super) fn fsyncdir(&self, req: Request, datasync: bool, file: &FileInfo) {
        let result = self.serve(&req, || {
            let directory = self.directories.get(file.fh)?;
            let mut room = Room::new();
            let locked = self.lock_open(directory.id, &mut room)?;
            self.need(OpSet::FSYNCDIR)?;
            self.ops.fsyncdir(locked.path(), datasync, &directory.file())
        });
        finish(req, result);
    }
}
