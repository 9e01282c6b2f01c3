//! Tables of callbacks, which grow from release to release.

use std::ptr;

use crate::log::{FUSE_LOG_ERR, emit};

/// Copies a program's table of callbacks: as many as both sides know. A longer one than the library's gives the message
/// `too_old`; NULL has no callbacks.
///
/// # Safety
/// `op` is NULL or has `op_size` bytes; `T` is nothing but optional callbacks and integers, for which those of the
/// program's are valid values.
pub unsafe fn copy<T: Copy + Default>(op: *const T, op_size: usize, too_old: &str) -> T {
    let known = size_of::<T>();
    if op_size > known {
        emit(FUSE_LOG_ERR, too_old);
    }
    let mut ops = T::default();
    if !op.is_null() {
        // SAFETY: the caller's promise; every slot of zeros or of the program's is a valid value.
        unsafe {
            ptr::copy_nonoverlapping(
                op.cast::<u8>(),
                (&raw mut ops).cast::<u8>(),
                op_size.min(known),
            );
        }
    }
    ops
}
