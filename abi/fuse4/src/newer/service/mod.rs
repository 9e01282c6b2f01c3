//! `fuse_service_*`: file systems that a service manager starts and a mount helper mounts.
//!
//! What is said between the two is the engine's (`ferrofuse::mount::service`). Here is the object that programs hold,
//! with what belongs to it: the connection, and the device until a session has it.
//!
//! * [`arguments`]: the helper's command line
//! * [`main`]: a main function for path-based file systems

pub mod arguments;
pub mod main;

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ferrofuse::mount::service::{FileRequest, Hello, Service};
use ferrofuse::sys::lock::Mutex;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::cmdline::CmdlineOpts;
use ferrofuse_abi_common::handle::{self, Handle};
use ferrofuse_abi_common::panic::guard;
use libc::mode_t;

use crate::session::session;
use crate::types::{FuseSession, common};

common::opaque! {
    /// `struct fuse_service`: a connection to a mount helper. One thread uses it.
    FuseService
}

/// `FUSE_SERVICE_REQUEST_FILE_QUIET`: no message about a file that can't be opened.
const QUIET: c_uint = 1 << 0;

/// Whether this process was started as a service.
static STARTED: AtomicBool = AtomicBool::new(false);

/// What a `struct fuse_service *` points to.
struct CService {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    hello: Hello,
    belongings: Mutex<Belongings>,
}

/// What goes away bit by bit.
#[derive(Default)]
struct Belongings {
    /// `None` after goodbye.
    service: Option<Service>,
    /// The device, until a session has it.
    device: Option<OwnedFd>,
    /// The helper's arguments, until they are read.
    arguments: Option<OwnedFd>,
    /// The file type that the mount point must have, or 0.
    format: mode_t,
}

impl Handle for CService {
    const MAGIC: u64 = 0x6665_7272_6f34_7376;
    const NAME: &str = "service";

    fn magic(&self) -> u64 {
        self.magic
    }
}

impl CService {
    /// Runs `body` with the connection; `EBADF` after goodbye.
    fn connected<T>(&self, body: impl FnOnce(&Service) -> Result<T>) -> Result<T> {
        self.belongings.lock().service.as_ref().ok_or(Errno::EBADF).and_then(body)
    }
}

/// The service behind a pointer; NULL and what is no service are reported.
///
/// # Safety
/// `sf` is NULL or a live service.
unsafe fn service<'a>(function: &str, sf: *const FuseService) -> Result<&'a CService> {
    // SAFETY: the caller's promise.
    unsafe { handle::get(function, sf.cast_mut().cast::<CService>()) }.ok_or(Errno::EINVAL)
}

/// Runs the inside of a function that returns 0 or a negative errno.
fn status(function: &str, body: impl FnOnce() -> Result<()>) -> c_int {
    guard(function, Errno::EIO.negated(), || body().map_or_else(Errno::negated, |()| 0))
}

/// The C string behind a pointer; NULL is reported.
///
/// # Safety
/// `path` is NULL or a C string that lives as long as the result is used.
unsafe fn string<'a>(function: &str, path: *const c_char) -> Result<&'a CStr> {
    if path.is_null() {
        log::error!("fuse: {function}: path is NULL");
        return Err(Errno::EINVAL);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { CStr::from_ptr(path) })
}

/// `fuse_service_accept`: greets the mount helper that this process was started for, and stores the service, or NULL if
/// there is none. Freed by `fuse_service_destroy`.
///
/// Returns 0 in both cases, or a negative errno, with a message. Waits for what the helper sends.
///
/// # Safety
/// `sfp` is NULL or may be written to.
pub unsafe extern "C" fn fuse_service_accept(sfp: *mut *mut FuseService) -> c_int {
    ferrofuse_abi_common::log::install();
    status("fuse_service_accept", || {
        if sfp.is_null() {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the caller's promise.
        unsafe { sfp.write(ptr::null_mut()) };
        let accepted = Service::accept().transpose();
        STARTED.store(accepted.is_some(), Ordering::Release);
        let Some(accepted) = accepted.transpose()? else { return Ok(()) };
        let belongings = Belongings {
            service: Some(accepted.service),
            device: Some(accepted.device),
            arguments: Some(accepted.arguments),
            format: 0,
        };
        let made = CService {
            magic: CService::MAGIC,
            hello: accepted.hello,
            belongings: Mutex::new(belongings),
        };
        // SAFETY: as above.
        unsafe { sfp.write(Box::into_raw(Box::new(made)).cast()) };
        Ok(())
    })
}

/// `fuse_service_can_allow_other`: whether the helper mounts for other users, too.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_can_allow_other(sf: *const FuseService) -> bool {
    // SAFETY: the caller's promise.
    unsafe { service("fuse_service_can_allow_other", sf) }.is_ok_and(|sf| sf.hello.allow_other)
}

/// `fuse_service_can_fuseblk`: whether it mounts block devices, too.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_can_fuseblk(sf: *const FuseService) -> bool {
    // SAFETY: the caller's promise.
    unsafe { service("fuse_service_can_fuseblk", sf) }.is_ok_and(|sf| sf.hello.fuseblk)
}

/// `fuse_service_request_file`: asks the helper to open `path`, for [`fuse_service_receive_file`]. Returns 0 or a
/// negative errno, with a message: `-EINVAL` for unknown flags, `-EBADF` after goodbye.
///
/// # Safety
/// `sf` is NULL or a live service; `path` is NULL or a C string.
pub unsafe extern "C" fn fuse_service_request_file(
    sf: *const FuseService,
    path: *const c_char,
    open_flags: c_int,
    create_mode: mode_t,
    request_flags: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { request(sf, path, open_flags, create_mode, request_flags, None) }
}

/// `fuse_service_request_blockdev`: the same for a block device, which is set to `block_size` bytes if that is not 0.
///
/// # Safety
/// As for [`fuse_service_request_file`].
pub unsafe extern "C" fn fuse_service_request_blockdev(
    sf: *const FuseService,
    path: *const c_char,
    open_flags: c_int,
    create_mode: mode_t,
    request_flags: c_uint,
    block_size: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { request(sf, path, open_flags, create_mode, request_flags, Some(block_size)) }
}

/// # Safety
/// As for [`fuse_service_request_file`].
unsafe fn request(
    sf: *const FuseService,
    path: *const c_char,
    open_flags: c_int,
    create_mode: mode_t,
    request_flags: c_uint,
    block_size: Option<c_uint>,
) -> c_int {
    let function = "fuse_service_request_file";
    status(function, || {
        // SAFETY: the caller's promise.
        let (sf, path) = unsafe { (service(function, sf)?, string(function, path)?) };
        if request_flags & !QUIET != 0 {
            log::error!("fuse: {function}: unknown flags {request_flags:#x}");
            return Err(Errno::EINVAL);
        }
        let open_flags = open_flags.cast_unsigned();
        let quiet = request_flags & QUIET != 0;
        let request = FileRequest { path, open_flags, create_mode, quiet, block_size };
        sf.connected(|service| service.request_file(&request))
    })
}

/// `fuse_service_receive_file`: stores the descriptor of the file that was asked for, which becomes the caller's, or the
/// negative errno that the helper got. Returns 0 in both cases, or a negative errno, with a message, if the helper sent
/// something else; `-ENOENT` is stored then.
///
/// # Safety
/// `sf` is NULL or a live service; `path` is NULL or a C string; `fdp` is NULL or may be written to.
pub unsafe extern "C" fn fuse_service_receive_file(
    sf: *const FuseService,
    path: *const c_char,
    fdp: *mut c_int,
) -> c_int {
    let function = "fuse_service_receive_file";
    status(function, || {
        if fdp.is_null() {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the caller's promise.
        unsafe { fdp.write(Errno::ENOENT.negated()) };
        // SAFETY: as above.
        let (sf, path) = unsafe { (service(function, sf)?, string(function, path)?) };
        let file = sf.connected(|service| service.receive_file(path))?;
        // SAFETY: as above.
        unsafe { fdp.write(file.map_or_else(Errno::negated, IntoRawFd::into_raw_fd)) };
        Ok(())
    })
}

/// `fuse_service_finish_file_requests`: has the kernel refuse further descriptors, where it can (Linux 6.16). Returns 0
/// or a negative errno, with a message.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_finish_file_requests(sf: *const FuseService) -> c_int {
    let function = "fuse_service_finish_file_requests";
    // SAFETY: the caller's promise.
    status(function, || unsafe { service(function, sf) }?.connected(Service::finish_files))
}

/// `fuse_service_expect_mount_format`: the file type, of `st_mode`, that the mount point must have; 0 for any.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_expect_mount_format(
    sf: *mut FuseService,
    expected_fmt: mode_t,
) {
    // SAFETY: the caller's promise.
    if let Ok(sf) = unsafe { service("fuse_service_expect_mount_format", sf) } {
        sf.belongings.lock().format = expected_fmt;
    }
}

/// `fuse_service_session_mount`: gives the device to the session and has the helper mount it on `opts->mountpoint`, with
/// the options of the session. Sets `opts->foreground` and changes to the directory `/`. `expected_fmt` is as for
/// [`fuse_service_expect_mount_format`], which 0 leaves in force.
///
/// Returns 0 or a negative errno, with a message. The device stays the session's also if the helper refuses.
///
/// # Safety
/// `sf` is NULL or a live service, `se` NULL or a live session; `opts` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_service_session_mount(
    sf: *mut FuseService,
    se: *mut FuseSession,
    expected_fmt: mode_t,
    opts: *mut CmdlineOpts,
) -> c_int {
    let function = "fuse_service_session_mount";
    status(function, || {
        // SAFETY: the caller's promise.
        let (sf, session) = unsafe { (service(function, sf)?, session(function, se)) };
        // SAFETY: as above.
        let (Some(session), Some(opts)) = (session, unsafe { opts.as_mut() }) else {
            return Err(Errno::EINVAL);
        };
        // SAFETY: as above.
        let mountpoint = unsafe { string(function, opts.mountpoint) }?;
        let mut belongings = sf.belongings.lock();
        session.adopt(|| belongings.device.take())?;
        let format = if expected_fmt == 0 { belongings.format } else { expected_fmt };
        let service = belongings.service.as_ref().ok_or(Errno::EBADF)?;
        service.mount(&session.options, format, mountpoint)?;
        // The manager watches this very process, and reads what it prints.
        opts.foreground = 1;
        // SAFETY: a C string. A process that is locked out of `/` stays where it is.
        unsafe { libc::chdir(c"/".as_ptr()) };
        Ok(())
    })
}

/// `fuse_service_send_goodbye`: tells the helper how it ended, and hangs up. Returns 0, also if that has been done, or
/// a negative errno, with a message.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_send_goodbye(sf: *mut FuseService, exitcode: c_int) -> c_int {
    let function = "fuse_service_send_goodbye";
    status(function, || {
        // SAFETY: the caller's promise.
        let mut belongings = unsafe { service(function, sf) }?.belongings.lock();
        let Some(service) = &belongings.service else { return Ok(()) };
        service.goodbye(exitcode)?;
        belongings.service = None;
        Ok(())
    })
}

/// `fuse_service_release`: hangs up and closes what no session has taken.
///
/// # Safety
/// `sf` is NULL or a live service.
pub unsafe extern "C" fn fuse_service_release(sf: *mut FuseService) {
    guard("fuse_service_release", (), || {
        // SAFETY: the caller's promise.
        if let Ok(sf) = unsafe { service("fuse_service_release", sf) } {
            *sf.belongings.lock() = Belongings::default();
        }
    });
}

/// `fuse_service_destroy`: releases and frees; `*sfp` becomes NULL.
///
/// # Safety
/// `sfp` is NULL or points to NULL or to a service, which nobody uses any more.
pub unsafe extern "C" fn fuse_service_destroy(sfp: *mut *mut FuseService) {
    guard("fuse_service_destroy", (), || {
        if sfp.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        let sf = unsafe { sfp.replace(ptr::null_mut()) };
        // SAFETY: as above; what is no service is left alone.
        if !sf.is_null() && unsafe { service("fuse_service_destroy", sf) }.is_ok() {
            // SAFETY: it came from `fuse_service_accept` and is given up.
            let mut sf = unsafe { Box::from_raw(sf.cast::<CService>()) };
            sf.magic = 0;
        }
    });
}

/// `fuse_service_exit`: the exit status of a program, from its result: 0 or, in a service, 1 for anything else.
///
/// A service stays for two seconds more: systemd's journal tells by the process which unit a message came from, and must
/// have read the last ones.
pub extern "C" fn fuse_service_exit(ret: c_int) -> c_int {
    if !STARTED.load(Ordering::Acquire) {
        return ret;
    }
    std::thread::sleep(Duration::from_secs(2));
    (ret != 0).into()
}
