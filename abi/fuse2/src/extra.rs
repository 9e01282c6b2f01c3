//! Low-level callbacks that libfuse 3 has otherwise.

use std::ffi::CStr;

use ferrofuse::Errno;
use ferrofuse::session::Request;
use ferrofuse::session::ops::{CopyRange, FileInfo, NodeId};

use crate::filesystem::{Filesystem, call};
use crate::types::FuseLowlevelOps;

/// Whether the program lists directories with attributes: libfuse 2 has no way to.
pub fn has_readdirplus(_ops: &FuseLowlevelOps) -> bool {
    false
}

/// Calls the handler of rename, which knows no flags.
pub fn rename(
    fs: &Filesystem,
    req: Request,
    (parent, name): (NodeId, &CStr),
    (newparent, newname): (NodeId, &CStr),
    flags: u32,
) {
    if flags != 0 {
        // A failure to deliver was logged.
        let _ = req.reply_error(Errno::EINVAL);
        return;
    }
    call!(fs, rename, req, (parent, name.as_ptr(), newparent, newname.as_ptr()));
}

/// Never asked for by the kernel.
pub fn readdirplus(
    _fs: &Filesystem,
    req: Request,
    _node: NodeId,
    _size: usize,
    _offset: u64,
    _file: &FileInfo,
) {
    req.not_implemented();
}

/// The command of an ioctl, as handlers get it.
pub fn command(cmd: u32) -> i32 {
    cmd.cast_signed()
}

/// Without a handler the kernel copies by itself.
pub fn copy_file_range(_fs: &Filesystem, req: Request, _range: &CopyRange) {
    req.not_implemented();
}

/// Without a handler the kernel takes files for having no holes.
pub fn lseek(
    _fs: &Filesystem,
    req: Request,
    _node: NodeId,
    _offset: u64,
    _whence: u32,
    _file: &FileInfo,
) {
    req.not_implemented();
}
