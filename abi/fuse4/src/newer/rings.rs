//! What a handler can ask of a request that came by io_uring.

use std::ffi::{c_char, c_int, c_void};

use ferrofuse::Errno;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use crate::request::peek;
use crate::types::FuseReqHandle;

/// `fuse_req_is_uring`: whether the request came by io_uring.
pub extern "C" fn fuse_req_is_uring(req: FuseReqHandle) -> bool {
    peek("fuse_req_is_uring", req).is_some_and(|peek| peek.is_by_ring())
}

/// `fuse_req_get_payload`: where the answer's data goes to, so that it can be put there instead of being copied by the
/// reply function, and how much room there is. It stays the kernel's and is valid until the request is answered; the
/// reply function is to be given this address. `*mr` becomes NULL: there is no memory registration.
///
/// Returns 0; `-EINVAL` for a request that did not come by io_uring, or whose own data stands there.
///
/// # Safety
/// The pointers are NULL or may be written to.
pub unsafe extern "C" fn fuse_req_get_payload(
    req: FuseReqHandle,
    payload: *mut *mut c_char,
    payload_sz: *mut size_t,
    mr: *mut *mut c_void,
) -> c_int {
    guard("fuse_req_get_payload", Errno::EIO.negated(), || {
        let place = peek("fuse_req_get_payload", req).and_then(|peek| peek.answer_place());
        let (Some((start, room)), false) = (place, payload.is_null() || payload_sz.is_null())
        else {
            return Errno::EINVAL.negated();
        };
        // SAFETY: not NULL, and the caller's promise.
        unsafe {
            payload.write(start.cast());
            payload_sz.write(room);
            if !mr.is_null() {
                mr.write(std::ptr::null_mut());
            }
        }
        0
    })
}
