//! A file system that gives the one below other names: the table of operations behind every
//! [`NameMap`].

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::mem;
use std::ptr;

use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::conn_info::ConnInfo;
use ferrofuse_abi_common::modules::NameMap;
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use libc::{dev_t, flock, gid_t, mode_t, off_t, size_t, stat, statvfs, timespec, uid_t};

use super::context::fuse_get_context;
use super::fs::{Fs, fuse_fs_destroy, fuse_fs_init};
use super::layers::SLOTS;
use super::{data, files, names};
use crate::types::{FuseBufvec, FuseConfig, FuseFileInfo, FuseFillDir, FuseFs, FuseOperations};

/// The private data of such a file system.
pub struct Layer<M> {
    below: *mut FuseFs,
    map: M,
}

/// A path for the file system below, NULL if there was none.
struct Path(Option<CString>);

impl Path {
    fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |path| path.as_ptr())
    }
}

impl<M: NameMap> Layer<M> {
    /// # Safety
    /// `path` is NULL or a C string.
    unsafe fn path(&self, path: *const c_char) -> Result<Path> {
        if path.is_null() {
            return Ok(Path(None));
        }
        // SAFETY: the caller's promise.
        self.map.path(unsafe { CStr::from_ptr(path) }).map(|path| Path(Some(path)))
    }
}

/// Runs an operation on the layer it belongs to. Its errors are negated.
fn on<M: NameMap, T: From<i32>>(operation: impl FnOnce(&Layer<M>) -> Result<T>) -> T {
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
        $(unsafe extern "C" fn $op<M: NameMap>(path: *const c_char, $($arg: $kind),*) -> c_int {
            // SAFETY: the arguments are the library's own, handed on.
            on(|layer: &Layer<M>| unsafe {
                Ok($module::$below(layer.below, layer.path(path)?.as_ptr(), $($arg),*))
            })
        })*
    };
}

one_path! {
    getattr(buf: *mut stat, fi: *mut FuseFileInfo) => names::fuse_fs_getattr,
    mknod(mode: mode_t, rdev: dev_t) => names::fuse_fs_mknod,
    mkdir(mode: mode_t) => names::fuse_fs_mkdir,
    unlink() => names::fuse_fs_unlink,
    rmdir() => names::fuse_fs_rmdir,
    chmod(mode: mode_t, fi: *mut FuseFileInfo) => names::fuse_fs_chmod,
    chown(uid: uid_t, gid: gid_t, fi: *mut FuseFileInfo) => names::fuse_fs_chown,
    truncate(size: off_t, fi: *mut FuseFileInfo) => names::fuse_fs_truncate,
    utimens(tv: *const timespec, fi: *mut FuseFileInfo) => names::fuse_fs_utimens,
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

unsafe extern "C" fn rename<M: NameMap>(
    from: *const c_char,
    to: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        let (from, to) = (layer.path(from)?, layer.path(to)?);
        Ok(names::fuse_fs_rename(layer.below, from.as_ptr(), to.as_ptr(), flags))
    })
}

unsafe extern "C" fn link<M: NameMap>(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        let (from, to) = (layer.path(from)?, layer.path(to)?);
        Ok(names::fuse_fs_link(layer.below, from.as_ptr(), to.as_ptr()))
    })
}

unsafe extern "C" fn symlink<M: NameMap>(target: *const c_char, path: *const c_char) -> c_int {
    // SAFETY: the arguments are the library's own, C strings both.
    on(|layer: &Layer<M>| unsafe {
        let target = layer.map.stored_target(CStr::from_ptr(target))?;
        Ok(names::fuse_fs_symlink(layer.below, target.as_ptr(), layer.path(path)?.as_ptr()))
    })
}

unsafe extern "C" fn readlink<M: NameMap>(
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

/// The filler that the file system below gets, and the one it stands for.
struct Names<'a, M> {
    map: &'a M,
    filler: FuseFillDir,
    buf: *mut c_void,
}

unsafe extern "C" fn fill<M: NameMap>(
    buf: *mut c_void,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
    flags: c_uint,
) -> c_int {
    guard("module", 1, || {
        // SAFETY: `buf` is what `readdir` below gave; the rest comes from the file system.
        unsafe {
            let names = &*buf.cast::<Names<'_, M>>();
            match names.map.shown_name(CStr::from_ptr(name)) {
                Some(name) => (names.filler)(names.buf, name.as_ptr(), stbuf, off, flags),
                None => 0,
            }
        }
    })
}

unsafe extern "C" fn readdir<M: NameMap>(
    path: *const c_char,
    buf: *mut c_void,
    filler: FuseFillDir,
    off: off_t,
    fi: *mut FuseFileInfo,
    flags: c_uint,
) -> c_int {
    // SAFETY: the arguments are the library's own; `names` outlives the call.
    on(|layer: &Layer<M>| unsafe {
        let path = layer.path(path)?;
        let mut names = Names { map: &layer.map, filler, buf };
        let buf = (&raw mut names).cast();
        Ok(files::fuse_fs_readdir(layer.below, path.as_ptr(), buf, fill::<M>, off, fi, flags))
    })
}

unsafe extern "C" fn lseek<M: NameMap>(
    path: *const c_char,
    off: off_t,
    whence: c_int,
    fi: *mut FuseFileInfo,
) -> off_t {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        Ok(files::fuse_fs_lseek(layer.below, layer.path(path)?.as_ptr(), off, whence, fi))
    })
}

unsafe extern "C" fn init<M: NameMap>(conn: *mut ConnInfo, cfg: *mut FuseConfig) -> *mut c_void {
    let context = fuse_get_context();
    // SAFETY: init runs with the private data of its own file system, as every operation.
    unsafe {
        let private_data = (*context).private_data;
        if let Some(layer) = private_data.cast::<Layer<M>>().as_ref() {
            fuse_fs_init(layer.below, conn, cfg);
        }
        private_data
    }
}

unsafe extern "C" fn destroy<M: NameMap>(private_data: *mut c_void) {
    // SAFETY: as above; the layer itself ends with its file system.
    unsafe {
        if let Some(layer) = private_data.cast::<Layer<M>>().as_ref() {
            fuse_fs_destroy(layer.below);
        }
    }
}

/// All operations of a layer. Those that libfuse's modules don't hand on aren't here either; the kernel then does
/// without them.
fn all<M: NameMap>() -> FuseOperations {
    FuseOperations {
        getattr: Some(getattr::<M>),
        readlink: Some(readlink::<M>),
        mknod: Some(mknod::<M>),
        mkdir: Some(mkdir::<M>),
        unlink: Some(unlink::<M>),
        rmdir: Some(rmdir::<M>),
        symlink: Some(symlink::<M>),
        rename: Some(rename::<M>),
        link: Some(link::<M>),
        chmod: Some(chmod::<M>),
        chown: Some(chown::<M>),
        truncate: Some(truncate::<M>),
        open: Some(open::<M>),
        read: Some(read::<M>),
        write: Some(write::<M>),
        statfs: Some(statfs::<M>),
        flush: Some(flush::<M>),
        release: Some(release::<M>),
        fsync: Some(fsync::<M>),
        setxattr: Some(setxattr::<M>),
        getxattr: Some(getxattr::<M>),
        listxattr: Some(listxattr::<M>),
        removexattr: Some(removexattr::<M>),
        opendir: Some(opendir::<M>),
        readdir: Some(readdir::<M>),
        releasedir: Some(releasedir::<M>),
        fsyncdir: Some(fsyncdir::<M>),
        init: None,
        destroy: None,
        access: Some(access::<M>),
        create: Some(create::<M>),
        lock: Some(lock::<M>),
        utimens: Some(utimens::<M>),
        bmap: Some(bmap::<M>),
        ioctl: None,
        poll: None,
        write_buf: Some(write_buf::<M>),
        read_buf: Some(read_buf::<M>),
        flock: Some(flock_op::<M>),
        fallocate: None,
        copy_file_range: None,
        lseek: Some(lseek::<M>),
    }
}

/// The operations of a layer: those that the file system below has, so that the kernel is told of
/// missing ones as if there were no layer.
fn operations<M: NameMap>(below: &FuseOperations) -> FuseOperations {
    // SAFETY: tables are nothing but optional function pointers, whose absence is 0.
    let mut slots: [usize; SLOTS] = unsafe { mem::transmute(all::<M>()) };
    // SAFETY: as above.
    let below: [usize; SLOTS] = unsafe { mem::transmute(*below) };
    for (slot, below) in slots.iter_mut().zip(below) {
        if below == 0 {
            *slot = 0;
        }
    }
    // SAFETY: every slot is the function of its type, or absent.
    let mut operations: FuseOperations = unsafe { mem::transmute(slots) };
    operations.init = Some(init::<M>);
    operations.destroy = Some(destroy::<M>);
    operations
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
