//! Telling the kernel by path that a file has changed.

use super::core::Tree;
use super::nodes::ROOT;
use super::ops::PathOps;
use crate::errno::{Errno, Result};
use crate::session::Session;

impl<P: PathOps> Tree<P> {
    /// Drops what the kernel has cached of the file at `path`: attributes and all data. `ENOENT` if
    /// the path is not cached. Must not be called by an operation that the kernel waits for.
    pub fn invalidate_path(&self, session: &Session, path: &[u8]) -> Result<()> {
        let mut id = ROOT;
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            id = self.space.child(id, name).ok_or(Errno::ENOENT)?;
        }
        session.notify_inval_inode(id.into(), 0, 0)
    }
}
