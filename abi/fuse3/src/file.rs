//! `struct fuse_file_info` of this generation, between the engine and a handler.

use ferrofuse::session::OpenReply;
use ferrofuse::session::ops::FileInfo;
use ferrofuse::tree::OpenFile;
use ferrofuse::wire::flags::OpenFlags;

use crate::types::FuseFileInfo;

/// An open file as a handler gets it.
pub fn file_info(file: &FileInfo) -> FuseFileInfo {
    let mut fi = FuseFileInfo {
        flags: file.flags,
        fh: file.fh,
        lock_owner: file.lock_owner,
        poll_events: file.poll_events,
        ..FuseFileInfo::default()
    };
    fi.set(FuseFileInfo::WRITEPAGE, file.writepage);
    fi.set(FuseFileInfo::FLUSH, file.flush);
    fi.set(FuseFileInfo::FLOCK_RELEASE, file.flock_release);
    fi
}

/// What a handler says of a file that it has opened.
pub fn open_reply(fi: &FuseFileInfo) -> OpenReply {
    let mut flags = OpenFlags::empty();
    flags.set(OpenFlags::DIRECT_IO, fi.has(FuseFileInfo::DIRECT_IO));
    flags.set(OpenFlags::KEEP_CACHE, fi.has(FuseFileInfo::KEEP_CACHE));
    flags.set(OpenFlags::CACHE_DIR, fi.has(FuseFileInfo::CACHE_READDIR));
    flags.set(OpenFlags::NONSEEKABLE, fi.has(FuseFileInfo::NONSEEKABLE));
    flags.set(OpenFlags::NOFLUSH, fi.has(FuseFileInfo::NOFLUSH));
    flags.set(OpenFlags::PARALLEL_DIRECT_WRITES, fi.parallel_direct_writes());
    OpenReply { fh: fi.fh, flags, backing_id: fi.backing_id() }
}

/// An open file as a path-based handler gets it.
pub fn for_path(file: &OpenFile) -> FuseFileInfo {
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
    fi.set_parallel_direct_writes(file.parallel_direct_writes);
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
    file.parallel_direct_writes = fi.parallel_direct_writes();
    file.backing_id = fi.backing_id();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_come_back_as_the_handler_left_them() {
        let mut file = OpenFile { flags: 2, fh: 7, keep_cache: true, ..OpenFile::default() };
        let mut fi = for_path(&file);
        assert!(fi.has(FuseFileInfo::KEEP_CACHE) && fi.fh == 7 && fi.flags == 2);
        fi.fh = 9;
        fi.set(FuseFileInfo::DIRECT_IO, true);
        fi.set(FuseFileInfo::KEEP_CACHE, false);
        take_back(&mut file, &fi);
        assert!(file.direct_io && !file.keep_cache && file.fh == 9);
    }
}
