//! `fuse_session_*`: what a session is for C programs. The files beside this one make, mount, read by hand and end
//! it.

mod by_hand;
pub mod custom_io;
mod ending;
mod making;
mod mounted;
mod options;

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use ferrofuse::mount::{MountOptions, MountPoint};
use ferrofuse::session::Session;
use ferrofuse::sys::lock::Mutex;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::handle::{self, Handle};

use crate::inside::{self, Inside};
use crate::mounting::Mounting;
use crate::types::FuseSession;

pub use by_hand::{fuse_session_process_buf, fuse_session_receive_buf};
pub use custom_io::fuse_session_custom_io;
pub use ending::{fuse_session_exit, fuse_session_exited, fuse_session_reset};
pub use making::{create, fuse_session_destroy, fuse_session_new};
pub use mounted::{fuse_open_channel, fuse_session_fd, fuse_session_mount, fuse_session_unmount};

const _: () = assert!(offset_of!(CSession, inside) == inside::BEFORE);

/// What a `struct fuse_session *` points to.
#[repr(C)]
pub struct CSession {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    /// What lies where libfuse's own struct has something.
    pub inside: Inside,
    /// The engine's session.
    pub engine: Arc<Session>,
    /// What was asked for about the mount.
    pub options: MountOptions,
    mounted: Mutex<Option<MountPoint>>,
    /// What this library's way of mounting needs to know.
    pub mounting: Mounting,
    userdata: *mut c_void,
}

impl Handle for CSession {
    const MAGIC: u64 = 0x6665_7272_6f33_7365;
    const NAME: &str = "session";

    fn magic(&self) -> u64 {
        self.magic
    }
}

/// The session behind a pointer; NULL and what is no session are reported.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe fn session<'a>(function: &str, se: *mut FuseSession) -> Option<&'a CSession> {
    // SAFETY: the caller's promise.
    unsafe { handle::get(function, se.cast::<CSession>()) }
}

/// The engine's session that a notification goes out by; `EINVAL`, with a message, if there is none.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe fn notified<'a>(function: &str, se: *mut FuseSession) -> Result<&'a Session> {
    // SAFETY: the caller's promise.
    unsafe { session(function, se) }.map(|session| &*session.engine).ok_or(Errno::EINVAL)
}
