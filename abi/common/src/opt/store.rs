//! Storing an option's value into the caller's data.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ptr;

use super::{Failed, malloc_string, misuse};
use crate::log::{FUSE_LOG_ERR, ferrofuse_fuse_log};

/// Where `offset` of `data` is. NULL data is fine as long as the sum isn't in the first page,
/// which is never mapped: some programs put absolute addresses into their tables.
pub(super) fn target(data: *mut c_void, offset: c_ulong) -> Result<*mut c_void, Failed> {
    const FIRST_PAGE: usize = 4096;
    let address = data.wrapping_byte_add(offset as usize);
    if data.is_null() && address.addr() < FIRST_PAGE {
        return Err(misuse("fuse_opt_parse", "an option to store, but data is NULL"));
    }
    Ok(if data.is_null() { ptr::with_exposed_provenance_mut(address.addr()) } else { address })
}

/// What becomes of a string that another one replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormerString {
    /// It is freed.
    Free,
    /// It is left alone.
    Leave,
}

/// Reads `param` by `format` into `target`. `arg` is the option as messages show it.
///
/// `%s` stores a `malloc`'ed copy and does with the string that was there as `former` says; any other format is
/// `sscanf`'s.
///
/// # Safety
/// `target` is valid for what the format stores; for `%s` it holds NULL or a `malloc`'ed string, unless that is left.
pub(super) unsafe fn parameter(
    target: *mut c_void,
    format: &CStr,
    param: &CStr,
    arg: &CStr,
    former: FormerString,
) -> Result<(), Failed> {
    if format.to_bytes() == b"%s" {
        let copy = malloc_string(param.to_bytes())?;
        let target = target.cast::<*mut c_char>();
        // SAFETY: the target is a string pointer, as the caller vouches; programs may pack theirs.
        unsafe {
            if former == FormerString::Free {
                libc::free(target.read_unaligned().cast());
            }
            target.write_unaligned(copy);
        }
        return Ok(());
    }
    if !stores_at_most_one(format.to_bytes()) {
        return Err(misuse("fuse_opt_parse", "a template's format stores more than one value"));
    }
    // SAFETY: format and parameter are C strings, and the format takes no other pointer than the
    // one given, which is valid for what it stores, as the caller vouches.
    let read = unsafe { libc::sscanf(param.as_ptr(), format.as_ptr(), target) };
    if read == 1 {
        return Ok(());
    }
    // SAFETY: `%s` is the only directive and gets a C string.
    unsafe {
        let message = c"fuse: invalid parameter in option `%s'\n";
        ferrofuse_fuse_log(FUSE_LOG_ERR, message.as_ptr(), arg.as_ptr());
    }
    Err(Failed)
}

/// Stores `value` at `target`.
///
/// # Safety
/// `target` is valid for writing an `int`.
pub(super) unsafe fn value(target: *mut c_void, value: c_int) {
    // SAFETY: as the caller vouches; no alignment is asked of programs.
    unsafe { target.cast::<c_int>().write_unaligned(value) }
}

/// Whether `sscanf` would take at most one pointer for `format`, which is all it is given.
fn stores_at_most_one(format: &[u8]) -> bool {
    let mut stored = 0;
    let mut rest = format;
    while let Some(start) = rest.iter().position(|&byte| byte == b'%') {
        rest = &rest[start + 1..];
        // Flags, width and length modifiers. The `$` of a numbered conversion is not among them: it
        // ends the conversion here, and only `1$` names the one pointer there is.
        let skipped = rest.iter().take_while(|byte| b"*'0123456789hlLjztqmI".contains(byte));
        let mut length = skipped.count();
        let suppressed = rest[..length].contains(&b'*');
        let percent = length == 0 && rest.first() == Some(&b'%');
        if rest.get(length) == Some(&b'[') {
            // A scan set: `]` right after the bracket (or its `^`) belongs to the set.
            length += 1;
            length += usize::from(rest.get(length) == Some(&b'^'));
            length += usize::from(rest.get(length) == Some(&b']'));
            while length < rest.len() && rest[length] != b']' {
                length += 1;
            }
        }
        let numbered = rest.get(length) == Some(&b'$') && &rest[..length] != b"1";
        stored += if numbered { 2 } else { usize::from(!suppressed && !percent) };
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    stored <= 1
}

#[cfg(test)]
mod tests {
    use super::stores_at_most_one;

    #[test]
    fn formats() {
        let one = [
            "%d", "%lf", "%5s", "%[a-z]", "%[]%d]", "%[^]%s]x", "%*d.%u", "%%%d", "%ms", "%", "",
            "plain", "%d%%", "%hhu", "%1$d", "%a",
        ];
        let more = ["%d%d", "%d.%u", "%[a-z]%s", "%*d%d %n", "%[^]]%d", "%2$d", "%a%d"];
        for format in one {
            assert!(stores_at_most_one(format.as_bytes()), "{format}");
        }
        for format in more {
            assert!(!stores_at_most_one(format.as_bytes()), "{format}");
        }
    }
}
