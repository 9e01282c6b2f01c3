//! Negotiation: the INIT request and its answer.

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use zerocopy::IntoBytes;

use super::caps::{self, Capabilities, ConnInfo, Dialect, Features};
use super::{DEFAULT_PAGES, Request, Session, dispatch};
use crate::errno::Errno;
use crate::sys::pipe::page_size;
use crate::transport::uring::Unused;
use crate::wire::flags::InitFlags;
use crate::wire::layout::{InitIn, InitOut};
use crate::wire::{HEADER_ROOM, MAJOR, MIN_READ_BUFFER, MINOR, reply};

/// Pages in one request where the kernel does not offer `FUSE_MAX_PAGES`.
const OLD_MAX_PAGES: usize = 32;
/// Where the administrator's limit on pages stands (Linux 6.13).
const PAGES_LIMIT: &str = "/proc/sys/fs/fuse/max_pages_limit";

/// Most pages that this kernel puts into one request.
fn kernel_page_limit() -> usize {
    let limit = std::fs::read_to_string(PAGES_LIMIT);
    limit.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT_PAGES)
}

impl Session {
    /// Answers INIT, calling the filesystem's init handler in between.
    pub(super) fn negotiate(self: &Arc<Self>, req: Request, args: &InitIn) {
        if self.is_debugged() {
            log::debug!("INIT: {}.{}", args.major, args.minor);
            if args.major == MAJOR && args.minor >= 6 {
                log::debug!("flags=0x{:08x}", args.flags);
                log::debug!("max_readahead=0x{:08x}", args.max_readahead);
            }
        }
        if args.major < MAJOR {
            log::error!("fuse: unsupported protocol version: {}.{}", args.major, args.minor);
            // The kernel ends the connection by itself.
            let _ = req.reply_error(Errno::EPROTO);
            return;
        }
        if args.major > MAJOR {
            // The kernel will ask again with a major it shares with us.
            let out = InitOut { major: MAJOR, minor: MINOR, ..InitOut::default() };
            let _ = req.reply_bytes(out.as_bytes());
            return;
        }
        let offered = offered_flags(args);
        let mut conn = self.conn_info(args, offered);
        let max_write_before = conn.max_write;
        if self.negotiated.initialized.swap(true, Ordering::AcqRel) {
            // Another INIT is being served in another thread, which no kernel does.
            let _ = req.reply_error(Errno::EIO);
            return;
        }
        if !dispatch::contain("init", || self.ops.init(&mut conn)) {
            self.refuse(req, Errno::EIO);
            return;
        }

        let unsupported = conn.want & !conn.capable;
        if !unsupported.is_empty() {
            log::error!(
                "fuse: error: filesystem requested capabilities 0x{:x} that are not supported by \
                 kernel, aborting.",
                unsupported.bits()
            );
            self.refuse(req, Errno::EPROTO);
            return;
        }
        if conn.max_read != self.config.max_read {
            log::error!(
                "fuse: error: init() and fuse_session_new() requested different maximum read size \
                 ({} vs {})",
                conn.max_read,
                self.config.max_read
            );
            self.refuse(req, Errno::EPROTO);
            return;
        }
        self.limit_max_write(&mut conn, max_write_before, args.minor, offered);
        let mut out = self.settle(args, offered, &conn);
        let by_ring = if self.config.dialect == Dialect::V319
            && conn.capable.contains(Capabilities::OVER_IO_URING)
            && !conn.want.contains(Capabilities::OVER_IO_URING)
        {
            Err(Unused::Filesystem)
        } else {
            self.prepare_rings(offered.contains(InitFlags::OVER_IO_URING), ring_payload(&out))
        };
        if by_ring.is_ok() {
            out.flags2 |= (InitFlags::OVER_IO_URING.bits() >> 32) as u32;
        } else {
            conn.want -= Capabilities::OVER_IO_URING;
        }
        dispatch::contain("init", || self.ops.negotiated(&conn));
        let size = reply::init_size(args.minor);
        if self.is_debugged() {
            log_answer(&out);
        }
        let answered = req.reply_slices(&[IoSlice::new(&out.as_bytes()[..size])]);
        if answered.is_ok() {
            self.show_by_hand();
        }
        match by_ring {
            // Whatever became of the answer was logged; without it there is no connection.
            Ok(()) if answered.is_ok() => self.begin_rings(),
            Ok(()) => self.end_rings(),
            Err(reason) => self.report_unused(reason),
        }
    }

    /// Ends a session that cannot be negotiated; its loops return the negated error.
    pub(super) fn refuse(&self, req: Request, error: Errno) {
        let _ = req.reply_error(error);
        self.exit().request_with(error.negated());
    }

    /// The connection as the init handler first sees it.
    fn conn_info(&self, args: &InitIn, offered: InitFlags) -> ConnInfo {
        let channel = self.channel();
        let splice_out = channel.as_ref().is_some_and(|channel| channel.can_splice_out());
        let splice_in = channel.as_ref().is_some_and(|channel| channel.can_splice_in());
        let dialect = self.config.dialect;
        let capable = caps::capable(dialect, args.minor, offered, splice_out, splice_in);
        let mut max_write = self.buffer_size() - HEADER_ROOM;
        // Kernels before 7.6 send no flags at all; libfuse shows their filesystems no limit.
        if args.minor >= 6 && !offered.contains(InitFlags::MAX_PAGES) {
            max_write = max_write.min(OLD_MAX_PAGES * page_size());
        }
        ConnInfo {
            proto_major: args.major,
            proto_minor: args.minor,
            max_write: u32::try_from(max_write).unwrap_or(u32::MAX),
            max_read: self.config.max_read,
            max_readahead: if args.minor >= 6 { args.max_readahead } else { 0 },
            capable,
            want: caps::default_want(dialect, capable, self.ops.features()),
            max_background: 0,
            congestion_threshold: 0,
            time_gran: 1,
            max_backing_stack_depth: 0,
            no_interrupt: false,
            request_timeout: 0,
            library_reads: self.own_loop.load(Ordering::Acquire),
            refused: Capabilities::empty(),
        }
    }

    /// Holds max_write to what kernel and buffers allow, and sizes the buffers for it.
    ///
    /// Up to 1 MiB always; above it as far as fs.fuse.max_pages_limit goes, and only if the
    /// library reads by itself: an application that reads has buffers of the first size.
    fn limit_max_write(
        &self,
        conn: &mut ConnInfo,
        before: u32,
        kernel_minor: u32,
        offered: InitFlags,
    ) {
        let page = page_size();
        let pages = match offered.contains(InitFlags::MAX_PAGES) {
            false if kernel_minor >= 6 => OLD_MAX_PAGES,
            true if self.own_loop.load(Ordering::Acquire) => {
                // 16 bits in the reply.
                kernel_page_limit().clamp(DEFAULT_PAGES, usize::from(u16::MAX))
            }
            _ => DEFAULT_PAGES,
        };
        let limit = u32::try_from(pages * page).unwrap_or(u32::MAX);
        // 4096 is the kernel's own minimum: it raises what is lower.
        conn.max_write = conn.max_write.clamp(4096, limit);
        let size = (conn.max_write as usize + HEADER_ROOM).max(MIN_READ_BUFFER);
        if conn.max_write > before {
            self.negotiated.buffer_size.store(size, Ordering::Release);
        }
    }

    /// Stores what was agreed and writes it down for the kernel.
    fn settle(&self, args: &InitIn, offered: InitFlags, conn: &ConnInfo) -> InitOut {
        let features = self.ops.features();
        let takes_vectors = features.contains(Features::WRITE_VECTOR);
        self.negotiated.takes_vectors.store(takes_vectors, Ordering::Release);
        let mut flags = caps::reply_flags(self.config.dialect, conn.want, features);
        // Requests above one page have been the rule since 2.6.27.
        flags |= InitFlags::BIG_WRITES;
        let mut max_pages = 0;
        if offered.contains(InitFlags::MAX_PAGES) {
            flags |= InitFlags::MAX_PAGES;
            let pages = (conn.max_write as usize).div_ceil(page_size());
            max_pages = u16::try_from(pages).unwrap_or(u16::MAX);
        }
        flags |= offered & InitFlags::INIT_EXT;
        let mut request_timeout = 0;
        if offered.contains(InitFlags::REQUEST_TIMEOUT) && conn.request_timeout != 0 {
            flags |= InitFlags::REQUEST_TIMEOUT;
            request_timeout = conn.request_timeout;
        }
        // The filesystem itself is one of the stack.
        let max_stack_depth = match flags.contains(InitFlags::PASSTHROUGH) {
            true => conn.max_backing_stack_depth.saturating_add(1),
            false => 0,
        };

        let negotiated = &self.negotiated;
        negotiated.minor.store(args.minor.min(MINOR), Ordering::Release);
        let grant = |cap: Capabilities| conn.capable.contains(cap) && !conn.refused.contains(cap);
        let wants = |cap: Capabilities| conn.want.contains(cap) && !conn.refused.contains(cap);
        negotiated.splice_write.store(grant(Capabilities::SPLICE_WRITE), Ordering::Release);
        negotiated.splice_wanted.store(wants(Capabilities::SPLICE_WRITE), Ordering::Release);
        negotiated.splice_move.store(wants(Capabilities::SPLICE_MOVE), Ordering::Release);
        negotiated.splice_read.store(wants(Capabilities::SPLICE_READ), Ordering::Release);
        let setxattr_ext = flags.contains(InitFlags::SETXATTR_EXT);
        negotiated.setxattr_ext.store(setxattr_ext, Ordering::Release);
        negotiated.no_interrupt.store(conn.no_interrupt, Ordering::Release);
        let least = (conn.max_write as usize + HEADER_ROOM).max(MIN_READ_BUFFER);
        negotiated.least_buffer.store(least, Ordering::Release);

        let (flags, flags2) = (flags.bits() as u32, (flags.bits() >> 32) as u32);
        let has_background = args.minor >= 13;
        let background = u16::try_from(conn.max_background).unwrap_or(u16::MAX);
        InitOut {
            major: MAJOR,
            minor: MINOR,
            max_readahead: conn.max_readahead.min(args.max_readahead),
            flags,
            max_background: if has_background { background } else { 0 },
            congestion_threshold: if has_background { congestion_threshold(conn) } else { 0 },
            max_write: conn.max_write,
            time_gran: if args.minor >= 23 { conn.time_gran } else { 0 },
            max_pages,
            flags2,
            max_stack_depth,
            request_timeout,
            ..InitOut::default()
        }
    }
}

/// Bytes that an entry of io_uring must have room for.
fn ring_payload(out: &InitOut) -> usize {
    let pages = if out.max_pages == 0 { OLD_MAX_PAGES } else { usize::from(out.max_pages) };
    (out.max_write as usize).max(pages * page_size()).max(MIN_READ_BUFFER)
}

/// Both flag words, where the second is meant at all.
fn offered_flags(args: &InitIn) -> InitFlags {
    if args.minor < 6 {
        return InitFlags::empty();
    }
    let low = InitFlags::from_bits_retain(u64::from(args.flags));
    if low.contains(InitFlags::INIT_EXT) {
        low | InitFlags::from_bits_retain(u64::from(args.flags2) << 32)
    } else {
        low
    }
}

/// Three quarters of max_background where only that is given, as the kernel itself has it.
fn congestion_threshold(conn: &ConnInfo) -> u16 {
    let background = conn.max_background.min(u32::from(u16::MAX));
    let threshold = match conn.congestion_threshold {
        0 => background * 3 / 4,
        given => given.min(background),
    };
    // At most `background`, which fits.
    threshold as u16
}

fn log_answer(out: &InitOut) {
    log::debug!("   INIT: {}.{}", out.major, out.minor);
    log::debug!("   flags=0x{:08x}", out.flags);
    log::debug!("   max_readahead=0x{:08x}", out.max_readahead);
    log::debug!("   max_write=0x{:08x}", out.max_write);
    log::debug!("   max_background={}", out.max_background);
    log::debug!("   congestion_threshold={}", out.congestion_threshold);
    log::debug!("   time_gran={}", out.time_gran);
}
