//! The fixed-size structures of `/dev/fuse`, protocol 7.45, in the machine's own byte order.
//!
//! Names and meanings are the kernel's (`linux/fuse.h`); `tests/wire_layout.rs` proves sizes and
//! offsets against `abi/tables/wire-structs.tsv`. Every struct is the same on 32-bit and 64-bit
//! userspace and has no implicit padding, so any bytes are a valid value and no byte of a reply is
//! ever uninitialised.
#![allow(missing_docs)]

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            #[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
            pub struct $name { $(pub $field: $ty,)* }
        )*

        /// `(struct, size, [(field, offset)])` of every structure here, for the layout test.
        pub const LAYOUTS: &[(&str, usize, &[(&str, usize)])] = &[
            $((
                stringify!($name),
                size_of::<$name>(),
                &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
            ),)*
        ];
    };
}

wire! {
    Attr {
        ino: u64,
        size: u64,
        blocks: u64,
        atime: u64,
        mtime: u64,
        ctime: u64,
        atimensec: u32,
        mtimensec: u32,
        ctimensec: u32,
        mode: u32,
        nlink: u32,
        uid: u32,
        gid: u32,
        rdev: u32,
        blksize: u32,
        flags: u32,
    }
    SxTime {
        tv_sec: i64,
        tv_nsec: u32,
        reserved: i32,
    }
    Statx {
        mask: u32,
        blksize: u32,
        attributes: u64,
        nlink: u32,
        uid: u32,
        gid: u32,
        mode: u16,
        spare0: [u16; 1],
        ino: u64,
        size: u64,
        blocks: u64,
        attributes_mask: u64,
        atime: SxTime,
        btime: SxTime,
        ctime: SxTime,
        mtime: SxTime,
        rdev_major: u32,
        rdev_minor: u32,
        dev_major: u32,
        dev_minor: u32,
        spare2: [u64; 14],
    }
    Kstatfs {
        blocks: u64,
        bfree: u64,
        bavail: u64,
        files: u64,
        ffree: u64,
        bsize: u32,
        namelen: u32,
        frsize: u32,
        padding: u32,
        spare: [u32; 6],
    }
    FileLock {
        start: u64,
        end: u64,
        kind: u32,
        pid: u32,
    }
    EntryOut {
        nodeid: u64,
        generation: u64,
        entry_valid: u64,
        attr_valid: u64,
        entry_valid_nsec: u32,
        attr_valid_nsec: u32,
        attr: Attr,
    }
    ForgetIn {
        nlookup: u64,
    }
    ForgetOne {
        nodeid: u64,
        nlookup: u64,
    }
    BatchForgetIn {
        count: u32,
        dummy: u32,
    }
    GetattrIn {
        getattr_flags: u32,
        dummy: u32,
        fh: u64,
    }
    AttrOut {
        attr_valid: u64,
        attr_valid_nsec: u32,
        dummy: u32,
        attr: Attr,
    }
    StatxIn {
        getattr_flags: u32,
        reserved: u32,
        fh: u64,
        sx_flags: u32,
        sx_mask: u32,
    }
    StatxOut {
        attr_valid: u64,
        attr_valid_nsec: u32,
        flags: u32,
        spare: [u64; 2],
        stat: Statx,
    }
    MknodIn {
        mode: u32,
        rdev: u32,
        umask: u32,
        padding: u32,
    }
    MkdirIn {
        mode: u32,
        umask: u32,
    }
    RenameIn {
        newdir: u64,
    }
    Rename2In {
        newdir: u64,
        flags: u32,
        padding: u32,
    }
    LinkIn {
        oldnodeid: u64,
    }
    SetattrIn {
        valid: u32,
        padding: u32,
        fh: u64,
        size: u64,
        lock_owner: u64,
        atime: u64,
        mtime: u64,
        ctime: u64,
        atimensec: u32,
        mtimensec: u32,
        ctimensec: u32,
        mode: u32,
        unused4: u32,
        uid: u32,
        gid: u32,
        unused5: u32,
    }
    OpenIn {
        flags: u32,
        open_flags: u32,
    }
    CreateIn {
        flags: u32,
        mode: u32,
        umask: u32,
        open_flags: u32,
    }
    OpenOut {
        fh: u64,
        open_flags: u32,
        backing_id: i32,
    }
    ReleaseIn {
        fh: u64,
        flags: u32,
        release_flags: u32,
        lock_owner: u64,
    }
    FlushIn {
        fh: u64,
        unused: u32,
        padding: u32,
        lock_owner: u64,
    }
    ReadIn {
        fh: u64,
        offset: u64,
        size: u32,
        read_flags: u32,
        lock_owner: u64,
        flags: u32,
        padding: u32,
    }
    WriteIn {
        fh: u64,
        offset: u64,
        size: u32,
        write_flags: u32,
        lock_owner: u64,
        flags: u32,
        padding: u32,
    }
    WriteOut {
        size: u32,
        padding: u32,
    }
    StatfsOut {
        st: Kstatfs,
    }
    FsyncIn {
        fh: u64,
        fsync_flags: u32,
        padding: u32,
    }
    SetxattrIn {
        size: u32,
        flags: u32,
        setxattr_flags: u32,
        padding: u32,
    }
    GetxattrIn {
        size: u32,
        padding: u32,
    }
    GetxattrOut {
        size: u32,
        padding: u32,
    }
    LkIn {
        fh: u64,
        owner: u64,
        lk: FileLock,
        lk_flags: u32,
        padding: u32,
    }
    LkOut {
        lk: FileLock,
    }
    AccessIn {
        mask: u32,
        padding: u32,
    }
    InitIn {
        major: u32,
        minor: u32,
        max_readahead: u32,
        flags: u32,
        flags2: u32,
        unused: [u32; 11],
    }
    InitOut {
        major: u32,
        minor: u32,
        max_readahead: u32,
        flags: u32,
        max_background: u16,
        congestion_threshold: u16,
        max_write: u32,
        time_gran: u32,
        max_pages: u16,
        map_alignment: u16,
        flags2: u32,
        max_stack_depth: u32,
        request_timeout: u16,
        unused: [u16; 11],
    }
    CuseInitIn {
        major: u32,
        minor: u32,
        unused: u32,
        flags: u32,
    }
    CuseInitOut {
        major: u32,
        minor: u32,
        unused: u32,
        flags: u32,
        max_read: u32,
        max_write: u32,
        dev_major: u32,
        dev_minor: u32,
        spare: [u32; 10],
    }
    InterruptIn {
        unique: u64,
    }
    BmapIn {
        block: u64,
        blocksize: u32,
        padding: u32,
    }
    BmapOut {
        block: u64,
    }
    IoctlIn {
        fh: u64,
        flags: u32,
        cmd: u32,
        arg: u64,
        in_size: u32,
        out_size: u32,
    }
    IoctlIovec {
        base: u64,
        len: u64,
    }
    IoctlOut {
        result: i32,
        flags: u32,
        in_iovs: u32,
        out_iovs: u32,
    }
    PollIn {
        fh: u64,
        kh: u64,
        flags: u32,
        events: u32,
    }
    PollOut {
        revents: u32,
        padding: u32,
    }
    NotifyPollWakeupOut {
        kh: u64,
    }
    FallocateIn {
        fh: u64,
        offset: u64,
        length: u64,
        mode: u32,
        padding: u32,
    }
    InHeader {
        len: u32,
        opcode: u32,
        unique: u64,
        nodeid: u64,
        uid: u32,
        gid: u32,
        pid: u32,
        total_extlen: u16,
        padding: u16,
    }
    OutHeader {
        len: u32,
        error: i32,
        unique: u64,
    }
    Dirent {
        ino: u64,
        off: u64,
        namelen: u32,
        kind: u32,
    }
    NotifyInvalInodeOut {
        ino: u64,
        off: i64,
        len: i64,
    }
    NotifyInvalEntryOut {
        parent: u64,
        namelen: u32,
        flags: u32,
    }
    NotifyDeleteOut {
        parent: u64,
        child: u64,
        namelen: u32,
        padding: u32,
    }
    NotifyStoreOut {
        nodeid: u64,
        offset: u64,
        size: u32,
        padding: u32,
    }
    NotifyRetrieveOut {
        notify_unique: u64,
        nodeid: u64,
        offset: u64,
        size: u32,
        padding: u32,
    }
    NotifyRetrieveIn {
        dummy1: u64,
        offset: u64,
        size: u32,
        dummy2: u32,
        dummy3: u64,
        dummy4: u64,
    }
    NotifyPruneOut {
        count: u32,
        padding: u32,
        spare: u64,
    }
    LseekIn {
        fh: u64,
        offset: u64,
        whence: u32,
        padding: u32,
    }
    LseekOut {
        offset: u64,
    }
    CopyFileRangeIn {
        fh_in: u64,
        off_in: u64,
        nodeid_out: u64,
        fh_out: u64,
        off_out: u64,
        len: u64,
        flags: u64,
    }
    CopyFileRangeOut {
        bytes_copied: u64,
    }
    ExtHeader {
        size: u32,
        kind: u32,
    }
    Secctx {
        size: u32,
        padding: u32,
    }
}
