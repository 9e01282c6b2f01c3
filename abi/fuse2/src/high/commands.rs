//! Serving requests by hand: `fuse_read_cmd`, `fuse_process_cmd`, and a loop that calls a function for each.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse_abi_common::panic::guard;

use super::fuse::fuse_exited;
use super::handle::{fuse, fuse_exit, run};
use crate::channel::{fuse_chan_bufsize, fuse_chan_recv};
use crate::hand::{self, Step};
use crate::session::{fuse_session_next_chan, fuse_session_process, fuse_session_reset, session};
use crate::types::{Fuse, FuseCmd};

/// `fuse_processor_t`: serves or keeps a request.
pub type FuseProcessor = unsafe extern "C" fn(f: *mut Fuse, cmd: *mut FuseCmd, data: *mut c_void);

/// A request with room for `size` bytes, or NULL.
fn allocate(size: usize) -> *mut FuseCmd {
    // SAFETY: fresh allocations, checked. Zeroed, so that a slice can be made of the memory.
    unsafe {
        let cmd = libc::malloc(size_of::<FuseCmd>()).cast::<FuseCmd>();
        let buf = libc::calloc(1, size.max(1)).cast::<c_char>();
        if cmd.is_null() || buf.is_null() {
            log::error!("fuse: failed to allocate cmd");
            libc::free(cmd.cast());
            libc::free(buf.cast());
            return ptr::null_mut();
        }
        cmd.write(FuseCmd { buf, buflen: size, ch: ptr::null_mut() });
        cmd
    }
}

/// Frees a request.
///
/// # Safety
/// `cmd` came from [`fuse_read_cmd`] and is not used any more.
unsafe fn free(cmd: *mut FuseCmd) {
    // SAFETY: the caller's promise; both are from malloc.
    unsafe {
        libc::free((*cmd).buf.cast());
        libc::free(cmd.cast());
    }
}

/// `fuse_read_cmd`: reads one request, which [`fuse_process_cmd`] frees. NULL if there is none: at the end, after a signal,
/// or after an error, which ends the session.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_read_cmd(f: *mut Fuse) -> *mut FuseCmd {
    guard("fuse_read_cmd", ptr::null_mut(), || {
        // SAFETY: the caller's promise; the session lives as long as the file system, its channel as long as it; the
        // request is ours until it is returned.
        unsafe {
            let Some(fuse) = fuse("fuse_read_cmd", f) else { return ptr::null_mut() };
            let mut ch = fuse_session_next_chan(fuse.session(), ptr::null_mut());
            if ch.is_null() {
                return ptr::null_mut();
            }
            let cmd = allocate(fuse_chan_bufsize(ch));
            if cmd.is_null() {
                return cmd;
            }
            let length = fuse_chan_recv(&raw mut ch, (*cmd).buf, (*cmd).buflen);
            if length <= 0 {
                free(cmd);
                let passes = [Errno::EINTR.negated(), Errno::EAGAIN.negated()];
                if length < 0 && !passes.contains(&length) {
                    fuse_exit(f);
                }
                return ptr::null_mut();
            }
            (*cmd).buflen = length.cast_unsigned() as usize;
            (*cmd).ch = ch;
            cmd
        }
    })
}

/// `fuse_process_cmd`: serves a request and frees it.
///
/// # Safety
/// `f` is NULL or a live file system; `cmd` is NULL or came from [`fuse_read_cmd`].
pub unsafe extern "C" fn fuse_process_cmd(f: *mut Fuse, cmd: *mut FuseCmd) {
    guard("fuse_process_cmd", (), || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(request) = cmd.as_ref().copied() else { return };
            if let Some(fuse) = fuse("fuse_process_cmd", f) {
                fuse_session_process(fuse.session(), request.buf, request.buflen, request.ch);
            }
            free(cmd);
        }
    });
}

/// What threads share that only hand pointers back to the program.
struct Shared<T>(T);

// SAFETY: the program is told that its function runs in any thread, with these pointers.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// By a method, so that closures borrow the whole.
    fn get(&self) -> T {
        self.0
    }
}

/// `fuse_loop_mt_proc`: reads requests in several threads and has `proc` serve each, with `data`. Returns 0 at the end.
///
/// # Safety
/// `f` is NULL or a live file system; `proc` may be called from any thread.
pub unsafe extern "C" fn fuse_loop_mt_proc(
    f: *mut Fuse,
    proc: Option<FuseProcessor>,
    data: *mut c_void,
) -> c_int {
    guard("fuse_loop_mt_proc", -1, || {
        let Some(proc) = proc else { return -1 };
        let shared = Shared((f, data));
        let next = || {
            let (f, _) = shared.get();
            // SAFETY: the caller's promise.
            let cmd = unsafe {
                if fuse_exited(f) != 0 {
                    return Step::End(0);
                }
                fuse_read_cmd(f)
            };
            if cmd.is_null() { Step::Again } else { Step::Request(Shared(cmd)) }
        };
        let serve = |cmd: Shared<*mut FuseCmd>| {
            let (f, data) = shared.get();
            // SAFETY: the program's own function, with its data and a request of its own.
            unsafe { proc(f, cmd.get(), data) };
        };
        // SAFETY: the caller's promise; the session lives as long as the file system.
        unsafe {
            run("fuse_loop_mt_proc", f, |se| {
                let Some(live) = session("fuse_loop_mt_proc", se) else { return -1 };
                let result = hand::multi(live, next, serve);
                fuse_session_reset(se);
                result
            })
        }
    })
}
