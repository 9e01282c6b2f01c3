//! Option lists, the comma-separated argument of `-o`: splitting and joining.

use std::ffi::{CStr, c_char, c_int};

use super::{Failed, misuse, out_of_memory, status};
use crate::panic::guard;

/// `fuse_opt_add_opt`: appends `opt` to the list `*opts` as it is, with a comma if the list isn't
/// empty. 0, or -1 with a message if memory ran out or a pointer is NULL; `*opts` is then
/// unchanged.
///
/// # Safety
/// `opts` is NULL or points to NULL or a `malloc`'ed C string, which is reallocated; `opt` is NULL
/// or a C string outside of it.
pub unsafe extern "C" fn fuse_opt_add_opt(opts: *mut *mut c_char, opt: *const c_char) -> c_int {
    guard("fuse_opt_add_opt", -1, || {
        // SAFETY: as the caller vouches.
        status(unsafe { add_to_list("fuse_opt_add_opt", opts, opt, false) })
    })
}

/// `fuse_opt_add_opt_escaped`: as [`fuse_opt_add_opt`], with a backslash put before each comma and
/// backslash of `opt`.
///
/// # Safety
/// As [`fuse_opt_add_opt`].
pub unsafe extern "C" fn fuse_opt_add_opt_escaped(
    opts: *mut *mut c_char,
    opt: *const c_char,
) -> c_int {
    guard("fuse_opt_add_opt_escaped", -1, || {
        // SAFETY: as the caller vouches.
        status(unsafe { add_to_list("fuse_opt_add_opt_escaped", opts, opt, true) })
    })
}

/// # Safety
/// As [`fuse_opt_add_opt`].
unsafe fn add_to_list(
    function: &str,
    opts: *mut *mut c_char,
    opt: *const c_char,
    escape: bool,
) -> Result<(), Failed> {
    if opts.is_null() || opt.is_null() {
        return Err(misuse(function, "NULL argument"));
    }
    // SAFETY: not NULL, so valid for reading and a C string, as the caller vouches.
    let (list, opt) = unsafe { (*opts, CStr::from_ptr(opt).to_bytes()) };
    let mut added = Vec::new();
    append_option(&mut added, opt, escape)?;
    // SAFETY: `list` is NULL or a C string from malloc; it is grown by a comma, what is added and
    // the terminating NUL, which are then written behind it.
    unsafe {
        let length = if list.is_null() { 0 } else { libc::strlen(list) };
        let grown = libc::realloc(list.cast(), length + added.len() + 2).cast::<u8>();
        if grown.is_null() {
            return Err(out_of_memory());
        }
        let mut end = grown.add(length);
        if length != 0 {
            end.write(b',');
            end = end.add(1);
        }
        end.copy_from_nonoverlapping(added.as_ptr(), added.len());
        end.add(added.len()).write(0);
        *opts = grown.cast();
    }
    Ok(())
}

/// Appends `opt` to `list` with a comma if the list isn't empty, escaped if asked for.
pub(crate) fn append_option(list: &mut Vec<u8>, opt: &[u8], escape: bool) -> Result<(), Failed> {
    list.try_reserve(opt.len() * 2 + 2).map_err(|_| out_of_memory())?;
    if !list.is_empty() {
        list.push(b',');
    }
    for &byte in opt {
        if escape && matches!(byte, b',' | b'\\') {
            list.push(b'\\');
        }
        list.push(byte);
    }
    Ok(())
}

/// The options of a list, with escapes resolved.
///
/// `\,` and `\\` stand for the second character, as a backslash before any other does; three octal
/// digits up to 377 for a byte. A last single backslash stands for itself.
pub(crate) struct Options<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    pub(crate) fn new(list: &'a [u8]) -> Options<'a> {
        Options { rest: Some(list) }
    }
}

impl Iterator for Options<'_> {
    type Item = Result<Vec<u8>, Failed>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest.take()?;
        let mut option = Vec::new();
        if option.try_reserve(rest.len()).is_err() {
            return Some(Err(out_of_memory()));
        }
        loop {
            rest = match *rest {
                [] => break,
                [b',', ref tail @ ..] => {
                    self.rest = Some(tail);
                    break;
                }
                [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ref tail @ ..] => {
                    option.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                    tail
                }
                [b'\\', byte, ref tail @ ..] | [byte, ref tail @ ..] => {
                    option.push(byte);
                    tail
                }
            };
        }
        // An escaped NUL ends the C string the option becomes.
        if let Some(end) = option.iter().position(|&byte| byte == 0) {
            option.truncate(end);
        }
        Some(Ok(option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(list: &str) -> Vec<String> {
        let options = Options::new(list.as_bytes());
        options.map(|option| String::from_utf8(option.unwrap()).unwrap()).collect()
    }

    #[test]
    fn commas_and_escapes() {
        assert_eq!(split(""), [""]);
        assert_eq!(split("a,,b,"), ["a", "", "b", ""]);
        assert_eq!(split(r"a\,b,c\\"), ["a,b", r"c\"]);
        assert_eq!(split(r"\101\x\"), ["Ax\\"]);
        assert_eq!(split(r"\08\40"), ["0840"]);
        assert_eq!(split(r"a\000b,c"), ["a", "c"]);
        assert_eq!(split(r"\401"), ["401"]);
    }

    #[test]
    fn escaping_round_trips() {
        let mut list = Vec::new();
        for option in ["a,b", r"c\d", "e"] {
            append_option(&mut list, option.as_bytes(), true).unwrap();
        }
        assert_eq!(split(std::str::from_utf8(&list).unwrap()), ["a,b", r"c\d", "e"]);
    }
}
