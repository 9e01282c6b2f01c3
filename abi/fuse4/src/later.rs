//! Low-level callbacks that came after libfuse 3.14.

use ferrofuse::session::Request;
use ferrofuse::session::caps::Capabilities;
use ferrofuse::session::ops::{FileInfo, NodeId};

use crate::filesystem::{Filesystem, call};
use crate::{convert, types};

/// Answers an open for which there is no handler: the kernel need not ask again, if the program wants it so.
pub fn open_without_handler(fs: &Filesystem, req: Request, file: &FileInfo, unless: Capabilities) {
    if fs.conn.lock().want_ext & unless.bits() != 0 {
        return req.not_implemented();
    }
    req.opened_without_handler(file);
}

/// Calls the handler of tmpfile.
pub fn tmpfile(fs: &Filesystem, req: Request, parent: NodeId, mode: u32, file: &FileInfo) {
    let mut fi = convert::file_info(file);
    call!(fs, tmpfile, req, (parent, mode, &raw mut fi));
}

/// Calls the handler of statx.
pub fn statx(
    fs: &Filesystem,
    req: Request,
    node: NodeId,
    (flags, mask): (u32, u32),
    file: Option<&FileInfo>,
) {
    let mut fi = file.map(convert::file_info);
    let (flags, mask) = (flags.cast_signed(), mask.cast_signed());
    call!(fs, statx, req, (node, flags, mask, types::file_ptr(&mut fi)));
}

/// Calls the handler of syncfs.
pub fn syncfs(fs: &Filesystem, req: Request, node: NodeId) {
    call!(fs, syncfs, req, (node));
}
