//! The options of a session, and the session made with them.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem::offset_of;

use ferrofuse::session::caps::Capabilities;
use ferrofuse::session::caps::Dialect;
use ferrofuse::session::{CharDevice, Config, ExitPatience, LowLevelOps, PlacementChoice, Session};
use ferrofuse::stats::StatsPolicy;
use ferrofuse::transport::SplicePolicy;
use ferrofuse::transport::uring::TransportOptions;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::opt::{
    FUSE_OPT_KEY_DISCARD, FuseArgs, FuseOpt, fuse_opt_match, fuse_opt_parse,
};
use ferrofuse_abi_common::panic::guard;

use crate::conn::Wishes;
use crate::gains;
use crate::help;
use crate::session::CSession;
use crate::types::FuseSession;

/// What the option parser fills in. Flags are 0 or not.
#[repr(C)]
#[derive(Default)]
struct Parsed {
    debug: c_int,
    allow_root: c_int,
    max_write: c_uint,
    /// `c_uint::MAX` is no limit.
    max_readahead: c_uint,
    max_background: c_uint,
    congestion_threshold: c_uint,
    sync_read: c_int,
    atomic_o_trunc: c_int,
    no_posix_lock: c_int,
    no_flock: c_int,
    splice_write: c_int,
    no_splice_write: c_int,
    splice_move: c_int,
    no_splice_move: c_int,
    splice_read: c_int,
    no_splice_read: c_int,
    no_parallel_dirops: c_int,
    /// Stands for what has no effect any more.
    ignored: c_int,
}

const KEY_HELP: c_int = 1;
const KEY_VERSION: c_int = 2;

macro_rules! set {
    ($template:literal, $field:ident, $value:expr) => {
        FuseOpt::store($template, offset_of!(Parsed, $field), $value)
    };
}

/// All options of a session. A constant would not be `Sync`, for its pointers.
fn table() -> [FuseOpt; 29] {
    [
        set!(c"debug", debug, 1),
        set!(c"-d", debug, 1),
        set!(c"allow_root", allow_root, 1),
        set!(c"max_write=%u", max_write, 0),
        set!(c"max_readahead=%u", max_readahead, 0),
        set!(c"max_background=%u", max_background, 0),
        set!(c"congestion_threshold=%u", congestion_threshold, 0),
        set!(c"async_read", sync_read, 0),
        set!(c"sync_read", sync_read, 1),
        set!(c"atomic_o_trunc", atomic_o_trunc, 1),
        set!(c"no_remote_lock", no_posix_lock, 1),
        set!(c"no_remote_lock", no_flock, 1),
        set!(c"no_remote_flock", no_flock, 1),
        set!(c"no_remote_posix_lock", no_posix_lock, 1),
        // Requests above one page have been the rule since Linux 2.6.27.
        set!(c"big_writes", ignored, 1),
        set!(c"splice_write", splice_write, 1),
        set!(c"no_splice_write", no_splice_write, 1),
        set!(c"splice_move", splice_move, 1),
        set!(c"no_splice_move", no_splice_move, 1),
        set!(c"splice_read", splice_read, 1),
        set!(c"no_splice_read", no_splice_read, 1),
        // This library's own.
        set!(c"parallel_dirops", no_parallel_dirops, 0),
        set!(c"no_parallel_dirops", no_parallel_dirops, 1),
        FuseOpt::key(c"max_read=", FUSE_OPT_KEY_DISCARD),
        FuseOpt::key(c"-h", KEY_HELP),
        FuseOpt::key(c"--help", KEY_HELP),
        FuseOpt::key(c"-V", KEY_VERSION),
        FuseOpt::key(c"--version", KEY_VERSION),
        FuseOpt::END,
    ]
}

/// What programs of API 2.5 and before have otherwise: reads were synchronous, and the limit of a read that of
/// readahead.
fn old_table() -> [FuseOpt; 2] {
    [set!(c"max_read=%u", max_readahead, 0), FuseOpt::END]
}

/// The parser's callback, for what has no template or a key.
unsafe extern "C" fn refuse(
    _data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _args: *mut FuseArgs,
) -> c_int {
    guard("fuse_lowlevel_new", -1, || {
        match key {
            KEY_HELP => help::session(),
            KEY_VERSION => help::kernel_interface(),
            _ => {
                // SAFETY: the parser passes a C string.
                let arg = unsafe { CStr::from_ptr(arg) }.to_string_lossy();
                emit(FUSE_LOG_ERR, &format!("fuse: unknown option `{arg}'"));
            }
        }
        -1
    })
}

/// The options of a session.
pub struct Options {
    debug: bool,
    allow_root: bool,
    /// What waits for init.
    pub wishes: Wishes,
}

impl Options {
    /// Takes the options of a session out of `args`; `None`, with a message, if another one is left, or for help, which
    /// is printed. `old` is for programs of API 2.5 and before.
    ///
    /// # Safety
    /// `args` is NULL or a valid argument list.
    pub unsafe fn parse(args: *mut FuseArgs, old: bool) -> Option<Options> {
        let mut parsed = Parsed { max_readahead: c_uint::MAX, ..Parsed::default() };
        let data = (&raw mut parsed).cast();
        // SAFETY: the caller's promise; the tables are made for the struct.
        unsafe {
            if old {
                parsed.sync_read = 1;
                if fuse_opt_parse(args, data, old_table().as_ptr(), None) == -1 {
                    return None;
                }
            }
            if fuse_opt_parse(args, data, table().as_ptr(), Some(refuse)) == -1 {
                return None;
            }
        }
        let mut wishes = parsed.wishes();
        gains::limit(&mut wishes);
        Some(Options { debug: parsed.debug != 0, allow_root: parsed.allow_root != 0, wishes })
    }
}

impl Parsed {
    fn wishes(&self) -> Wishes {
        let bits = |flags: &[(c_int, Capabilities)]| {
            let set = flags.iter().filter(|(flag, _)| *flag != 0);
            set.fold(0, |bits, (_, capability)| bits | capability.bits() as u32)
        };
        Wishes {
            max_write: self.max_write,
            max_readahead: (self.max_readahead != c_uint::MAX).then_some(self.max_readahead),
            max_background: self.max_background,
            congestion_threshold: self.congestion_threshold,
            sync_read: self.sync_read != 0,
            want: bits(&[
                (self.atomic_o_trunc, Capabilities::ATOMIC_O_TRUNC),
                (self.splice_write, Capabilities::SPLICE_WRITE),
                (self.splice_move, Capabilities::SPLICE_MOVE),
                (self.splice_read, Capabilities::SPLICE_READ),
            ]),
            refused: bits(&[
                (self.no_posix_lock, Capabilities::POSIX_LOCKS),
                (self.no_flock, Capabilities::FLOCK_LOCKS),
                (self.no_splice_write, Capabilities::SPLICE_WRITE),
                (self.no_splice_move, Capabilities::SPLICE_MOVE),
                (self.no_splice_read, Capabilities::SPLICE_READ),
                (self.no_parallel_dirops, Capabilities::PARALLEL_DIROPS),
            ]),
        }
    }
}

/// A session over `ops`, for a filesystem or for a `device`; `userdata` is what it gives back.
pub fn session(
    options: &Options,
    ops: Box<dyn LowLevelOps>,
    userdata: *mut c_void,
    device: Option<CharDevice>,
) -> *mut FuseSession {
    if options.debug {
        ferrofuse_abi_common::log::enable_debug();
        help::library_version();
    }
    let config = Config {
        debug: options.debug,
        deny_others: options.allow_root,
        max_read: 0,
        splice: SplicePolicy::from_env(),
        // libfuse 2 has no options for it.
        transport: TransportOptions::default().or_environment(),
        stats: StatsPolicy::from_env(),
        exit_patience: ExitPatience::from_env(),
        placement: PlacementChoice::from_env(),
        userdata: userdata.expose_provenance(),
        dialect: Dialect::V314,
        device,
    };
    CSession::over(Session::new(ops, config))
}

/// `fuse_lowlevel_is_lib_option`: 1 for an option of sessions, else 0.
///
/// # Safety
/// `opt` is NULL or a C string.
pub unsafe extern "C" fn fuse_lowlevel_is_lib_option(opt: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { fuse_opt_match(table().as_ptr(), opt) }
}
