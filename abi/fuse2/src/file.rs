//! `struct fuse_file_info` of libfuse 2, between the engine and a handler.

use ferrofuse::session::OpenReply;
use ferrofuse::session::ops::FileInfo;
use ferrofuse::tree::OpenFile;
use ferrofuse::wire::flags::OpenFlags;

use crate::types::FuseFileInfo;

/// An open file as a low-level handler gets it.
pub fn file_info(file: &FileInfo) -> FuseFileInfo {
    let mut fi = FuseFileInfo {
        flags: file.flags,
        fh_old: file.fh,
        writepage: file.writepage.into(),
        fh: file.fh,
        lock_owner: file.lock_owner,
        ..FuseFileInfo::default()
    };
    fi.set(FuseFileInfo::FLUSH, file.flush);
    fi.set(FuseFileInfo::FLOCK_RELEASE, file.flock_release);
    fi
}

/// What a handler says of a file that it has opened.
pub fn open_reply(fi: &FuseFileInfo) -> OpenReply {
    let mut flags = OpenFlags::empty();
    flags.set(OpenFlags::DIRECT_IO, fi.has(FuseFileInfo::DIRECT_IO));
    flags.set(OpenFlags::KEEP_CACHE, fi.has(FuseFileInfo::KEEP_CACHE));
    flags.set(OpenFlags::NONSEEKABLE, fi.has(FuseFileInfo::NONSEEKABLE));
    OpenReply { fh: fi.fh, flags, backing_id: 0 }
}

/// An open file as a path-based handler gets it.
pub fn for_path(file: &OpenFile) -> FuseFileInfo {
    let mut fi = FuseFileInfo {
        flags: file.flags,
        fh_old: file.fh,
        writepage: file.writepage.into(),
        fh: file.fh,
        lock_owner: file.lock_owner,
        ..FuseFileInfo::default()
    };
    for (mask, value) in [
        (FuseFileInfo::FLUSH, file.flush),
        (FuseFileInfo::FLOCK_RELEASE, file.flock_release),
        (FuseFileInfo::DIRECT_IO, file.direct_io),
        (FuseFileInfo::KEEP_CACHE, file.keep_cache),
        (FuseFileInfo::NONSEEKABLE, file.nonseekable),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_handle_is_the_handle() {
        let file = FileInfo { fh: 7, writepage: true, ..FileInfo::default() };
        let fi = file_info(&file);
        assert_eq!((fi.fh, fi.fh_old, fi.writepage), (7, 7, 1));
        let mut open = OpenFile { fh: 3, keep_cache: true, ..OpenFile::default() };
        let mut fi = for_path(&open);
        assert!(fi.has(FuseFileInfo::KEEP_CACHE) && fi.fh_old == 3);
        fi.fh = 9;
        fi.set(FuseFileInfo::DIRECT_IO, true);
        take_back(&mut open, &fi);
        assert!(open.direct_io && open.keep_cache && open.fh == 9);
    }
}
