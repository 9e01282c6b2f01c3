//! Security contexts that the kernel sends with requests that create a node (`FUSE_CAP_SECURITY_CTX`).

use std::ffi::{c_char, c_int};

use ferrofuse::Errno;
use ferrofuse_abi_common::panic::guard;

use crate::request::peek;
use crate::types::FuseReqHandle;

/// `fuse_req_secctx_count`: how many security contexts the request has.
pub extern "C" fn fuse_req_secctx_count(req: FuseReqHandle) -> u32 {
    peek("fuse_req_secctx_count", req).map_or(0, |peek| peek.context_count())
}

/// `fuse_req_secctx_reset`: has `fuse_req_secctx_next` begin again.
pub extern "C" fn fuse_req_secctx_reset(req: FuseReqHandle) {
    if let Some(peek) = peek("fuse_req_secctx_reset", req) {
        peek.rewind_contexts();
    }
}

/// `fuse_req_secctx_next`: the next security context: the name of the extended attribute, and its value of
/// `*value_len` bytes. Both stay the library's and are valid until the request is answered.
///
/// Returns 0, `-ENOENT` after the last one, `-EIO` if the kernel sent something else, `-EINVAL` for a NULL pointer.
///
/// # Safety
/// The pointers are NULL or may be written to.
pub unsafe extern "C" fn fuse_req_secctx_next(
    req: FuseReqHandle,
    name: *mut *const c_char,
    value: *mut *const c_char,
    value_len: *mut u32,
) -> c_int {
    guard("fuse_req_secctx_next", Errno::EIO.negated(), || {
        let Some(peek) = peek("fuse_req_secctx_next", req) else { return Errno::EINVAL.negated() };
        if name.is_null() || value.is_null() || value_len.is_null() {
            log::error!("fuse: fuse_req_secctx_next: argument is NULL");
            return Errno::EINVAL.negated();
        }
        let given = peek.next_context(|context| {
            let len = u32::try_from(context.value.len()).unwrap_or(u32::MAX);
            // SAFETY: not NULL, and the caller's promise.
            unsafe {
                name.write(context.name.as_ptr());
                value.write(context.value.as_ptr().cast());
                value_len.write(len);
            }
        });
        given.map_or_else(Errno::negated, |()| 0)
    })
}
