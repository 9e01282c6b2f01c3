//! `fuse_daemonize_early_*`: going into the background before anything is made, with a parent that waits until the file
//! system can be used, and tells the shell whether it can.

use std::ffi::{c_int, c_uint};
use std::fs::{File, OpenOptions};
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ferrofuse::sys::lock::Mutex;
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};
use ferrofuse_abi_common::panic::guard;

/// `FUSE_DAEMONIZE_NO_CHDIR`: the working directory stays.
const NO_CHDIR: c_uint = 1 << 0;
/// `FUSE_DAEMONIZE_NO_BACKGROUND`: the process stays in the foreground.
pub const NO_BACKGROUND: c_uint = 1 << 1;

/// The parent waits.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// This process is the child.
static DETACHED: AtomicBool = AtomicBool::new(false);
/// A session was mounted.
static MOUNTED: AtomicBool = AtomicBool::new(false);
/// INIT was answered.
static GREETED: AtomicBool = AtomicBool::new(false);
/// Where the parent waits for a status.
static PARENT: Mutex<Option<PipeWriter>> = Mutex::new(None);

/// Whether `fuse_daemonize_early_start` was what brought this process into the background.
pub fn is_used() -> bool {
    DETACHED.load(Ordering::Acquire) || ACTIVE.load(Ordering::Acquire)
}

/// A session has been mounted.
pub fn set_mounted() {
    MOUNTED.store(true, Ordering::Release);
}

/// A session has been greeted by the kernel.
pub fn set_greeted() {
    GREETED.store(true, Ordering::Release);
}

/// `fuse_daemonize_early_start`: goes into the background, as far as `flags` do not forbid it. The parent stays until
/// [`fuse_daemonize_early_success`] or [`fuse_daemonize_early_fail`]; if it dies before that, so does this process.
/// Standard output and error stay until success. A second call does nothing.
///
/// Returns 0 in the child, or a negative errno, with a message. To be called before any thread is started: only the
/// calling one lives on.
pub extern "C" fn fuse_daemonize_early_start(flags: c_uint) -> c_int {
    guard("fuse_daemonize_early_start", -libc::EIO, || {
        if ACTIVE.load(Ordering::Acquire) {
            return 0;
        }
        if flags & NO_CHDIR == 0 {
            // SAFETY: a C string. A process that is locked out of `/` stays where it is.
            unsafe { libc::chdir(c"/".as_ptr()) };
        }
        if flags & NO_BACKGROUND != 0 {
            return 0;
        }
        match detach() {
            Ok(()) => 0,
            Err(error) => {
                emit(FUSE_LOG_ERR, &format!("fuse: fuse_daemonize_early_start: {error}"));
                error.raw_os_error().map_or(-libc::EIO, |error| -error)
            }
        }
    })
}

fn detach() -> io::Result<()> {
    let (status, writer) = io::pipe()?;
    // Whose other end the parent has, and nobody else.
    let (alive, parent_lives) = io::pipe()?;
    // SAFETY: the child goes on in ordinary code, as after any fork of a program with one thread; the caller sees to
    // that.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop((status, parent_lives));
            // SAFETY: no arguments.
            if unsafe { libc::setsid() } == -1 {
                return Err(io::Error::last_os_error());
            }
            if let Ok(null) = null() {
                put(&null, &[0]);
            }
            *PARENT.lock() = Some(writer);
            DETACHED.store(true, Ordering::Release);
            ACTIVE.store(true, Ordering::Release);
            watch(alive)
        }
        _ => {
            drop((writer, alive));
            let code = wait(status);
            drop(parent_lives);
            // SAFETY: ends the process, without what the child still wants to do at its own end.
            unsafe { libc::_exit(code) }
        }
    }
}

/// The exit code that the child sends; 1 if it ends without.
fn wait(mut status: io::PipeReader) -> c_int {
    let mut code = [0; size_of::<c_int>()];
    match status.read_exact(&mut code) {
        Ok(()) => c_int::from_ne_bytes(code),
        Err(_) => libc::EXIT_FAILURE,
    }
}

/// Ends this process if the parent dies before it was told anything.
fn watch(mut alive: io::PipeReader) -> io::Result<()> {
    let watch = move || {
        // The other end is closed when the parent ends, whatever ended it.
        let _ = alive.read(&mut [0]);
        if ACTIVE.load(Ordering::Acquire) {
            // SAFETY: ends the process; nobody waits for what it has begun.
            unsafe { libc::_exit(libc::EXIT_FAILURE) }
        }
    };
    thread::Builder::new().name("fuse_parent".to_owned()).spawn(watch).map(drop)
}

fn null() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/null")
}

/// Puts `file` in the place of these descriptors.
fn put(file: &File, places: &[c_int]) {
    for place in places {
        // SAFETY: both are plain descriptors; a standard stream may be replaced at any time.
        unsafe { libc::dup2(file.as_raw_fd(), *place) };
    }
}

/// Tells the parent, which exits with `status`.
fn tell(status: c_int) {
    // First of all: the parent may end as soon as it was told.
    ACTIVE.store(false, Ordering::Release);
    let Some(mut parent) = PARENT.lock().take() else { return };
    if let Err(error) = parent.write_all(&status.to_ne_bytes()) {
        emit(FUSE_LOG_ERR, &format!("fuse: fuse_daemonize_early: parent not told: {error}"));
    }
    if status == libc::EXIT_SUCCESS
        && let Ok(null) = null()
    {
        put(&null, &[1, 2]);
    }
}

/// `fuse_daemonize_early_success`: the parent exits with 0, and standard output and error become `/dev/null`. Nothing
/// happens before a session was mounted and INIT was answered: when it is, the library does this by itself.
pub extern "C" fn fuse_daemonize_early_success() {
    let ready = MOUNTED.load(Ordering::Acquire) && GREETED.load(Ordering::Acquire);
    if ACTIVE.load(Ordering::Acquire) && ready {
        tell(libc::EXIT_SUCCESS);
    }
}

/// `fuse_daemonize_early_fail`: the parent exits with `err`.
pub extern "C" fn fuse_daemonize_early_fail(err: c_int) {
    if !ACTIVE.load(Ordering::Acquire) {
        emit(FUSE_LOG_ERR, "fuse: fuse_daemonize_early_fail: nobody waits");
        return;
    }
    tell(err);
}

/// `fuse_daemonize_early_is_active`: whether the parent still waits.
pub extern "C" fn fuse_daemonize_early_is_active() -> bool {
    ACTIVE.load(Ordering::Acquire)
}
