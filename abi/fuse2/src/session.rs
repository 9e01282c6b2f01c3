//! `fuse_session_*`: making a session, its channels, serving requests by hand, and its end.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::BorrowedFd;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferrofuse::mount::MountPoint;
use ferrofuse::session::{CharDevice, LowLevelOps, Message, Session};
use ferrofuse::sys::lock::Mutex;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::handle::{self, Handle};
use ferrofuse_abi_common::opt::FuseArgs;
use ferrofuse_abi_common::panic::guard;
use ferrofuse_abi_common::table;
use libc::size_t;

use crate::channel::{channel, fuse_chan_destroy, receive};
use crate::filesystem::Filesystem;
use crate::options::{self, Options};
use crate::types::{FuseBuf, FuseChan, FuseLowlevelOps, FuseSession, FuseSessionOps};

/// What a `struct fuse_session *` points to.
pub struct CSession {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    kind: Kind,
    /// In the order in which they were added. The first is the engine's own.
    channels: Mutex<Vec<*mut FuseChan>>,
}

/// Who serves the requests.
enum Kind {
    /// The engine.
    Engine(Arc<Session>),
    /// The program.
    Own { ops: FuseSessionOps, data: *mut c_void, exited: AtomicBool },
}

// SAFETY: channels and the program's data are only handed back to it, which is told that sessions are used from any
// thread; the rest is behind a mutex or atomic.
unsafe impl Send for CSession {}
// SAFETY: as above.
unsafe impl Sync for CSession {}

impl Handle for CSession {
    const MAGIC: u64 = 0x6665_7272_6f32_7365;
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

/// The engine's session that a notification goes out by: `EINVAL` for NULL, `ENODEV` for a channel without one.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe fn notified<'a>(function: &str, ch: *mut FuseChan) -> Result<&'a Session> {
    // SAFETY: the caller's promise.
    let chan = unsafe { channel(function, ch) }.ok_or(Errno::EINVAL)?;
    let se = chan.session.load(Ordering::Acquire);
    if se.is_null() {
        return Err(Errno::ENODEV);
    }
    // SAFETY: the channel's session is live.
    let session = unsafe { session(function, se) }.ok_or(Errno::ENODEV)?;
    session.engine().map(|engine| &**engine).ok_or(Errno::ENODEV)
}

impl CSession {
    /// A session, given away to C.
    fn of(kind: Kind) -> *mut FuseSession {
        let session = CSession { magic: CSession::MAGIC, kind, channels: Mutex::new(Vec::new()) };
        Box::into_raw(Box::new(session)).cast()
    }

    /// A session over the engine's.
    pub fn over(engine: Arc<Session>) -> *mut FuseSession {
        CSession::of(Kind::Engine(engine))
    }

    /// The engine's session, unless the program serves the requests.
    pub fn engine(&self) -> Option<&Arc<Session>> {
        match &self.kind {
            Kind::Engine(engine) => Some(engine),
            Kind::Own { .. } => None,
        }
    }

    /// Its channels.
    pub fn channels(&self) -> Vec<*mut FuseChan> {
        self.channels.lock().clone()
    }

    /// Makes every loop return. Async-signal-safe.
    pub fn exit(&self) {
        self.set_exit(1);
    }

    /// The same, because of a signal. Async-signal-safe, as far as it is the library's.
    pub fn stopped_by(&self, _signal: c_int) {
        self.exit();
    }

    fn set_exit(&self, value: c_int) {
        match &self.kind {
            Kind::Engine(engine) if value != 0 => engine.exit().request(),
            Kind::Engine(engine) => engine.exit().reset(),
            Kind::Own { ops, data, exited } => {
                if let Some(exit) = ops.exit {
                    // SAFETY: the program's own callback with its data.
                    unsafe { exit(*data, value) };
                }
                exited.store(value != 0, Ordering::SeqCst);
            }
        }
    }

    /// Whether the loops were asked to return.
    pub fn is_exited(&self) -> bool {
        match &self.kind {
            Kind::Engine(engine) => engine.exit().is_requested(),
            // SAFETY: the program's own callback with its data.
            Kind::Own { ops: FuseSessionOps { exited: Some(exited), .. }, data, .. } => unsafe {
                exited(*data) != 0
            },
            Kind::Own { exited, .. } => exited.load(Ordering::SeqCst),
        }
    }

    /// Serves one request in memory, which came from `ch`.
    ///
    /// # Safety
    /// `ch` is NULL or a live channel.
    pub unsafe fn process(&self, message: &[u8], ch: *mut FuseChan) {
        match &self.kind {
            Kind::Engine(engine) => {
                // SAFETY: the caller's promise.
                let chan = unsafe { channel("fuse_session_process", ch) };
                if let Some(io) = chan.and_then(|chan| chan.io()) {
                    engine.process(Message::in_memory(message), &io);
                }
            }
            Kind::Own { ops, data, .. } => {
                if let Some(process) = ops.process {
                    // SAFETY: the program's own callback with its data; the message lives during the call.
                    unsafe { process(*data, message.as_ptr().cast(), message.len(), ch) };
                }
            }
        }
    }

    /// Gives the engine the first channel that can serve it.
    fn attach_first(&self, channels: &[*mut FuseChan]) {
        let Some(engine) = self.engine() else { return };
        for ch in channels {
            // SAFETY: channels of a session are live.
            let Some(chan) = (unsafe { channel("fuse_session_add_chan", *ch) }) else { continue };
            if let Some(io) = chan.io() {
                if chan.mounted.lock().as_ref().is_some_and(MountPoint::is_watched) {
                    engine.set_auto_unmount();
                }
                // It has none.
                let _ = engine.attach(io);
                return;
            }
        }
    }
}

/// `fuse_session_new`: a session whose requests the program serves itself, by `op->process`. The callbacks are copied.
/// NULL without them. Freed by `fuse_session_destroy`.
///
/// # Safety
/// `op` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_session_new(
    op: *mut FuseSessionOps,
    data: *mut c_void,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("fuse_session_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let op = unsafe { op.as_ref() };
        op.map_or(ptr::null_mut(), |op| {
            CSession::of(Kind::Own { ops: *op, data, exited: AtomicBool::new(false) })
        })
    })
}

/// The message for a program that knows more callbacks.
const TOO_OLD: &str = "fuse: warning: library too old, some operations may not work";

/// `fuse_lowlevel_new` from API 2.6 on: a session over these callbacks, which are copied; `userdata` is handed to init
/// and destroy and by `fuse_req_userdata`. Options of sessions are taken out of `args`; one that is left over makes the
/// call fail.
///
/// Returns NULL on failure, with a message. Freed by `fuse_session_destroy`.
///
/// # Safety
/// `args` is NULL or a valid argument list; `op` has `op_size` bytes.
pub unsafe extern "C" fn fuse_lowlevel_new(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    unsafe { lowlevel_new(args, op, op_size, userdata, false) }
}

/// The same; `old` for programs of API 2.5 and before, see [`Options::parse`].
///
/// # Safety
/// As for [`fuse_lowlevel_new`].
pub unsafe fn lowlevel_new(
    args: *mut FuseArgs,
    op: *const FuseLowlevelOps,
    op_size: size_t,
    userdata: *mut c_void,
    old: bool,
) -> *mut FuseSession {
    ferrofuse_abi_common::log::install();
    guard("fuse_lowlevel_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let (options, ops) =
            unsafe { (Options::parse(args, old), table::copy(op, op_size, TOO_OLD)) };
        let Some(options) = options else { return ptr::null_mut() };
        let filesystem = Filesystem::new(ops, userdata);
        options.wishes.store(&mut filesystem.conn.lock());
        options::session(&options, Box::new(filesystem), userdata, None)
    })
}

/// A session over `ops`, for a filesystem or for a `device`; otherwise as [`fuse_lowlevel_new`].
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
    let options = unsafe { Options::parse(args, false) };
    options.map_or(ptr::null_mut(), |options| options::session(&options, ops, userdata, device))
}

/// `fuse_session_add_chan`: requests from this channel are the session's from here on. A channel belongs to one session.
///
/// # Safety
/// `se` is NULL or a live session, `ch` NULL or a live channel.
pub unsafe extern "C" fn fuse_session_add_chan(se: *mut FuseSession, ch: *mut FuseChan) {
    guard("fuse_session_add_chan", (), || {
        // SAFETY: the caller's promise.
        let (owner, chan) =
            unsafe { (session("fuse_session_add_chan", se), channel("fuse_session_add_chan", ch)) };
        let (Some(owner), Some(chan)) = (owner, chan) else { return };
        let free =
            chan.session.compare_exchange(ptr::null_mut(), se, Ordering::AcqRel, Ordering::Acquire);
        if free.is_err() {
            log::error!("fuse: fuse_session_add_chan: the channel belongs to a session already");
            return;
        }
        let mut channels = owner.channels.lock();
        channels.push(ch);
        if owner.engine().is_some_and(|engine| engine.channel().is_none()) {
            owner.attach_first(&channels);
        }
    });
}

/// `fuse_session_remove_chan`: takes a channel out of its session, if it is in one. It stays the caller's.
///
/// # Safety
/// `ch` is NULL or a live channel, in use by no loop.
pub unsafe extern "C" fn fuse_session_remove_chan(ch: *mut FuseChan) {
    guard("fuse_session_remove_chan", (), || {
        // SAFETY: the caller's promise.
        let Some(chan) = (unsafe { channel("fuse_session_remove_chan", ch) }) else { return };
        let se = chan.session.swap(ptr::null_mut(), Ordering::AcqRel);
        if se.is_null() {
            return;
        }
        // SAFETY: the channel's session is live.
        let Some(owner) = (unsafe { session("fuse_session_remove_chan", se) }) else { return };
        let mut channels = owner.channels.lock();
        channels.retain(|other| *other != ch);
        if let Some(engine) = owner.engine() {
            // Nothing may keep its descriptor open; the others go on.
            engine.detach();
            owner.attach_first(&channels);
        }
    });
}

/// `fuse_session_next_chan`: the channel after `ch`, the first for NULL; NULL after the last.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_next_chan(
    se: *mut FuseSession,
    ch: *mut FuseChan,
) -> *mut FuseChan {
    // SAFETY: the caller's promise.
    let Some(session) = (unsafe { session("fuse_session_next_chan", se) }) else {
        return ptr::null_mut();
    };
    let channels = session.channels();
    let next = match ch.is_null() {
        true => channels.first(),
        false => channels.iter().skip_while(|other| **other != ch).nth(1),
    };
    next.copied().unwrap_or(ptr::null_mut())
}

/// `fuse_session_destroy`: calls the destroy handler if INIT was seen and it has not been called, destroys the channels
/// and frees the session. It does not unmount.
///
/// # Safety
/// `se` is NULL or a live session, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_session_destroy(se: *mut FuseSession) {
    guard("fuse_session_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(live) = (unsafe { session("fuse_session_destroy", se) }) else { return };
        match &live.kind {
            Kind::Engine(engine) => engine.destroy(),
            Kind::Own { ops, data, .. } => {
                if let Some(destroy) = ops.destroy {
                    // SAFETY: the program's own callback with its data.
                    unsafe { destroy(*data) };
                }
            }
        }
        for ch in live.channels() {
            // SAFETY: channels of a session are live, and end with it.
            unsafe { fuse_chan_destroy(ch) };
        }
        // SAFETY: the pointer came from a box and is given up.
        let mut session = unsafe { Box::from_raw(se.cast::<CSession>()) };
        session.magic = 0;
    });
}

/// `fuse_session_data`: what the session was made with.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_data(se: *mut FuseSession) -> *mut c_void {
    // SAFETY: the caller's promise.
    match unsafe { session("fuse_session_data", se) }.map(|session| &session.kind) {
        Some(Kind::Engine(engine)) => ptr::with_exposed_provenance_mut(engine.config().userdata),
        Some(Kind::Own { data, .. }) => *data,
        None => ptr::null_mut(),
    }
}

/// `fuse_session_exit`: makes every loop of the session return. Async-signal-safe.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exit(se: *mut FuseSession) {
    // No message for NULL: logging is not async-signal-safe.
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { se.cast::<CSession>().as_ref() } {
        session.exit();
    }
}

/// `fuse_session_exited`: 1 if the loops were asked to return, else 0.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_exited(se: *mut FuseSession) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { session("fuse_session_exited", se) }.is_none_or(CSession::is_exited).into()
}

/// `fuse_session_reset`: forgets that exit was requested.
///
/// # Safety
/// `se` is NULL or a live session.
pub unsafe extern "C" fn fuse_session_reset(se: *mut FuseSession) {
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { session("fuse_session_reset", se) } {
        session.set_exit(0);
    }
}

/// `fuse_session_receive_buf`: reads one request into the memory of `buf`, which has `buf->size` bytes, and sets that to
/// its length. Otherwise as `fuse_chan_recv`.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to its struct; `chp` is NULL or points to a live channel.
pub unsafe extern "C" fn fuse_session_receive_buf(
    se: *mut FuseSession,
    buf: *mut FuseBuf,
    chp: *mut *mut FuseChan,
) -> c_int {
    guard("fuse_session_receive_buf", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        unsafe {
            let session = session("fuse_session_receive_buf", se);
            let (Some(_), Some(buf), Some(chp)) = (session, buf.as_mut(), chp.as_mut()) else {
                return Errno::EINVAL.negated();
            };
            if buf.mem.is_null() {
                return Errno::EINVAL.negated();
            }
            let length = receive(chp, slice::from_raw_parts_mut(buf.mem.cast(), buf.size));
            if let Ok(length) = size_t::try_from(length) {
                buf.size = length;
                buf.flags = 0;
            }
            length
        }
    })
}

/// `fuse_session_process_buf`: serves one request, in memory or in a pipe, that came from `ch`. Never fails visibly: one
/// that is malformed is answered with an error.
///
/// # Safety
/// `se` is NULL or a live session; `buf` is NULL or points to a struct that names `size` bytes; `ch` is NULL or a live
/// channel.
pub unsafe extern "C" fn fuse_session_process_buf(
    se: *mut FuseSession,
    buf: *const FuseBuf,
    ch: *mut FuseChan,
) {
    guard("fuse_session_process_buf", (), || {
        // SAFETY: the caller's promise.
        let (session, buf) = unsafe { (session("fuse_session_process_buf", se), buf.as_ref()) };
        let (Some(session), Some(buf)) = (session, buf) else { return };
        if buf.flags & FuseBuf::IS_FD == 0 {
            // SAFETY: the caller's promise.
            unsafe { fuse_session_process(se, buf.mem.cast(), buf.size, ch) };
            return;
        }
        // SAFETY: the caller's promise.
        let chan = unsafe { channel("fuse_session_process_buf", ch) };
        let io = chan.and_then(|chan| chan.io());
        match (session.engine(), io) {
            (Some(engine), Some(io)) if buf.fd >= 0 => {
                // SAFETY: the caller's promise: open during the call.
                let pipe = unsafe { BorrowedFd::borrow_raw(buf.fd) };
                engine.process_pipe(pipe, buf.size, &io);
            }
            _ => log::error!("fuse: fuse_session_process_buf: a request that can't be served"),
        }
    });
}

/// `fuse_session_process`: serves one request in memory that came from `ch`.
///
/// # Safety
/// `se` is NULL or a live session; `buf` has `len` bytes; `ch` is NULL or a live channel.
pub unsafe extern "C" fn fuse_session_process(
    se: *mut FuseSession,
    buf: *const c_char,
    len: size_t,
    ch: *mut FuseChan,
) {
    guard("fuse_session_process", (), || {
        // SAFETY: the caller's promise.
        unsafe {
            let Some(session) = session("fuse_session_process", se) else { return };
            if buf.is_null() {
                log::error!("fuse: fuse_session_process: memory is NULL");
                return;
            }
            session.process(slice::from_raw_parts(buf.cast(), len), ch);
        }
    });
}
