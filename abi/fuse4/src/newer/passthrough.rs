//! Files whose reads and writes the kernel does by itself.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;

use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::panic::guard;

use crate::request::peek;
use crate::types::FuseReqHandle;

/// `fuse_passthrough_open`: makes the open file `fd` one that `fuse_file_info::backing_id` can name in the reply to
/// `open` or `create`. Returns its number, or 0 with a message. `fd` stays the caller's and may be closed.
///
/// It takes FUSE_CAP_PASSTHROUGH and CAP_SYS_ADMIN.
pub extern "C" fn fuse_passthrough_open(req: FuseReqHandle, fd: c_int) -> c_int {
    guard("fuse_passthrough_open", 0, || {
        let open = || -> Result<i32> {
            let session = peek("fuse_passthrough_open", req).ok_or(Errno::EINVAL)?.session();
            if fd < 0 {
                return Err(Errno::EBADF);
            }
            // SAFETY: not -1, and open during the call, as any descriptor that is passed.
            let file = unsafe { BorrowedFd::borrow_raw(fd) };
            session.ok_or(Errno::EINVAL)?.open_backing(file)
        };
        open().unwrap_or_else(|error| {
            log::error!("fuse: passthrough_open: {error}");
            0
        })
    })
}

/// `fuse_passthrough_close`: gives such a number back; files that were opened with it go on. Returns 0, or -1 with a
/// message.
pub extern "C" fn fuse_passthrough_close(req: FuseReqHandle, backing_id: c_int) -> c_int {
    guard("fuse_passthrough_close", -1, || {
        let session = peek("fuse_passthrough_close", req).and_then(|peek| peek.session());
        let closed =
            session.ok_or(Errno::EINVAL).and_then(|session| session.close_backing(backing_id));
        closed.map_or_else(
            |error| {
                log::error!("fuse: passthrough_close: {error}");
                -1
            },
            |()| 0,
        )
    })
}
