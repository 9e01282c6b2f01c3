//! `fuse_session_*`: making, mounting, reading by hand and ending a session.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::offset_of;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::slice;
use std::sync::Arc;

use ferrofuse::mount::{self, MountOptions, MountPoint};
use ferrofuse::session::{
    CharDevice, Config, ExitPatience, LowLevelOps, Message, PlacementChoice, Session,
};
use ferrofuse::stats::StatsPolicy;
use ferrofuse::transport::SplicePolicy;
use ferrofuse::transport::uring::{TransportChoice, TransportOptions};
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::handle::{self, Handle};
use ferrofuse_abi_common::opt::{self, FuseArgs};
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;
use parking_lot::Mutex;

use crate::custom::CustomChannel;
use crate::filesystem::Filesystem;
use crate::inside::{self, Inside};
use crate::mounting::Mounting;
use crate::types::{self, FuseBuf, FuseCustomIo, FuseLowlevelOps, FuseSession};

const _: () = assert!(offset_of!(CSession, inside) == inside::BEFORE);

/// What a `struct fuse_session *` points to.
#[repr(C)]
pub struct CSession {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    /// What lies where libfuse's own struct has something.
    pub inside: Inside,
    /// The engine's session.
    pub engine: Arc<Session>,
    /// What was asked for about the mount.
    pub options: MountOptions,
    mounted: Mutex<Option<MountPoint>>,
    /// What this library's way of mounting needs to know.
    pub mounting: Mounting,
    userdata: *mut c_void,
}

impl Handle for CSession {
    const MAGIC: u64 = 0x6665_7272_6f33_7365;
    const NAME: &str = "session";

    fn magic(&self) -> u64 {
        self.magic
    }
}

/// The session behind a pointer; NULL and what is no session are reported.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe fn session<'a>(function: &str, se: *mut FuseSession) -> Option<&'a CSession> {
    // SAFETY: the caller's promise.
    unsafe { handle::get(function, se.cast::<CSession>()) }
}

/// The engine's session that a notification goes out by; `EINVAL`, with a message, if there is none.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe fn notified<'a>(function: &str, se: *mut FuseSession) -> Result<&'a Session> {
    // SAFETY: the caller's promise.
    unsafe { session(function, se) }.map(|session| &*session.engine).ok_or(Errno::EINVAL)
}

/// Options that belong to the session; the rest is for the mount.
struct Options {
    debug: bool,
    allow_root: bool,
    transport: TransportOptions,
    mount: MountOptions,
    /// The mount layer rejected an option's value, and has said so.
    invalid: bool,
}

impl Options {
    fn new() -> Options {
        let mount = MountOptions::new(types::FLAVOR);
        Options {
            debug: false,
            allow_root: false,
            transport: TransportOptions::default(),
            mount,
            invalid: false,
        }
    }

    /// Takes an option of the session's; false if it is not one.
    fn accept_session(&mut self, option: &OsStr) -> bool {
        match option.as_bytes() {
            b"debug" | b"-d" | b"--debug" => self.debug = true,
            b"allow_root" => {
                self.allow_root = true;
                return self.accept_mount(OsStr::new("allow_other"));
            }
            b"io_uring" => self.transport.choice = TransportChoice::Uring,
            b"no_io_uring" => self.transport.choice = TransportChoice::Dev,
            option => match option.strip_prefix(b"io_uring_q_depth=") {
                Some(depth) => self.accept_depth(depth),
                None => return false,
            },
        }
        true
    }

    /// Takes the number of entries for each of the kernel's queues.
    fn accept_depth(&mut self, depth: &[u8]) {
        match str::from_utf8(depth).ok().and_then(|depth| depth.parse().ok()) {
            Some(depth) if depth > 0 => self.transport.depth = depth,
            _ => {
                let depth = String::from_utf8_lossy(depth);
                log::error!("fuse: invalid io_uring_q_depth `{depth}'");
                self.invalid = true;
            }
        }
    }

    /// Takes an option of the mount's; false if it is not one.
    fn accept_mount(&mut self, option: &OsStr) -> bool {
        self.mount.accept(option).unwrap_or_else(|_| {
            self.invalid = true;
            true
        })
    }
}

/// One of the methods above.
type Accept = fn(&mut Options, &OsStr) -> bool;

/// The parser's callback: drops what is known, keeps the rest.
unsafe extern "C" fn take_option(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    _args: *mut FuseArgs,
) -> c_int {
    guard("fuse_session_new", -1, || {
        // SAFETY: `data` is what `parse` passed; the parser passes a C string.
        let (pass, arg) =
            unsafe { (&mut *data.cast::<(&mut Options, Accept)>(), CStr::from_ptr(arg)) };
        let (options, accept) = pass;
        let arg = OsStr::from_bytes(arg.to_bytes());
        let known = key == opt::FUSE_OPT_KEY_OPT && accept(options, arg);
        (!known).into()
    })
}

/// Takes out of `args` what one layer accepts; false if that failed, with a message.
///
/// # Safety
/// `args` points to a valid argument list.
unsafe fn pass(args: *mut FuseArgs, options: &mut Options, accept: Accept) -> bool {
    let mut pass = (options, accept);
    let data = ptr::from_mut(&mut pass).cast();
    // SAFETY: the caller's promise; no template table, so every option goes to the callback.
    unsafe { opt::fuse_opt_parse(args, data, ptr::null(), Some(take_option)) != -1 }
}

/// Reads the session's and the mount's options out of `args`.
///
/// # Safety
/// `args` points to a valid argument list.
unsafe fn parse(args: *mut FuseArgs) -> Option<Options> {
    let mut options = Options::new();
    // One pass for each layer, as in libfuse: a pass joins the options it keeps, and what is
    // joined with an empty option swallows it.
    for accept in [Options::accept_session as Accept, Options::accept_mount] {
        // SAFETY: the caller's promise.
        if !unsafe { pass(args, &mut options, accept) } {
            return None;
        }
    }
    // SAFETY: the parser left a valid list.
    let left = unsafe { arguments(&*args) };
    if let Some((_, unknown)) = left.split_first()
        && !unknown.is_empty()
    {
        let unknown: Vec<_> = unknown.iter().map(|arg| arg.to_string_lossy()).collect();
        log::error!("fuse: unknown option(s): `{}'", unknown.join(" "));
        // SAFETY: the caller's promise.
        unsafe { opt::fuse_opt_free_args(args) };
        return None;
    }
    (!options.invalid).then_some(options)
}

/// The arguments of a list.
///
/// # Safety
/// `args` is valid: `argc` C strings in `argv`.
unsafe fn arguments(args: &FuseArgs) -> Vec<&CStr> {
    let count = usize::try_from(args.argc).unwrap_or(0);
    if args.argv.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        slice::from_raw_parts(args.argv, count)
            .iter()
            .take_while(|arg| !arg.is_null())
            .map(|arg| CStr::from_ptr(*arg))
            .collect()
    }
}

/// The message for a program that knows more callbacks.
const TOO_OLD: &str = "fuse: warning: library too old, some operations may not work";

/// `fuse_session_new`: a session over these callbacks, which are copied; `userdata` is handed to
/// init and destroy and by `fuse_req_userdata`. Options of the session and of the mount are taken
/// out of `args`; one that is left over makes the call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_session_destroy`.
///
/// # Safety
/// `args` is NULL or a valid argument list; `op` has `op_size` bytes.
pub unsafe extern "C" fn fuse_session_new(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("fuse_session_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let ops = table::copy(op, op_size, TOO_OLD);
            create(args, Box::new(Filesystem::new(ops, userdata)), userdata, None)
        }
    })
}

/// A session over `ops`, for a filesystem or for a `device`; otherwise as [`fuse_session_new`].
///
/// # Safety
/// `args` is NULL or a valid argument list.
pub unsafe fn create(
    args: *mut FuseArgs,
    ops: Box<dyn LowLevelOps>,
    userdata: *mut c_void,
    device: Option<CharDevice>,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    if args.is_null() || unsafe { (*args).argc } <= 0 {
        log::error!("fuse: empty argv passed to fuse_session_new().");
        return ptr::null_mut();
    }
    // SAFETY: as above.
    let Some(options) = (unsafe { parse(args) }) else { return ptr::null_mut() };
    if options.debug {
        ferrofuse_abi_common::log::enable_debug();
        log::debug!("FUSE library version: {}", types::PKG_VERSION.to_string_lossy());
    }
    let config = Config {
        debug: options.debug,
        deny_others: options.allow_root,
        max_read: options.mount.max_read(),
        splice: SplicePolicy::from_env(),
        transport: options.transport.or_environment(),
        stats: StatsPolicy::from_env(),
        exit_patience: ExitPatience::from_env(),
        placement: PlacementChoice::from_env(),
        userdata: userdata.expose_provenance(),
        dialect: types::DIALECT,
        device,
    };
    let engine = Session::new(ops, config);
    if options.mount.auto_unmount() {
        engine.set_auto_unmount();
    }
    let session = CSession {
        magic: CSession::MAGIC,
        inside: Inside::new(),
        engine,
        options: options.mount,
        mounted: Mutex::new(None),
        mounting: Mounting::new(),
        userdata,
    };
    Box::into_raw(Box::new(session)).cast()
}

impl CSession {
    /// Makes every loop return the number of a signal. Async-signal-safe.
    pub fn stopped_by(&self, signal: c_int) {
        self.inside.set_error(signal);
        self.engine.exit().request_with(signal);
    }

    /// Notes how a loop ended: the result of the loop, which is returned.
    pub fn ended(&self, result: c_int) -> c_int {
        self.inside.set_error(result);
        result
    }

    /// Mounts, or takes over a device `/dev/fd/N`.
    ///
    /// # Errors
    /// Logged: `EBUSY` if it has one, else what mounting failed with.
    pub fn mount(&self, mountpoint: &Path) -> Result<()> {
        if self.engine.channel().is_some() {
            log::error!("fuse: {}: the session is mounted already", mountpoint.display());
            return Err(Errno::EBUSY);
        }
        let point = self.mounting.mount(&self.engine, mountpoint, &self.options)?;
        *self.mounted.lock() = Some(point);
        Ok(())
    }

    fn unmount(&self) {
        let Some(point) = self.mounted.lock().take() else { return };
        // Unmounting asks the device whether the connection is gone, and then lets go of it: of
        // the last descriptor, since the session's own goes first.
        let device = self.device();
        self.engine.detach();
        // Logged where it failed; the connection is closed in any case.
        let _ = point.unmount(device);
    }

    /// A descriptor of its own for the session's device.
    fn device(&self) -> Option<OwnedFd> {
        let channel = self.engine.channel()?;
        // SAFETY: the channel's descriptor is open for as long as the channel lives.
        let fd = unsafe { BorrowedFd::borrow_raw(channel.raw_fd()) };
        fd.try_clone_to_owned().ok()
    }
}

/// `fuse_session_mount`: mounts on `mountpoint`, or takes over the mounted device `/dev/fd/N`.
/// Returns 0, or -1 with a message that names mount point and reason.
///
/// # Safety
/// `se` is NULL or a live session; `mountpoint` is NULL or a C string.
pub unsafe extern "C" fn fuse_session_mount(
    se: *mut FuseSession,
    mountpoint: *const c_char,
) -> c_int {
    guard("fuse_session_mount", -1, || {
        // SAFETY: the caller's promise.
        let Some(session) = (unsafe { session("fuse_session_mount", se) }) else { return -1 };
        if mountpoint.is_null() {
            log::error!("fuse: fuse_session_mount: mountpoint is NULL");
            return -1;
        }
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(mountpoint) };
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        // The mount layer has logged the reason.
        session.mount(path).map_or(-1, |()| 0)
    })
}

/// `fuse_session_unmount`: closes the device and unmounts, if the session is mounted.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_unmount(se: *mut FuseSession) {
    guard("fuse_session_unmount", (), || {
        // SAFETY: the caller's promise.
        if let Some(session) = unsafe { session("fuse_session_unmount", se) } {
            session.unmount();
        }
    });
}

/// `fuse_session_destroy`: calls the destroy handler if INIT was seen and it has not been called,
/// closes the device and frees the session. It does not unmount.
///
/// # Safety
/// `se` is NULL or a live session, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_session_destroy(se: *mut FuseSession) {
    guard("fuse_session_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(live) = (unsafe { session("fuse_session_destroy", se) }) else { return };
        live.engine.destroy();
        live.engine.detach();
        // SAFETY: the pointer came from `fuse_session_new` and is given up.
        let mut session = unsafe { Box::from_raw(se.cast::<CSession>()) };
        session.mounting.end();
        session.magic = 0;
    });
}

/// `fuse_session_exit`: makes every loop of the session return. Async-signal-safe.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exit(se: *mut FuseSession) {
    // No message for NULL: logging is not async-signal-safe.
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { se.cast::<CSession>().as_ref() } {
        session.engine.exit().request();
    }
}

/// `fuse_session_exited`: not 0 if the loops were asked to return.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exited(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    let session = unsafe { session("fuse_session_exited", se) };
    session.is_none_or(|session| session.engine.exit().is_requested()).into()
}

/// `fuse_session_reset`: forgets that exit was requested, and why.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_reset(se: *mut FuseSession) {
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { session("fuse_session_reset", se) } {
        session.engine.exit().reset();
        session.inside.set_error(0);
    }
}

/// `fuse_session_fd`: the device's descriptor, which stays the session's; -1 if it has none.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_fd(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    let session = unsafe { session("fuse_session_fd", se) };
    session.and_then(|session| session.engine.channel()).map_or(-1, |channel| channel.raw_fd())
}

/// Logs a message of libfuse's that does not begin with the library's name.
fn complain(message: &str) {
    ferrofuse_abi_common::log::emit(ferrofuse_abi_common::log::FUSE_LOG_ERR, message);
}

/// `fuse_session_custom_io`: serves requests from `fd` by the caller's callbacks, instead of a
/// mount. The callbacks are copied; `fd` becomes the session's. Returns 0, `-EINVAL` without both
/// `read` and `writev`, `-EBADF` for a negative descriptor, `-EBUSY` for a session that has one.
///
/// # Safety
/// `se` is NULL or a live session; `io` is NULL or points to its struct; `fd` is open.
pub unsafe extern "C" fn fuse_session_custom_io(
    se: *mut FuseSession,
    io: *const FuseCustomIo,
    fd: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { custom_io(se, io, types::CUSTOM_IO_30, fd) }
}

/// The same for a struct of `size` bytes.
///
/// # Safety
/// As for [`fuse_session_custom_io`].
pub unsafe fn custom_io(
    se: *mut FuseSession,
    io: *const FuseCustomIo,
    size: size_t,
    fd: c_int,
) -> c_int {
    guard("fuse_session_custom_io", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let Some(session) = (unsafe { session("fuse_session_custom_io", se) }) else {
            return Errno::EINVAL.negated();
        };
        if fd < 0 {
            complain(&format!(
                "Invalid file descriptor value {fd} passed to fuse_session_custom_io()"
            ));
            return Errno::EBADF.negated();
        }
        if io.is_null() {
            complain("No custom IO passed to fuse_session_custom_io()");
            return Errno::EINVAL.negated();
        }
        // SAFETY: the caller's promise.
        let io = unsafe { table::copy(io, size, TOO_OLD) };
        if io.read.is_none() || io.writev.is_none() {
            complain(
                "io passed to fuse_session_custom_io() must implement both io->read() and \
                 io->writev",
            );
            return Errno::EINVAL.negated();
        }
        if session.engine.channel().is_some() {
            log::error!("fuse: fuse_session_custom_io: the session has a descriptor already");
            return Errno::EBUSY.negated();
        }
        // SAFETY: open, by the caller's promise, and handed over.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let channel = CustomChannel::new(io, fd, session.userdata);
        session.engine.attach(Arc::new(channel)).map_or_else(Errno::negated, |()| 0)
    })
}

/// `fuse_session_receive_buf`: reads one request. If `buf->mem` is NULL, memory for the largest
/// request is allocated, to be freed with free(3) by the caller and reused in later calls.
///
/// Returns the length in bytes, 0 at the end of the session, or a negative errno: `-EINTR` after a
/// signal, `-EAGAIN` from a non-blocking descriptor.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to its struct, whose memory, if any, has
/// room for the largest request.
pub unsafe extern "C" fn fuse_session_receive_buf(
    se: *mut FuseSession,
    buf: *mut FuseBuf,
) -> c_int {
    guard("fuse_session_receive_buf", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let session = unsafe { session("fuse_session_receive_buf", se) };
        // SAFETY: as above.
        let (Some(session), Some(buf)) = (session, unsafe { buf.as_mut() }) else {
            return Errno::EINVAL.negated();
        };
        let Some(channel) = session.engine.channel() else {
            log::error!("fuse: fuse_session_receive_buf: the session is not mounted");
            return Errno::EBADF.negated();
        };
        let size = session.engine.buffer_size();
        if buf.mem.is_null() {
            // SAFETY: no preconditions; the caller frees it. Zeroed, so that a slice can be made.
            buf.mem = unsafe { libc::calloc(1, size) };
            if buf.mem.is_null() {
                log::error!("fuse: failed to allocate read buffer of {size} bytes");
                return Errno::ENOMEM.negated();
            }
            types::note_allocation(buf, size);
        }
        // SAFETY: allocated above, or the caller's promise.
        let bytes = unsafe { slice::from_raw_parts_mut(buf.mem.cast::<u8>(), size) };
        match session.engine.receive(&*channel, bytes) {
            Ok(len) => {
                buf.size = len;
                buf.flags = 0;
                c_int::try_from(len).unwrap_or(c_int::MAX)
            }
            Err(error) => error.negated(),
        }
    })
}

/// `fuse_session_process_buf`: serves one request, in memory or in a pipe, whose rest is
/// discarded. Never fails visibly: a request that is malformed is answered with an error.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to a struct that names `size` bytes.
pub unsafe extern "C" fn fuse_session_process_buf(se: *mut FuseSession, buf: *const FuseBuf) {
    guard("fuse_session_process_buf", (), || {
        // SAFETY: the caller's promise.
        let session = unsafe { session("fuse_session_process_buf", se) };
        // SAFETY: as above.
        let (Some(session), Some(buf)) = (session, unsafe { buf.as_ref() }) else { return };
        let Some(channel) = session.engine.channel() else {
            log::error!("fuse: fuse_session_process_buf: the session is not mounted");
            return;
        };
        if buf.flags & FuseBuf::IS_FD == 0 {
            if buf.mem.is_null() {
                log::error!("fuse: fuse_session_process_buf: memory is NULL");
                return;
            }
            // SAFETY: the caller's promise.
            let bytes = unsafe { slice::from_raw_parts(buf.mem.cast::<u8>(), buf.size) };
            session.engine.process(Message::in_memory(bytes), &channel);
            return;
        }
        if buf.fd < 0 {
            log::error!("fuse: fuse_session_process_buf: descriptor {} is invalid", buf.fd);
            return;
        }
        // SAFETY: the caller's promise: open during the call.
        let pipe = unsafe { BorrowedFd::borrow_raw(buf.fd) };
        session.engine.process_pipe(pipe, buf.size, &channel);
    });
}

/// `fuse_open_channel`: mounts on `mountpoint` with these options (`-o` form, or NULL) and hands
/// out the device, which becomes the caller's; -1 on failure, with a message.
///
/// # Safety
/// `mountpoint` is NULL or a C string, and so is `options`.
pub unsafe extern "C" fn fuse_open_channel(
    mountpoint: *const c_char,
    options: *const c_char,
) -> RawFd {
    ferrofuse_abi_common::log::install();
    guard("fuse_open_channel", -1, || {
        if mountpoint.is_null() {
            log::error!("fuse: fuse_open_channel: mountpoint is NULL");
            return -1;
        }
        // An argument list for the same parser as every other mount.
        let mut list = FuseArgs::empty();
        let dash_o = c"-o".as_ptr();
        let mut words = vec![c"fuse_open_channel".as_ptr()];
        if !options.is_null() {
            words.extend([dash_o, options]);
        }
        // SAFETY: the list is live and every word a C string.
        let added =
            words.iter().all(|word| unsafe { opt::fuse_opt_add_arg(&mut list, *word) } == 0);
        let mut options = Options::new();
        // What is not the mount's is for the filesystem that will be started on the device.
        // SAFETY: the list is valid.
        let parsed = added && unsafe { pass(&mut list, &mut options, Options::accept_mount) };
        // SAFETY: the list is valid and not used any more.
        unsafe { opt::fuse_opt_free_args(&mut list) };
        if !parsed || options.invalid {
            return -1;
        }
        // SAFETY: the caller's promise.
        let path = unsafe { CStr::from_ptr(mountpoint) };
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        mount::open_channel(path, &options.mount).map_or(-1, IntoRawFd::into_raw_fd)
    })
}
