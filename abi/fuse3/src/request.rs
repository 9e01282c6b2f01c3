//! `fuse_req_*`: what a handler can ask of its request.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use ferrofuse::Errno;
use ferrofuse::session::{Handle, Misuse, Peek, Request, check, groups};
use ferrofuse_abi_common::panic::guard;

use crate::types::{FuseCtx, FuseInterruptFunc, FuseReq, FuseReqHandle};

/// The engine's name for a `fuse_req_t`, which is a number and never dereferenced.
pub fn handle(req: *mut FuseReq) -> Handle {
    Handle::from_raw(req.addr())
}

/// Reports a call with a request that is not there to be used.
pub fn complain(function: &str, misuse: Misuse) {
    log::error!("fuse: {function}: {misuse}");
}

/// Reports it, in misuse mode with what is known of the request.
#[cold]
fn refuse(function: &str, req: *mut FuseReq, misuse: Misuse) {
    complain(function, misuse);
    if check::on() && !req.is_null() {
        check::refused(function, handle(req));
    }
}

/// Takes the request for its answer; `None`, with a message, if it is not the caller's to answer.
pub fn claim(function: &str, req: *mut FuseReq) -> Option<Request> {
    match Request::claim(handle(req)) {
        Ok(req) => Some(req),
        Err(misuse) => {
            refuse(function, req, misuse);
            None
        }
    }
}

/// Looks at the request; `None`, with a message, if it is not there.
pub fn peek(function: &str, req: *mut FuseReq) -> Option<Peek> {
    Peek::new(handle(req)).map_err(|misuse| refuse(function, req, misuse)).ok()
}

/// `fuse_req_ctx`: whom the request comes from. The memory belongs to the library and holds this
/// until the request is answered; NULL for a request that is not there.
pub extern "C" fn fuse_req_ctx(req: FuseReqHandle) -> *const FuseCtx {
    // Both are four 32-bit numbers in this order; the engine's are atomics.
    const _: () = assert!(size_of::<FuseCtx>() == size_of::<ferrofuse::session::Context>());
    let peek = peek("fuse_req_ctx", req);
    peek.map_or(ptr::null(), |peek| ptr::from_ref(peek.context()).cast())
}

/// `fuse_req_userdata`: what was given to `fuse_session_new`.
pub extern "C" fn fuse_req_userdata(req: FuseReqHandle) -> *mut c_void {
    let userdata = peek("fuse_req_userdata", req).map_or(0, |peek| peek.userdata());
    ptr::with_exposed_provenance_mut(userdata)
}

/// `fuse_req_interrupted`: 1 if the kernel asked to interrupt the request, else 0.
pub extern "C" fn fuse_req_interrupted(req: FuseReqHandle) -> c_int {
    peek("fuse_req_interrupted", req).is_some_and(|peek| peek.is_interrupted()).into()
}

/// Function and data of an interrupt callback; both are the program's.
struct Callback(FuseInterruptFunc, FuseReqHandle, *mut c_void);

// SAFETY: the program is told that the callback runs in whichever thread reads the interrupt.
unsafe impl Send for Callback {}
// SAFETY: as above; the engine runs it in one thread at a time.
unsafe impl Sync for Callback {}

impl Callback {
    fn run(&self) {
        // SAFETY: the program gave function and data together, and replaces them, waiting for a
        // running call, before it frees the data.
        unsafe { (self.0)(self.1, self.2) }
    }
}

/// `fuse_req_interrupt_func`: `func(req, data)` is called when the request is interrupted; at once
/// if it already was. NULL takes the callback away; it does not run any more when this returns.
///
/// # Safety
/// `func` must be callable with `data` from any thread until the request is answered or another
/// function is set.
pub unsafe extern "C" fn fuse_req_interrupt_func(
    req: FuseReqHandle,
    func: Option<FuseInterruptFunc>,
    data: *mut c_void,
) {
    guard("fuse_req_interrupt_func", (), || {
        let Some(peek) = peek("fuse_req_interrupt_func", req) else { return };
        peek.set_interrupt_callback(func.map(|func| {
            let callback = Callback(func, req, data);
            Arc::new(move || callback.run()) as _
        }));
    });
}

/// `fuse_req_getgroups`: the requester's supplementary groups, read from `/proc`. Returns their
/// number, which may exceed `size`; at most `size` are stored. `-EIO` if they can't be read.
///
/// # Safety
/// `list` must have room for `size` entries.
pub unsafe extern "C" fn fuse_req_getgroups(
    req: FuseReqHandle,
    size: c_int,
    list: *mut libc::gid_t,
) -> c_int {
    guard("fuse_req_getgroups", Errno::EIO.negated(), || {
        let Some(peek) = peek("fuse_req_getgroups", req) else { return Errno::EINVAL.negated() };
        let groups = match groups::of_process(peek.context().pid()) {
            Ok(groups) => groups,
            Err(error) => return error.negated(),
        };
        if !list.is_null() {
            let room = usize::try_from(size).unwrap_or(0);
            for (at, group) in groups.iter().take(room).enumerate() {
                // SAFETY: `at` is below `size`, for which the caller vouches.
                unsafe { list.add(at).write(*group) };
            }
        }
        c_int::try_from(groups.len()).unwrap_or(c_int::MAX)
    })
}
