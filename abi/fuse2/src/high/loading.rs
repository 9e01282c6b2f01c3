//! Modules from files.

use std::ffi::{CStr, CString};

/// Loads `libfusemod_NAME.so`, which registers its module while it is loaded; false, with a message, if there is none.
pub fn load(name: &CStr) -> bool {
    let Ok(file) = CString::new([b"libfusemod_", name.to_bytes(), b".so"].concat()) else {
        return false;
    };
    // SAFETY: a C string; the module is a library of the user's choice, as libfuse has it.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        // SAFETY: dlopen failed, so there is an error, a C string until the next call.
        let error = unsafe { CStr::from_ptr(libc::dlerror()) };
        log::error!("fuse: dlopen() failed: {}", error.to_string_lossy());
    }
    !library.is_null()
}
