//! `-o modules=`: file systems put on top of the program's, by name.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use ferrofuse::sys::lock::Mutex;
use ferrofuse_abi_common::modules::iconv::Iconv;
use ferrofuse_abi_common::modules::subdir::Subdir;
use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_add_arg, fuse_opt_free_args};
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::stdio::{help_on_stderr, print_error};

use super::loading::{Library, load};
use super::mapped::factory;
use crate::types::{FuseModule, FuseModuleFactory};

/// The modules that every program has.
const BUILT_IN: [(&CStr, FuseModuleFactory); 2] =
    [(c"iconv", factory::<Iconv>), (c"subdir", factory::<Subdir>)];

/// Modules that were registered, the newest last. They stay: their code may be running until the process ends.
static REGISTERED: Mutex<Vec<(CString, FuseModuleFactory)>> = Mutex::new(Vec::new());

/// `fuse_register_module`: makes a module known by its name, for ever. NULL is ignored.
///
/// # Safety
/// `module` is NULL or points to its struct, whose name is a C string.
pub unsafe extern "C" fn fuse_register_module(module: *mut FuseModule) {
    guard("fuse_register_module", (), || {
        // SAFETY: the caller's promise.
        let Some(module) = (unsafe { module.as_ref() }) else { return };
        let (Some(factory), false) = (module.factory, module.name.is_null()) else { return };
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(module.name) }.to_owned();
        REGISTERED.lock().push((name, factory));
    });
}

fn known(name: &CStr) -> Option<FuseModuleFactory> {
    let registered = REGISTERED.lock();
    let registered = registered.iter().rev().find(|(known, _)| **known == *name);
    let built_in = || BUILT_IN.iter().find(|(known, _)| *known == name);
    registered.map(|(_, factory)| *factory).or_else(|| built_in().map(|(_, factory)| *factory))
}

/// The factory of a module; `None`, with a message, if there is no such module.
pub(super) fn find(name: &CStr) -> Option<FuseModuleFactory> {
    if let Some(factory) = known(name) {
        return Some(factory);
    }
    let library = load(name)?;
    // A library that registers its module when it is loaded needs no variable.
    let factory = known(name).or_else(|| defined(library, name));
    if factory.is_none() {
        let name = name.to_string_lossy();
        log::error!("fuse: module {name} is not registered by its library");
    }
    factory
}

/// The factory in the variable that `FUSE_REGISTER_MODULE` defines.
fn defined(library: Library, name: &CStr) -> Option<FuseModuleFactory> {
    let symbol = [b"fuse_fusemod_", name.to_bytes(), b"_module"].concat();
    let symbol = CString::new(symbol).ok()?;
    // SAFETY: an open library and a C string. A variable of this name is a module.
    let module = unsafe { libc::dlsym(library.0, symbol.as_ptr()).cast::<FuseModule>().as_ref() };
    module.and_then(|module| module.factory)
}

/// Prints the options of the built-in modules.
pub fn help() {
    help_on_stderr();
    print_error(c"\nModule options:\n");
    for (name, factory) in BUILT_IN {
        let mut args = FuseArgs::empty();
        let words: [*const c_char; 2] = [c"".as_ptr(), c"-h".as_ptr()];
        print_error(c"\n[");
        print_error(name);
        print_error(c"]\n");
        // SAFETY: a live vector and C strings; asked for help, a module makes nothing of the file systems.
        unsafe {
            if words.iter().all(|word| fuse_opt_add_arg(&raw mut args, *word) == 0) {
                factory(&raw mut args, &mut ptr::null_mut());
            }
            fuse_opt_free_args(&raw mut args);
        }
    }
}
