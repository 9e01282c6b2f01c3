//! Logging: the default output, the bridge from the engine, and swapping the log function.

mod support;

use std::ffi::{c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferrofuse_abi_common::log::{
    FUSE_LOG_ERR, FUSE_LOG_INFO, LogFunc, emit, enable_debug, ferrofuse_fuse_log,
    fuse_set_log_func, install,
};
use ferrofuse_abi_common::panic::guard;
use support::{OURS, capture_log, in_child, take_log};

/// Environment and logger are the process's: every test of them runs in a child.
fn logged(variable: Option<&std::ffi::CStr>, body: impl FnOnce()) -> String {
    let (text, status) = in_child(|| {
        // SAFETY: the child has one thread.
        unsafe {
            match variable {
                Some(value) => libc::setenv(c"FERROFUSE_LOG".as_ptr(), value.as_ptr(), 1),
                None => libc::unsetenv(c"FERROFUSE_LOG".as_ptr()),
            };
        }
        install();
        install();
        body();
    });
    assert_eq!(status, 0, "{text}");
    text
}

fn each_level() {
    log::error!("no device");
    log::warn!("fusermount3: odd");
    log::info!("mounted");
    log::debug!("unique: 2");
    log::trace!("spinning");
}

#[test]
fn records_are_filtered_by_the_environment() {
    let lines =
        ["fuse: no device\n", "fusermount3: odd\n", "fuse: mounted\n", "unique: 2\n", "spinning\n"];
    let settings = [Some(c"error"), None, Some(c"info"), Some(c"debug"), Some(c"trace")];
    for (count, setting) in settings.into_iter().enumerate() {
        let count = if setting.is_none() { 2 } else { count + 1 };
        assert_eq!(logged(setting, each_level), lines[..count].concat(), "{setting:?}");
    }
    assert_eq!(logged(Some(c"warn"), each_level), lines[..2].concat());
}

#[test]
fn unknown_values_are_reported_and_the_default_used() {
    let text = logged(Some(c"loud"), each_level);
    let (warning, rest) = text.split_once('\n').unwrap();
    assert!(warning.starts_with("fuse: ") && warning.contains("`loud'"), "{warning}");
    assert_eq!(rest, "fuse: no device\nfusermount3: odd\n");
}

#[test]
fn debug_can_be_enabled_but_never_lowers_the_filter() {
    let enabled = |variable| {
        logged(variable, || {
            enable_debug();
            each_level();
        })
    };
    assert!(enabled(None).ends_with("fuse: mounted\nunique: 2\n"));
    assert!(enabled(Some(c"error")).ends_with("unique: 2\n"));
    assert!(enabled(Some(c"trace")).ends_with("spinning\n"));
}

#[test]
fn levels_are_mapped_and_errno_kept() {
    let text = logged(Some(c"trace"), || {
        capture_log(&OURS);
        // SAFETY: errno is a thread-local.
        unsafe {
            *libc::__errno_location() = libc::EXDEV;
            each_level();
            assert_eq!(*libc::__errno_location(), libc::EXDEV);
        }
        let levels = take_log().into_iter().map(|(level, _)| level).collect::<Vec<_>>();
        assert_eq!(levels, [3, 4, 6, 7, 7]);
    });
    assert_eq!(text, "");
}

#[test]
fn fuse_log_formats_and_null_restores_stderr() {
    let (text, status) = in_child(|| {
        capture_log(&OURS);
        // SAFETY: formats and arguments match; NULL is allowed.
        unsafe {
            ferrofuse_fuse_log(FUSE_LOG_INFO, c"%s=%d %.1f\n".as_ptr(), c"a".as_ptr(), 5, 1.5);
            ferrofuse_fuse_log(FUSE_LOG_INFO, std::ptr::null());
            assert_eq!(take_log(), [(FUSE_LOG_INFO, "a=5 1.5\n".to_string())]);
            fuse_set_log_func(None);
            ferrofuse_fuse_log(FUSE_LOG_INFO, c"%s, no newline".as_ptr(), c"stderr".as_ptr());
        }
        assert_eq!(take_log(), []);
    });
    assert_eq!((text.as_str(), status), ("stderr, no newline", 0));
}

#[test]
fn the_log_function_may_be_swapped_by_any_thread_and_by_itself() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn opaque(func: unsafe extern "C" fn(c_int, *const c_char, *mut c_void)) -> LogFunc {
        // SAFETY: Rust's type for the C function pointer is opaque.
        unsafe { transmute::<*const (), LogFunc>(func as *const ()) }
    }
    /// Installs the other one each time it is called; a lock held around the call would hang.
    unsafe extern "C" fn ping(_: c_int, _: *const c_char, _: *mut c_void) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: a log function that stays.
        unsafe { fuse_set_log_func(opaque(pong)) }
    }
    unsafe extern "C" fn pong(_: c_int, _: *const c_char, _: *mut c_void) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { fuse_set_log_func(opaque(ping)) }
    }

    let (text, status) = in_child(|| {
        // SAFETY: as above.
        unsafe { fuse_set_log_func(opaque(ping)) };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        emit(FUSE_LOG_ERR, "message");
                    }
                });
            }
        });
        assert_eq!(CALLS.load(Ordering::Relaxed), 40_000);
    });
    assert_eq!((text.as_str(), status), ("", 0));
}

#[test]
fn panics_end_at_the_guard_and_are_logged_once() {
    let (_, status) = in_child(|| {
        capture_log(&OURS);
        assert_eq!(guard("fuse_example", -1, || 5), 5);
        assert_eq!(take_log(), []);
        let index = std::hint::black_box(3);
        assert_eq!(guard("fuse_example", -1, || [1, 2, 3][index]), -1);
        let log = take_log();
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0].0, FUSE_LOG_ERR);
        assert!(log[0].1.starts_with("fuse: fuse_example: internal error: index out"), "{log:?}");
        guard("fuse_example", (), || panic!("said so"));
        assert!(take_log()[0].1.ends_with("said so\n"));
        guard("fuse_example", (), || std::panic::panic_any(5));
        assert_eq!(take_log().len(), 1);
    });
    assert_eq!(status, 0);
}

#[test]
fn messages_with_nul_lose_only_the_nul() {
    let (text, status) = in_child(|| emit(FUSE_LOG_ERR, "a\0b %s"));
    assert_eq!((text.as_str(), status), ("ab %s\n", 0));
}
