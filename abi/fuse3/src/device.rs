//! A C program's character device as a [`LowLevelOps`].

use std::ffi::c_void;
use std::ptr;

use ferrofuse::session::caps::{ConnInfo, Features};
use ferrofuse::session::ops::{FileInfo, IoctlCall, LowLevelOps, NodeId};
use ferrofuse::session::{PollHandle, Request};
use ferrofuse::sys::lock::Mutex;

use crate::filesystem::raw;
use crate::types::ConnInfo as CConnInfo;
use crate::types::CuseLowlevelOps;
use crate::{convert, polls};

/// The callbacks and what they were registered with.
pub struct Device {
    ops: CuseLowlevelOps,
    userdata: *mut c_void,
    /// What init gets; kept, because programs keep the pointer.
    conn: Mutex<Box<CConnInfo>>,
}

// SAFETY: `userdata` is the program's own and only ever handed back to it; callbacks may run in any
// thread.
unsafe impl Send for Device {}
// SAFETY: as above; `conn` is behind a mutex.
unsafe impl Sync for Device {}

impl Device {
    /// `ops` was copied from the program; `userdata` stays the program's.
    pub fn new(ops: CuseLowlevelOps, userdata: *mut c_void) -> Device {
        Device { ops, userdata, conn: Mutex::new(Box::default()) }
    }
}

/// Calls the handler of an operation, or gives what stands for one that is missing.
macro_rules! call {
    ($self:ident, $op:ident, $req:ident, ($($arg:expr),*), else $default:expr) => {
        match $self.ops.$op {
            // SAFETY: the program gave this pointer as a handler of this type; the arguments live
            // until it returns, which is all that the API promises.
            Some(handler) => unsafe { handler(raw($req), $($arg),*) },
            None => $default,
        }
    };
    ($self:ident, $op:ident, $req:ident, ($($arg:expr),*)) => {
        call!($self, $op, $req, ($($arg),*), else $req.not_implemented())
    };
}

impl LowLevelOps for Device {
    fn features(&self) -> Features {
        Features::empty()
    }

    fn init(&self, conn: &mut ConnInfo) {
        let Some(init) = self.ops.init else { return };
        let mut c_conn = self.conn.lock();
        convert::with_c_conn(&mut c_conn, conn, |c_conn| {
            // SAFETY: the program's own handler; the connection outlives the session.
            unsafe { init(self.userdata, c_conn) };
        });
    }

    fn device_ready(&self) {
        if let Some(init_done) = self.ops.init_done {
            // SAFETY: the program's own handler.
            unsafe { init_done(self.userdata) };
        }
    }

    fn destroy(&self) {
        if let Some(destroy) = self.ops.destroy {
            // SAFETY: the program's own handler, called once.
            unsafe { destroy(self.userdata) };
        }
    }

    fn open(&self, req: Request, _node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, open, req, (&raw mut fi), else req.opened_without_handler(file));
    }

    fn read(&self, req: Request, _node: NodeId, size: usize, offset: u64, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, read, req, (size, offset.cast_signed(), &raw mut fi));
    }

    fn write(&self, req: Request, _node: NodeId, data: &[u8], offset: u64, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        let (bytes, size) = (data.as_ptr().cast(), data.len());
        call!(self, write, req, (bytes, size, offset.cast_signed(), &raw mut fi));
    }

    fn flush(&self, req: Request, _node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, flush, req, (&raw mut fi));
    }

    fn release(&self, req: Request, _node: NodeId, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, release, req, (&raw mut fi), else req.done());
    }

    fn fsync(&self, req: Request, _node: NodeId, datasync: bool, file: &FileInfo) {
        let mut fi = convert::file_info(file);
        call!(self, fsync, req, (datasync.into(), &raw mut fi));
    }

    fn ioctl(&self, req: Request, _node: NodeId, call: &IoctlCall, data: &[u8], file: &FileInfo) {
        let mut fi = convert::file_info(file);
        let arg = ptr::without_provenance_mut(call.arg as usize);
        let input = if data.is_empty() { ptr::null() } else { data.as_ptr().cast() };
        let (cmd, flags) = (call.cmd.cast_signed(), call.flags.bits());
        let (size, room) = (data.len(), call.out_size);
        call!(self, ioctl, req, (cmd, arg, &raw mut fi, flags, input, size, room));
    }

    fn poll(&self, req: Request, _node: NodeId, file: &FileInfo, handle: Option<PollHandle>) {
        let mut fi = convert::file_info(file);
        if self.ops.poll.is_none() {
            return req.not_implemented();
        }
        call!(self, poll, req, (&raw mut fi, polls::give(handle)));
    }
}
