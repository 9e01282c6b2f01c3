//! Low-level callbacks that came after libfuse 3.14: there are none of them here.

use ferrofuse::session::Request;
use ferrofuse::session::caps::Capabilities;
use ferrofuse::session::ops::{FileInfo, NodeId};

use crate::filesystem::Filesystem;

/// Answers an open for which there is no handler.
pub fn open_without_handler(
    _fs: &Filesystem,
    req: Request,
    file: &FileInfo,
    _unless: Capabilities,
) {
    req.opened_without_handler(file);
}

/// An unnamed file.
pub fn tmpfile(_fs: &Filesystem, req: Request, _parent: NodeId, _mode: u32, _file: &FileInfo) {
    req.not_implemented();
}

/// Attributes as statx(2) has them.
pub fn statx(
    _fs: &Filesystem,
    req: Request,
    _node: NodeId,
    _flags_and_mask: (u32, u32),
    _file: Option<&FileInfo>,
) {
    req.not_implemented();
}

/// Everything to the disk.
pub fn syncfs(_fs: &Filesystem, req: Request, _node: NodeId) {
    req.not_implemented();
}
