//! `fuse_main_real`: everything that a file system's main function has to do.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;

use ferrofuse_abi_common::cmdline::{self, CmdlineOpts};
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::fuse::{fuse_mount, fuse_new_31, fuse_unmount};
use super::handle::{fuse_destroy, fuse_get_session};
use super::loops::{fuse_loop, fuse_loop_mt_312};
use super::options::fuse_lib_help;
use crate::loops::{
    fuse_loop_cfg_create, fuse_loop_cfg_destroy, fuse_loop_cfg_set_clone_fd,
    fuse_loop_cfg_set_idle_threads, fuse_loop_cfg_set_max_threads,
};
use crate::signals::{fuse_remove_signal_handlers, fuse_set_signal_handlers};
use crate::types::{Fuse, FuseOperations};
use crate::{daemon, texts};

/// What went wrong, as the exit code that programs hand to the shell.
#[derive(Clone, Copy)]
#[allow(missing_docs)] // said where they are documented, in `fuse_main_real`
pub enum Failure {
    CommandLine = 1,
    NoMountpoint = 2,
    New = 3,
    Mount = 4,
    Daemonize = 5,
    SignalHandlers = 6,
    LoopConfig = 7,
    Loop = 8,
}

/// A check of one step.
pub fn step(ok: bool, failure: Failure) -> Result<(), Failure> {
    if ok { Ok(()) } else { Err(failure) }
}

/// The program's callbacks.
pub struct Program {
    /// NULL, or a table of `op_size` bytes.
    pub op: *const FuseOperations,
    /// Bytes of the table.
    pub op_size: size_t,
    /// What the init handler finds in the context.
    pub user_data: *mut c_void,
}

/// `fuse_main_real`: parses the command line, mounts, goes into the background, serves requests until
/// unmounted or ended by a signal, and cleans up. Help and version go to stdout.
///
/// Returns an exit code: 0; 1 for a wrong command line; 2 without mount point; 3 if `fuse_new`
/// fails, 4 if mounting does; 5 without going into the background; 6 without signal handlers; 7
/// without a configuration for the loop; 8 if the loop returned anything but 0, as after a signal.
///
/// # Safety
/// `argv` has `argc` C strings; `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_main_real(
    argc: c_int,
    argv: *mut *mut c_char,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> c_int {
    ferrofuse_abi_common::log::install();
    guard("fuse_main", Failure::Loop as c_int, || {
        let mut args = FuseArgs { argc, argv, allocated: 0 };
        let mut opts = MaybeUninit::<CmdlineOpts>::zeroed();
        // SAFETY: the caller's promise for `args`; `opts` is zeroed plain data, written or not.
        unsafe {
            let parsed = cmdline::parse_cmdline(&raw mut args, opts.as_mut_ptr()) == 0;
            let opts = opts.assume_init();
            let program = Program { op, op_size, user_data };
            let result =
                step(parsed, Failure::CommandLine).and_then(|()| program.run(&raw mut args, &opts));
            libc::free(opts.mountpoint.cast());
            fuse_opt_free_args(&raw mut args);
            result.map_or_else(|failure| failure as c_int, |()| 0)
        }
    })
}

impl Program {
    /// # Safety
    /// As for [`fuse_main_real`]; `args` is valid.
    unsafe fn run(&self, args: *mut FuseArgs, opts: &CmdlineOpts) -> Result<(), Failure> {
        // SAFETY: the caller's promise; the file system is ours until it is destroyed.
        unsafe {
            if self.says_something(args, opts)? {
                return Ok(());
            }
            step(daemon::begin(opts.foreground), Failure::Daemonize)?;
            let fuse = self.make(args)?;
            let result = serve(fuse, opts);
            fuse_destroy(fuse);
            result
        }
    }

    /// Prints help or version, if the command line asks for that alone; false if there is a mount point to serve.
    ///
    /// # Errors
    /// There is none; said in a message.
    ///
    /// # Safety
    /// `args` is valid.
    pub unsafe fn says_something(
        &self,
        args: *mut FuseArgs,
        opts: &CmdlineOpts,
    ) -> Result<bool, Failure> {
        if opts.show_version != 0 {
            texts::main_version();
            texts::fuse_lowlevel_version();
            return Ok(true);
        }
        if opts.show_help != 0 {
            // SAFETY: the parser left a valid vector with the program's name.
            unsafe {
                texts::main_usage(CStr::from_ptr(*(*args).argv));
                texts::cmdline_help();
                fuse_lib_help(args);
            }
            return Ok(true);
        }
        if opts.mountpoint.is_null() {
            emit(FUSE_LOG_ERR, "error: no mountpoint specified");
            return Err(Failure::NoMountpoint);
        }
        Ok(false)
    }

    /// Makes the file system, which the caller destroys.
    ///
    /// # Errors
    /// It can't be made; said in a message.
    ///
    /// # Safety
    /// As for [`fuse_main_real`]; `args` is valid.
    pub unsafe fn make(&self, args: *mut FuseArgs) -> Result<*mut Fuse, Failure> {
        // SAFETY: the caller's promise.
        let fuse = unsafe { fuse_new_31(args, self.op, self.op_size, self.user_data) };
        step(!fuse.is_null(), Failure::New)?;
        Ok(fuse)
    }
}

/// # Safety
/// `fuse` is a live file system, and the mount point a C string.
unsafe fn serve(fuse: *mut Fuse, opts: &CmdlineOpts) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe {
        step(fuse_mount(fuse, opts.mountpoint) == 0, Failure::Mount)?;
        let result = serve_mounted(fuse, opts);
        fuse_unmount(fuse);
        result
    }
}

/// # Safety
/// As for [`serve`].
unsafe fn serve_mounted(fuse: *mut Fuse, opts: &CmdlineOpts) -> Result<(), Failure> {
    step(daemon::mounted(opts.foreground), Failure::Daemonize)?;
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe {
        let session = fuse_get_session(fuse);
        step(fuse_set_signal_handlers(session) == 0, Failure::SignalHandlers)?;
        daemon::serving();
        let result = run_loop(fuse, opts);
        fuse_remove_signal_handlers(session);
        result
    }
}

/// # Safety
/// As for [`serve`].
pub unsafe fn run_loop(fuse: *mut Fuse, opts: &CmdlineOpts) -> Result<(), Failure> {
    // SAFETY: the caller's promise; the configuration is ours until it is destroyed.
    unsafe {
        if opts.singlethread != 0 {
            return step(fuse_loop(fuse) == 0, Failure::Loop);
        }
        let config = fuse_loop_cfg_create();
        step(!config.is_null(), Failure::LoopConfig)?;
        fuse_loop_cfg_set_clone_fd(config, opts.clone_fd.cast_unsigned());
        // Not given is the default, not a number to complain of.
        if opts.max_idle_threads != c_uint::MAX {
            fuse_loop_cfg_set_idle_threads(config, opts.max_idle_threads);
        }
        fuse_loop_cfg_set_max_threads(config, opts.max_threads);
        let result = fuse_loop_mt_312(fuse, config);
        fuse_loop_cfg_destroy(config);
        step(result == 0, Failure::Loop)
    }
}
