//! `fuse_parse_cmdline`: the options every program has because `fuse_main` takes them.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::mem::{MaybeUninit, offset_of, size_of};
use std::ptr;

use ferrofuse::Errno;

use crate::log::{FUSE_LOG_ERR, ferrofuse_fuse_log};
use crate::opt::{
    FUSE_OPT_KEY_KEEP, FUSE_OPT_KEY_NONOPT, Failed, FuseArgs, FuseOpt, FuseOptProc, args,
    fuse_opt_parse, malloc_string, misuse, status,
};
use crate::panic::guard;

pub use crate::help::{cmdline_help, lowlevel_help};
pub use crate::version::fuse_lowlevel_version as lowlevel_version;

/// `struct fuse_cmdline_opts` of libfuse 3.12 and later. Flags are 0 or 1.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CmdlineOpts {
    /// `-s`
    pub singlethread: c_int,
    /// `-f`, also set by `-d`
    pub foreground: c_int,
    /// `-d` or `-o debug`
    pub debug: c_int,
    /// `-o fsname=` or `-o subtype=` was given, so none is derived from the program's name
    pub nodefault_subtype: c_int,
    /// The mount point as an absolute path, or `/dev/fd/N`; NULL if none was given. From
    /// `malloc`, the caller's to free, also after a failure.
    pub mountpoint: *mut c_char,
    /// `-V`
    pub show_version: c_int,
    /// `-h`
    pub show_help: c_int,
    /// `-o clone_fd`
    pub clone_fd: c_int,
    /// `-o max_idle_threads=`, else `UINT_MAX`
    pub max_idle_threads: c_uint,
    /// `-o max_threads=`, else 10. Not written for callers of `FUSE_3.0`.
    pub max_threads: c_uint,
}

/// What programs built before 3.12 have of [`CmdlineOpts`], in bytes.
const SIZE_30: usize = offset_of!(CmdlineOpts, max_threads);

const _: () = assert!(size_of::<CmdlineOpts>() == 48 && SIZE_30 == 40);
const _: () = assert!(offset_of!(CmdlineOpts, mountpoint) == 16);

/// Number of worker threads unless the user says otherwise.
const DEFAULT_MAX_THREADS: c_uint = 10;
/// Number of idle worker threads unless the user says otherwise: as many as there are.
const DEFAULT_MAX_IDLE_THREADS: c_uint = c_uint::MAX;

/// `fuse_parse_cmdline@@FUSE_3.12`: takes the standard options out of `args` into `*opts`, and
/// appends `-osubtype=<program>` unless the user named a type or source.
///
/// Returns 0, or -1 with a message. `*opts` is then written as far as parsing went, without a
/// previous value of it being read; NULL pointers and empty `args` (libfuse crashes) write nothing.
///
/// # Safety
/// `args` is NULL or a valid `struct fuse_args` of C strings; `opts` is NULL or valid for writing
/// 48 bytes. No other thread uses them meanwhile.
pub unsafe extern "C" fn parse_cmdline(args: *mut FuseArgs, opts: *mut CmdlineOpts) -> c_int {
    guard("fuse_parse_cmdline", -1, || {
        // SAFETY: as the caller vouches; a full-sized structure may be written whatever happens.
        unsafe {
            let Some(mut parsed) = prepare(args, opts) else { return -1 };
            let result = parse_into(args, parsed.as_mut_ptr(), Some(take_mountpoint));
            copy_out(&parsed, opts, size_of::<CmdlineOpts>());
            status(result)
        }
    })
}

/// `fuse_parse_cmdline@FUSE_3.0`: [`parse_cmdline`] for programs whose structure has 40 bytes. A
/// failure leaves `*opts` alone.
///
/// # Safety
/// As [`parse_cmdline`], with `opts` valid for writing 40 bytes.
pub unsafe extern "C" fn parse_cmdline_30(args: *mut FuseArgs, opts: *mut CmdlineOpts) -> c_int {
    guard("fuse_parse_cmdline", -1, || {
        // SAFETY: as the caller vouches; the mount point nobody will see is from malloc, or NULL.
        unsafe {
            let Some(mut parsed) = prepare(args, opts) else { return -1 };
            let result = parse_into(args, parsed.as_mut_ptr(), Some(take_mountpoint));
            match result {
                Ok(()) => copy_out(&parsed, opts, SIZE_30),
                Err(Failed) => libc::free((*parsed.as_ptr()).mountpoint.cast()),
            }
            status(result)
        }
    })
}

/// `fuse_service_parse_cmdline_opts`: [`parse_cmdline`] for a filesystem that a helper mounts. The mount point is what was
/// given, since it may be nothing to this process.
///
/// # Safety
/// As [`parse_cmdline`].
pub unsafe extern "C" fn parse_cmdline_service(
    args: *mut FuseArgs,
    opts: *mut CmdlineOpts,
) -> c_int {
    guard("fuse_service_parse_cmdline_opts", -1, || {
        // SAFETY: as the caller vouches; a full-sized structure may be written whatever happens.
        unsafe {
            let Some(mut parsed) = prepare(args, opts) else { return -1 };
            let result = parse_into(args, parsed.as_mut_ptr(), Some(take_mountpoint_as_given));
            copy_out(&parsed, opts, size_of::<CmdlineOpts>());
            status(result)
        }
    })
}

/// The defaults, or `None` with a message if the call can't be served.
///
/// # Safety
/// `args` is NULL or valid.
unsafe fn prepare(
    args: *const FuseArgs,
    out: *const CmdlineOpts,
) -> Option<MaybeUninit<CmdlineOpts>> {
    // SAFETY: NULL or valid, as the caller vouches.
    match unsafe { args.as_ref() } {
        Some(args) if args.argc != 0 && !args.argv.is_null() && !out.is_null() => {}
        _ => {
            misuse("fuse_parse_cmdline", "NULL or empty argument");
            return None;
        }
    }
    // The padding is copied out too, so it has to be zero.
    let mut opts = MaybeUninit::<CmdlineOpts>::zeroed();
    // SAFETY: in bounds.
    unsafe {
        (*opts.as_mut_ptr()).max_idle_threads = DEFAULT_MAX_IDLE_THREADS;
        (*opts.as_mut_ptr()).max_threads = DEFAULT_MAX_THREADS;
    }
    Some(opts)
}

/// # Safety
/// `out` is valid for writing `size` bytes, at most 48.
unsafe fn copy_out(from: &MaybeUninit<CmdlineOpts>, out: *mut CmdlineOpts, size: usize) {
    // SAFETY: as the caller vouches; padding is copied as it is.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), out.cast(), size) }
}

/// # Safety
/// `args` is valid and not empty, `data` valid.
unsafe fn parse_into(
    args: *mut FuseArgs,
    data: *mut CmdlineOpts,
    take: FuseOptProc,
) -> Result<(), Failed> {
    macro_rules! flag {
        ($templ:literal, $field:ident) => {
            FuseOpt::store($templ, offset_of!(CmdlineOpts, $field), 1)
        };
    }
    let table = [
        flag!(c"-h", show_help),
        flag!(c"--help", show_help),
        flag!(c"-V", show_version),
        flag!(c"--version", show_version),
        flag!(c"-d", debug),
        flag!(c"debug", debug),
        flag!(c"-d", foreground),
        flag!(c"debug", foreground),
        FuseOpt::key(c"-d", FUSE_OPT_KEY_KEEP),
        FuseOpt::key(c"debug", FUSE_OPT_KEY_KEEP),
        flag!(c"-f", foreground),
        flag!(c"-s", singlethread),
        flag!(c"fsname=", nodefault_subtype),
        FuseOpt::key(c"fsname=", FUSE_OPT_KEY_KEEP),
        flag!(c"subtype=", nodefault_subtype),
        FuseOpt::key(c"subtype=", FUSE_OPT_KEY_KEEP),
        flag!(c"clone_fd", clone_fd),
        FuseOpt::store(c"max_idle_threads=%u", offset_of!(CmdlineOpts, max_idle_threads), 0),
        FuseOpt::store(c"max_threads=%u", offset_of!(CmdlineOpts, max_threads), 0),
        FuseOpt::END,
    ];
    // SAFETY: both are valid as the caller vouches, and the table is made for the structure.
    unsafe {
        if fuse_opt_parse(args, data.cast(), table.as_ptr(), take) != 0 {
            return Err(Failed);
        }
        if (*data).nodefault_subtype == 0 {
            let subtype = default_subtype(CStr::from_ptr(*(*args).argv));
            args::append(&mut *args, &subtype)?;
        }
    }
    Ok(())
}

/// The option that names the filesystem type after the program: what follows the last slash of its
/// name, or the slash if nothing does.
pub fn default_subtype(program: &CStr) -> CString {
    let program = program.to_bytes();
    let name = match program.iter().rposition(|&byte| byte == b'/') {
        Some(slash) if slash + 1 < program.len() => &program[slash + 1..],
        Some(slash) => &program[slash..],
        None => program,
    };
    CString::new([b"-osubtype=", name].concat()).unwrap_or_default()
}

/// `fuse_opt_proc_t`: the first argument that is no option is the mount point; a second one is an
/// error. Everything else is kept for the next layer.
unsafe extern "C" fn take_mountpoint(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _outargs: *mut FuseArgs,
) -> c_int {
    if key != FUSE_OPT_KEY_NONOPT {
        return 1;
    }
    // SAFETY: called by `fuse_opt_parse` with the data of `parse_into` and an argument of it.
    unsafe {
        let opts = &mut *data.cast::<CmdlineOpts>();
        take_mountpoint_into(&mut opts.mountpoint, CStr::from_ptr(arg))
    }
}

/// As [`take_mountpoint`], of a mount point that need not be there.
unsafe extern "C" fn take_mountpoint_as_given(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _outargs: *mut FuseArgs,
) -> c_int {
    if key != FUSE_OPT_KEY_NONOPT {
        return 1;
    }
    // SAFETY: called by `fuse_opt_parse` with the data of `parse_into` and an argument of it.
    unsafe {
        let opts = &mut *data.cast::<CmdlineOpts>();
        take_into(&mut opts.mountpoint, CStr::from_ptr(arg), |arg| malloc_string(arg.to_bytes()))
    }
}

/// Makes `arg` the mount point, for the result of a `fuse_opt_proc_t`: 0, or -1 with a message if there is one already or
/// it does not exist. The string is from `malloc`.
pub fn take_mountpoint_into(taken: &mut *mut c_char, arg: &CStr) -> c_int {
    take_into(taken, arg, mountpoint)
}

fn take_into(
    taken: &mut *mut c_char,
    arg: &CStr,
    resolve: fn(&CStr) -> Result<*mut c_char, Failed>,
) -> c_int {
    if !taken.is_null() {
        // SAFETY: `%s` is the only directive and gets a C string.
        unsafe {
            let message = c"fuse: invalid argument `%s'\n";
            ferrofuse_fuse_log(FUSE_LOG_ERR, message.as_ptr(), arg.as_ptr());
        }
        return -1;
    }
    match resolve(arg) {
        Ok(path) => {
            *taken = path;
            0
        }
        Err(Failed) => -1,
    }
}

/// The mount point `arg` names, as a `malloc`'ed string.
fn mountpoint(arg: &CStr) -> Result<*mut c_char, Failed> {
    if parse_dev_fd(arg).is_some() {
        return malloc_string(arg.to_bytes());
    }
    // SAFETY: a C string; with NULL the result is allocated.
    let path = unsafe { libc::realpath(arg.as_ptr(), ptr::null_mut()) };
    if path.is_null() {
        let reason = CString::new(Errno::last().to_string()).unwrap_or_default();
        // SAFETY: two `%s` directives, two C strings.
        unsafe {
            let message = c"fuse: bad mount point `%s': %s\n";
            ferrofuse_fuse_log(FUSE_LOG_ERR, message.as_ptr(), arg.as_ptr(), reason.as_ptr());
        }
        return Err(Failed);
    }
    Ok(path)
}

/// The descriptor N if `mountpoint` is `/dev/fd/N`, the way to hand over an already opened device.
///
/// N is whatever `%u` of `scanf(3)` reads, wrapped to an `int`; only -1 doesn't count. Whether such
/// a descriptor is open isn't checked, so the result may be negative.
pub fn parse_dev_fd(mountpoint: &CStr) -> Option<c_int> {
    let mut fd: c_uint = 0;
    let mut length: c_int = 0;
    let format = c"/dev/fd/%u%n";
    // SAFETY: C strings, and pointers to the types the format names.
    let read = unsafe { libc::sscanf(mountpoint.as_ptr(), format.as_ptr(), &mut fd, &mut length) };
    let whole = usize::try_from(length).is_ok_and(|length| length == mountpoint.count_bytes());
    (read == 1 && whole).then_some(fd as c_int).filter(|fd| *fd != -1)
}
