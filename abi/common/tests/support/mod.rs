//! What the differential tests share: the system's libfuse3 and this library behind one table of
//! functions, a seeded generator, and the capture of log messages.
#![allow(dead_code)] // each test file uses its part

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::{transmute, transmute_copy};
use std::sync::OnceLock;

use ferrofuse_abi_common::cmdline::CmdlineOpts;
use ferrofuse_abi_common::conn_info::ConnInfo;
use ferrofuse_abi_common::conn_opts::ConnInfoOpts;
use ferrofuse_abi_common::log::LogFunc;
use ferrofuse_abi_common::opt::{FuseArgs, FuseOpt, FuseOptProc};
use ferrofuse_abi_common::{cmdline, conn_opts, daemonize, help, log, opt, signals, version};

/// One implementation of the functions under test.
pub struct Api {
    pub name: &'static str,
    pub parse:
        unsafe extern "C" fn(*mut FuseArgs, *mut c_void, *const FuseOpt, FuseOptProc) -> c_int,
    pub add_opt: unsafe extern "C" fn(*mut *mut c_char, *const c_char) -> c_int,
    pub add_opt_escaped: unsafe extern "C" fn(*mut *mut c_char, *const c_char) -> c_int,
    pub add_arg: unsafe extern "C" fn(*mut FuseArgs, *const c_char) -> c_int,
    pub insert_arg: unsafe extern "C" fn(*mut FuseArgs, c_int, *const c_char) -> c_int,
    pub free_args: unsafe extern "C" fn(*mut FuseArgs),
    pub matches: unsafe extern "C" fn(*const FuseOpt, *const c_char) -> c_int,
    pub parse_cmdline: unsafe extern "C" fn(*mut FuseArgs, *mut CmdlineOpts) -> c_int,
    pub parse_cmdline_30: unsafe extern "C" fn(*mut FuseArgs, *mut CmdlineOpts) -> c_int,
    pub parse_conn: unsafe extern "C" fn(*mut FuseArgs) -> *mut ConnInfoOpts,
    pub apply_conn: unsafe extern "C" fn(*const ConnInfoOpts, *mut ConnInfo),
    pub set_log_func: unsafe extern "C" fn(LogFunc),
    pub cmdline_help: extern "C" fn(),
    pub lowlevel_help: extern "C" fn(),
    pub lowlevel_version: extern "C" fn(),
    pub pkgversion: extern "C" fn() -> *const c_char,
    pub version: extern "C" fn() -> c_int,
    pub daemonize: extern "C" fn(c_int) -> c_int,
    pub set_signal_handlers: unsafe extern "C" fn(*mut c_void) -> c_int,
    pub remove_signal_handlers: unsafe extern "C" fn(*mut c_void),
}

/// `fuse_main_real`: argument count and vector, operations, their size, private data.
pub type MainReal =
    unsafe extern "C" fn(c_int, *const *mut c_char, *const c_void, usize, *mut c_void) -> c_int;

/// The system's `fuse_main`, which this crate has only the texts of.
pub fn their_main() -> MainReal {
    // SAFETY: the library's handle and the function's prototype.
    unsafe { symbol(load(), c"fuse_main_real", None) }
}

/// The system's libfuse3, from Debian's package libfuse3-3.
fn load() -> *mut c_void {
    // SAFETY: loading the library has no side effects on this process.
    let library = unsafe { libc::dlopen(c"libfuse3.so.3".as_ptr(), libc::RTLD_NOW) };
    assert!(!library.is_null(), "libfuse3.so.3 is missing; install the Debian package libfuse3-3");
    library
}

pub static OURS: Api = Api {
    name: "ours",
    parse: opt::fuse_opt_parse,
    add_opt: opt::fuse_opt_add_opt,
    add_opt_escaped: opt::fuse_opt_add_opt_escaped,
    add_arg: opt::fuse_opt_add_arg,
    insert_arg: opt::fuse_opt_insert_arg,
    free_args: opt::fuse_opt_free_args,
    matches: opt::fuse_opt_match,
    parse_cmdline: cmdline::parse_cmdline,
    parse_cmdline_30: cmdline::parse_cmdline_30,
    parse_conn: conn_opts::fuse_parse_conn_info_opts,
    apply_conn: conn_opts::fuse_apply_conn_info_opts,
    set_log_func: log::fuse_set_log_func,
    cmdline_help: help::cmdline_help,
    lowlevel_help: help::lowlevel_help,
    lowlevel_version: version::fuse_lowlevel_version,
    pkgversion: version::fuse_pkgversion,
    version: version::fuse_version,
    daemonize: daemonize::fuse_daemonize,
    set_signal_handlers: set_for_session,
    remove_signal_handlers: remove_for_session,
};

unsafe extern "C" fn set_for_session(session: *mut c_void) -> c_int {
    unsafe extern "C" fn stop(session: *mut c_void, signal: c_int) {
        // SAFETY: the tests pass sessions of at least one int.
        unsafe { session.cast::<c_int>().write(signal) }
    }
    // SAFETY: the tests keep their sessions.
    unsafe { signals::set(session, stop, signals::OnPipe::DoNothing) }
}

unsafe extern "C" fn remove_for_session(session: *mut c_void) {
    signals::remove(session, signals::OnPipe::DoNothing);
}

/// The system's libfuse3 as an [`Api`].
pub fn theirs() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| {
        let library = load();
        // SAFETY: the fields' types are the prototypes of libfuse 3.14.
        unsafe {
            Api {
                name: "libfuse",
                parse_cmdline: symbol(library, c"fuse_parse_cmdline", Some(c"FUSE_3.12")),
                parse_cmdline_30: symbol(library, c"fuse_parse_cmdline", Some(c"FUSE_3.0")),
                parse: symbol(library, c"fuse_opt_parse", None),
                add_opt: symbol(library, c"fuse_opt_add_opt", None),
                add_opt_escaped: symbol(library, c"fuse_opt_add_opt_escaped", None),
                add_arg: symbol(library, c"fuse_opt_add_arg", None),
                insert_arg: symbol(library, c"fuse_opt_insert_arg", None),
                free_args: symbol(library, c"fuse_opt_free_args", None),
                matches: symbol(library, c"fuse_opt_match", None),
                parse_conn: symbol(library, c"fuse_parse_conn_info_opts", None),
                apply_conn: symbol(library, c"fuse_apply_conn_info_opts", None),
                set_log_func: symbol(library, c"fuse_set_log_func", None),
                cmdline_help: symbol(library, c"fuse_cmdline_help", None),
                lowlevel_help: symbol(library, c"fuse_lowlevel_help", None),
                lowlevel_version: symbol(library, c"fuse_lowlevel_version", None),
                pkgversion: symbol(library, c"fuse_pkgversion", None),
                version: symbol(library, c"fuse_version", None),
                daemonize: symbol(library, c"fuse_daemonize", None),
                set_signal_handlers: symbol(library, c"fuse_set_signal_handlers", None),
                remove_signal_handlers: symbol(library, c"fuse_remove_signal_handlers", None),
            }
        }
    })
}

/// Looks up a function, as the function pointer type `T`.
///
/// # Safety
/// `library` is a handle of dlopen(3), and `T` the function's type.
unsafe fn symbol<T: Copy>(library: *mut c_void, name: &CStr, version: Option<&CStr>) -> T {
    assert_eq!(size_of::<T>(), size_of::<*mut c_void>());
    // SAFETY: C strings; the address is the function's, of the type the caller vouches for.
    unsafe {
        let address = match version {
            Some(version) => libc::dlvsym(library, name.as_ptr(), version.as_ptr()),
            None => libc::dlsym(library, name.as_ptr()),
        };
        assert!(!address.is_null(), "libfuse3.so.3 has no {name:?}: libfuse3-3 >= 3.14 is needed");
        transmute_copy(&address)
    }
}

/// A seeded generator (splitmix64), so that a failing case can be run again.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

thread_local! {
    static LOGGED: RefCell<Vec<(c_int, String)>> = const { RefCell::new(Vec::new()) };
}

/// `fuse_log_func_t` that collects what is logged in this thread. A `va_list` argument is passed
/// as a pointer by the C ABIs the tests run on.
unsafe extern "C" fn collect(level: c_int, format: *const c_char, args: *mut c_void) {
    unsafe extern "C" {
        fn vsnprintf(
            to: *mut c_char,
            size: usize,
            format: *const c_char,
            args: *mut c_void,
        ) -> c_int;
    }
    let mut text = [0u8; 1024];
    // SAFETY: room as told; format and arguments belong together.
    unsafe { vsnprintf(text.as_mut_ptr().cast(), text.len(), format, args) };
    let text = CStr::from_bytes_until_nul(&text).expect("vsnprintf terminates");
    LOGGED.with_borrow_mut(|log| log.push((level, text.to_string_lossy().into_owned())));
}

/// Lets `api` log into the calling thread's list from now on.
pub fn capture_log(api: &Api) {
    let func = collect as unsafe extern "C" fn(c_int, *const c_char, *mut c_void);
    // SAFETY: the function has the type C expects; Rust's is opaque.
    unsafe { (api.set_log_func)(transmute::<*const (), LogFunc>(func as *const ())) }
}

/// What was logged in this thread since the last call.
pub fn take_log() -> Vec<(c_int, String)> {
    LOGGED.with_borrow_mut(std::mem::take)
}

/// An argument vector, either the test's own memory or allocated by `api`.
pub struct Args {
    pub args: FuseArgs,
    strings: Vec<CString>,
    pointers: Vec<*mut c_char>,
}

impl Args {
    pub fn new(api: &Api, list: &[CString], allocated: bool) -> Args {
        let mut made = Args { args: FuseArgs::empty(), strings: list.to_vec(), pointers: vec![] };
        if allocated {
            for arg in list {
                // SAFETY: a valid vector and a C string.
                assert_eq!(unsafe { (api.add_arg)(&mut made.args, arg.as_ptr()) }, 0);
            }
        } else {
            made.pointers = made.strings.iter().map(|arg| arg.as_ptr().cast_mut()).collect();
            made.pointers.push(std::ptr::null_mut());
            made.args.argc = list.len() as c_int;
            made.args.argv = made.pointers.as_mut_ptr();
        }
        made
    }

    /// Frees what `api` allocated, after checking that it leaves an empty vector.
    pub fn free(mut self, api: &Api) {
        // SAFETY: a valid vector.
        unsafe { (api.free_args)(&mut self.args) };
        assert_eq!(show(&self.args), "allocated=0 []");
        assert!(self.args.argv.is_null());
    }
}

/// An argument vector as text.
pub fn show(args: &FuseArgs) -> String {
    let list = (0..args.argc as usize)
        // SAFETY: the vector holds `argc` C strings.
        .map(|index| unsafe { CStr::from_ptr(*args.argv.add(index)) })
        .collect::<Vec<_>>();
    if !args.argv.is_null() {
        // SAFETY: a NULL follows the strings.
        assert!(unsafe { (*args.argv.add(list.len())).is_null() }, "vector not terminated");
    }
    format!("allocated={} {list:?}", args.allocated)
}

/// Runs `body` in a forked child whose stdout and stderr go to a pipe, and returns what it wrote
/// and its wait status. The child must only do what is safe after a fork.
pub fn in_child(body: impl FnOnce()) -> (String, c_int) {
    use std::io::Read;
    use std::os::fd::FromRawFd;
    unsafe extern "C" {
        fn fflush(stream: *mut c_void) -> c_int;
    }
    let mut fds = [-1; 2];
    // SAFETY: plain system calls on descriptors of this function; the child leaves by _exit, so
    // that nothing of the test harness runs twice.
    unsafe {
        assert_eq!(libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let pid = libc::fork();
        assert_ne!(pid, -1);
        if pid == 0 {
            libc::dup2(fds[1], 1);
            libc::dup2(fds[1], 2);
            // Whoever outlives the child must not keep the reader waiting.
            libc::close(fds[0]);
            libc::close(fds[1]);
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_ok();
            fflush(std::ptr::null_mut());
            libc::_exit(if done { 0 } else { 101 });
        }
        libc::close(fds[1]);
        let mut output = Vec::new();
        std::fs::File::from_raw_fd(fds[0]).read_to_end(&mut output).expect("pipe is readable");
        let mut status = 0;
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        (String::from_utf8_lossy(&output).into_owned(), status)
    }
}
