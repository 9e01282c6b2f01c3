//! Modules from files.

use std::ffi::{CStr, CString, c_void};

use crate::types::FuseModule;

/// Loads `libfusemod_NAME.so`; NULL, with a message, if there is none.
fn open(name: &[u8]) -> *mut c_void {
    let Ok(file) = CString::new([b"libfusemod_", name, b".so"].concat()) else {
        return std::ptr::null_mut();
    };
    // SAFETY: a C string; the module is a library of the user's choice, as libfuse has it.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        log::error!("fuse: dlopen() failed: {}", last_error());
    }
    library
}

/// Why a look-up failed.
fn last_error() -> String {
    // SAFETY: a look-up failed, so there is an error, a C string until the next call.
    unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy().into_owned()
}

/// Loads a module, and gives what its library says of it, in a variable named after it. The library stays loaded: its code
/// may be running until the process ends.
pub fn load(name: &CStr) -> Option<*mut FuseModule> {
    let bytes = name.to_bytes();
    let symbol = CString::new([b"fuse_fusemod_", bytes, b"_module"].concat()).ok()?;
    let library = open(bytes);
    if library.is_null() {
        return None;
    }
    // SAFETY: an open library and a C string. A variable of this name is what a module is known by.
    let module = unsafe { libc::dlsym(library, symbol.as_ptr()) }.cast::<FuseModule>();
    if module.is_null() {
        log::error!("fuse: dlsym() failed: {}", last_error());
        // SAFETY: an open library, of which nothing is used.
        unsafe { libc::dlclose(library) };
        return None;
    }
    Some(module)
}
