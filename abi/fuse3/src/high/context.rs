//! `fuse_get_context` and its kin: whom the calling thread works for.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse::session::{Handle, Peek, groups};
use ferrofuse::tree::RequestContext;
use ferrofuse_abi_common::panic::guard;

use crate::types::{CONTEXT_ALWAYS, Fuse, FuseContext};

/// What a thread knows of the request it works on.
struct Current {
    /// Programs get a pointer to it, so that it is never borrowed, only read and written by copy.
    context: UnsafeCell<FuseContext>,
    request: Cell<Option<Handle>>,
    /// Whether the thread ever worked on one; before that, programs get NULL.
    known: Cell<bool>,
}

const NOBODY: FuseContext = FuseContext {
    fuse: ptr::null_mut(),
    uid: 0,
    gid: 0,
    pid: 0,
    private_data: ptr::null_mut(),
    umask: 0,
};

thread_local! {
    static CURRENT: Current = const {
        Current {
            context: UnsafeCell::new(NOBODY),
            request: Cell::new(None),
            known: Cell::new(false),
        }
    };
}

/// Makes a request the calling thread's current one. When it is over its context stays readable, as it does in
/// libfuse, until the next one; of its handle, one can see that it is over.
pub fn enter(fuse: *mut Fuse, private_data: *mut c_void, request: &RequestContext) {
    let context = FuseContext {
        fuse,
        uid: request.uid,
        gid: request.gid,
        pid: request.pid,
        private_data,
        umask: request.umask,
    };
    CURRENT.with(|current| {
        // SAFETY: only this thread reaches its own context, and nothing borrows it.
        unsafe { current.context.get().write(context) };
        current.request.set(request.handle);
        current.known.set(true);
    });
}

/// While it lives, `fuse_get_context` shows the private data of one file system of a stack; then
/// that of the one that called it again.
///
/// Before, where that was anything else: what was shown, and whether a request was known.
pub struct PrivateData(Option<(*mut c_void, bool)>);

impl PrivateData {
    /// Shows `data`.
    #[inline]
    pub fn show(data: *mut c_void) -> PrivateData {
        // A file system may be called outside requests, too.
        let before = PrivateData::exchange((data, true));
        PrivateData((before != (data, true)).then_some(before))
    }

    fn exchange((data, known): (*mut c_void, bool)) -> (*mut c_void, bool) {
        CURRENT.with(|current| {
            let context = current.context.get();
            // SAFETY: as in `enter`.
            let former = unsafe { ptr::replace(&raw mut (*context).private_data, data) };
            (former, current.known.replace(known))
        })
    }
}

impl Drop for PrivateData {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            PrivateData::exchange(before);
        }
    }
}

/// `fuse_get_context`: the context of the request that the calling thread works on, or worked on
/// last. The memory is the thread's own, overwritten by its next request. In a thread that never
/// worked on any it is NULL, and in libfuse 2 all zeros.
pub extern "C" fn fuse_get_context() -> *mut FuseContext {
    CURRENT.with(|current| match current.known.get() || CONTEXT_ALWAYS {
        true => current.context.get(),
        false => ptr::null_mut(),
    })
}

/// `fuse_getgroups`: the requester's supplementary groups, read from `/proc`. Returns their number,
/// which may exceed `size`; at most `size` are stored. `-EINVAL` outside requests, `-EIO` if they
/// can't be read.
///
/// # Safety
/// `list` must have room for `size` entries.
pub unsafe extern "C" fn fuse_getgroups(size: c_int, list: *mut libc::gid_t) -> c_int {
    guard("fuse_getgroups", Errno::EIO.negated(), || {
        let context = fuse_get_context();
        if context.is_null() {
            log::error!("fuse: fuse_getgroups: called outside of a request");
            return Errno::EINVAL.negated();
        }
        // SAFETY: not NULL, so this thread's context.
        let groups = match groups::of_process(unsafe { (*context).pid }) {
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

/// `fuse_interrupted`: 1 if the kernel asked to interrupt the request that the calling thread works
/// on, else 0, also outside requests.
pub extern "C" fn fuse_interrupted() -> c_int {
    guard("fuse_interrupted", 0, || {
        let request = CURRENT.with(|current| current.request.get());
        let peek = request.and_then(|handle| Peek::new(handle).ok());
        peek.is_some_and(|peek| peek.is_interrupted()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_requests_has_no_context() {
        std::thread::spawn(|| {
            assert_eq!(fuse_get_context().is_null(), !CONTEXT_ALWAYS);
            assert_eq!(fuse_interrupted(), 0);
            // Nobody's process has no groups to read.
            let error = if CONTEXT_ALWAYS { Errno::EIO } else { Errno::EINVAL };
            // SAFETY: no room is claimed.
            assert_eq!(unsafe { fuse_getgroups(0, ptr::null_mut()) }, error.negated());
            drop(PrivateData::show(ptr::dangling_mut::<u8>().cast()));
            assert_eq!(fuse_get_context().is_null(), !CONTEXT_ALWAYS);
        })
        .join()
        .expect("the thread ends well");
    }

    #[test]
    fn private_data_is_that_of_the_innermost_call() {
        let data = |n: usize| ptr::without_provenance_mut::<c_void>(n);
        // SAFETY: this thread's context, once there is one.
        let shown = || unsafe { (*fuse_get_context()).private_data.addr() };
        let request = RequestContext { uid: 7, ..RequestContext::default() };
        enter(ptr::null_mut(), data(1), &request);
        {
            let _upper = PrivateData::show(data(2));
            assert_eq!(shown(), 2);
            {
                let _lower = PrivateData::show(data(3));
                assert_eq!(shown(), 3);
            }
            assert_eq!(shown(), 2);
        }
        assert_eq!(shown(), 1);
        // SAFETY: as above.
        assert_eq!(unsafe { (*fuse_get_context()).uid }, 7);
    }
}
