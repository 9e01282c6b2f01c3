//! Low-level callbacks that libfuse 2 has otherwise, or not at all.

use std::ffi::{CStr, c_int};

use ferrofuse::session::Request;
use ferrofuse::session::ops::{CopyRange, FileInfo, NodeId};

use crate::convert;
use crate::filesystem::{Filesystem, call};
use crate::types::FuseLowlevelOps;

/// Whether the program lists directories with attributes.
pub fn has_readdirplus(ops: &FuseLowlevelOps) -> bool {
    ops.readdirplus.is_some()
}

/// Calls the handler of rename, with a directory and a name on either side.
pub fn rename(
    fs: &Filesystem,
    req: Request,
    (parent, name): (NodeId, &CStr),
    (newparent, newname): (NodeId, &CStr),
    flags: u32,
) {
    call!(fs, rename, req, (parent, name.as_ptr(), newparent, newname.as_ptr(), flags));
}

/// Calls the handler of readdirplus.
pub fn readdirplus(
    fs: &Filesystem,
    req: Request,
    node: NodeId,
    size: usize,
    offset: u64,
    file: &FileInfo,
) {
    let mut fi = convert::file_info(file);
    call!(fs, readdirplus, req, (node, size, offset.cast_signed(), &raw mut fi));
}

/// The command of an ioctl, as handlers get it.
pub fn command(cmd: u32) -> u32 {
    cmd
}

/// Calls the handler of copy_file_range.
pub fn copy_file_range(fs: &Filesystem, req: Request, range: &CopyRange) {
    let mut fi_in = convert::file_info(&range.file_in);
    let mut fi_out = convert::file_info(&range.file_out);
    call!(
        fs,
        copy_file_range,
        req,
        (
            range.node_in,
            range.off_in.cast_signed(),
            &raw mut fi_in,
            range.node_out,
            range.off_out.cast_signed(),
            &raw mut fi_out,
            usize::try_from(range.len).unwrap_or(usize::MAX),
            range.flags as c_int
        )
    );
}

/// Calls the handler of lseek.
pub fn lseek(
    fs: &Filesystem,
    req: Request,
    node: NodeId,
    offset: u64,
    whence: u32,
    file: &FileInfo,
) {
    let mut fi = convert::file_info(file);
    let (offset, whence) = (offset.cast_signed(), whence.cast_signed());
    call!(fs, lseek, req, (node, offset, whence, &raw mut fi));
}
