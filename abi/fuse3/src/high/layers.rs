//! The file systems of a stack.

use super::fs::Fs;
use crate::types::{FuseConfig, FuseFs};

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
