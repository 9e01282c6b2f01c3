//! Putting modules upon a stack, by their names.

use std::ffi::{CStr, CString};
use std::ptr;

use ferrofuse_abi_common::opt::FuseArgs;

use super::modules::find;
use crate::types::FuseFs;

/// The names in a list of modules.
pub(super) fn split(list: &CStr) -> impl Iterator<Item = CString> {
    let names = list.to_bytes().split(|byte| *byte == b':');
    names.filter(|name| !name.is_empty()).filter_map(|name| CString::new(name).ok())
}

/// Puts the modules of a list onto the stack `layers`, the first name first. False, with a message,
/// if one is missing or refuses; the stack is then as far as it came.
///
/// # Safety
/// `args` is a valid argument vector; the layers are live file systems.
pub unsafe fn push(list: &CStr, args: *mut FuseArgs, layers: &mut Vec<*mut FuseFs>) -> bool {
    split(list).all(|name| {
        let Some(factory) = find(&name) else { return false };
        let below = layers.last().copied().unwrap_or(ptr::null_mut());
        let mut list = [below, ptr::null_mut()];
        // SAFETY: the caller's promise, and a list as factories expect it.
        let fs = unsafe { factory(args, list.as_mut_ptr()) };
        if fs.is_null() {
            return false;
        }
        if !layers.contains(&fs) {
            layers.push(fs);
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_between_colons() {
        let names: Vec<CString> = split(c":a::bc:").collect();
        assert_eq!(names, [c"a".to_owned(), c"bc".to_owned()]);
    }
}
