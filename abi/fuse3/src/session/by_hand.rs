//! Reading and serving single requests, for programs with a loop of their own.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;
use std::slice;

use ferrofuse::Errno;
use ferrofuse::session::Message;
use ferrofuse_abi_common::panic::guard;

use super::session;
use crate::types::{self, FuseBuf, FuseSession};

/// `fuse_session_receive_buf`: reads one request. If `buf->mem` is NULL, memory for the largest
/// request is allocated, to be freed with free(3) by the caller and reused in later calls.
///
/// Returns the length in bytes, 0 at the end of the session, or a negative errno: `-EINTR` after a
/// signal, `-EAGAIN` from a non-blocking descriptor.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to its struct, whose memory, if any, has
/// room for the largest request.
pub unsafe extern "C" fn fuse_session_receive_buf(
    se: *mut FuseSession,
    buf: *mut FuseBuf,
) -> c_int {
    guard("fuse_session_receive_buf", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let session = unsafe { session("fuse_session_receive_buf", se) };
        // SAFETY: as above.
        let (Some(session), Some(buf)) = (session, unsafe { buf.as_mut() }) else {
            return Errno::EINVAL.negated();
        };
        let Some(channel) = session.engine.channel() else {
            log::error!("fuse: fuse_session_receive_buf: the session is not mounted");
            return Errno::EBADF.negated();
        };
        let size = session.engine.buffer_size();
        if buf.mem.is_null() {
            // SAFETY: no preconditions; the caller frees it. Zeroed, so that a slice can be made.
            buf.mem = unsafe { libc::calloc(1, size) };
            if buf.mem.is_null() {
                log::error!("fuse: failed to allocate read buffer of {size} bytes");
                return Errno::ENOMEM.negated();
            }
            types::note_allocation(buf, size);
        }
        // SAFETY: allocated above, or the caller's promise.
        let bytes = unsafe { slice::from_raw_parts_mut(buf.mem.cast::<u8>(), size) };
        match session.engine.receive(&*channel, bytes) {
            Ok(len) => {
                buf.size = len;
                buf.flags = 0;
                c_int::try_from(len).unwrap_or(c_int::MAX)
            }
            Err(error) => error.negated(),
        }
    })
}

/// `fuse_session_process_buf`: serves one request, in memory or in a pipe, whose rest is
/// discarded. Never fails visibly: a request that is malformed is answered with an error.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to a struct that names `size` bytes.
pub unsafe extern "C" fn fuse_session_process_buf(se: *mut FuseSession, buf: *const FuseBuf) {
    guard("fuse_session_process_buf", (), || {
        // SAFETY: the caller's promise.
        let session = unsafe { session("fuse_session_process_buf", se) };
        // SAFETY: as above.
        let (Some(session), Some(buf)) = (session, unsafe { buf.as_ref() }) else { return };
        let Some(channel) = session.engine.channel() else {
            log::error!("fuse: fuse_session_process_buf: the session is not mounted");
            return;
        };
        if buf.flags & FuseBuf::IS_FD == 0 {
            if buf.mem.is_null() {
                log::error!("fuse: fuse_session_process_buf: memory is NULL");
                return;
            }
            // SAFETY: the caller's promise.
            let bytes = unsafe { slice::from_raw_parts(buf.mem.cast::<u8>(), buf.size) };
            session.engine.process(Message::in_memory(bytes), &channel);
            return;
        }
        if buf.fd < 0 {
            log::error!("fuse: fuse_session_process_buf: descriptor {} is invalid", buf.fd);
            return;
        }
        // SAFETY: the caller's promise: open during the call.
        let pipe = unsafe { BorrowedFd::borrow_raw(buf.fd) };
        session.engine.process_pipe(pipe, buf.size, &channel);
    });
}
