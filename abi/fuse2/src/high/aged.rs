//! File systems of API 1.x to 2.5, as the stack of today sees them: the program's table, less what had another shape then,
//! under a layer that calls that.
//!
//! What only had fewer arguments is called with those of today: on the machines served here a C function does not see
//! arguments that it does not have.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem;

use ferrofuse::Result;
use ferrofuse_abi_common::modules::NameMap;
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::table;
use libc::{off_t, size_t, statfs, statvfs};

use super::fs::Fs;
use super::getdir::{self, OldDirFil};
use super::mapped::{Layer, on};
use super::mapped_ops::operations;
use super::names;
use crate::types::old::{FULL_SIZE_1, SIZE_1, SIZE_2, SIZE_22, SIZE_25};
use crate::types::{
    FuseFileInfo, FuseFileInfoCompat, FuseFillDir, FuseFs, FuseOperations, FuseStatfsCompat1,
};

/// Which interface a program was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// API 2.5.
    V25,
    /// API 2.2 to 2.4.
    V22,
    /// API 2.1.
    V2,
    /// API 1.x.
    V1,
}

type OpenCompat = unsafe extern "C" fn(*const c_char, *mut FuseFileInfoCompat) -> c_int;
type ByFlags = unsafe extern "C" fn(*const c_char, c_int) -> c_int;
type OldGetdir = unsafe extern "C" fn(*const c_char, *mut c_void, OldDirFil) -> c_int;

/// How a program tells statistics.
#[derive(Clone, Copy)]
enum Statistics {
    /// As today.
    Same,
    /// API 2.1 to 2.4.
    Statfs(unsafe extern "C" fn(*const c_char, *mut statfs) -> c_int),
    /// API 1.x.
    First(unsafe extern "C" fn(*mut FuseStatfsCompat1) -> c_int),
}

/// What had another shape.
struct Old {
    open: Option<OpenCompat>,
    opendir: Option<OpenCompat>,
    open_by_flags: Option<ByFlags>,
    release_by_flags: Option<ByFlags>,
    getdir: Option<OldGetdir>,
    statistics: Statistics,
}

/// Names stay what they are.
impl NameMap for Old {
    unsafe fn from_args(_args: *mut FuseArgs) -> Option<Old> {
        None
    }

    fn path(&self, path: &CStr) -> Result<CString> {
        Ok(path.to_owned())
    }

    fn stored_target(&self, target: &CStr) -> Result<CString> {
        Ok(target.to_owned())
    }

    fn shown_target(&self, _path: Option<&CStr>, target: &CStr, _room: usize) -> Result<CString> {
        Ok(target.to_owned())
    }

    fn shown_name(&self, name: &CStr) -> Option<CString> {
        Some(name.to_owned())
    }
}

/// Calls one of the program's own functions, whose private data `fuse_get_context` then shows.
fn call(run: impl FnOnce(&Old) -> c_int) -> c_int {
    on(|layer: &Layer<Old>| {
        // SAFETY: the layer below lives as long as this one.
        let below = unsafe { Fs::get("fuse_new", layer.below) };
        let _running = below.map(Fs::running);
        Ok(run(&layer.map))
    })
}

/// Has a program of API 2.2 to 2.4 open something.
///
/// # Safety
/// The arguments are those of the operation.
unsafe fn open_with(open: Option<OpenCompat>, path: *const c_char, fi: *mut FuseFileInfo) -> c_int {
    let Some(open) = open else { return 0 };
    // SAFETY: the caller's promise; the program's own operation.
    unsafe {
        let mut compat = FuseFileInfoCompat {
            flags: (*fi).flags,
            fh: (*fi).fh_old,
            writepage: (*fi).writepage,
            bits: (*fi).bits,
        };
        let result = open(path, &raw mut compat);
        (*fi).bits = compat.bits;
        ((*fi).fh_old, (*fi).fh) = (compat.fh, compat.fh);
        result
    }
}

unsafe extern "C" fn open(path: *const c_char, fi: *mut FuseFileInfo) -> c_int {
    // SAFETY: the library's own arguments, handed on.
    call(|old| unsafe { open_with(old.open, path, fi) })
}

unsafe extern "C" fn opendir(path: *const c_char, fi: *mut FuseFileInfo) -> c_int {
    // SAFETY: the library's own arguments, handed on.
    call(|old| unsafe { open_with(old.opendir, path, fi) })
}

unsafe extern "C" fn open_by_flags(path: *const c_char, fi: *mut FuseFileInfo) -> c_int {
    // SAFETY: the library's own arguments, handed on.
    call(|old| unsafe { old.open_by_flags.map_or(0, |open| open(path, (*fi).flags)) })
}

unsafe extern "C" fn release_by_flags(path: *const c_char, fi: *mut FuseFileInfo) -> c_int {
    // SAFETY: the library's own arguments, handed on.
    call(|old| unsafe { old.release_by_flags.map_or(0, |release| release(path, (*fi).flags)) })
}

unsafe extern "C" fn readdir(
    path: *const c_char,
    buf: *mut c_void,
    filler: FuseFillDir,
    _off: off_t,
    _fi: *mut FuseFileInfo,
) -> c_int {
    call(|old| {
        let Some(getdir) = old.getdir else { return 0 };
        // SAFETY: the library's own arguments, handed on.
        getdir::list_old(buf, filler, |handle, fill| unsafe { getdir(path, handle, fill) })
    })
}

/// Statistics of the whole file system, which these programs take no path for.
unsafe extern "C" fn statistics(_path: *const c_char, buf: *mut statvfs) -> c_int {
    on(|layer: &Layer<Old>| {
        let root = c"/".as_ptr();
        match layer.map.statistics {
            // SAFETY: the library's own arguments, handed on.
            Statistics::Same => unsafe { Ok(names::fuse_fs_statfs(layer.below, root, buf)) },
            Statistics::Statfs(told) => Ok(call(|_| {
                // SAFETY: plain integers, for which all zeros is a value; the program's own operation; the buffer is
                // the library's.
                unsafe {
                    let mut old: statfs = mem::zeroed();
                    let result = told(root, &raw mut old);
                    *buf = from_statfs(&old);
                    result
                }
            })),
            Statistics::First(told) => Ok(call(|_| {
                let mut old = FuseStatfsCompat1::default();
                // SAFETY: the program's own operation; the buffer is the library's.
                unsafe {
                    let result = told(&raw mut old);
                    *buf = from_first(&old);
                    result
                }
            })),
        }
    })
}

/// Statistics as today.
pub fn from_statfs(old: &statfs) -> statvfs {
    // SAFETY: plain integers, for which all zeros is a value.
    let mut new: statvfs = unsafe { mem::zeroed() };
    // Signed or not, by machine.
    new.f_bsize = old.f_bsize.try_into().unwrap_or_default();
    new.f_frsize = new.f_bsize;
    new.f_blocks = old.f_blocks;
    new.f_bfree = old.f_bfree;
    new.f_bavail = old.f_bavail;
    new.f_files = old.f_files;
    new.f_ffree = old.f_ffree;
    new.f_namemax = old.f_namelen.try_into().unwrap_or_default();
    new
}

fn from_first(old: &FuseStatfsCompat1) -> statvfs {
    // SAFETY: plain integers, for which all zeros is a value.
    let mut new: statvfs = unsafe { mem::zeroed() };
    new.f_bsize = old.block_size.cast_unsigned();
    new.f_frsize = new.f_bsize;
    new.f_blocks = old.blocks.cast_unsigned();
    new.f_bfree = old.blocks_free.cast_unsigned();
    new.f_bavail = old.blocks_free.cast_unsigned();
    new.f_files = old.files.cast_unsigned();
    new.f_ffree = old.files_free.cast_unsigned();
    new.f_namemax = old.namelen.cast_unsigned();
    new
}

/// The message for a program that knows more callbacks.
const TOO_OLD: &str = "fuse: warning: library too old, some operations may not not work";

/// Takes a callback out of a table, as what it really is.
///
/// # Safety
/// `T` is the type of function that the program put there.
unsafe fn take<F, T>(slot: &mut Option<F>) -> Option<T> {
    const { assert!(size_of::<F>() == size_of::<T>()) };
    // SAFETY: both are function pointers, and the caller's promise.
    slot.take().map(|function| unsafe { mem::transmute_copy::<F, T>(&function) })
}

/// Takes out of a table what had another shape.
///
/// # Safety
/// The table came from a program of this age.
unsafe fn split(age: Age, ops: &mut FuseOperations) -> Old {
    let mut old = Old {
        open: None,
        opendir: None,
        open_by_flags: None,
        release_by_flags: None,
        getdir: None,
        statistics: Statistics::Same,
    };
    // SAFETY: the caller's promise.
    unsafe {
        match age {
            Age::V25 => return old,
            Age::V22 => {
                old.open = take(&mut ops.open);
                old.opendir = take(&mut ops.opendir);
            }
            Age::V2 | Age::V1 => {
                old.open_by_flags = take(&mut ops.open);
                old.release_by_flags = take(&mut ops.release);
                old.getdir = take(&mut ops.getdir);
            }
        }
        if age == Age::V1 {
            if let Some(told) = take(&mut ops.statfs) {
                old.statistics = Statistics::First(told);
            }
        } else if let Some(told) = take(&mut ops.statfs) {
            old.statistics = Statistics::Statfs(told);
        }
    }
    old
}

/// The table of an old program, with every callback where it belongs today.
///
/// # Safety
/// `op` is NULL or has `op_size` bytes, of a table of this age.
unsafe fn copy(age: Age, op: *const c_void, op_size: size_t) -> FuseOperations {
    let op = op.cast::<FuseOperations>();
    let size = match age {
        Age::V25 => op_size.min(SIZE_25),
        Age::V22 => op_size.min(SIZE_22),
        Age::V2 => op_size.min(SIZE_2),
        Age::V1 => op_size.min(SIZE_1),
    };
    // SAFETY: the caller's promise.
    let mut ops = unsafe { table::copy(op, size, TOO_OLD) };
    if age == Age::V1 && op_size >= FULL_SIZE_1 && !op.is_null() {
        // SAFETY: the caller's promise: two more callbacks, which stand elsewhere today.
        unsafe {
            let last = op.byte_add(SIZE_1);
            ops.release = last.cast::<Option<_>>().read();
            ops.fsync = last.byte_add(size_of::<usize>()).cast::<Option<_>>().read();
        }
    }
    ops
}

/// The file systems that make an old program one of today, the outermost last. The callbacks are copied.
///
/// # Safety
/// `op` is NULL or has `op_size` bytes, of a table of this age.
pub unsafe fn layers(age: Age, op: *const c_void, op_size: size_t) -> Vec<*mut FuseFs> {
    // SAFETY: the caller's promise.
    let (mut ops, old) = unsafe {
        let mut ops = copy(age, op, op_size);
        let old = split(age, &mut ops);
        (ops, old)
    };
    // Its own init and destroy are called by those of the layer.
    let mut upper = operations::<Old>(&ops);
    if old.open.is_some() {
        upper.open = Some(open);
    }
    if old.opendir.is_some() {
        upper.opendir = Some(opendir);
    }
    if old.open_by_flags.is_some() {
        upper.open = Some(open_by_flags);
    }
    if old.release_by_flags.is_some() {
        upper.release = Some(release_by_flags);
    }
    if old.getdir.is_some() {
        upper.readdir = Some(readdir);
    }
    if ops.statfs.is_some() || !matches!(old.statistics, Statistics::Same) {
        upper.statfs = Some(statistics);
    }
    ops.bits = 0;
    let below = Box::into_raw(Fs::new(ops, std::ptr::null_mut())).cast();
    let layer = Box::new(Layer { below, map: old });
    vec![below, Box::into_raw(Fs::owning(upper, layer)).cast()]
}
