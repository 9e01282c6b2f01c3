//! How a template matches an argument.

use std::ffi::{CStr, c_char, c_int};

use super::FuseOpt;
use crate::panic::guard;

/// `fuse_opt_match`: 1 if a template of the table matches `opt`, else 0. NULL matches nothing.
///
/// # Safety
/// `opts` is NULL or a table that ends with a NULL template; `opt` is NULL or a C string.
pub unsafe extern "C" fn fuse_opt_match(opts: *const FuseOpt, opt: *const c_char) -> c_int {
    guard("fuse_opt_match", 0, || {
        if opt.is_null() {
            return 0;
        }
        // SAFETY: not NULL, so a C string; the table is as the caller vouches.
        let found = unsafe { Matches::new(opts, CStr::from_ptr(opt).to_bytes()) }.next();
        found.is_some().into()
    })
}

/// A template that matches an argument.
pub(crate) struct Match<'a> {
    pub(crate) opt: FuseOpt,
    pub(crate) templ: &'a CStr,
    /// Index of the `=` or space where the parameter starts; `None` if the template takes none.
    pub(crate) separator: Option<usize>,
}

/// All templates of a table that match an argument, in table order.
pub(crate) struct Matches<'a> {
    next: *const FuseOpt,
    arg: &'a [u8],
}

impl<'a> Matches<'a> {
    /// # Safety
    /// `table` is NULL or ends with a NULL template, and is unchanged during `'a`.
    pub(crate) unsafe fn new(table: *const FuseOpt, arg: &'a [u8]) -> Matches<'a> {
        Matches { next: table, arg }
    }
}

impl<'a> Iterator for Matches<'a> {
    type Item = Match<'a>;

    fn next(&mut self) -> Option<Match<'a>> {
        while !self.next.is_null() {
            // SAFETY: the table ends with a NULL template, which is never passed below; a template
            // that isn't NULL is a C string.
            let (opt, templ) = unsafe {
                let opt = *self.next;
                if opt.templ.is_null() {
                    return None;
                }
                self.next = self.next.add(1);
                (opt, CStr::from_ptr(opt.templ))
            };
            if let Some(separator) = match_template(templ.to_bytes(), self.arg) {
                return Some(Match { opt, templ, separator });
            }
        }
        None
    }
}

/// Whether `templ` matches `arg`, and at which index the template's parameter starts.
///
/// The separator is the first `=`, else the first space, and counts only if nothing or a format
/// follows it. The text up to it (with the `=`) is then a prefix of the argument; otherwise, or if
/// that fails, template and argument must be equal. A separator at index 0 matches, but there is
/// no parameter to it.
fn match_template(templ: &[u8], arg: &[u8]) -> Option<Option<usize>> {
    let find = |wanted| templ.iter().position(|&byte| byte == wanted);
    if let Some(separator) = find(b'=').or_else(|| find(b' '))
        && matches!(templ.get(separator + 1), None | Some(b'%'))
    {
        let prefix = if templ[separator] == b'=' { separator + 1 } else { separator };
        if arg.starts_with(&templ[..prefix]) {
            return Some((separator != 0).then_some(separator));
        }
    }
    (templ == arg).then_some(None)
}

#[cfg(test)]
mod tests {
    use super::match_template;

    #[test]
    fn templates() {
        let check = |templ: &str, arg: &str| match_template(templ.as_bytes(), arg.as_bytes());
        assert_eq!(check("name", "name"), Some(None));
        assert_eq!(check("name", "name=1"), None);
        assert_eq!(check("name=%i", "name=1"), Some(Some(4)));
        assert_eq!(check("name=", "name=x"), Some(Some(4)));
        assert_eq!(check("name=", "name"), None);
        assert_eq!(check("-x %s", "-xfoo"), Some(Some(2)));
        assert_eq!(check("-x %s", "-x"), Some(Some(2)));
        assert_eq!(check("-x ", "-y"), None);
        assert_eq!(check("mode=fast", "mode=fast"), Some(None));
        assert_eq!(check("mode=fast", "mode=faster"), None);
        assert_eq!(check("a b=%d", "a b=2"), Some(Some(3)));
        assert_eq!(check(" %u", "anything"), Some(None));
    }
}
