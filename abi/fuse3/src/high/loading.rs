//! Modules from files.

use std::ffi::{CStr, CString};

use crate::types::FuseModuleFactory;

/// Loads `libfusemod_NAME.so`, which has the address of the factory in a variable.
pub fn load(name: &CStr) -> Option<FuseModuleFactory> {
    let bytes = name.to_bytes();
    let file = CString::new([b"libfusemod_", bytes, b".so"].concat()).ok()?;
    let symbol = CString::new([b"fuse_module_", bytes, b"_factory"].concat()).ok()?;
    // SAFETY: C strings; the module is a library of the user's choice, as libfuse has it.
    let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
    let file = file.to_string_lossy();
    if library.is_null() {
        // SAFETY: dlopen failed, so there is an error, a C string until the next call.
        let error = unsafe { CStr::from_ptr(libc::dlerror()) };
        log::error!("fuse: dlopen({file}) failed: {}", error.to_string_lossy());
        return None;
    }
    // SAFETY: an open library and a C string. A variable of this name is what a module is known by.
    let factory = unsafe {
        let variable = libc::dlsym(library, symbol.as_ptr()).cast::<Option<FuseModuleFactory>>();
        variable.as_ref().copied().flatten()
    };
    if factory.is_none() {
        let symbol = symbol.to_string_lossy();
        log::error!("fuse: symbol <{symbol}> not found in module: {file}");
        // SAFETY: an open library, of which nothing is used.
        unsafe { libc::dlclose(library) };
    }
    factory
}
