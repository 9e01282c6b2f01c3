//! Command lines: those of the libraries, of the connection, and of the mount.

use std::ffi::{CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use ferrofuse::mount::MountOptions;
use ferrofuse_abi_common::cmdline::{CmdlineOpts, parse_cmdline};
use ferrofuse_abi_common::conn_opts::fuse_parse_conn_info_opts;
use ferrofuse_abi_common::opt::{self, FuseArgs};

/// Words end with a zero.
pub fn run(data: &[u8]) {
    let words = data.split(|byte| *byte == 0).take(64);
    let words: Vec<CString> = words.filter_map(|word| CString::new(word).ok()).collect();
    let mut mount = MountOptions::default();
    for word in &words {
        // What is wrong with it is the result, and logged.
        let _ = mount.accept(OsStr::from_bytes(word.as_bytes()));
    }
    let mut args = FuseArgs::empty();
    // SAFETY: the list is valid and its words are C strings; what the functions give is freed once.
    unsafe {
        for word in [c"program"].into_iter().chain(words.iter().map(CString::as_c_str)) {
            assert_eq!(opt::fuse_opt_add_arg(&mut args, word.as_ptr()), 0);
        }
        let mut merged = std::ptr::null_mut();
        for word in &words {
            opt::fuse_opt_add_opt_escaped(&mut merged, word.as_ptr());
        }
        libc::free(merged.cast());
        let conn = fuse_parse_conn_info_opts(&mut args);
        libc::free(conn.cast());
        let mut opts: CmdlineOpts = std::mem::zeroed();
        let result: c_int = parse_cmdline(&mut args, &mut opts);
        assert!(result == 0 || result == -1);
        libc::free(opts.mountpoint.cast());
        assert!(args.argc >= 1);
        opt::fuse_opt_free_args(&mut args);
    }
}
