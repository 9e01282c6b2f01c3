//! The file systems of a stack, and which operations they have.

use std::mem;

use ferrofuse::tree::OpSet;

use super::fs::Fs;
use crate::types::{FuseConfig, FuseFs, FuseOperations};

/// File systems on top of each other, and what they were made with; they end with this.
pub struct Layers {
    /// The outermost last.
    pub all: Vec<*mut FuseFs>,
    /// What init gets; kept, because programs keep the pointer.
    pub config: Box<FuseConfig>,
}

impl Layers {
    /// One file system, so far.
    ///
    /// # Safety
    /// `base`, and what is put upon it, came from `fuse_fs_new`, and nobody else frees it. The
    /// modules of the configuration are NULL or from malloc.
    pub unsafe fn new(base: *mut FuseFs, config: Box<FuseConfig>) -> Layers {
        Layers { all: vec![base], config }
    }
}

impl Drop for Layers {
    fn drop(&mut self) {
        for layer in &self.all {
            // SAFETY: by the contract of `new`; nothing calls an operation any more.
            drop(unsafe { Box::from_raw(layer.cast::<Fs>()) });
        }
        // SAFETY: as above.
        unsafe { libc::free(self.config.modules.cast()) };
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
