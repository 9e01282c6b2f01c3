//! The data that an open file gives.

use ferrofuse::buf::Vector;
use ferrofuse::tree::ReadData;

use super::data::free_vector;
use crate::buffer;
use crate::types::FuseBufvec;

/// What `read_buf` gave; freed with this.
pub struct CData(pub *mut FuseBufvec);

impl ReadData for CData {
    fn vector(&mut self) -> Vector<'_> {
        if self.0.is_null() {
            return Vector::from_bytes(&[]);
        }
        // SAFETY: the handler made it, and it is not freed before this borrow ends.
        unsafe { buffer::vector(self.0) }
    }
}

impl Drop for CData {
    fn drop(&mut self) {
        // SAFETY: by the contract of `read_buf` all of it is from malloc, and now ours.
        unsafe { free_vector(self.0) };
    }
}
