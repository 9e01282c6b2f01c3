//! `init` of a file system in a stack, which operations a table has, and what takes its directory entries.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem;

use ferrofuse::tree::OpSet;
use libc::{off_t, stat};

use super::filler;
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
            conn.want &= !capability;
        }
    }
    if let Some(init) = fs.ops().init {
        let _running = fs.running();
        // SAFETY: the program's own handler, with what the caller promised.
        let private_data = unsafe { init(conn, cfg) };
        fs.set_private_data(private_data);
    }
}

/// `fuse_fill_dir_t` that takes entries for the tree.
///
/// # Safety
/// As for [`filler::take`].
pub unsafe extern "C" fn fill(
    buf: *mut c_void,
    name: *const c_char,
    stbuf: *const stat,
    off: off_t,
    flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { filler::take(buf, name, stbuf, off, flags) }
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
    use super::*;

    unsafe extern "C" fn access(_path: *const c_char, _mask: c_int) -> c_int {
        0
    }

    #[test]
    fn slots_are_bits() {
        assert_eq!(op_set(&FuseOperations::default()), OpSet::empty());
        let ops = FuseOperations { access: Some(access), ..FuseOperations::default() };
        assert_eq!(op_set(&ops), OpSet::ACCESS);
        assert_eq!(mem::offset_of!(FuseOperations, access) / 8, 29);
        assert_eq!(1 << (mem::offset_of!(FuseOperations, lseek) / 8), OpSet::LSEEK.bits());
        assert_eq!(SLOTS, 42);
    }
}
