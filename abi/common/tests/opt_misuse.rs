//! Calls libfuse crashes or corrupts memory on: a message, the documented failure, nothing else.

mod support;

use std::ffi::{CString, c_char, c_int, c_ulong};
use std::ptr::null_mut;

use ferrofuse_abi_common::cmdline::{CmdlineOpts, parse_cmdline};
use ferrofuse_abi_common::conn_info::ConnInfo;
use ferrofuse_abi_common::conn_opts::{fuse_apply_conn_info_opts, fuse_parse_conn_info_opts};
use ferrofuse_abi_common::opt::*;
use support::{Args, OURS, capture_log, show, take_log};

fn list(args: &[&str]) -> Vec<CString> {
    args.iter().map(|arg| CString::new(*arg).unwrap()).collect()
}

/// Takes the one message logged, which must contain `part`.
fn expect_message(part: &str) {
    let log = take_log();
    assert!(matches!(&log[..], [(3, text)] if text.contains(part)), "no {part:?} in {log:?}");
}

#[test]
fn null_and_foreign_vectors_are_refused() {
    capture_log(&OURS);
    let mut args = Args::new(&OURS, &list(&["prog", "a"]), false);
    // SAFETY: what the functions take includes NULL and vectors of the caller's own.
    unsafe {
        assert_eq!(fuse_opt_add_arg(null_mut(), c"a".as_ptr()), -1);
        expect_message("fuse_opt_add_arg: NULL");
        assert_eq!(fuse_opt_add_arg(&mut args.args, std::ptr::null()), -1);
        expect_message("NULL argument");
        assert_eq!(fuse_opt_add_arg(&mut args.args, c"b".as_ptr()), -1);
        expect_message("isn't allocated");
        assert_eq!(fuse_opt_insert_arg(&mut args.args, 1, c"b".as_ptr()), -1);
        expect_message("isn't allocated");
        fuse_opt_free_args(null_mut());
    }
    assert_eq!(show(&args.args), r#"allocated=0 ["prog", "a"]"#);
    assert_eq!(take_log(), []);
}

#[test]
fn positions_outside_the_vector_are_refused() {
    capture_log(&OURS);
    let mut args = Args::new(&OURS, &list(&["prog"]), true);
    for pos in [-1, 2, c_int::MAX, c_int::MIN] {
        // SAFETY: a valid vector and a C string.
        assert_eq!(unsafe { fuse_opt_insert_arg(&mut args.args, pos, c"b".as_ptr()) }, -1);
        expect_message("position");
    }
    assert_eq!(show(&args.args), r#"allocated=1 ["prog"]"#);
    args.free(&OURS);
}

#[test]
fn null_lists_are_refused() {
    capture_log(&OURS);
    let mut opts: *mut c_char = null_mut();
    // SAFETY: what the functions take includes NULL.
    unsafe {
        assert_eq!(fuse_opt_add_opt(null_mut(), c"a".as_ptr()), -1);
        expect_message("fuse_opt_add_opt: NULL");
        assert_eq!(fuse_opt_add_opt_escaped(&mut opts, std::ptr::null()), -1);
        expect_message("fuse_opt_add_opt_escaped: NULL");
        assert_eq!(fuse_opt_match([FuseOpt::END].as_ptr(), std::ptr::null()), 0);
        assert_eq!(fuse_opt_match(std::ptr::null(), c"a".as_ptr()), 0);
    }
    assert!(opts.is_null());
}

#[test]
fn parse_survives_holes_null_data_and_wide_formats() {
    capture_log(&OURS);
    let mut value: c_int = 7;
    let data = (&raw mut value).cast();
    let parse = |args: &mut Args, data, opts: &[FuseOpt]| {
        // SAFETY: tables that end as they must, for data of one int or NULL.
        unsafe { fuse_opt_parse(&mut args.args, data, opts.as_ptr(), None) }
    };

    let mut pointers = [c"prog".as_ptr().cast_mut(), null_mut(), null_mut()];
    let mut holed = Args::new(&OURS, &[], false);
    holed.args = FuseArgs { argc: 2, argv: pointers.as_mut_ptr(), allocated: 0 };
    assert_eq!(parse(&mut holed, data, &[FuseOpt::END]), -1);
    expect_message("NULL in the argument vector");

    let mut args = Args::new(&OURS, &list(&["prog", "-on=5"]), false);
    let number = [FuseOpt::store(c"n=%d", 0, 0), FuseOpt::END];
    assert_eq!(parse(&mut args, null_mut(), &number), -1);
    expect_message("data is NULL");
    assert_eq!(parse(&mut args, data, &[FuseOpt::store(c"n=%d%n", 0, 0), FuseOpt::END]), -1);
    expect_message("more than one value");
    assert_eq!(value, 7);

    // NULL data with absolute addresses in the table works, as it does with libfuse.
    let absolute = data.expose_provenance();
    assert_eq!(
        parse(&mut args, null_mut(), &[FuseOpt::store(c"n=%d", absolute, 0), FuseOpt::END]),
        0
    );
    // SAFETY: the value was written through an exposed pointer.
    assert_eq!(unsafe { (&raw const value).read_volatile() }, 5);
    assert_eq!(show(&args.args), r#"allocated=1 ["prog"]"#);
    args.free(&OURS);
    assert_eq!(take_log(), []);
}

#[test]
fn the_documented_offset_minus_one_is_a_key() {
    let mut value: c_int = 7;
    let key = FuseOpt { templ: c"n=".as_ptr(), offset: c_ulong::MAX, value: FUSE_OPT_KEY_KEEP };
    let mut args = Args::new(&OURS, &list(&["prog", "-on=5"]), false);
    let opts = [key, FuseOpt::END];
    // SAFETY: a valid table, whose one template stores nothing.
    let result =
        unsafe { fuse_opt_parse(&mut args.args, (&raw mut value).cast(), opts.as_ptr(), None) };
    assert_eq!((result, value), (0, 7));
    assert_eq!(show(&args.args), r#"allocated=1 ["prog", "-o", "n=5"]"#);
    args.free(&OURS);
}

#[test]
fn empty_vectors_are_parsed_as_nothing_or_refused() {
    capture_log(&OURS);
    let mut empty = FuseArgs::empty();
    let mut opts = std::mem::MaybeUninit::<CmdlineOpts>::uninit();
    let mut conn = ConnInfo::default();
    // SAFETY: what the functions take includes NULL and empty vectors.
    unsafe {
        assert_eq!(fuse_opt_parse(null_mut(), null_mut(), std::ptr::null(), None), 0);
        assert_eq!(fuse_opt_parse(&mut empty, null_mut(), std::ptr::null(), None), 0);
        assert_eq!(take_log(), []);
        for args in [null_mut(), &raw mut empty] {
            assert_eq!(parse_cmdline(args, opts.as_mut_ptr()), -1);
            expect_message("fuse_parse_cmdline");
            let parsed = fuse_parse_conn_info_opts(args);
            assert!(!parsed.is_null());
            fuse_apply_conn_info_opts(parsed, &mut conn);
            assert_eq!(conn, ConnInfo::default());
            fuse_apply_conn_info_opts(parsed, null_mut());
            expect_message("fuse_apply_conn_info_opts");
            libc::free(parsed.cast());
        }
        fuse_apply_conn_info_opts(null_mut(), &mut conn);
        expect_message("fuse_apply_conn_info_opts");
        let mut args = Args::new(&OURS, &list(&["prog"]), false);
        assert_eq!(parse_cmdline(&mut args.args, null_mut()), -1);
        expect_message("fuse_parse_cmdline");
    }
    assert_eq!(conn, ConnInfo::default());
}
