//! `subdir`: puts a directory in front of all paths.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::offset_of;
use std::ptr;

use ferrofuse::{Errno, Result};

use super::{HELP, HELP_OPTIONS, NameMap, parse, take_string, verdict};
use crate::log::{FUSE_LOG_ERR, emit};
use crate::opt::{FuseArgs, FuseOpt};
use crate::stdio::print_help;

const HELP_TEXT: &CStr = c"    -o subdir=DIR	    prepend this directory to all paths (mandatory)
    -o [no]rellinks	    transform absolute symlinks to relative
";

/// The module.
#[derive(Debug)]
pub struct Subdir {
    /// The directory, with a slash behind it.
    base: Vec<u8>,
    /// Absolute targets of symbolic links are shown relative.
    relative_links: bool,
}

#[repr(C)]
struct Options {
    subdir: *mut c_char,
    rellinks: c_int,
}

unsafe extern "C" fn help(
    _data: *mut c_void,
    _arg: *const c_char,
    key: c_int,
    _outargs: *mut FuseArgs,
) -> c_int {
    if key == HELP {
        print_help(HELP_TEXT);
    }
    verdict(key)
}

impl Subdir {
    /// Paths below `directory`, absolute or not.
    pub fn new(directory: &CStr, relative_links: bool) -> Subdir {
        let mut base = directory.to_bytes().to_vec();
        if base.last().is_some_and(|last| *last != b'/') {
            base.push(b'/');
        }
        Subdir { base, relative_links }
    }

    /// An absolute target within the directory, seen from the directory of the link at `path`;
    /// `None` for other targets.
    fn relative(&self, path: &[u8], target: &[u8]) -> Option<Vec<u8>> {
        if target.first() != Some(&b'/') || self.base.first() != Some(&b'/') {
            return None;
        }
        let components = |path: &'_ [u8]| -> Vec<Vec<u8>> {
            let parts = path.split(|byte| *byte == b'/');
            parts.filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
        };
        let (link, to, base) = (components(path), components(target), components(&self.base));
        let from = link.split_last().map_or(&[][..], |(_, directory)| directory);
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if common < base.len() {
            return None;
        }
        let up = std::iter::repeat_n(&b".."[..], from.len() - common);
        let down = to[common..].iter().map(Vec::as_slice);
        let relative = up.chain(down).collect::<Vec<_>>().join(&b'/');
        Some(if relative.is_empty() { b".".to_vec() } else { relative })
    }
}

impl NameMap for Subdir {
    unsafe fn from_args(args: *mut FuseArgs) -> Option<Subdir> {
        let mut options = Options { subdir: ptr::null_mut(), rellinks: 0 };
        let rellinks = offset_of!(Options, rellinks);
        let table = [
            HELP_OPTIONS[0],
            HELP_OPTIONS[1],
            FuseOpt::store(c"subdir=%s", offset_of!(Options, subdir), 0),
            FuseOpt::store(c"rellinks", rellinks, 1),
            FuseOpt::store(c"norellinks", rellinks, 0),
            FuseOpt::END,
        ];
        // SAFETY: the caller's promise; the table is made for the struct.
        let parsed = unsafe { parse(args, &mut options, &table, help) };
        // SAFETY: the parser allocates strings, and gives them away.
        let directory = unsafe { take_string(options.subdir) };
        if !parsed {
            return None;
        }
        let Some(directory) = directory else {
            emit(FUSE_LOG_ERR, "fuse-subdir: missing 'subdir' option");
            return None;
        };
        Some(Subdir::new(&directory, options.rellinks != 0))
    }

    fn path(&self, path: &CStr) -> Result<CString> {
        let path = path.to_bytes();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let mut whole = [&self.base, path].concat();
        if whole.is_empty() {
            whole.push(b'.');
        }
        CString::new(whole).map_err(|_| Errno::EINVAL)
    }

    fn stored_target(&self, target: &CStr) -> Result<CString> {
        Ok(target.to_owned())
    }

    fn shown_target(&self, path: Option<&CStr>, target: &CStr, room: usize) -> Result<CString> {
        if !self.relative_links {
            return Ok(target.to_owned());
        }
        let relative = path.and_then(|path| self.relative(path.to_bytes(), target.to_bytes()));
        let fits = relative.filter(|relative| relative.len() < room);
        Ok(fits.and_then(|bytes| CString::new(bytes).ok()).unwrap_or_else(|| target.to_owned()))
    }

    fn shown_name(&self, name: &CStr) -> Option<CString> {
        Some(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_get_the_directory_in_front() {
        let path = |base: &CStr, path: &CStr| Subdir::new(base, false).path(path).expect("no NUL");
        assert_eq!(&*path(c"/some", c"/a/b"), c"/some/a/b");
        assert_eq!(&*path(c"/some/", c"/"), c"/some/");
        assert_eq!(&*path(c"rel", c"/a"), c"rel/a");
        assert_eq!(&*path(c"", c"/a"), c"a");
        assert_eq!(&*path(c"", c"/"), c".");
    }

    #[test]
    fn absolute_targets_within_become_relative() {
        let subdir = Subdir::new(c"/some/dir", true);
        let shown = |path: &CStr, target: &CStr| {
            subdir.shown_target(Some(path), target, 100).expect("fits")
        };
        assert_eq!(&*shown(c"/some/dir/link", c"/some/dir/file"), c"file");
        assert_eq!(&*shown(c"/some/dir/a/b/link", c"/some/dir/c/file"), c"../../c/file");
        assert_eq!(&*shown(c"/some/dir/link", c"/some/dir"), c".");
        assert_eq!(&*shown(c"/some/dir/link", c"/other/file"), c"/other/file");
        assert_eq!(&*shown(c"/some/dir/link", c"/some/directory"), c"/some/directory");
        assert_eq!(&*shown(c"/some/dir/link", c"relative"), c"relative");
        let plain = Subdir::new(c"/some/dir", false);
        let target = plain.shown_target(Some(c"/some/dir/l"), c"/some/dir/f", 100).expect("fits");
        assert_eq!(&*target, c"/some/dir/f");
    }
}
