//! `fuse_service_main`: everything that the main function of a path-based file system has to do once the service has
//! been accepted.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use ferrofuse_abi_common::cmdline::{self, CmdlineOpts};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::{
    FuseService, fuse_service_release, fuse_service_send_goodbye, fuse_service_session_mount,
};
use crate::high::handle::{fuse_destroy, fuse_get_session};
use crate::high::main::{Failure, Program, run_loop, step};
use crate::signals::{fuse_remove_signal_handlers, fuse_set_signal_handlers};
use crate::types::{Fuse, FuseOperations, LibfuseVersion};

/// `fuse_service_main_real_versioned`: parses the command line, has the helper mount, serves requests until unmounted or
/// ended by a signal, and cleans up. The helper is told whether the mount was made, and let go.
///
/// Returns what `fuse_main_real` does.
///
/// # Safety
/// `service` is NULL or live; `args` is NULL or valid; `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_service_main_real_versioned(
    service: *mut FuseService,
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    _version: *mut LibfuseVersion,
    user_data: *mut c_void,
) -> c_int {
    guard("fuse_service_main", Failure::Loop as c_int, || {
        let mut opts = MaybeUninit::<CmdlineOpts>::zeroed();
        // SAFETY: the caller's promise; `opts` is zeroed plain data, written or not.
        unsafe {
            let parsed = cmdline::parse_cmdline_service(args, opts.as_mut_ptr()) == 0;
            let mut opts = opts.assume_init();
            let program = Program { op, op_size, user_data };
            let result = step(parsed, Failure::CommandLine)
                .and_then(|()| run(&program, service, args, &mut opts));
            libc::free(opts.mountpoint.cast());
            let code = result.map_or_else(|failure| failure as c_int, |()| 0);
            // If it has not been told yet.
            fuse_service_send_goodbye(service, code);
            fuse_service_release(service);
            code
        }
    })
}

/// # Safety
/// As for [`fuse_service_main_real_versioned`]; `args` is valid.
unsafe fn run(
    program: &Program,
    service: *mut FuseService,
    args: *mut FuseArgs,
    opts: &mut CmdlineOpts,
) -> Result<(), Failure> {
    // SAFETY: the caller's promise; the file system is ours until it is destroyed.
    unsafe {
        if program.says_something(args, opts)? {
            return Ok(());
        }
        let fuse = program.make(args)?;
        let result = serve(service, fuse, opts);
        fuse_destroy(fuse);
        result
    }
}

/// # Safety
/// As for [`run`]; `fuse` is live.
unsafe fn serve(
    service: *mut FuseService,
    fuse: *mut Fuse,
    opts: &mut CmdlineOpts,
) -> Result<(), Failure> {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe {
        let session = fuse_get_session(fuse);
        step(fuse_set_signal_handlers(session) == 0, Failure::SignalHandlers)?;
        let mounted = fuse_service_session_mount(service, session, 0, opts) == 0;
        let result = step(mounted, Failure::Mount).and_then(|()| {
            fuse_service_send_goodbye(service, 0);
            fuse_service_release(service);
            run_loop(fuse, opts)
        });
        fuse_remove_signal_handlers(session);
        result
    }
}
