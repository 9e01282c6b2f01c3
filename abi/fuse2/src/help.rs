//! The texts of `--help` and `--version`, on C's stderr. Scripts and manual pages are made from them, so they are
//! libfuse 2.9's to the letter.

use std::ffi::CStr;

use ferrofuse_abi_common::stdio::print_error;
use ferrofuse_abi_common::version::print_helper_version;

const USAGE: &CStr = c" mountpoint [options]

general options:
    -o opt,[opt...]        mount options
    -h   --help            print help
    -V   --version         print version

";

const COMMAND_LINE: &CStr = c"FUSE options:
    -d   -o debug          enable debug output (implies -f)
    -f                     foreground operation
    -s                     disable multi-threaded operation

";

const MOUNT: &CStr = c"    -o allow_other         allow access to other users
    -o allow_root          allow access to root
    -o auto_unmount        auto unmount on process termination
    -o nonempty            allow mounts over non-empty file/dir
    -o default_permissions enable permission checking by kernel
    -o fsname=NAME         set filesystem name
    -o subtype=NAME        set filesystem type
    -o large_read          issue large read requests (2.4 only)
    -o max_read=N          set maximum size of read requests

";

const PATHS: &CStr = c"    -o hard_remove         immediate removal (don't hide files)
    -o use_ino             let filesystem set inode numbers
    -o readdir_ino         try to fill in d_ino in readdir
    -o direct_io           use direct I/O
    -o kernel_cache        cache files in kernel
    -o [no]auto_cache      enable caching based on modification times (off)
    -o umask=M             set file permissions (octal)
    -o uid=N               set file owner
    -o gid=N               set file group
    -o entry_timeout=T     cache timeout for names (1.0s)
    -o negative_timeout=T  cache timeout for deleted names (0.0s)
    -o attr_timeout=T      cache timeout for attributes (1.0s)
    -o ac_attr_timeout=T   auto cache timeout for attributes (attr_timeout)
    -o noforget            never forget cached inodes
    -o remember=T          remember cached inodes for T seconds (0s)
    -o nopath              don't supply path if not necessary
    -o intr                allow requests to be interrupted
    -o intr_signal=NUM     signal to send on interrupt (10)
    -o modules=M1[:M2...]  names of modules to push onto filesystem stack

";

const SESSION: &CStr = c"    -o max_write=N         set maximum size of write requests
    -o max_readahead=N     set maximum readahead
    -o max_background=N    set number of maximum background requests
    -o congestion_threshold=N  set kernel's congestion threshold
    -o async_read          perform reads asynchronously (default)
    -o sync_read           perform reads synchronously
    -o atomic_o_trunc      enable atomic open+truncate support
    -o big_writes          enable larger than 4kB writes
    -o no_remote_lock      disable remote file locking
    -o no_remote_flock     disable remote file locking (BSD)
    -o no_remote_posix_lock disable remove file locking (POSIX)
    -o [no_]splice_write   use splice to write to the fuse device
    -o [no_]splice_move    move data while splicing to the fuse device
    -o [no_]splice_read    use splice to read from the fuse device
";

/// The release whose behaviour this library has.
const VERSION: &CStr = c"FUSE library version: 2.9.9\n";
const KERNEL_INTERFACE: &CStr = c"using FUSE kernel interface version 7.19\n";
const HELPERS: [&CStr; 2] = [c"fusermount", c"fusermount3"];

/// How the program is called.
pub fn usage(program: &CStr) {
    print_error(c"usage: ");
    print_error(program);
    print_error(USAGE);
}

/// The options of `fuse_parse_cmdline`.
pub fn command_line() {
    print_error(COMMAND_LINE);
}

/// The options of `fuse_mount`.
pub fn mount() {
    print_error(MOUNT);
}

/// The options of `fuse_new`.
pub fn paths() {
    print_error(PATHS);
}

/// The options of `fuse_lowlevel_new`.
pub fn session() {
    print_error(SESSION);
}

/// The library's version.
pub fn library_version() {
    print_error(VERSION);
}

/// The version of the protocol.
pub fn kernel_interface() {
    print_error(KERNEL_INTERFACE);
}

/// The version of the mount helper, which prints it itself.
pub fn helper_version() {
    print_helper_version(&HELPERS);
}
