//! `struct fuse`: a path-based file system with its session.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use ferrofuse::Errno;
use ferrofuse::tree::{Compat, Tree};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::config;
use super::fs::{Fs, fuse_fs_new};
use super::layers::Layers;
use super::modules;
use super::options as paths;
use super::stack::Stack;
use crate::options::{self, Options};
use crate::session::{
    fuse_session_add_chan, fuse_session_destroy, fuse_session_exit, fuse_session_exited,
};
use crate::types::{Fuse, FuseChan, FuseContext, FuseFs, FuseOperations, FuseSession};

/// What a `struct fuse *` points to.
pub struct CFuse {
    /// [`MAGIC`] while it lives.
    magic: u64,
    session: *mut FuseSession,
    tree: Arc<Tree<Stack>>,
}

/// Tells a file system from other memory, freed ones included as far as that can be seen.
const MAGIC: u64 = 0x6665_7272_6f32_6675;

impl CFuse {
    /// Its session.
    pub fn session(&self) -> *mut FuseSession {
        self.session
    }
}

/// The file system behind a pointer; NULL and what is none are reported.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe fn fuse<'a>(function: &str, f: *mut Fuse) -> Option<&'a CFuse> {
    // SAFETY: the caller's promise.
    match unsafe { f.cast::<CFuse>().as_ref() } {
        Some(fuse) if fuse.magic == MAGIC => Some(fuse),
        Some(_) => {
            log::error!("fuse: {function}: not a file system");
            None
        }
        None => {
            log::error!("fuse: {function}: file system is NULL");
            None
        }
    }
}

/// What the tables of all layers allow.
fn flags(layers: &Layers) -> FuseOperations {
    let all = layers.all.iter().fold(u32::MAX, |bits, layer| {
        // SAFETY: the layers are live file systems.
        let ops = unsafe { Fs::get("fuse_new", *layer) }.map(Fs::ops);
        bits & ops.map_or(0, |ops| ops.bits)
    });
    FuseOperations { bits: all, ..FuseOperations::default() }
}

/// Where programs of libfuse 2 can tell.
fn compat(layers: &Layers, flags: &FuseOperations) -> Compat {
    // SAFETY: the layers are live file systems.
    let top = layers.all.last().and_then(|top| unsafe { Fs::get("fuse_new", *top) });
    let by_file = |ops: &FuseOperations| ops.fgetattr.is_some() && ops.ftruncate.is_some();
    Compat {
        deleted: Errno::ENOENT,
        opendir_caching: false,
        deleted_open: flags.has(FuseOperations::FLAG_NULLPATH_OK),
        open_attributes: top.is_some_and(|top| by_file(top.ops())),
        utime_omit: flags.has(FuseOperations::FLAG_UTIME_OMIT_OK),
    }
}

/// # Safety
/// As for [`over`].
unsafe fn new(
    args: *mut FuseArgs,
    base: Vec<*mut FuseFs>,
    user_data: *mut c_void,
    old: bool,
) -> Option<Box<CFuse>> {
    let (first, above) = base.split_first()?;
    // SAFETY: the caller's promise.
    let mut layers = unsafe { Layers::new(*first, config::defaults()) };
    layers.all.extend(above);
    // SAFETY: the caller's promise.
    if !unsafe { paths::parse(args, &mut layers.config) } {
        return None;
    }
    // SAFETY: the option parser left a string or NULL.
    if let Some(list) = unsafe { paths::modules_of(&layers.config) } {
        // SAFETY: the caller's promise, and our own file systems.
        if !unsafe { modules::push(list, args, &mut layers.all) } {
            return None;
        }
    }
    let flags = flags(&layers);
    if flags.has(FuseOperations::FLAG_NOPATH) {
        layers.config.nullpath_ok = 1;
    }
    let help = layers.config.show_help != 0;
    // SAFETY: the caller's promise.
    let options = unsafe { Options::parse(args, old) };
    if help {
        modules::help();
    }
    let options = options.filter(|_| !help)?;
    let (settings, compat) = (config::tree(&layers.config), compat(&layers, &flags));
    let tree = Tree::new(Stack::new(layers), settings, compat);
    options.wishes.store(&mut tree.ops().conn.lock());
    let session = options::session(&options, Box::new(tree.clone()), user_data, None);
    Some(Box::new(CFuse { magic: MAGIC, session, tree }))
}

/// A file system over the layers `base`, the outermost last, which become its own; `old` for programs of API 2.5 and
/// before. The channel becomes the session's. NULL on failure, with a message; the channel then stays the caller's.
///
/// # Safety
/// `ch` is NULL or a live channel; `args` is NULL or a valid argument list; `base` are file systems that nobody else
/// frees.
pub unsafe fn over(
    ch: *mut FuseChan,
    args: *mut FuseArgs,
    base: Vec<*mut FuseFs>,
    user_data: *mut c_void,
    old: bool,
) -> *mut Fuse {
    // SAFETY: the caller's promise.
    let Some(fuse) = (unsafe { new(args, base, user_data, old) }) else { return ptr::null_mut() };
    // SAFETY: the session was just made.
    unsafe { fuse_session_add_chan(fuse.session, ch) };
    let tree = fuse.tree.clone();
    let fuse = Box::into_raw(fuse).cast();
    tree.ops().belongs_to(fuse);
    fuse
}

/// `fuse_new` from API 2.6 on: a file system over these callbacks, which are copied; `user_data` is its private data until
/// init returns another. The channel becomes the session's. Options of the library are taken out of `args`; one that is
/// left over makes the call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_destroy`.
///
/// # Safety
/// `ch` is NULL or a live channel; `args` is NULL or a valid argument list; `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_new(
    ch: *mut FuseChan,
    args: *mut FuseArgs,
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> *mut Fuse {
    ferrofuse_abi_common::log::install();
    guard("fuse_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let base = fuse_fs_new(op, op_size, user_data);
            if base.is_null() {
                return ptr::null_mut();
            }
            over(ch, args, vec![base], user_data, false)
        }
    })
}

/// `fuse_destroy`: calls destroy, unless it was called or init never was, and frees the file system, its session and its
/// channel. It does not unmount.
///
/// # Safety
/// `f` is NULL or a live file system, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_destroy(f: *mut Fuse) {
    guard("fuse_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(live) = (unsafe { fuse("fuse_destroy", f) }) else { return };
        live.tree.stop_cleanup_thread();
        // SAFETY: the session is the file system's own and ends here.
        unsafe { fuse_session_destroy(live.session) };
        // SAFETY: the pointer came from `fuse_new` and is given up.
        let mut fuse = unsafe { Box::from_raw(f.cast::<CFuse>()) };
        fuse.magic = 0;
    });
}

/// `fuse_exit`: makes the loops return. Async-signal-safe.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_exit(f: *mut Fuse) {
    // No message for NULL: logging is not async-signal-safe.
    // SAFETY: the caller's promise.
    if let Some(fuse) = unsafe { f.cast::<CFuse>().as_ref() } {
        // SAFETY: the session lives as long as the file system.
        unsafe { fuse_session_exit(fuse.session) };
    }
}

/// `fuse_exited`: 1 if the loops were asked to return, else 0.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_exited(f: *mut Fuse) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { fuse("fuse_exited", f).map_or(1, |fuse| fuse_session_exited(fuse.session)) }
}

/// `fuse_get_session`: the session, which stays the file system's. NULL for NULL.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_get_session(f: *mut Fuse) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { fuse("fuse_get_session", f) }.map_or(ptr::null_mut(), CFuse::session)
}

/// `fuse_invalidate`: libfuse 2 has never done what it says; `-EINVAL`.
pub extern "C" fn fuse_invalidate(_f: *mut Fuse, _path: *const c_char) -> c_int {
    Errno::EINVAL.negated()
}

/// `fuse_set_getcontext_func`: has no effect, as in libfuse 2.6 and later.
pub extern "C" fn fuse_set_getcontext_func(
    _func: Option<unsafe extern "C" fn() -> *mut FuseContext>,
) {
}

/// `fuse_clean_cache`: lets go of nodes that were to be remembered long enough. Returns in how many
/// seconds to call it again.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_clean_cache(f: *mut Fuse) -> c_int {
    guard("fuse_clean_cache", c_int::MAX, || {
        // SAFETY: the caller's promise.
        let fuse = unsafe { fuse("fuse_clean_cache", f) };
        fuse.map_or(c_int::MAX, |fuse| {
            c_int::try_from(fuse.tree.clean_cache()).unwrap_or(c_int::MAX)
        })
    })
}

/// `fuse_start_cleanup_thread`: does that in a thread of its own, if nodes are remembered for a
/// time. Returns 0 or -1.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_start_cleanup_thread(f: *mut Fuse) -> c_int {
    guard("fuse_start_cleanup_thread", -1, || {
        // SAFETY: the caller's promise.
        let Some(fuse) = (unsafe { fuse("fuse_start_cleanup_thread", f) }) else { return -1 };
        match fuse.tree.start_cleanup_thread() {
            Ok(()) => 0,
            Err(error) => {
                log::error!("fuse: error creating thread: {error}");
                -1
            }
        }
    })
}

/// `fuse_stop_cleanup_thread`: ends that thread and waits for it.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_stop_cleanup_thread(f: *mut Fuse) {
    guard("fuse_stop_cleanup_thread", (), || {
        // SAFETY: the caller's promise.
        if let Some(fuse) = unsafe { fuse("fuse_stop_cleanup_thread", f) } {
            fuse.tree.stop_cleanup_thread();
        }
    });
}
