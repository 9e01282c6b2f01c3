//! Making a session and freeing it.

use std::ffi::c_void;
use std::ptr;

use ferrofuse::session::{CharDevice, Config, ExitPatience, LowLevelOps, PlacementChoice, Session};
use ferrofuse::stats::StatsPolicy;
use ferrofuse::sys::lock::Mutex;
use ferrofuse::transport::SplicePolicy;
use ferrofuse_abi_common::handle::Handle;
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;

use super::{CSession, options, session};
use crate::filesystem::Filesystem;
use crate::inside::Inside;
use crate::mounting::Mounting;
use crate::types::{self, FuseLowlevelOps, FuseSession};

/// The message for a program that knows more callbacks.
pub(super) const TOO_OLD: &str = "fuse: warning: library too old, some operations may not work";

/// `fuse_session_new`: a session over these callbacks, which are copied; `userdata` is handed to
/// init and destroy and by `fuse_req_userdata`. Options of the session and of the mount are taken
/// out of `args`; one that is left over makes the call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_session_destroy`.
///
/// # Safety
/// `args` is NULL or a valid argument list; `op` has `op_size` bytes.
pub unsafe extern "C" fn fuse_session_new(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("fuse_session_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let ops = table::copy(op, op_size, TOO_OLD);
            create(args, Box::new(Filesystem::new(ops, userdata)), userdata, None)
        }
    })
}

/// A session over `ops`, for a filesystem or for a `device`; otherwise as [`fuse_session_new`].
///
/// # Safety
/// `args` is NULL or a valid argument list.
pub unsafe fn create(
    args: *mut FuseArgs,
    ops: Box<dyn LowLevelOps>,
    userdata: *mut c_void,
    device: Option<CharDevice>,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    if args.is_null() || unsafe { (*args).argc } <= 0 {
        log::error!("fuse: empty argv passed to fuse_session_new().");
        return ptr::null_mut();
    }
    // SAFETY: as above.
    let Some(options) = (unsafe { options::parse(args) }) else { return ptr::null_mut() };
    if options.debug {
        ferrofuse_abi_common::log::enable_debug();
        log::debug!("FUSE library version: {}", types::PKG_VERSION.to_string_lossy());
    }
    let config = Config {
        debug: options.debug,
        deny_others: options.allow_root,
        max_read: options.mount.max_read(),
        splice: SplicePolicy::from_env(),
        transport: options.transport.or_environment(),
        stats: StatsPolicy::from_env(),
        exit_patience: ExitPatience::from_env(),
        placement: PlacementChoice::from_env(),
        userdata: userdata.expose_provenance(),
        dialect: types::DIALECT,
        device,
    };
    let engine = Session::new(ops, config);
    if options.mount.auto_unmount() {
        engine.set_auto_unmount();
    }
    let session = CSession {
        magic: CSession::MAGIC,
        inside: Inside::new(),
        engine,
        options: options.mount,
        mounted: Mutex::new(None),
        mounting: Mounting::new(),
        userdata,
    };
    Box::into_raw(Box::new(session)).cast()
}

/// `fuse_session_destroy`: calls the destroy handler if INIT was seen and it has not been called,
/// closes the device and frees the session. It does not unmount.
///
/// # Safety
/// `se` is NULL or a live session, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_session_destroy(se: *mut FuseSession) {
    guard("fuse_session_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(live) = (unsafe { session("fuse_session_destroy", se) }) else { return };
        live.engine.destroy();
        live.engine.detach();
        // SAFETY: the pointer came from `fuse_session_new` and is given up.
        let mut session = unsafe { Box::from_raw(se.cast::<CSession>()) };
        session.mounting.end();
        session.magic = 0;
    });
}
