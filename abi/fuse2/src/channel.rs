//! `fuse_chan_*`: where a session's requests come from and its answers go to.

use std::ffi::{c_char, c_int, c_void};
use std::io::IoSlice;
use std::mem;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use ferrofuse::memory;
use ferrofuse::mount::MountPoint;
use ferrofuse::session::Message;
use ferrofuse::sys::lock::Mutex;
use ferrofuse::transport::{Channel, Device};
use ferrofuse::wire::IN_HEADER_SIZE;
use ferrofuse::{Errno, Result};
use ferrofuse_abi_common::handle::{self, Handle};
use ferrofuse_abi_common::panic::guard;
use libc::{iovec, size_t};

use crate::own_io::{OwnIo, OwnOps};
use crate::session::{CSession, session};
use crate::types::{FuseChan, FuseChanOps, FuseChanOpsCompat24, FuseSession};

/// Least size of the buffers that programs read requests into; it is libfuse's number.
const MIN_BUFSIZE: usize = 0x21000;

/// What a `struct fuse_chan *` points to.
pub struct CChan {
    /// [`Handle::MAGIC`] while it lives.
    magic: u64,
    /// The program's own I/O.
    own: Option<(OwnOps, Arc<OwnIo>)>,
    fd: AtomicI32,
    bufsize: size_t,
    data: *mut c_void,
    /// NULL while it belongs to none.
    pub session: AtomicPtr<FuseSession>,
    /// `None` if there is no descriptor.
    io: Option<Arc<dyn Channel>>,
    /// Kept for programs whose buffers are too small.
    spare: Mutex<Vec<u8>>,
    /// What is to be unmounted with it.
    pub mounted: Mutex<Option<MountPoint>>,
}

impl Handle for CChan {
    const MAGIC: u64 = 0x6665_7272_6f32_6368;
    const NAME: &str = "channel";

    fn magic(&self) -> u64 {
        self.magic
    }
}

/// The channel behind a pointer; NULL and what is no channel are reported.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe fn channel<'a>(function: &str, ch: *mut FuseChan) -> Option<&'a CChan> {
    // SAFETY: the caller's promise.
    unsafe { handle::get(function, ch.cast::<CChan>()) }
}

impl CChan {
    /// A channel over the kernel's device, `fd`, or over nothing.
    pub fn device(fd: Option<OwnedFd>) -> Box<CChan> {
        let io = fd.map(|fd| Arc::new(Device::new(fd)) as Arc<dyn Channel>);
        let number = io.as_ref().map_or(-1, |io| io.raw_fd());
        let page = ferrofuse::sys::pipe::page_size();
        CChan::new(None, number, MIN_BUFSIZE.max(page + 0x1000), ptr::null_mut(), io)
    }

    /// The channel of a mount that was only asked for help: standard input stands for its device.
    pub fn pretended() -> Box<CChan> {
        let chan = CChan::device(None);
        chan.fd.store(0, Ordering::Relaxed);
        chan
    }

    /// Whether it is such a channel: nothing was mounted for it.
    pub fn is_pretended(&self) -> bool {
        self.own.is_none() && self.io.is_none() && self.fd.load(Ordering::Relaxed) == 0
    }

    fn new(
        own: Option<(OwnOps, Arc<OwnIo>)>,
        fd: RawFd,
        bufsize: size_t,
        data: *mut c_void,
        io: Option<Arc<dyn Channel>>,
    ) -> Box<CChan> {
        Box::new(CChan {
            magic: CChan::MAGIC,
            own,
            fd: AtomicI32::new(fd),
            bufsize,
            data,
            session: AtomicPtr::new(ptr::null_mut()),
            io,
            spare: Mutex::default(),
            mounted: Mutex::new(None),
        })
    }

    /// What the engine reads and answers by.
    pub fn io(&self) -> Option<Arc<dyn Channel>> {
        self.io.clone()
    }

    /// Whether the library itself reads from the kernel's device.
    pub fn is_device(&self) -> bool {
        self.own.is_none()
    }

    /// The descriptor, -1 if there is none.
    pub fn fd(&self) -> RawFd {
        self.fd.load(Ordering::Relaxed)
    }

    /// Bytes that a request may have.
    pub fn bufsize(&self) -> size_t {
        self.bufsize.max(self.least_buffer())
    }

    /// A descriptor of its own for the device.
    pub fn duplicate(&self) -> Option<OwnedFd> {
        let io = self.io()?;
        // SAFETY: open for as long as the channel lives.
        let fd = unsafe { BorrowedFd::borrow_raw(io.raw_fd()) };
        fd.try_clone_to_owned().ok()
    }

    fn session(&self) -> Option<&CSession> {
        let se = self.session.load(Ordering::Acquire);
        // SAFETY: a session outlives the channels that belong to it, or frees them itself.
        (!se.is_null()).then(|| unsafe { session("fuse_chan_recv", se) }).flatten()
    }

    /// What a buffer for requests must have at least: as much as agreed, by a loop of the library's perhaps, whose buffers
    /// are larger than those of programs.
    fn least_buffer(&self) -> usize {
        let engine = self.session().and_then(CSession::engine);
        engine.filter(|_| self.is_device()).map_or(0, |engine| engine.least_buffer())
    }

    /// Reads a request from the device. Returns its length, 0 at the end, or a negative errno.
    ///
    /// The kernel refuses a smaller buffer than was agreed, and a program may have asked for the size before. What does
    /// not fit into its buffer it is not given: that is served here.
    fn read(&self, buf: &mut [u8]) -> c_int {
        let least = self.least_buffer();
        if buf.len() >= least {
            return self.read_into(buf);
        }
        let mut large = mem::take(&mut *self.spare.lock());
        if large.len() < least {
            large = match memory::zeroed("a request", least) {
                Ok(large) => large,
                Err(error) => return error.negated(),
            };
        }
        let result = loop {
            let result = self.read_into(&mut large);
            let message = usize::try_from(result).ok().and_then(|len| large.get(..len));
            let Some(message) = message else { break result };
            if let Some(room) = buf.get_mut(..message.len()) {
                room.copy_from_slice(message);
                break result;
            }
            if let (Some(io), Some(engine)) = (self.io(), self.session().and_then(CSession::engine))
            {
                engine.process(Message::in_memory(message), &io);
            }
        };
        *self.spare.lock() = large;
        result
    }

    fn read_into(&self, buf: &mut [u8]) -> c_int {
        let (Some(io), se) = (self.io(), self.session()) else { return Errno::EBADF.negated() };
        // What a loop of the library's has begun by io_uring goes on so, beside the device.
        let engine = se.and_then(CSession::engine).filter(|engine| engine.uses_rings());
        loop {
            let received = match engine {
                Some(engine) => engine.receive(&*io, buf),
                None => io.read(buf),
            };
            if se.is_some_and(CSession::is_exited) {
                return 0;
            }
            match received {
                Ok(len) if len < IN_HEADER_SIZE => {
                    log::error!("fuse: short read on fuse device");
                    return Errno::EIO.negated();
                }
                Ok(len) => return c_int::try_from(len).unwrap_or(c_int::MAX),
                // The request was interrupted while it was being copied.
                Err(Errno::ENOENT) => {}
                Err(Errno::ENODEV | Errno::ECONNABORTED) => {
                    if let Some(se) = se {
                        se.exit();
                    }
                    return 0;
                }
                Err(error @ (Errno::EINTR | Errno::EAGAIN)) => return error.negated(),
                Err(error) => {
                    log::error!("fuse: reading device: {error}");
                    return error.negated();
                }
            }
        }
    }
}

/// Reads a request by whatever the channel `*chp` has, which may make it another one.
///
/// # Safety
/// `*chp` is NULL or a live channel.
pub unsafe fn receive(chp: &mut *mut FuseChan, buf: &mut [u8]) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { channel("fuse_chan_recv", *chp) } {
        // SAFETY: the live channel of these callbacks.
        Some(CChan { own: Some((ops, _)), .. }) => unsafe { ops.receive(chp, buf) },
        Some(chan) => chan.read(buf),
        None => Errno::EINVAL.negated(),
    }
}

/// A channel over the program's callbacks.
fn own(ops: OwnOps, fd: RawFd, bufsize: size_t, data: *mut c_void) -> *mut FuseChan {
    let io = Arc::new(OwnIo::new(ops, fd));
    let chan = CChan::new(Some((ops, io.clone())), fd, bufsize, data, Some(io.clone()));
    let ch = Box::into_raw(chan).cast();
    io.belongs_to(ch);
    ch
}

/// `fuse_chan_new` from API 2.6 on: a channel with the caller's own I/O. The callbacks are copied; the descriptor is only
/// handed back and stays the caller's. Freed by `fuse_chan_destroy`. NULL for NULL.
///
/// # Safety
/// `op` is NULL or points to its struct.
pub unsafe extern "C" fn fuse_chan_new(
    op: *mut FuseChanOps,
    fd: c_int,
    bufsize: size_t,
    data: *mut c_void,
) -> *mut FuseChan {
    ferrofuse_abi_common::log::install();
    guard("fuse_chan_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let op = unsafe { op.as_ref() };
        op.map_or(ptr::null_mut(), |op| own(OwnOps::New(*op), fd, bufsize, data))
    })
}

/// `fuse_chan_new` of API 2.4 and 2.5.
///
/// # Safety
/// As for [`fuse_chan_new`].
pub unsafe extern "C" fn fuse_chan_new_compat24(
    op: *mut FuseChanOpsCompat24,
    fd: c_int,
    bufsize: size_t,
    data: *mut c_void,
) -> *mut FuseChan {
    ferrofuse_abi_common::log::install();
    guard("fuse_chan_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let op = unsafe { op.as_ref() };
        op.map_or(ptr::null_mut(), |op| own(OwnOps::Old(*op), fd, bufsize, data))
    })
}

/// `fuse_kern_chan_new`: a channel over the kernel's device `fd`, which is closed with it.
///
/// # Safety
/// `fd` is open and nobody else's from here on, or negative.
pub unsafe extern "C" fn fuse_kern_chan_new(fd: c_int) -> *mut FuseChan {
    ferrofuse_abi_common::log::install();
    guard("fuse_kern_chan_new", ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let fd = (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) });
        Box::into_raw(CChan::device(fd)).cast()
    })
}

/// `fuse_chan_fd`: the descriptor, which stays the channel's; -1 if there is none.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe extern "C" fn fuse_chan_fd(ch: *mut FuseChan) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { channel("fuse_chan_fd", ch) }.map_or(-1, CChan::fd)
}

/// `fuse_chan_bufsize`: bytes that a buffer for [`fuse_chan_recv`] must have.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe extern "C" fn fuse_chan_bufsize(ch: *mut FuseChan) -> size_t {
    // SAFETY: the caller's promise.
    unsafe { channel("fuse_chan_bufsize", ch) }.map_or(0, CChan::bufsize)
}

/// `fuse_chan_data`: what the channel was made with.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe extern "C" fn fuse_chan_data(ch: *mut FuseChan) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { channel("fuse_chan_data", ch) }.map_or(ptr::null_mut(), |chan| chan.data)
}

/// `fuse_chan_session`: the session it belongs to, or NULL.
///
/// # Safety
/// `ch` is NULL or a live channel.
pub unsafe extern "C" fn fuse_chan_session(ch: *mut FuseChan) -> *mut FuseSession {
    // SAFETY: the caller's promise.
    let chan = unsafe { channel("fuse_chan_session", ch) };
    chan.map_or(ptr::null_mut(), |chan| chan.session.load(Ordering::Acquire))
}

/// `fuse_chan_recv`: reads one request; blocks until there is one. `*chp` may become another channel, which the request
/// then came from. Returns the length in bytes, 0 at the end of the session, or a negative errno: `-EINTR` after a
/// signal, `-EAGAIN` from a non-blocking descriptor.
///
/// # Safety
/// `chp` is NULL or points to a live channel; `buf` has `size` bytes.
pub unsafe extern "C" fn fuse_chan_recv(
    chp: *mut *mut FuseChan,
    buf: *mut c_char,
    size: size_t,
) -> c_int {
    guard("fuse_chan_recv", Errno::EIO.negated(), || {
        if buf.is_null() {
            return Errno::EINVAL.negated();
        }
        // SAFETY: the caller's promise.
        unsafe {
            let Some(chp) = chp.as_mut() else { return Errno::EINVAL.negated() };
            receive(chp, slice::from_raw_parts_mut(buf.cast(), size))
        }
    })
}

/// `fuse_chan_receive`: as [`fuse_chan_recv`], but 0 also if nothing came for a reason that passes, and -1 for all errors.
///
/// # Safety
/// As for [`fuse_chan_recv`], with the channel itself.
pub unsafe extern "C" fn fuse_chan_receive(
    ch: *mut FuseChan,
    buf: *mut c_char,
    size: size_t,
) -> c_int {
    let mut ch = ch;
    // SAFETY: the caller's promise.
    let result = unsafe { fuse_chan_recv(&raw mut ch, buf, size) };
    match Errno::from_raw(result.wrapping_neg()) {
        _ if result >= 0 => result,
        Errno::EINTR | Errno::EAGAIN => 0,
        _ => -1,
    }
}

/// Writes a message to the device.
fn write(chan: &CChan, iov: &[iovec]) -> Result<()> {
    let io = chan.io().ok_or(Errno::EBADF)?;
    let parts: Vec<IoSlice<'_>> = iov
        .iter()
        // SAFETY: the caller of `fuse_chan_send` promised it of each element.
        .map(|part| unsafe { slice::from_raw_parts(part.iov_base.cast::<u8>(), part.iov_len) })
        .map(IoSlice::new)
        .collect();
    io.writev(&parts).map(|_| ())
}

/// `fuse_chan_send`: writes one message. Returns 0 or a negative errno.
///
/// # Safety
/// `ch` is NULL or a live channel; `iov` is NULL or has `count` elements, whose memory is as long as they say.
pub unsafe extern "C" fn fuse_chan_send(
    ch: *mut FuseChan,
    iov: *const iovec,
    count: size_t,
) -> c_int {
    guard("fuse_chan_send", Errno::EIO.negated(), || {
        // SAFETY: the caller's promise.
        let Some(chan) = (unsafe { channel("fuse_chan_send", ch) }) else {
            return Errno::EINVAL.negated();
        };
        if let Some((ops, _)) = &chan.own {
            // SAFETY: the live channel of these callbacks, and the caller's promise.
            return unsafe { ops.send(ch, iov, count) };
        }
        if iov.is_null() {
            return 0;
        }
        // SAFETY: the caller's promise.
        let result = write(chan, unsafe { slice::from_raw_parts(iov, count) });
        if let Err(error) = result
            && error != Errno::ENOENT
            && !chan.session().is_some_and(CSession::is_exited)
        {
            log::error!("fuse: writing device: {error}");
        }
        result.map_or_else(Errno::negated, |()| 0)
    })
}

/// `fuse_chan_destroy`: takes the channel out of its session, tells its program, closes the kernel's device, and frees it.
///
/// # Safety
/// `ch` is NULL or a live channel, in use by no loop and not used any more.
pub unsafe extern "C" fn fuse_chan_destroy(ch: *mut FuseChan) {
    guard("fuse_chan_destroy", (), || {
        // SAFETY: the caller's promise.
        let Some(chan) = (unsafe { channel("fuse_chan_destroy", ch) }) else { return };
        // SAFETY: as above.
        unsafe { crate::session::fuse_session_remove_chan(ch) };
        if let Some((ops, io)) = &chan.own {
            // SAFETY: as above.
            unsafe { ops.destroy(ch) };
            io.belongs_to(ptr::null_mut());
        }
        // SAFETY: the pointer came from a box and is given up.
        let mut chan = unsafe { Box::from_raw(ch.cast::<CChan>()) };
        chan.magic = 0;
    });
}
