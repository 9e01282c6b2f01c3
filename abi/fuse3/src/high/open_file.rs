//! An open file between the tree and a handler, and the data it gives.

use ferrofuse::buf::Vector;
use ferrofuse::tree::{OpenFile, ReadData};

use super::data::free_vector;
use crate::buffer;
use crate::types::{FuseBufvec, FuseFileInfo};

/// An open file for a handler.
pub fn file_info(file: &OpenFile) -> FuseFileInfo {
    let mut fi = FuseFileInfo {
        flags: file.flags,
        fh: file.fh,
        lock_owner: file.lock_owner,
        poll_events: file.poll_events,
        ..FuseFileInfo::default()
    };
    for (mask, value) in [
        (FuseFileInfo::WRITEPAGE, file.writepage),
        (FuseFileInfo::FLUSH, file.flush),
        (FuseFileInfo::FLOCK_RELEASE, file.flock_release),
        (FuseFileInfo::DIRECT_IO, file.direct_io),
        (FuseFileInfo::KEEP_CACHE, file.keep_cache),
        (FuseFileInfo::NONSEEKABLE, file.nonseekable),
        (FuseFileInfo::CACHE_READDIR, file.cache_readdir),
        (FuseFileInfo::NOFLUSH, file.noflush),
    ] {
        fi.set(mask, value);
    }
    fi
}

/// What a handler made of an open file.
pub fn take_back(file: &mut OpenFile, fi: &FuseFileInfo) {
    file.fh = fi.fh;
    file.direct_io = fi.has(FuseFileInfo::DIRECT_IO);
    file.keep_cache = fi.has(FuseFileInfo::KEEP_CACHE);
    file.nonseekable = fi.has(FuseFileInfo::NONSEEKABLE);
    file.cache_readdir = fi.has(FuseFileInfo::CACHE_READDIR);
    file.noflush = fi.has(FuseFileInfo::NOFLUSH);
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_come_back_as_the_handler_left_them() {
        let mut file = OpenFile { flags: 2, fh: 7, keep_cache: true, ..OpenFile::default() };
        let mut fi = file_info(&file);
        assert!(fi.has(FuseFileInfo::KEEP_CACHE) && fi.fh == 7 && fi.flags == 2);
        fi.fh = 9;
        fi.set(FuseFileInfo::DIRECT_IO, true);
        fi.set(FuseFileInfo::KEEP_CACHE, false);
        take_back(&mut file, &fi);
        assert!(file.direct_io && !file.keep_cache && file.fh == 9);
    }
}
