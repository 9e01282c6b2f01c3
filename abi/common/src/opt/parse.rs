//! `fuse_opt_parse`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::list::{Options, append_option};
use super::template::{Match, Matches};
use super::{
    FUSE_OPT_KEY_DISCARD, FUSE_OPT_KEY_KEEP, FUSE_OPT_KEY_NONOPT, FUSE_OPT_KEY_OPT, Failed,
    FuseArgs, FuseOpt, FuseOptProc, args, misuse, out_of_memory, status,
    store::{self, FormerString},
};
use crate::log::{FUSE_LOG_ERR, ferrofuse_fuse_log};
use crate::panic::guard;

/// `fuse_opt_parse`: stores what the table's templates match, asks `proc` about the rest, and
/// replaces `*args` by a newly allocated vector of what was kept.
///
/// Returns 0, also for NULL or empty `args`, which are left alone; or -1 with a message, `*args`
/// being unchanged. Every template that matches fires, in table order. What was stored before a
/// failure stays stored.
///
/// # Safety
/// `args` is NULL or a valid `struct fuse_args` of C strings; `opts` is NULL or a table that ends
/// with a NULL template, whose offsets fit `data` and whose formats fit the fields there; `proc`
/// is NULL or callable with `data`. No other thread uses any of them meanwhile.
pub unsafe extern "C" fn fuse_opt_parse(
    args: *mut FuseArgs,
    data: *mut c_void,
    opts: *const FuseOpt,
    proc: FuseOptProc,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { parse(args, data, opts, proc, FormerString::Free) }
}

/// `fuse_opt_parse` of libfuse 2, which does not free the string that an option replaces: programs of that time have string
/// constants there.
///
/// # Safety
/// As for [`fuse_opt_parse`], but for strings in `data`, which may come from anywhere.
pub unsafe extern "C" fn fuse_opt_parse_29(
    args: *mut FuseArgs,
    data: *mut c_void,
    opts: *const FuseOpt,
    proc: FuseOptProc,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { parse(args, data, opts, proc, FormerString::Leave) }
}

/// # Safety
/// As for [`fuse_opt_parse`], or [`fuse_opt_parse_29`] if former strings are left.
unsafe fn parse(
    args: *mut FuseArgs,
    data: *mut c_void,
    opts: *const FuseOpt,
    proc: FuseOptProc,
    former: FormerString,
) -> c_int {
    guard("fuse_opt_parse", -1, || {
        // SAFETY: NULL or valid and unshared, as the caller vouches.
        let Some(args) = (unsafe { args.as_mut() }) else { return 0 };
        if args.argv.is_null() || args.argc == 0 {
            return 0;
        }
        let mut parser = Parser {
            argv: args.argv,
            argc: args.argc,
            current: 0,
            data,
            opts,
            proc,
            former,
            kept: None,
            non_options: None,
            out: FuseArgs::empty(),
        };
        // SAFETY: the parser holds what the caller vouches for; `out` is allocated by it, and
        // `args` as its `allocated` says.
        unsafe {
            let result = parser.run();
            if result.is_ok() {
                args::free_args(args);
                *args = parser.out;
            } else {
                args::free_args(&mut parser.out);
            }
            status(result)
        }
    })
}

/// One run over an argument vector. Its unsafe methods rely on the contract of
/// [`fuse_opt_parse`], which is about the fields `argv` to `proc`.
struct Parser {
    argv: *mut *mut c_char,
    argc: c_int,
    /// Index of the argument looked at.
    current: c_int,
    data: *mut c_void,
    opts: *const FuseOpt,
    proc: FuseOptProc,
    former: FormerString,
    /// The options kept from `-o` groups, joined; `None` if there are none.
    kept: Option<Vec<u8>>,
    /// Number of arguments kept when `--` had been; all that follow are no options.
    non_options: Option<c_int>,
    /// What is kept. The caller's function may edit it.
    out: FuseArgs,
}

impl Parser {
    /// # Safety
    /// See [`Parser`].
    unsafe fn run(&mut self) -> Result<(), Failed> {
        // SAFETY: `argv[0]` exists because argc isn't 0; the others are below argc. `out` is only
        // ever grown by this crate's own functions.
        unsafe {
            let name = self.argument()?;
            args::append(&mut self.out, name)?;
            self.current = 1;
            while self.current < self.argc {
                let arg = self.argument()?;
                self.process(arg)?;
                self.current += 1;
            }
            if let Some(list) = self.kept.take() {
                let list = CString::new(list).unwrap_or_default();
                args::insert(&mut self.out, 1, c"-o")?;
                args::insert(&mut self.out, 2, &list)?;
            }
            self.drop_last_separator();
        }
        Ok(())
    }

    /// Drops a `--` that nothing follows. One that moved because options were put before it stays,
    /// as programs are used to.
    ///
    /// # Safety
    /// See [`Parser`].
    unsafe fn drop_last_separator(&mut self) {
        if self.out.argc < 1 || self.out.argv.is_null() || self.non_options != Some(self.out.argc) {
            return;
        }
        // SAFETY: the vector holds `argc`, at least one, malloc'ed strings and the NULL.
        unsafe {
            let last = self.out.argv.add(self.out.argc as usize - 1);
            if CStr::from_ptr(*last) == c"--" {
                libc::free((*last).cast());
                last.write(std::ptr::null_mut());
                self.out.argc -= 1;
            }
        }
    }

    /// The argument at `current`, as long-lived as the caller's vector.
    ///
    /// # Safety
    /// See [`Parser`]; `current` is below `argc` or 0.
    unsafe fn argument<'a>(&self) -> Result<&'a CStr, Failed> {
        // SAFETY: the index is in the vector.
        let arg = unsafe { *self.argv.add(self.current as usize) };
        if arg.is_null() {
            return Err(misuse("fuse_opt_parse", "NULL in the argument vector"));
        }
        // SAFETY: not NULL, so a C string.
        Ok(unsafe { CStr::from_ptr(arg) })
    }

    /// Moves on to the argument that belongs to `option`.
    ///
    /// # Safety
    /// See [`Parser`].
    unsafe fn following_argument<'a>(&mut self, option: &CStr) -> Result<&'a CStr, Failed> {
        if self.current + 1 >= self.argc {
            // SAFETY: `%s` is the only directive and gets a C string.
            unsafe {
                let message = c"fuse: missing argument after `%s'\n";
                ferrofuse_fuse_log(FUSE_LOG_ERR, message.as_ptr(), option.as_ptr());
            }
            return Err(Failed);
        }
        self.current += 1;
        // SAFETY: just checked to be below argc.
        unsafe { self.argument() }
    }

    /// # Safety
    /// See [`Parser`].
    unsafe fn process(&mut self, arg: &CStr) -> Result<(), Failed> {
        // SAFETY: see `Parser`.
        unsafe {
            match arg.to_bytes() {
                [b'-', ..] if self.non_options.is_none() => {}
                _ => return self.ask(arg, FUSE_OPT_KEY_NONOPT, false),
            }
            match arg.to_bytes() {
                b"-o" => {
                    let list = self.following_argument(arg)?;
                    self.process_group(list.to_bytes())
                }
                [b'-', b'o', list @ ..] => self.process_group(list),
                b"--" => {
                    args::append(&mut self.out, arg)?;
                    self.non_options = Some(self.out.argc);
                    Ok(())
                }
                _ => self.process_option(arg, false),
            }
        }
    }

    /// # Safety
    /// See [`Parser`].
    unsafe fn process_group(&mut self, list: &[u8]) -> Result<(), Failed> {
        for option in Options::new(list) {
            let option = CString::new(option?).unwrap_or_default();
            // SAFETY: see `Parser`.
            unsafe { self.process_option(&option, true)? };
        }
        Ok(())
    }

    /// Lets every matching template act on `arg`, or asks the caller's function if none matches.
    /// `in_group` tells that the option is from `-o`.
    ///
    /// # Safety
    /// See [`Parser`].
    unsafe fn process_option(&mut self, arg: &CStr, in_group: bool) -> Result<(), Failed> {
        let mut matched = false;
        // SAFETY: see `Parser`.
        unsafe {
            for found in Matches::new(self.opts, arg.to_bytes()) {
                matched = true;
                match found.separator {
                    // `-x %s` given as `-x`: the parameter is the next argument.
                    Some(separator)
                        if found.templ.to_bytes()[separator] == b' '
                            && arg.count_bytes() == separator =>
                    {
                        let param = self.following_argument(arg)?;
                        let joined = join(arg, param)?;
                        self.apply(&found, &joined, in_group)?;
                    }
                    _ => self.apply(&found, arg, in_group)?,
                }
            }
            if matched { Ok(()) } else { self.ask(arg, FUSE_OPT_KEY_OPT, in_group) }
        }
    }

    /// Stores the value of an option, or asks about its key.
    ///
    /// # Safety
    /// See [`Parser`].
    unsafe fn apply(
        &mut self,
        found: &Match<'_>,
        arg: &CStr,
        in_group: bool,
    ) -> Result<(), Failed> {
        // SAFETY: see `Parser`: the target is in the caller's data and fits the format.
        unsafe {
            if found.opt.is_key() {
                return self.ask(arg, found.opt.value, in_group);
            }
            let target = store::target(self.data, found.opt.offset)?;
            if let Some(separator) = found.separator
                && let Some(format) = tail(found.templ, separator + 1)
                && !format.is_empty()
            {
                let equals = found.templ.to_bytes()[separator] == b'=';
                let param = tail(arg, separator + usize::from(equals)).unwrap_or(c"");
                return store::parameter(target, format, param, arg, self.former);
            }
            store::value(target, found.opt.value);
        }
        Ok(())
    }

    /// Keeps or drops `arg` as its key or the caller's function says.
    ///
    /// # Safety
    /// See [`Parser`].
    unsafe fn ask(&mut self, arg: &CStr, key: c_int, in_group: bool) -> Result<(), Failed> {
        if key == FUSE_OPT_KEY_DISCARD {
            return Ok(());
        }
        if key != FUSE_OPT_KEY_KEEP
            && let Some(proc) = self.proc
        {
            // SAFETY: the caller vouches for its function; `out` isn't touched meanwhile.
            match unsafe { proc(self.data, arg.as_ptr(), key, &raw mut self.out) } {
                -1 => return Err(Failed),
                0 => return Ok(()),
                _ => {}
            }
        }
        if in_group {
            append_option(self.kept.get_or_insert_default(), arg.to_bytes(), true)
        } else {
            // SAFETY: `out` is only grown by this crate's functions.
            unsafe { args::append(&mut self.out, arg) }
        }
    }
}

/// The string from byte `start` on, if there is one.
fn tail(text: &CStr, start: usize) -> Option<&CStr> {
    CStr::from_bytes_with_nul(text.to_bytes_with_nul().get(start..)?).ok()
}

fn join(option: &CStr, param: &CStr) -> Result<CString, Failed> {
    let mut joined = Vec::new();
    let length = option.count_bytes() + param.count_bytes() + 1;
    joined.try_reserve_exact(length).map_err(|_| out_of_memory())?;
    joined.extend_from_slice(option.to_bytes());
    joined.extend_from_slice(param.to_bytes());
    Ok(CString::new(joined).unwrap_or_default())
}
