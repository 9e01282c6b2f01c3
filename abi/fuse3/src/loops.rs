//! The session loops and their configuration, in the three forms that the API has had.

use std::ffi::{c_int, c_uint};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse::session::LoopConfig;
use ferrofuse::session::caps::Dialect;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, FUSE_LOG_WARNING, emit};
use ferrofuse_abi_common::panic::guard;

use crate::session::session;
use crate::types::{DIALECT, FuseLoopConfig, FuseLoopConfigV1, FuseSession};

/// First word of a configuration made by [`fuse_loop_cfg_create`]; a v1 struct has 0 or 1 there.
const CONFIG_ID: c_int = c_int::MAX - 2;
/// `max_idle_threads` of API 3.1, where it could not be set.
const IDLE_31: c_uint = 10;
/// Workers of a multi-threaded loop unless said otherwise.
const MAX_THREADS: c_uint = 10;
/// More idle threads than this are taken for an uninitialised variable.
const ABSURD_IDLE: c_uint = 100_000;

/// Idle threads are seen against all that there may be: from 3.19 on.
const BOUNDED_IDLE: bool = matches!(DIALECT, Dialect::V319);

/// `struct fuse_loop_config` from API 3.12 on; programs only hold pointers to it.
#[repr(C)]
struct Config {
    id: c_int,
    clone_fd: c_uint,
    /// `c_uint::MAX` is no limit.
    max_idle_threads: c_uint,
    max_threads: c_uint,
}

impl Config {
    fn new() -> Config {
        Config {
            id: CONFIG_ID,
            clone_fd: 0,
            max_idle_threads: c_uint::MAX,
            max_threads: MAX_THREADS,
        }
    }

    /// Whether so many idle threads can't be, which the newer library says.
    fn never_idle_enough(&self) -> bool {
        let limit = self.max_idle_threads;
        BOUNDED_IDLE && limit != c_uint::MAX && limit > self.max_threads
    }

    fn engine(&self) -> LoopConfig {
        let max_idle_threads = match self.max_idle_threads {
            c_uint::MAX => None,
            limit => Some(limit as usize),
        };
        LoopConfig {
            clone_fd: self.clone_fd != 0,
            max_idle_threads,
            max_threads: self.max_threads.max(1) as usize,
        }
    }
}

/// `fuse_loop_cfg_create`: a configuration with the defaults; NULL only without memory. Freed by
/// `fuse_loop_cfg_destroy`.
pub extern "C" fn fuse_loop_cfg_create() -> *mut FuseLoopConfig {
    Box::into_raw(Box::new(Config::new())).cast()
}

/// `fuse_loop_cfg_destroy`.
///
/// # Safety
/// `config` is NULL or came from `fuse_loop_cfg_create` and is not used any more.
pub unsafe extern "C" fn fuse_loop_cfg_destroy(config: *mut FuseLoopConfig) {
    if !config.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(config.cast::<Config>()) });
    }
}

/// Edits a configuration; NULL and foreign ones are reported.
///
/// # Safety
/// `config` is NULL or points to at least one `int`; if that is [`CONFIG_ID`], to a `Config`.
unsafe fn edit(function: &str, config: *mut FuseLoopConfig, edit: impl FnOnce(&mut Config)) {
    let config = config.cast::<Config>();
    // SAFETY: the caller's promise.
    if config.is_null() || unsafe { (*config).id } != CONFIG_ID {
        log::error!("fuse: {function}: not a configuration made by fuse_loop_cfg_create");
        return;
    }
    // SAFETY: the caller's promise, now that the id is right.
    edit(unsafe { &mut *config });
}

/// `fuse_loop_cfg_set_idle_threads`: a worker ends when more than this many are idle.
///
/// # Safety
/// As for [`edit`].
pub unsafe extern "C" fn fuse_loop_cfg_set_idle_threads(
    config: *mut FuseLoopConfig,
    value: c_uint,
) {
    if value > ABSURD_IDLE {
        if !(BOUNDED_IDLE && value == c_uint::MAX) {
            emit(
                FUSE_LOG_ERR,
                &format!("Ignoring invalid max threads value {value} > max ({ABSURD_IDLE})."),
            );
        }
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        edit("fuse_loop_cfg_set_idle_threads", config, |c| {
            c.max_idle_threads = value;
            if c.never_idle_enough() {
                emit(
                    FUSE_LOG_WARNING,
                    &format!(
                        "fuse: max_idle_threads {value} is greater than max_threads {}",
                        c.max_threads
                    ),
                );
            }
        });
    }
}

/// `fuse_loop_cfg_set_max_threads`: most workers at a time.
///
/// # Safety
/// As for [`edit`].
pub unsafe extern "C" fn fuse_loop_cfg_set_max_threads(config: *mut FuseLoopConfig, value: c_uint) {
    // SAFETY: the caller's promise.
    unsafe {
        edit("fuse_loop_cfg_set_max_threads", config, |c| {
            c.max_threads = value;
            if c.never_idle_enough() {
                emit(
                    FUSE_LOG_WARNING,
                    &format!(
                        "fuse: max_threads {value} is less than max_idle_threads {}",
                        c.max_idle_threads
                    ),
                );
            }
        });
    }
}

/// `fuse_loop_cfg_set_clone_fd`: not 0 gives each worker a descriptor of its own.
///
/// # Safety
/// As for [`edit`].
pub unsafe extern "C" fn fuse_loop_cfg_set_clone_fd(config: *mut FuseLoopConfig, value: c_uint) {
    // SAFETY: the caller's promise.
    unsafe { edit("fuse_loop_cfg_set_clone_fd", config, |c| c.clone_fd = value) };
}

/// `fuse_loop_cfg_convert`: takes over what a v1 configuration can say.
///
/// # Safety
/// As for [`edit`]; `v1` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_loop_cfg_convert(
    config: *mut FuseLoopConfig,
    v1: *mut FuseLoopConfigV1,
) {
    // SAFETY: the caller's promise.
    let Some(v1) = (unsafe { v1.as_ref() }) else {
        log::error!("fuse: fuse_loop_cfg_convert: v1 configuration is NULL");
        return;
    };
    // SAFETY: as above.
    unsafe {
        if BOUNDED_IDLE {
            // What bounded the idle threads of old bounded all of them.
            fuse_loop_cfg_set_max_threads(config, v1.max_idle_threads);
        }
        fuse_loop_cfg_set_idle_threads(config, v1.max_idle_threads);
        fuse_loop_cfg_set_clone_fd(config, v1.clone_fd.cast_unsigned());
    }
}

/// `fuse_session_loop`: serves requests in the calling thread, one at a time.
///
/// Returns 0 after exit or unmount, the number of the signal that ended it, or a negative errno.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_loop(se: *mut FuseSession) -> c_int {
    guard("fuse_session_loop", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        match unsafe { session("fuse_session_loop", se) } {
            Some(session) => session.ended(session.engine.run_single()),
            None => Errno::EINVAL.negated(),
        }
    })
}

/// # Safety
/// `se` is NULL or a live session.
unsafe fn run_multi(se: *mut FuseSession, config: &Config) -> c_int {
    guard("fuse_session_loop_mt", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        match unsafe { session("fuse_session_loop_mt", se) } {
            Some(session) => session.ended(session.engine.run_multi(config.engine())),
            None => Errno::EINVAL.negated(),
        }
    })
}

/// `fuse_session_loop_mt` from API 3.12 on: serves requests in worker threads; returns as
/// [`fuse_session_loop`] does. A NULL configuration is the default; a v1 one gives `-EINVAL`.
///
/// # Safety
/// `se` is NULL or a live session; `config` as for [`edit`].
pub unsafe extern "C" fn fuse_session_loop_mt_312(
    se: *mut FuseSession,
    config: *mut FuseLoopConfig,
) -> c_int {
    if config.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { run_multi(se, &Config::new()) };
    }
    let config = config.cast::<Config>();
    // SAFETY: the caller's promise.
    if unsafe { (*config).id } != CONFIG_ID {
        log::error!("fuse: fuse_session_loop_mt: configuration of another API version");
        return Errno::EINVAL.negated();
    }
    // SAFETY: the caller's promise, now that the id is right.
    unsafe { run_multi(se, &*config) }
}

/// `fuse_session_loop_mt` of API 3.2 to 3.11, with a v1 configuration or NULL.
///
/// # Safety
/// `se` is NULL or a live session; `v1` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_session_loop_mt_32(
    se: *mut FuseSession,
    v1: *mut FuseLoopConfigV1,
) -> c_int {
    let mut config = Config::new();
    if !v1.is_null() {
        // SAFETY: the configuration is a live local; `v1` is the caller's promise.
        unsafe { fuse_loop_cfg_convert(ptr::from_mut(&mut config).cast(), v1) };
    }
    // SAFETY: the caller's promise.
    unsafe { run_multi(se, &config) }
}

/// `fuse_session_loop_mt` of API 3.0 and 3.1.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_loop_mt_31(se: *mut FuseSession, clone_fd: c_int) -> c_int {
    let mut config = Config::new();
    config.max_idle_threads = IDLE_31;
    config.clone_fd = clone_fd.cast_unsigned();
    // SAFETY: the caller's promise.
    unsafe { run_multi(se, &config) }
}
