//! Modules from files.

use std::ffi::{CStr, CString, c_void};

/// A library that stays open until the process ends: its code may be running.
#[derive(Clone, Copy)]
pub struct Library(pub *mut c_void);

/// Loads `libfusemod_NAME.so`; `None`, with a message, if there is none.
pub fn load(name: &CStr) -> Option<Library> {
    let file = CString::new([b"libfusemod_", name.to_bytes(), b".so"].concat()).ok()?;
    // SAFETY: a C string; the module is a library of the user's choice, as libfuse has it.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        // SAFETY: dlopen failed, so there is an error, a C string until the next call.
        let error = unsafe { CStr::from_ptr(libc::dlerror()) };
        log::error!("fuse: dlopen() failed: {}", error.to_string_lossy());
        return None;
    }
    Some(Library(library))
}
