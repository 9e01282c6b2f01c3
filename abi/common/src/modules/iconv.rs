//! `iconv`: gives names another character set.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::offset_of;
use std::ptr;

use ferrofuse::sys::lock::Mutex;
use ferrofuse::{Errno, Result};

use super::{HELP, HELP_OPTIONS, NameMap, parse, take_string, verdict};
use crate::log::{FUSE_LOG_ERR, emit};
use crate::opt::{FuseArgs, FuseOpt};
use crate::stdio::{help_is_on_stderr, print_help};

// glibc has these in the C library itself.
unsafe extern "C" {
    fn iconv_open(to: *const c_char, from: *const c_char) -> *mut c_void;
    fn iconv(
        cd: *mut c_void,
        input: *mut *mut c_char,
        input_left: *mut usize,
        output: *mut *mut c_char,
        output_left: *mut usize,
    ) -> usize;
    fn iconv_close(cd: *mut c_void) -> c_int;
}

/// The character set of the file system below unless said otherwise.
const DEFAULT_BELOW: &CStr = c"UTF-8";

/// A conversion, of which only one at a time can be under way.
#[derive(Debug)]
struct Converter(Mutex<Descriptor>);

#[derive(Debug)]
struct Descriptor(*mut c_void);

// SAFETY: a conversion descriptor belongs to no thread; the mutex keeps its uses apart.
unsafe impl Send for Descriptor {}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: an open descriptor, given up.
        unsafe { iconv_close(self.0) };
    }
}

impl Converter {
    /// From one character set to another; the empty name is the locale's.
    fn open(from: &CStr, to: &CStr) -> Option<Converter> {
        // SAFETY: two C strings.
        let cd = unsafe { iconv_open(to.as_ptr(), from.as_ptr()) };
        if cd.addr() == usize::MAX {
            let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
            emit(FUSE_LOG_ERR, &format!("fuse-iconv: cannot convert from {from} to {to}"));
            return None;
        }
        Some(Converter(Mutex::new(Descriptor(cd))))
    }

    /// `EILSEQ` for what has no counterpart.
    fn convert(&self, text: &CStr) -> Result<CString> {
        let descriptor = self.0.lock();
        let input = text.to_bytes();
        let mut output = vec![0u8; input.len() * 2 + 16];
        let (mut read, mut written) = (0, 0);
        // SAFETY: resets the shift state of an open descriptor.
        unsafe {
            iconv(descriptor.0, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        }
        // The last round, without input, writes what leads back to the initial shift state.
        let mut rest = true;
        loop {
            let mut from = input[read..].as_ptr().cast_mut().cast::<c_char>();
            let mut from_left = input.len() - read;
            let mut to = output[written..].as_mut_ptr().cast::<c_char>();
            let mut to_left = output.len() - written;
            let from = if rest { &raw mut from } else { ptr::null_mut() };
            // SAFETY: pointers and lengths are those of the two slices; iconv does not write to
            // its input.
            let result = unsafe {
                iconv(descriptor.0, from, &raw mut from_left, &raw mut to, &raw mut to_left)
            };
            let error = Errno::last();
            if rest {
                read = input.len() - from_left;
            }
            written = output.len() - to_left;
            if result != usize::MAX {
                if !rest {
                    break;
                }
                rest = false;
            } else if error == Errno::E2BIG {
                output.resize(output.len() * 2, 0);
            } else {
                return Err(Errno::from_raw(libc::EILSEQ));
            }
        }
        output.truncate(written);
        // Character sets with NUL bytes in them make no paths.
        CString::new(output).map_err(|_| Errno::from_raw(libc::EILSEQ))
    }
}

/// The module.
#[derive(Debug)]
pub struct Iconv {
    below: Converter,
    above: Converter,
}

impl Iconv {
    /// Between the file system's character set and the users'; the empty name is the locale's.
    /// `None`, with a message, for one that is not known.
    pub fn new(below: &CStr, above: &CStr) -> Option<Iconv> {
        Some(Iconv { below: Converter::open(above, below)?, above: Converter::open(below, above)? })
    }
}

#[repr(C)]
struct Options {
    from_code: *mut c_char,
    to_code: *mut c_char,
}

/// Runs `work` under the character set of the user's environment, as programs that never call
/// setlocale(3) don't have it.
fn with_user_locale<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: C strings; setlocale's result is copied before the next call. As with libfuse, no
    // other thread may use the locale while a file system is made.
    let former = unsafe {
        let former = libc::setlocale(libc::LC_CTYPE, ptr::null());
        let former = (!former.is_null()).then(|| CStr::from_ptr(former).to_owned());
        libc::setlocale(libc::LC_CTYPE, c"".as_ptr());
        former
    };
    let result = work();
    if let Some(former) = former {
        // SAFETY: a C string.
        unsafe { libc::setlocale(libc::LC_CTYPE, former.as_ptr()) };
    }
    result
}

fn print_options() {
    // The texts differ by a tab, and scripts are made from them.
    let gap = if help_is_on_stderr() { c"\t    " } else { c"     " };
    // SAFETY: the result is a C string, used before any other call; the format has one `%s`.
    with_user_locale(|| unsafe {
        print_help(
            c"    -o from_code=CHARSET   original encoding of file names (default: UTF-8)
    -o to_code=CHARSET",
        );
        print_help(gap);
        print_help(c"new encoding of the file names (default: ");
        print_help(CStr::from_ptr(libc::nl_langinfo(libc::CODESET)));
        print_help(c")\n");
    });
}

unsafe extern "C" fn help(
    _data: *mut c_void,
    _arg: *const c_char,
    key: c_int,
    _outargs: *mut FuseArgs,
) -> c_int {
    if key == HELP {
        print_options();
    }
    verdict(key)
}

impl NameMap for Iconv {
    unsafe fn from_args(args: *mut FuseArgs) -> Option<Iconv> {
        let mut options = Options { from_code: ptr::null_mut(), to_code: ptr::null_mut() };
        let table = [
            HELP_OPTIONS[0],
            HELP_OPTIONS[1],
            FuseOpt::store(c"from_code=%s", offset_of!(Options, from_code), 0),
            FuseOpt::store(c"to_code=%s", offset_of!(Options, to_code), 0),
            FuseOpt::END,
        ];
        // SAFETY: the caller's promise; the table is made for the struct.
        let parsed = unsafe { parse(args, &mut options, &table, help) };
        // SAFETY: the parser allocates strings, and gives them away.
        let (below, above) =
            unsafe { (take_string(options.from_code), take_string(options.to_code)) };
        if !parsed {
            return None;
        }
        let below = below.as_deref().unwrap_or(DEFAULT_BELOW);
        let above = above.as_deref().unwrap_or_default();
        with_user_locale(|| Iconv::new(below, above))
    }

    fn path(&self, path: &CStr) -> Result<CString> {
        self.below.convert(path)
    }

    fn stored_target(&self, target: &CStr) -> Result<CString> {
        self.below.convert(target)
    }

    fn shown_target(&self, _path: Option<&CStr>, target: &CStr, _room: usize) -> Result<CString> {
        self.above.convert(target)
    }

    fn shown_name(&self, name: &CStr) -> Option<CString> {
        self.above.convert(name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_character_set() {
        let iconv = Iconv::new(c"UTF-8", c"ISO-8859-1").expect("both are known");
        assert_eq!(
            iconv.path(c"/\xfcber").expect("has a counterpart").to_bytes(),
            "/über".as_bytes()
        );
        let name = CString::new("über").expect("no NUL");
        assert_eq!(iconv.shown_name(&name).expect("has a counterpart").to_bytes(), b"\xfcber");
        let euro = CString::new("€").expect("no NUL");
        assert!(iconv.shown_name(&euro).is_none());
        assert_eq!(iconv.path(c"/").as_deref(), Ok(c"/"));
    }

    #[test]
    fn names_may_grow() {
        let iconv = Iconv::new(c"UTF-7", c"UTF-8").expect("both are known");
        let long = CString::new("ü€".repeat(300)).expect("no NUL");
        let below = iconv.path(&long).expect("has a counterpart");
        assert!(below.to_bytes().ends_with(b"-"), "the shift state is closed");
        assert_eq!(iconv.shown_name(&below).as_deref(), Some(&*long));
    }

    #[test]
    fn unknown_character_sets_are_refused() {
        assert!(Iconv::new(c"KLINGON", c"UTF-8").is_none());
    }
}
