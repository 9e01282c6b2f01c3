//! `fuse_parse_cmdline` and the connection options against the system's libfuse3.

mod support;

use std::ffi::{CStr, CString};

use ferrofuse_abi_common::cmdline::{CmdlineOpts, parse_dev_fd};
use ferrofuse_abi_common::conn_info::ConnInfo;
use support::{Api, Args, OURS, Rng, capture_log, show, take_log, theirs};

const CASES: u64 = 20_000;

const PROGRAMS: &[&str] = &["prog", "/usr/bin/prog", "a/", "", "/", "dir/a,b\\c", "-p"];
const WORDS: &[&str] = &[
    "-h",
    "--help",
    "-V",
    "--version",
    "-d",
    "-f",
    "-s",
    "-ho",
    "-df",
    "--debug",
    "-x",
    "--",
    "--max_threads=3",
    "-n",
];
const OPTIONS: &[&str] = &[
    "debug",
    "d",
    "fsname=src",
    "fsname=",
    "fsname",
    "subtype=x\\,y",
    "clone_fd",
    "clone_fd=1",
    "max_idle_threads=4",
    "max_idle_threads=-1",
    "max_idle_threads",
    "max_threads=7",
    "max_threads=0",
    "max_threads= 8z",
    "allow_other",
    "ro",
    "uid=1000",
    "",
    "-f",
    "-s",
];
const BAD_OPTIONS: &[&str] = &["max_threads=x", "max_idle_threads=", "max_threads=,"];
const BAD_CONN_OPTIONS: &[&str] = &["max_write=x", "time_gran=", "max_background=k"];
const PATHS: &[&str] = &[
    "/tmp",
    "/tmp/../usr/",
    ".",
    "/",
    "/dev/fd/3",
    "/dev/fd/12345",
    "/dev/fd/99999999999",
    "/dev/fd/2147483647",
    "/dev/fd/ 5",
    "/dev/fd/+6",
    "//tmp//.",
];
const BAD_PATHS: &[&str] = &[
    "/nonexistent/dir",
    "",
    "/dev/fd/-1",
    "/dev/fd/4000x",
    "/dev/fd/2147483648",
    "/dev/fd/4294967295",
    "/etc/passwd/x",
    "/dev/fd/0x3000",
];
const CONN_OPTIONS: &[&str] = &[
    "max_write=65536",
    "max_write=0",
    "max_readahead=4096",
    "max_background=7",
    "congestion_threshold=5",
    "time_gran=0",
    "time_gran=1000",
    "sync_read",
    "async_read",
    "no_async_read",
    "atomic_o_trunc",
    "no_remote_lock",
    "no_remote_flock",
    "no_remote_posix_lock",
    "splice_write",
    "no_splice_write",
    "splice_move",
    "no_splice_move",
    "splice_read",
    "no_splice_read",
    "auto_inval_data",
    "no_auto_inval_data",
    "async_dio",
    "no_async_dio",
    "writeback_cache",
    "no_writeback_cache",
    "readdirplus=no",
    "readdirplus=yes",
    "readdirplus=auto",
    "readdirplus=maybe",
    "readdirplus",
    "max_read=5",
    "big_writes",
    "unknown",
    "sync_read=1",
    "max_write",
    "max_write=-1",
];

fn arguments(rng: &mut Rng, options: &[&str], bad: &[&str]) -> Vec<CString> {
    let mut list = vec![rng.pick(PROGRAMS).to_string()];
    for _ in 0..rng.below(6) {
        match rng.below(100) {
            0..30 => list.push(rng.pick(WORDS).to_string()),
            30..75 => {
                let mut group =
                    (0..rng.below(4) + 1).map(|_| rng.pick(options)).collect::<Vec<_>>();
                if rng.percent(4) {
                    group.push(rng.pick(bad));
                }
                list.push(format!("-o{}", group.join(",")));
            }
            75..95 => list.push(rng.pick(PATHS).to_string()),
            95..98 => list.push(rng.pick(BAD_PATHS).to_string()),
            _ => list.push("-o".into()),
        }
    }
    list.into_iter().map(|arg| CString::new(arg).unwrap()).collect()
}

fn cmdline_outcome(api: &Api, list: &[CString], old: bool, allocated: bool) -> (String, i32) {
    let mut args = Args::new(api, list, allocated);
    // What a call leaves alone keeps this pattern.
    let mut raw = [0xa5a5_a5a5_a5a5_a5a5u64; 8];
    let parse = if old { api.parse_cmdline_30 } else { api.parse_cmdline };
    let out = raw.as_mut_ptr().cast::<CmdlineOpts>();
    // SAFETY: a valid vector, and 64 bytes for the structure.
    let result = unsafe { parse(&mut args.args, out) };
    let untouched = raw[2] == 0xa5a5_a5a5_a5a5_a5a5;
    let mountpoint = (!untouched && raw[2] != 0).then(|| {
        // SAFETY: the field holds a string from malloc, which is the caller's.
        unsafe {
            let pointer = (*out).mountpoint;
            let copy = CStr::from_ptr(pointer).to_owned();
            libc::free(pointer.cast());
            raw[2] = 1;
            copy
        }
    });
    let shown =
        format!("{list:?} {result} {} {raw:x?} {mountpoint:?} {:?}", show(&args.args), take_log());
    args.free(api);
    (shown, result)
}

#[test]
fn cmdline_behaves_as_libfuse() {
    capture_log(&OURS);
    capture_log(theirs());
    let mut failures = 0u64;
    for seed in 0..CASES {
        let mut rng = Rng(seed);
        let list = arguments(&mut rng, OPTIONS, BAD_OPTIONS);
        let (old, allocated) = (rng.percent(30), rng.percent(30));
        let (expected, result) = cmdline_outcome(theirs(), &list, old, allocated);
        assert_eq!(expected, cmdline_outcome(&OURS, &list, old, allocated).0, "seed {seed}");
        failures += u64::from(result != 0);
    }
    assert!((CASES / 10..CASES / 4 * 3).contains(&failures), "{failures} failed");
}

#[test]
fn each_mount_point_is_taken_or_refused_as_libfuse() {
    capture_log(&OURS);
    capture_log(theirs());
    for path in PATHS.iter().chain(BAD_PATHS) {
        let list = [c"prog".to_owned(), CString::new(*path).unwrap()];
        let expected = cmdline_outcome(theirs(), &list, false, false);
        assert_eq!(expected, cmdline_outcome(&OURS, &list, false, false));
    }
    assert_eq!(parse_dev_fd(c"/dev/fd/12"), Some(12));
    assert_eq!(parse_dev_fd(c"/dev/fd/12/"), None);
    assert_eq!(parse_dev_fd(c"/mnt"), None);
}

fn conn_outcome(api: &Api, seed: u64) -> (String, u32, bool) {
    let mut rng = Rng(seed);
    let list = arguments(&mut rng, CONN_OPTIONS, BAD_CONN_OPTIONS);
    let mut args = Args::new(api, &list, rng.percent(30));
    let mut conn = ConnInfo {
        max_write: 1,
        max_read: 2,
        max_readahead: 3,
        max_background: 4,
        congestion_threshold: 5,
        time_gran: 6,
        capable: rng.next() as u32,
        want: rng.next() as u32,
        ..ConnInfo::default()
    };
    // SAFETY: a valid vector and structure; the options are freed as C programs do.
    let parsed = unsafe {
        let opts = (api.parse_conn)(&mut args.args);
        if !opts.is_null() {
            (api.apply_conn)(opts, &mut conn);
            libc::free(opts.cast());
        }
        !opts.is_null()
    };
    let refused = conn.refused();
    conn.reserved[21] = 0;
    let shown = format!("{list:?} {parsed} {conn:?} {} {:?}", show(&args.args), take_log());
    args.free(api);
    (shown, refused, parsed)
}

#[test]
fn conn_info_opts_behave_as_libfuse() {
    capture_log(&OURS);
    capture_log(theirs());
    let mut failures = 0u64;
    for seed in 0..CASES {
        let (expected, _, parsed) = conn_outcome(theirs(), seed);
        let (ours, refused, _) = conn_outcome(&OURS, seed);
        assert_eq!(expected, ours, "seed {seed}");
        failures += u64::from(!parsed);
        // Our own addition: what was refused by name can't be wanted, and only splicing is noted.
        assert_eq!(refused & !0x380, 0, "{ours}");
        let want = ours.split(" want: ").nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(want.parse::<u32>().unwrap() & refused, 0, "{ours}");
    }
    assert!((CASES / 40..CASES / 2).contains(&failures), "{failures} failed");
}

#[test]
fn refused_splicing_is_noted_even_if_unwanted() {
    let refused = |option: &str| {
        let list = [c"prog".to_owned(), CString::new(format!("-o{option}")).unwrap()];
        let mut args = Args::new(&OURS, &list, false);
        let mut conn = ConnInfo::default();
        // SAFETY: as in `conn_outcome`.
        unsafe {
            let opts = (OURS.parse_conn)(&mut args.args);
            (OURS.apply_conn)(opts, &mut conn);
            libc::free(opts.cast());
        }
        args.free(&OURS);
        conn.refused()
    };
    assert_eq!(refused("no_splice_write"), 1 << 7);
    assert_eq!(refused("no_splice_move,splice_move"), 1 << 8);
    assert_eq!(refused("no_splice_read,no_splice_write"), 1 << 9 | 1 << 7);
    assert_eq!(refused("splice_read,no_async_dio"), 0);
}
