//! `struct fuse_fs`: one file system of a stack.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ferrofuse::Errno;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;

use super::context::PrivateData;
use crate::types::{FuseFs, FuseOperations};

/// What a `struct fuse_fs *` points to.
pub struct Fs {
    ops: FuseOperations,
    /// The program's own; replaced by what its `init` returns.
    private_data: AtomicPtr<c_void>,
    /// The library's own private data of a module, which ends with it.
    _owned: Option<Box<dyn Any>>,
}

impl Fs {
    /// A file system over a copied table.
    pub fn new(ops: FuseOperations, private_data: *mut c_void) -> Box<Fs> {
        Box::new(Fs { ops, private_data: AtomicPtr::new(private_data), _owned: None })
    }

    /// A file system of the library's, with private data that ends with it.
    pub fn owning<T: Any>(ops: FuseOperations, private_data: Box<T>) -> Box<Fs> {
        let address = Box::into_raw(private_data);
        // SAFETY: just released; the address stays that of the value, which is never moved out.
        let owned = unsafe { Box::from_raw(address) };
        let private_data = AtomicPtr::new(address.cast());
        Box::new(Fs { ops, private_data, _owned: Some(owned) })
    }

    /// The file system behind a pointer; NULL is reported.
    ///
    /// # Safety
    /// `fs` is NULL or a live file system.
    pub unsafe fn get<'a>(function: &str, fs: *mut FuseFs) -> Option<&'a Fs> {
        // SAFETY: the caller's promise.
        let fs = unsafe { fs.cast::<Fs>().as_ref() };
        if fs.is_none() {
            log::error!("fuse: {function}: file system is NULL");
        }
        fs
    }

    /// Its callbacks.
    pub fn ops(&self) -> &FuseOperations {
        &self.ops
    }

    /// What it was made with, or its `init` returned.
    pub fn private_data(&self) -> *mut c_void {
        self.private_data.load(Ordering::Acquire)
    }

    /// Takes what `init` returned.
    pub fn set_private_data(&self, data: *mut c_void) {
        self.private_data.store(data, Ordering::Release);
    }

    /// To be held while one of its callbacks runs.
    pub fn running(&self) -> PrivateData {
        PrivateData::show(self.private_data())
    }
}

/// The message for a program that knows more callbacks; libfuse's, to the letter.
const TOO_OLD: &str = "fuse: warning: library too old, some operations may not not work";

/// `fuse_fs_new`: a file system to be put into a stack. The callbacks are copied; NULL has none.
///
/// It lives as long as the stack, or for ever if it is in none.
///
/// # Safety
/// `op` is NULL or has `op_size` bytes.
pub unsafe extern "C" fn fuse_fs_new(
    op: *const FuseOperations,
    op_size: size_t,
    user_data: *mut c_void,
) -> *mut FuseFs {
    guard("fuse_fs_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let ops = unsafe { table::copy(op, op_size, TOO_OLD) };
        Box::into_raw(Fs::new(ops, user_data)).cast()
    })
}

/// Calls an operation of a file system, or gives what stands for one that is missing.
macro_rules! call {
    ($function:literal, $fs:ident, $op:ident($($arg:expr),*)) => {
        call!($function, $fs, $op($($arg),*), else ferrofuse::Errno::ENOSYS.negated() as _)
    };
    ($function:literal, $fs:ident, $op:ident($($arg:expr),*), else $missing:expr) => {{
        // SAFETY: the caller's promise.
        match unsafe { $crate::high::fs::Fs::get($function, $fs) } {
            None => ferrofuse::Errno::EINVAL.negated() as _,
            Some(fs) => match fs.ops().$op {
                Some(op) => {
                    let _running = fs.running();
                    // SAFETY: the program gave this pointer as an operation of this type; the
                    // arguments are as the caller promised.
                    unsafe { op($($arg),*) }
                }
                None => $missing,
            },
        }
    }};
}
pub(crate) use call;

/// `fuse_fs_destroy`: calls `destroy`, if there is one. The memory stays until the stack ends.
///
/// # Safety
/// `fs` is NULL or a live file system.
pub unsafe extern "C" fn fuse_fs_destroy(fs: *mut FuseFs) {
    // SAFETY: the caller's promise.
    let Some(fs) = (unsafe { Fs::get("fuse_fs_destroy", fs) }) else { return };
    if let Some(destroy) = fs.ops.destroy {
        let _running = fs.running();
        // SAFETY: the program's own handler.
        unsafe { destroy(fs.private_data()) };
    }
}

/// What an operation that returns a count may return at most; more is reported, and cut.
pub fn at_most(size: size_t, count: c_int, complaint: &str) -> c_int {
    match usize::try_from(count) {
        Ok(done) if done > size => {
            emit(FUSE_LOG_ERR, complaint);
            c_int::try_from(size).unwrap_or(c_int::MAX)
        }
        _ => count,
    }
}

/// The error a call that cannot be made gives.
pub const INVALID: c_int = Errno::EINVAL.negated();
