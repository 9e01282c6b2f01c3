//! Reading the environment, unless the process runs with more rights than its caller.

use std::ffi::OsString;

/// The variable's value, or `None` where it is not set, or empty, or the process is set-user-ID or otherwise
/// runs in secure-execution mode (the rule of secure_getenv(3)).
pub fn secure_var(name: &str) -> Option<OsString> {
    // SAFETY: getauxval has no preconditions.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if secure { None } else { std::env::var_os(name).filter(|value| !value.is_empty()) }
}

/// Whether the process runs under valgrind, which says so to the loader.
pub fn under_valgrind() -> bool {
    std::env::var_os("LD_PRELOAD")
        .is_some_and(|preload| preload.to_string_lossy().contains("/vgpreload_"))
}
