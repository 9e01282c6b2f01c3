//! `init` of a file system in a stack, and which operations a table has.

use std::mem;

use ferrofuse::tree::OpSet;

use super::fs::Fs;
use crate::types::{ConnInfo, FuseConfig, FuseFs, FuseOperations};

/// `fuse_fs_init`: calls `init`, if there is one, and takes its result for the private data.
///
/// # Safety
/// `fs` is NULL or a live file system; `conn` and `cfg` are what `init` may be called with.
pub unsafe extern "C" fn fuse_fs_init(fs: *mut FuseFs, conn: *mut ConnInfo, cfg: *mut FuseConfig) {
    // SAFETY: the caller's promise.
    let Some(fs) = (unsafe { Fs::get("fuse_fs_init", fs) }) else { return };
    // SAFETY: the caller's promise, for both structs.
    if let Some(conn) = unsafe { conn.as_mut() } {
        use ferrofuse_abi_common::conn_info::{CAP_FLOCK_LOCKS, CAP_POSIX_LOCKS, CAP_SPLICE_READ};
        // What is not implemented can't be wanted.
        let has = [
            (fs.ops().write_buf.is_some(), CAP_SPLICE_READ),
            (fs.ops().lock.is_some(), CAP_POSIX_LOCKS),
            (fs.ops().flock.is_some(), CAP_FLOCK_LOCKS),
        ];
        for (_, capability) in has.into_iter().filter(|(implemented, _)| !implemented) {
            conn.unwant(capability);
        }
    }
    if let Some(init) = fs.ops().init {
        let _running = fs.running();
        // SAFETY: the program's own handler, with what the caller promised.
        let private_data = unsafe { init(conn, cfg) };
        fs.set_private_data(private_data);
    }
}

/// The operations that a table has; the slots are the bits.
pub fn op_set(ops: &FuseOperations) -> OpSet {
    // SAFETY: the table is nothing but optional function pointers, whose absence is 0.
    let slots: [usize; SLOTS] = unsafe { mem::transmute(*ops) };
    let bits = slots.iter().enumerate().filter(|(_, slot)| **slot != 0);
    OpSet::from_bits_truncate(bits.fold(0, |bits, (at, _)| bits | 1 << at))
}

/// Number of operations.
pub const SLOTS: usize = size_of::<FuseOperations>() / size_of::<usize>();

#[cfg(test)]
mod tests {
    use std::ffi::{c_char, c_int};

    use super::*;
    use crate::types::high_ops::FuseOperations as Base;

    unsafe extern "C" fn access(_path: *const c_char, _mask: c_int) -> c_int {
        0
    }

    #[test]
    #[allow(clippy::useless_conversion)] // the table grew after 3.14
    fn slots_are_bits() {
        assert_eq!(op_set(&FuseOperations::default()), OpSet::empty());
        let ops = Base { access: Some(access), ..Base::default() };
        assert_eq!(op_set(&ops.into()), OpSet::ACCESS);
        assert_eq!(mem::offset_of!(Base, access) / 8, 29);
        assert_eq!(1 << (mem::offset_of!(Base, lseek) / 8), OpSet::LSEEK.bits());
    }
}
