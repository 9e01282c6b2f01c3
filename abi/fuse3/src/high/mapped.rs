//! A file system that gives the one below other names: the operations behind every [`NameMap`]. Those
//! that differ between generations of the API, and the table of all, are in `mapped_ops`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::modules::NameMap;
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::{dev_t, flock, mode_t, off_t, size_t, statvfs};

use super::context::fuse_get_context;
use super::fs::{Fs, fuse_fs_destroy};
use super::mapped_ops::operations;
use super::{data, files, names};
use crate::types::{FuseBufvec, FuseFileInfo, FuseFs};

/// The private data of such a file system.
pub struct Layer<M> {
    pub(super) below: *mut FuseFs,
    pub(super) map: M,
}

/// A path for the file system below, NULL if there was none.
pub(super) struct Path(Option<CString>);

impl Path {
    pub(super) fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |path| path.as_ptr())
    }
}

impl<M: NameMap> Layer<M> {
    /// # Safety
    /// `path` is NULL or a C string.
    pub(super) unsafe fn path(&self, path: *const c_char) -> Result<Path> {
        if path.is_null() {
            return Ok(Path(None));
        }
        // SAFETY: the caller's promise.
        self.map.path(unsafe { CStr::from_ptr(path) }).map(|path| Path(Some(path)))
    }
}

/// Runs an operation on the layer it belongs to. Its errors are negated.
pub(super) fn on<M: NameMap, T: From<i32>>(operation: impl FnOnce(&Layer<M>) -> Result<T>) -> T {
    guard("module", Errno::EIO.negated().into(), || {
        let context = fuse_get_context();
        // SAFETY: operations only run with the private data of their own file system, which lives
        // as long as it.
        let layer =
            unsafe { context.as_ref().and_then(|c| c.private_data.cast::<Layer<M>>().as_ref()) };
        match layer {
            Some(layer) => operation(layer).unwrap_or_else(|error| error.negated().into()),
            None => Errno::EIO.negated().into(),
        }
    })
}

/// Operations that only differ in what stands behind their one path.
macro_rules! one_path {
    ($($op:ident($($arg:ident: $kind:ty),*) => $module:ident::$below:ident),* $(,)?) => {
        $(pub(super) unsafe extern "C" fn $op<M: NameMap>(path: *const c_char, $($arg: $kind),*) -> c_int {
            // SAFETY: the arguments are the library's own, handed on.
            on(|layer: &Layer<M>| unsafe {
                Ok($module::$below(layer.below, layer.path(path)?.as_ptr(), $($arg),*))
            })
        })*
    };
}
pub(super) use one_path;

one_path! {
    mknod(mode: mode_t, rdev: dev_t) => names::fuse_fs_mknod,
    mkdir(mode: mode_t) => names::fuse_fs_mkdir,
    unlink() => names::fuse_fs_unlink,
    rmdir() => names::fuse_fs_rmdir,
    access(mask: c_int) => names::fuse_fs_access,
    statfs(buf: *mut statvfs) => names::fuse_fs_statfs,
    setxattr(name: *const c_char, value: *const c_char, size: size_t, flags: c_int)
        => names::fuse_fs_setxattr,
    getxattr(name: *const c_char, value: *mut c_char, size: size_t) => names::fuse_fs_getxattr,
    listxattr(list: *mut c_char, size: size_t) => names::fuse_fs_listxattr,
    removexattr(name: *const c_char) => names::fuse_fs_removexattr,
    open(fi: *mut FuseFileInfo) => files::fuse_fs_open,
    create(mode: mode_t, fi: *mut FuseFileInfo) => files::fuse_fs_create,
    read(mem: *mut c_char, size: size_t, off: off_t, fi: *mut FuseFileInfo) => data::fuse_fs_read,
    read_buf(bufp: *mut *mut FuseBufvec, size: size_t, off: off_t, fi: *mut FuseFileInfo)
        => data::fuse_fs_read_buf,
    write(mem: *const c_char, size: size_t, off: off_t, fi: *mut FuseFileInfo)
        => data::fuse_fs_write,
    write_buf(buf: *mut FuseBufvec, off: off_t, fi: *mut FuseFileInfo) => data::fuse_fs_write_buf,
    flush(fi: *mut FuseFileInfo) => files::fuse_fs_flush,
    release(fi: *mut FuseFileInfo) => files::fuse_fs_release,
    fsync(datasync: c_int, fi: *mut FuseFileInfo) => files::fuse_fs_fsync,
    opendir(fi: *mut FuseFileInfo) => files::fuse_fs_opendir,
    releasedir(fi: *mut FuseFileInfo) => files::fuse_fs_releasedir,
    fsyncdir(datasync: c_int, fi: *mut FuseFileInfo) => files::fuse_fs_fsyncdir,
    lock(fi: *mut FuseFileInfo, cmd: c_int, lock: *mut flock) => files::fuse_fs_lock,
    flock_op(fi: *mut FuseFileInfo, op: c_int) => files::fuse_fs_flock,
    bmap(blocksize: size_t, idx: *mut u64) => files::fuse_fs_bmap,
}

pub(super) unsafe extern "C" fn link<M: NameMap>(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        let (from, to) = (layer.path(from)?, layer.path(to)?);
        Ok(names::fuse_fs_link(layer.below, from.as_ptr(), to.as_ptr()))
    })
}

pub(super) unsafe extern "C" fn symlink<M: NameMap>(
    target: *const c_char,
    path: *const c_char,
) -> c_int {
    // SAFETY: the arguments are the library's own, C strings both.
    on(|layer: &Layer<M>| unsafe {
        let target = layer.map.stored_target(CStr::from_ptr(target))?;
        Ok(names::fuse_fs_symlink(layer.below, target.as_ptr(), layer.path(path)?.as_ptr()))
    })
}

pub(super) unsafe extern "C" fn readlink<M: NameMap>(
    path: *const c_char,
    buf: *mut c_char,
    size: size_t,
) -> c_int {
    // SAFETY: the arguments are the library's own; `buf` has `size` bytes, and a C string in them
    // after success.
    on(|layer: &Layer<M>| unsafe {
        let path = layer.path(path)?;
        let result = names::fuse_fs_readlink(layer.below, path.as_ptr(), buf, size);
        if result != 0 || size == 0 {
            return Ok(result);
        }
        // Whatever the file system below has done, the string ends within the buffer.
        buf.add(size - 1).write(0);
        let shown = layer.map.shown_target(path.0.as_deref(), CStr::from_ptr(buf), size)?;
        let len = shown.count_bytes().min(size - 1);
        buf.copy_from_nonoverlapping(shown.as_ptr(), len);
        buf.add(len).write(0);
        Ok(0)
    })
}

pub(super) unsafe extern "C" fn destroy<M: NameMap>(private_data: *mut c_void) {
    // SAFETY: as above; the layer itself ends with its file system.
    unsafe {
        if let Some(layer) = private_data.cast::<Layer<M>>().as_ref() {
            fuse_fs_destroy(layer.below);
        }
    }
}

/// `fuse_module_factory_t` of a built-in module.
///
/// # Safety
/// `args` is a valid argument vector; `fs` is NULL or a list of live file systems that ends with
/// NULL.
pub unsafe extern "C" fn factory<M: NameMap>(
    args: *mut FuseArgs,
    fs: *mut *mut FuseFs,
) -> *mut FuseFs {
    guard("module", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let Some(map) = (unsafe { M::from_args(args) }) else { return ptr::null_mut() };
        // SAFETY: as above. The library gives its modules one file system each.
        let below = unsafe { fs.as_ref().copied().unwrap_or(ptr::null_mut()) };
        // SAFETY: as above.
        let Some(lower) = (unsafe { Fs::get("module", below) }) else { return ptr::null_mut() };
        let layer = Box::new(Layer { below, map });
        Box::into_raw(Fs::owning(operations::<M>(lower.ops()), layer)).cast()
    })
}
