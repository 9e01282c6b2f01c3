//! `-o modules=`: file systems put on top of the program's, by name.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use ferrofuse::sys::lock::Mutex;
use ferrofuse_abi_common::modules::iconv::Iconv;
use ferrofuse_abi_common::modules::subdir::Subdir;
use ferrofuse_abi_common::opt::{FuseArgs, fuse_opt_add_arg, fuse_opt_free_args};
use ferrofuse_abi_common::stdio::print;

use super::loading::load;
use super::mapped::factory;
use super::pushing::split;
use crate::types::FuseModuleFactory;

/// The modules that every program has.
const BUILT_IN: [(&CStr, FuseModuleFactory); 2] =
    [(c"subdir", factory::<Subdir>), (c"iconv", factory::<Iconv>)];

/// Modules that were loaded. They stay loaded: their code may be running until the process ends.
static LOADED: Mutex<Vec<(CString, FuseModuleFactory)>> = Mutex::new(Vec::new());

/// The factory of a module; `None`, with a message, if there is no such module.
pub(super) fn find(name: &CStr) -> Option<FuseModuleFactory> {
    let named = |(known, _): &&(CString, FuseModuleFactory)| **known == *name;
    if let Some((_, factory)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Some(*factory);
    }
    let mut loaded = LOADED.lock();
    if let Some((_, factory)) = loaded.iter().find(named) {
        return Some(*factory);
    }
    let factory = load(name)?;
    loaded.push((name.to_owned(), factory));
    Some(factory)
}

/// Prints the options of a module.
fn print_help(name: &CStr, factory: FuseModuleFactory) {
    let mut args = FuseArgs::empty();
    let words: [*const c_char; 2] = [c"".as_ptr(), c"-h".as_ptr()];
    // SAFETY: a live vector and C strings.
    let added = words.iter().all(|word| unsafe { fuse_opt_add_arg(&raw mut args, *word) } == 0);
    if added {
        print(c"\nOptions for ");
        print(name);
        print(c" module:\n");
        let mut none = ptr::null_mut();
        // SAFETY: a valid vector; asked for help, a module makes nothing of the file systems.
        unsafe { factory(&raw mut args, &raw mut none) };
    }
    // SAFETY: the vector is not used any more.
    unsafe { fuse_opt_free_args(&raw mut args) };
}

/// Prints the options of the built-in modules, and of others in `list`.
pub fn help(list: Option<&CStr>) {
    for (name, factory) in BUILT_IN {
        print_help(name, factory);
    }
    let Some(list) = list else { return };
    for name in split(list).filter(|name| !BUILT_IN.iter().any(|(known, _)| *known == &**name)) {
        if let Some(factory) = find(&name) {
            print_help(&name, factory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_modules_are_none() {
        assert!(find(c"no such module").is_none());
        assert!(find(c"subdir").is_some());
    }
}
