//! The texts of `--help`, on C's stdout. Scripts and manual pages are made from them, so they are
//! libfuse 3.14's to the letter.

use std::ffi::CStr;

use crate::panic::guard;
use crate::stdio::print;

const CMDLINE: &CStr = c"    -h   --help            print help
    -V   --version         print version
    -d   -o debug          enable debug output (implies -f)
    -f                     foreground operation
    -s                     disable multi-threaded operation
    -o clone_fd            use separate fuse device fd for each thread
                           (may improve performance)
    -o max_idle_threads    the maximum number of idle worker threads
                           allowed (default: -1)
    -o max_threads         the maximum number of worker threads
                           allowed (default: 10)
";

const LOWLEVEL: &CStr = c"    -o allow_other         allow access by all users
    -o allow_root          allow access by root
    -o auto_unmount        auto unmount on process termination
";

const HIGHLEVEL: &CStr = c"    -o kernel_cache        cache files in kernel
    -o [no]auto_cache      enable caching based on modification times (off)
    -o no_rofd_flush       disable flushing of read-only fd on close (off)
    -o umask=M             set file permissions (octal)
";

const HIGHLEVEL_REST: &CStr = c"    -o uid=N               set file owner
    -o gid=N               set file group
    -o entry_timeout=T     cache timeout for names (1.0s)
    -o negative_timeout=T  cache timeout for deleted names (0.0s)
    -o attr_timeout=T      cache timeout for attributes (1.0s)
    -o ac_attr_timeout=T   auto cache timeout for attributes (attr_timeout)
    -o noforget            never forget cached inodes
    -o remember=T          remember cached inodes for T seconds (0s)
    -o modules=M1[:M2...]  names of modules to push onto filesystem stack
";

/// `fuse_cmdline_help`: the options [`parse_cmdline`](crate::cmdline::parse_cmdline) takes.
pub extern "C" fn cmdline_help() {
    guard("fuse_cmdline_help", (), || print(CMDLINE));
}

/// `fuse_lowlevel_help`: the options a session takes.
pub extern "C" fn lowlevel_help() {
    lowlevel_help_with(c"");
}

/// The same with the lines of further options.
pub fn lowlevel_help_with(further: &CStr) {
    guard("fuse_lowlevel_help", (), || {
        print(LOWLEVEL);
        print(further);
    });
}

/// The part of `fuse_lib_help` about the path layer's own options; it goes on with
/// [`lowlevel_help`] and the help of each built-in module.
pub fn highlevel_help() {
    highlevel_help_with(c"");
}

/// The same with the lines of further options for permissions.
pub fn highlevel_help_with(permissions: &CStr) {
    print(HIGHLEVEL);
    print(permissions);
    print(HIGHLEVEL_REST);
}

/// What `fuse_main` prints for `--help` before [`cmdline_help`]: the usage line, left out for an
/// empty program name, and a heading.
pub fn main_usage(program: &CStr) {
    if !program.is_empty() {
        print(c"usage: ");
        print(program);
        print(c" [options] <mountpoint>\n\n");
    }
    print(c"FUSE options:\n");
}

/// What `fuse_main` prints for `--version` before
/// [`fuse_lowlevel_version`](crate::version::fuse_lowlevel_version).
pub fn main_version() {
    main_version_of(crate::version::PKG_VERSION);
}

/// The same for another version.
pub fn main_version_of(version: &CStr) {
    print(c"FUSE library version ");
    print(version);
    print(c"\n");
}
