//! Negotiation of a session that serves a character device (CUSE).

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use zerocopy::IntoBytes;

use super::{Request, Session, dispatch};
use crate::errno::Errno;
use crate::session::caps::{Capabilities, ConnInfo};
use crate::wire::layout::{CuseInitIn, CuseInitOut};
use crate::wire::{HEADER_ROOM, MAJOR, MINOR};

/// Largest read that the kernel is told of, in bytes; it is libfuse's number.
const MAX_READ: u32 = 0x20000;

/// A character device that a session makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CharDevice {
    /// Device number; 0 lets the kernel choose.
    pub major: u32,
    /// Device number.
    pub minor: u32,
    /// `CUSE_*` flags of the protocol.
    pub flags: u32,
    /// Strings `KEY=value`, each with a NUL behind it; `DEVNAME` among them. The kernel takes 4096
    /// bytes.
    pub info: Vec<u8>,
}

impl Session {
    /// Answers CUSE_INIT, calling the init handler before and the one of a ready device after it.
    pub(super) fn negotiate_device(self: &Arc<Self>, req: Request, args: &CuseInitIn) {
        let Some(device) = &self.config.device else {
            return req.not_implemented();
        };
        if self.is_debugged() {
            log::debug!("CUSE_INIT: {}.{}", args.major, args.minor);
            log::debug!("flags=0x{:08x}", args.flags);
        }
        if args.major < MAJOR {
            log::error!("cuse: unsupported protocol version: {}.{}", args.major, args.minor);
            let _ = req.reply_error(Errno::EPROTO);
            return;
        }
        let max_write = self.buffer_size() - HEADER_ROOM;
        let mut conn = ConnInfo {
            proto_major: args.major,
            proto_minor: args.minor,
            max_write: u32::try_from(max_write).unwrap_or(u32::MAX),
            max_read: 0,
            max_readahead: 0,
            capable: Capabilities::empty(),
            want: Capabilities::empty(),
            max_background: 0,
            congestion_threshold: 0,
            time_gran: 0,
            max_backing_stack_depth: 0,
            no_interrupt: false,
            request_timeout: 0,
            library_reads: false,
            refused: Capabilities::empty(),
        };
        let limit = conn.max_write;
        self.negotiated.minor.store(args.minor.min(MINOR), Ordering::Release);
        self.negotiated.initialized.store(true, Ordering::Release);
        if !dispatch::contain("init", || self.ops.init(&mut conn)) {
            self.refuse(req, Errno::EIO);
            return;
        }
        let out = CuseInitOut {
            major: MAJOR,
            minor: MINOR,
            flags: device.flags,
            max_read: MAX_READ,
            // More would not fit into the buffers.
            max_write: conn.max_write.min(limit),
            dev_major: device.major,
            dev_minor: device.minor,
            ..CuseInitOut::default()
        };
        let answer = [IoSlice::new(out.as_bytes()), IoSlice::new(&device.info)];
        if req.reply_slices(&answer).is_ok() {
            dispatch::contain("init_done", || self.ops.device_ready());
        }
    }
}
