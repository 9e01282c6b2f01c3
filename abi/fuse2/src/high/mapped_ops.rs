//! The table of operations of a file system that gives the one below other names.

use std::ffi::{CStr, c_char, c_int, c_void};

use ferrofuse_abi_common::modules::NameMap;
use ferrofuse_abi_common::panic::guard;
use libc::{gid_t, mode_t, off_t, stat, timespec, uid_t};

use super::context::fuse_get_context;
use super::fs_calls;
use super::mapped::*;
use super::start::fuse_fs_init_29;
use crate::types::{ConnInfo, FuseFileInfo, FuseFillDir, FuseOperations};

one_path! {
    getattr(buf: *mut stat) => fs_calls::fuse_fs_getattr,
    fgetattr(buf: *mut stat, fi: *mut FuseFileInfo) => fs_calls::fuse_fs_fgetattr,
    chmod(mode: mode_t) => fs_calls::fuse_fs_chmod,
    chown(uid: uid_t, gid: gid_t) => fs_calls::fuse_fs_chown,
    truncate(size: off_t) => fs_calls::fuse_fs_truncate,
    ftruncate(size: off_t, fi: *mut FuseFileInfo) => fs_calls::fuse_fs_ftruncate,
    utimens(tv: *const timespec) => fs_calls::fuse_fs_utimens,
}

unsafe extern "C" fn rename<M: NameMap>(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the arguments are the library's own, handed on.
    on(|layer: &Layer<M>| unsafe {
        let (from, to) = (layer.path(from)?, layer.path(to)?);
        Ok(fs_calls::fuse_fs_rename(layer.below, from.as_ptr(), to.as_ptr()))
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
) -> c_int {
    guard("module", 1, || {
        // SAFETY: `buf` is what `readdir` below gave; the rest comes from the file system.
        unsafe {
            let names = &*buf.cast::<Names<'_, M>>();
            match names.map.shown_name(CStr::from_ptr(name)) {
                Some(name) => (names.filler)(names.buf, name.as_ptr(), stbuf, off),
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
) -> c_int {
    // SAFETY: the arguments are the library's own; `names` outlives the call.
    on(|layer: &Layer<M>| unsafe {
        let path = layer.path(path)?;
        let mut names = Names { map: &layer.map, filler, buf };
        let buf = (&raw mut names).cast();
        Ok(fs_calls::fuse_fs_readdir(layer.below, path.as_ptr(), buf, fill::<M>, off, fi))
    })
}

unsafe extern "C" fn init<M: NameMap>(conn: *mut ConnInfo) -> *mut c_void {
    let context = fuse_get_context();
    // SAFETY: init runs with the private data of its own file system, as every operation.
    unsafe {
        let private_data = (*context).private_data;
        if let Some(layer) = private_data.cast::<Layer<M>>().as_ref() {
            fuse_fs_init_29(layer.below, conn);
        }
        private_data
    }
}

/// The operations of a layer: those that the file system below has, so that the kernel is told of missing ones as if there
/// were no layer. Those that libfuse's modules don't hand on aren't here either; the kernel then does without them.
pub fn operations<M: NameMap>(below: &FuseOperations) -> FuseOperations {
    macro_rules! where_below_has {
        ($($op:ident = $function:ident if $($needed:ident)|+),* $(,)?) => {
            FuseOperations {
                $($op: if false $(|| below.$needed.is_some())+ { Some($function::<M>) } else { None },)*
                init: Some(init::<M>),
                destroy: Some(destroy::<M>),
                bits: FuseOperations::FLAG_NULLPATH_OK | FuseOperations::FLAG_NOPATH,
                ..FuseOperations::default()
            }
        };
    }
    where_below_has! {
        getattr = getattr if getattr,
        fgetattr = fgetattr if fgetattr | getattr,
        readlink = readlink if readlink,
        mknod = mknod if mknod,
        mkdir = mkdir if mkdir,
        unlink = unlink if unlink,
        rmdir = rmdir if rmdir,
        symlink = symlink if symlink,
        rename = rename if rename,
        link = link if link,
        chmod = chmod if chmod,
        chown = chown if chown,
        truncate = truncate if truncate,
        ftruncate = ftruncate if ftruncate | truncate,
        utimens = utimens if utimens | utime,
        open = open if open,
        read = read if read,
        write = write if write,
        read_buf = read_buf if read_buf,
        write_buf = write_buf if write_buf,
        statfs = statfs if statfs,
        flush = flush if flush,
        release = release if release,
        fsync = fsync if fsync,
        setxattr = setxattr if setxattr,
        getxattr = getxattr if getxattr,
        listxattr = listxattr if listxattr,
        removexattr = removexattr if removexattr,
        opendir = opendir if opendir,
        readdir = readdir if readdir | getdir,
        releasedir = releasedir if releasedir,
        fsyncdir = fsyncdir if fsyncdir,
        access = access if access,
        create = create if create,
        lock = lock if lock,
        flock = flock_op if flock,
        bmap = bmap if bmap,
    }
}
