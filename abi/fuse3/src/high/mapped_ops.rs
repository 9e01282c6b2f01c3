//! The table of operations of a file system that gives the one below other names.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem;

use ferrofuse_abi_common::modules::NameMap;
use ferrofuse_abi_common::panic::guard;
use libc::{gid_t, mode_t, off_t, stat, timespec, uid_t};

use super::context::fuse_get_context;
use super::mapped::*;
use super::shaped;
use super::start::{SLOTS, fuse_fs_init};
use crate::types::{ConnInfo, FuseConfig, FuseFileInfo, FuseFillDir, FuseOperations, high_ops};

one_path! {
    getattr(buf: *mut stat, fi: *mut FuseFileInfo) => shaped::fuse_fs_getattr,
    chmod(mode: mode_t, fi: *mut FuseFileInfo) => shaped::fuse_fs_chmod,
    chown(uid: uid_t, gid: gid_t, fi: *mut FuseFileInfo) => shaped::fuse_fs_chown,
    truncate(size: off_t, fi: *mut FuseFileInfo) => shaped::fuse_fs_truncate,
    utimens(tv: *const timespec, fi: *mut FuseFileInfo) => shaped::fuse_fs_utimens,
}

unsafe extern "C" fn rename<M: NameMap>(
    from: *const c_char,
    to: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        let (from, to) = (layer.path(from)?, layer.path(to)?);
        Ok(shaped::fuse_fs_rename(layer.below, from.as_ptr(), to.as_ptr(), flags))
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
        Ok(shaped::fuse_fs_readdir(layer.below, path.as_ptr(), buf, fill::<M>, off, fi, flags))
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
        Ok(shaped::fuse_fs_lseek(layer.below, layer.path(path)?.as_ptr(), off, whence, fi))
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

/// All operations of a layer. Those that libfuse's modules don't hand on aren't here either; the kernel then does
/// without them.
#[allow(clippy::useless_conversion)] // the table grew after 3.14
fn all<M: NameMap>() -> FuseOperations {
    high_ops::FuseOperations {
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
    .into()
}

/// The operations of a layer: those that the file system below has, so that the kernel is told of
/// missing ones as if there were no layer.
pub fn operations<M: NameMap>(below: &FuseOperations) -> FuseOperations {
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
