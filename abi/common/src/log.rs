//! `fuse_log`, `fuse_set_log_func`, and the engine's log records routed to them.
//!
//! The variadic part is `log.c`. Messages that C programs know (`fuse_log` calls) are never
//! filtered; records of the engine (the `log` crate) are, by `FERROFUSE_LOG`.

use ferrofuse::sys::env;
use std::ffi::{CString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;
use std::sync::Once;

use ::log::{Level, LevelFilter, Metadata, Record};

/// `FUSE_LOG_ERR`: an error.
pub const FUSE_LOG_ERR: c_int = 3;
/// `FUSE_LOG_WARNING`: a warning.
pub const FUSE_LOG_WARNING: c_int = 4;
/// `FUSE_LOG_INFO`: information.
pub const FUSE_LOG_INFO: c_int = 6;
/// `FUSE_LOG_DEBUG`: debug output, what `-d` asks for.
pub const FUSE_LOG_DEBUG: c_int = 7;

/// `fuse_log_func_t`, `void (*)(enum fuse_log_level, const char *fmt, va_list ap)`, opaque here:
/// only C calls it, because a `va_list` has no stable Rust type. `None` is NULL.
pub type LogFunc = Option<unsafe extern "C" fn()>;

unsafe extern "C" {
    /// `fuse_log` itself: formats like `printf` and gives the result to the current log function.
    ///
    /// The crate of a shared object makes this symbol public under its versioned name. A NULL
    /// `fmt` logs nothing. Callable from any thread.
    pub fn ferrofuse_fuse_log(level: c_int, fmt: *const c_char, ...);

    fn ferrofuse_log_set(func: LogFunc);

    /// Has the default log function print to syslog(3), opened with these arguments. `ident` must stay
    /// valid until syslog is closed.
    pub fn ferrofuse_log_to_syslog(ident: *const c_char, option: c_int, facility: c_int);

    /// Whether messages go elsewhere than to stderr; 0 if not. Async-signal-safe.
    pub fn ferrofuse_log_is_redirected() -> c_int;
}

/// `fuse_set_log_func`: makes `func` the log function; NULL restores printing to stderr.
///
/// Callable from any thread, also from a log function. A message that is being logged in another
/// thread may still reach the previous function.
///
/// # Safety
/// `func` is NULL or a C function of type `fuse_log_func_t` that stays loaded and may be called
/// from any thread.
pub unsafe extern "C" fn fuse_set_log_func(func: LogFunc) {
    // SAFETY: the caller vouches for the function; the store itself is atomic.
    unsafe { ferrofuse_log_set(func) }
}

/// Logs `message` and a newline at `level` (one of the `FUSE_LOG_*` values). NUL bytes, which a C
/// string can't carry, are dropped. `errno` is preserved.
pub fn emit(level: c_int, message: &str) {
    let bytes = message.bytes().filter(|&byte| byte != 0).collect::<Vec<_>>();
    let Ok(text) = CString::new(bytes) else { return };
    // SAFETY: errno is a thread-local of the C library and always readable and writable; the
    // format's only directive is `%s`, and a NUL-terminated string is passed for it.
    unsafe {
        let errno = *libc::__errno_location();
        ferrofuse_fuse_log(level, c"%s\n".as_ptr(), text.as_ptr());
        *libc::__errno_location() = errno;
    }
}

/// The bridge from the `log` crate to `fuse_log`.
struct Bridge;

static BRIDGE: Bridge = Bridge;

impl ::log::Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= ::log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let (level, debug) = match record.level() {
                Level::Error => (FUSE_LOG_ERR, false),
                Level::Warn => (FUSE_LOG_WARNING, false),
                Level::Info => (FUSE_LOG_INFO, false),
                Level::Debug | Level::Trace => (FUSE_LOG_DEBUG, true),
            };
            emit(level, &prefixed(record.args().to_string(), debug));
        }
    }

    fn flush(&self) {}
}

/// Users of FUSE find the library's messages by the prefix "fuse: "; debug lines never had one.
fn prefixed(message: String, debug: bool) -> String {
    // "fusermount" is covered by "fuse".
    if debug || message.starts_with("fuse") { message } else { format!("fuse: {message}") }
}

/// The environment variable that sets how much the engine logs.
const LOG_VARIABLE: &str = "FERROFUSE_LOG";

/// What is logged unless `FERROFUSE_LOG` says otherwise.
const DEFAULT_FILTER: LevelFilter = LevelFilter::Warn;

/// Routes the engine's records to [`ferrofuse_fuse_log`], filtered by `FERROFUSE_LOG` (`error`,
/// `warn`, `info`, `debug` or `trace`; `warn` if unset). An unknown value is reported and the
/// default used. Only the first call does anything; callable from any thread.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another logger can only be there if the embedding Rust program installed one: leave it.
        if ::log::set_logger(&BRIDGE).is_err() {
            return;
        }
        let value = env::secure_var(LOG_VARIABLE).map(OsStringExt::into_vec);
        let (filter, unknown) = match value.as_deref() {
            None => (DEFAULT_FILTER, false),
            Some(value) => match parse_filter(value) {
                Some(filter) => (filter, false),
                None => (DEFAULT_FILTER, true),
            },
        };
        ::log::set_max_level(::log::max_level().max(filter));
        if unknown {
            let value = value.unwrap_or_default();
            ::log::warn!(
                "FERROFUSE_LOG: unknown value `{}', must be error, warn, info, debug or trace; \
                 using warn",
                String::from_utf8_lossy(&value)
            );
        }
    });
}

/// Shows the engine's debug records from now on, whatever `FERROFUSE_LOG` says; this is `-d`.
pub fn enable_debug() {
    ::log::set_max_level(::log::max_level().max(LevelFilter::Debug));
}

fn parse_filter(value: &[u8]) -> Option<LevelFilter> {
    Some(match value {
        b"error" => LevelFilter::Error,
        b"warn" => LevelFilter::Warn,
        b"info" => LevelFilter::Info,
        b"debug" => LevelFilter::Debug,
        b"trace" => LevelFilter::Trace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_added_once_and_never_to_debug_lines() {
        assert_eq!(prefixed("no such device".into(), false), "fuse: no such device");
        assert_eq!(prefixed("fuse: no such device".into(), false), "fuse: no such device");
        assert_eq!(prefixed("fusermount3: failed".into(), false), "fusermount3: failed");
        assert_eq!(prefixed("unique: 2".into(), true), "unique: 2");
    }

    #[test]
    fn filter_names() {
        assert_eq!(parse_filter(b"trace"), Some(LevelFilter::Trace));
        assert_eq!(parse_filter(b"error"), Some(LevelFilter::Error));
        assert_eq!(parse_filter(b"loud"), None);
        assert_eq!(parse_filter(b""), None);
    }
}
