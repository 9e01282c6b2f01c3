//! `fuse_new`, and what libfuse 2 does with its result in ways of its own.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use ferrofuse::Errno;
use ferrofuse::tree::{Compat, Narration, Narrator, Tree};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::size_t;

use super::config;
use super::fs::{Fs, fuse_fs_new};
use super::handle::{CFuse, fuse, fuse_get_session};
use super::layers::Layers;
use super::modules;
use super::option_table;
use super::options as paths;
use super::pushing;
use super::stack::Stack;
use crate::options::{self, Options};
use crate::session::{fuse_session_add_chan, fuse_session_exited};
use crate::types::{Fuse, FuseChan, FuseContext, FuseFs, FuseOperations};

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
        interrupts_if_asked: false,
    }
}

/// # Safety
/// As for [`over`].
unsafe fn new(
    args: *mut FuseArgs,
    base: Vec<*mut FuseFs>,
    user_data: *mut c_void,
    old: bool,
) -> Option<*mut Fuse> {
    let (first, above) = base.split_first()?;
    // SAFETY: the caller's promise.
    let mut layers = unsafe { Layers::new(*first, config::defaults()) };
    layers.all.extend(above);
    // SAFETY: the caller's promise.
    if !unsafe { paths::parse(args, &mut layers.config) } {
        return None;
    }
    // SAFETY: the option parser left a string or NULL.
    if let Some(list) = unsafe { option_table::modules_of(&layers.config) } {
        // SAFETY: the caller's promise, and our own file systems.
        if !unsafe { pushing::push(list, args, &mut layers.all) } {
            return None;
        }
    }
    let flags = flags(&layers);
    if flags.has(FuseOperations::FLAG_NOPATH) {
        layers.config.nullpath_ok = 1;
    }
    let (help, debug) = (layers.config.show_help != 0, layers.config.debug != 0);
    // SAFETY: the caller's promise.
    let options = unsafe { Options::parse(args, old) };
    if help {
        modules::help();
    }
    let options = options.filter(|_| !help)?;
    let (settings, compat) = (config::tree(&layers.config), compat(&layers, &flags));
    let narration = match debug {
        true => Narration::Two { open_attributes: compat.open_attributes },
        false => Narration::None,
    };
    let tree = Tree::new(Narrator::new(Stack::new(layers), narration), settings, compat);
    options.wishes.store(&mut tree.ops().inner().conn.lock());
    let session = options::session(&options, Box::new(tree.clone()), user_data, None);
    if debug {
        log::debug!("nullpath_ok: {}", i32::from(compat.deleted_open));
        log::debug!("nopath: {}", i32::from(tree.config().nullpath_ok));
        log::debug!("utime_omit_ok: {}", i32::from(compat.utime_omit));
    }
    Some(CFuse::give(session, tree))
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
    // SAFETY: the file system was just made, with its session.
    unsafe { fuse_session_add_chan(fuse_get_session(fuse), ch) };
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

/// `fuse_exited`: 1 if the loops were asked to return, else 0.
///
/// # Safety
/// `f` is NULL or a live file system.
pub unsafe extern "C" fn fuse_exited(f: *mut Fuse) -> c_int {
    // SAFETY: the caller's promise; the session lives as long as the file system.
    unsafe { fuse("fuse_exited", f).map_or(1, |fuse| fuse_session_exited(fuse.session())) }
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
