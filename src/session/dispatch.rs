//! From a received message to the filesystem's method.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::contexts::Contexts;
use super::interrupt::Arrival;
use super::ops::{CopyRange, FileInfo, Forget, IoctlCall};
use super::post::Post;
use super::receive::{Message, Payload};
use super::request::is_unanswered;
use super::serving::Serving;
use super::slots::{Handle, SlotRef};
use super::{PollHandle, Request, Session, check};
use crate::errno::Errno;
use crate::sys::probes;
use crate::transport::Channel;
use crate::wire::Opcode;
use crate::wire::flags::{
    FSYNC_FDATASYNC, IoctlFlags, LK_FLOCK, POLL_SCHEDULE_NOTIFY, ReleaseFlags, WriteFlags,
};
use crate::wire::layout::*;
use crate::wire::request::{self, Malformed, Operation};

/// Runs a filesystem's method; a panic ends here, is logged, and reported as false.
pub(super) fn contain(what: &str, method: impl FnOnce()) -> bool {
    let result = catch_unwind(AssertUnwindSafe(method));
    if result.is_err() {
        log::error!("fuse: panic while serving {what}");
    }
    result.is_ok()
}

impl Session {
    /// Serves one message, which came from `channel`, in the calling thread.
    ///
    /// Whatever the bytes are, the result is at worst an error reply and a log line.
    pub fn process(self: &Arc<Self>, message: Message<'_>, channel: &Arc<dyn Channel>) {
        let _serving = Serving::begin(self);
        self.notifier.served_here();
        // A guard only where rings serve beside the program's own loop. At the end nobody waits for a handler
        // that does not return.
        let _turn = self.turns.take(|| !self.exit().is_requested());
        if self.is_observed() {
            self.observe_by_hand(&message);
        }
        let by_ring = self.by_solo().then(|| self.handed_out.take(&message)).flatten();
        self.serve_message(message, by_ring.as_ref().unwrap_or(channel));
    }

    /// The same, in a thread that has said whom it serves.
    pub(super) fn serve_message(
        self: &Arc<Self>,
        message: Message<'_>,
        channel: &Arc<dyn Channel>,
    ) {
        match request::header(message.bytes(), message.len()) {
            Ok(header) => self.process_parsed(&header, message, channel, None),
            Err(error) => {
                log::error!("fuse: malformed request: {error}");
                self.refuse_malformed(message.bytes(), channel);
            }
        }
    }

    /// Serves a message with this header; `post` is the calling thread's, if it is in a loop of the
    /// library's, and then the channel's too.
    ///
    /// A panic, whether of the filesystem's method or of the engine, ends here: it is logged, and
    /// the request, if it is still open, answered `EIO`.
    pub(super) fn process_parsed(
        self: &Arc<Self>,
        header: &InHeader,
        message: Message<'_>,
        channel: &Arc<dyn Channel>,
        post: Option<&Post>,
    ) {
        let mut entered = None;
        let serve = || self.enter(header, message, channel, post, &mut entered);
        if catch_unwind(AssertUnwindSafe(serve)).is_ok() {
            return;
        }
        let opcode = Opcode::from_raw(header.opcode);
        log::error!("fuse: panic while serving {}", opcode.map_or("request", Opcode::name));
        match entered {
            Some(handle) => answer_after_panic(handle, opcode),
            None => self.decline(header, Errno::EIO, channel),
        }
    }

    /// Enters the request into the table, whose handle is put into `entered`, and calls its method.
    fn enter(
        self: &Arc<Self>,
        header: &InHeader,
        message: Message<'_>,
        channel: &Arc<dyn Channel>,
        post: Option<&Post>,
        entered: &mut Option<Handle>,
    ) {
        probes::request_start(header.unique, header.opcode, header.nodeid, header.len);
        let mut begun = None;
        if self.is_observed() {
            begun = self.observe_request(header, message.is_in_pipe(), &**channel);
        }
        let opcode = Opcode::from_raw(header.opcode);
        if header.unique == 0 && !is_unanswered(opcode) {
            // No kernel sends it.
            self.log_malformed(header, Malformed::Id);
            return;
        }
        if let Err(error) = self.admit(opcode, header) {
            return self.decline(header, error, channel);
        }
        if opcode == Some(Opcode::Interrupt) {
            return self.take_interrupt(header, message, channel);
        }
        let at = match post {
            Some(post) => post.enter(header),
            None => SlotRef::allocate(self, channel, header),
        };
        let Some(at) = at else {
            log::error!("fuse: too many requests in flight; refusing unique {}", header.unique);
            return self.decline(header, Errno::ENOMEM, channel);
        };
        if let Some(begun) = begun {
            at.slot.begun.set(at.generation, begun);
        }
        let awaited = (!is_unanswered(opcode)).then_some(header.unique);
        if let Arrival::Requeue(interrupt) = self.check_early_interrupts(at, awaited) {
            // ENOENT if its target is gone; then there is nothing to repeat.
            let _ = self.send(&**channel, interrupt, Errno::EAGAIN.negated(), &[]);
        }
        *entered = Some(at.handle());
        let (bytes, in_pipe) = (message.bytes(), message.is_in_pipe());
        if header.total_extlen != 0 && !in_pipe {
            at.slot.body.lock().contexts = Contexts::of(header, bytes);
            at.slot.encumber(at.generation);
        }
        let req = Request::new(at);
        // Nothing in between, so that the compiler makes one choice of the two.
        match request::operation(header, bytes, self.protocol(), in_pipe) {
            Ok(operation) => self.serve(req, header, operation, message.payload()),
            Err(error) => self.refuse_malformed_body(req, header, error),
        }
    }

    /// Ends a request whose body is wrong.
    #[cold]
    fn refuse_malformed_body(&self, req: Request, header: &InHeader, error: Malformed) {
        self.log_malformed(header, error);
        if is_unanswered(req.opcode()) {
            req.finish();
        } else {
            // A failure to deliver was logged.
            let _ = req.reply_error(Errno::EIO);
        }
    }

    #[cold]
    fn take_interrupt(
        self: &Arc<Self>,
        header: &InHeader,
        message: Message<'_>,
        channel: &Arc<dyn Channel>,
    ) {
        let unique = match request::interrupted(message.bytes()) {
            Ok(unique) => unique,
            Err(error) => return self.log_malformed(header, error),
        };
        if self.is_debugged() {
            log::debug!("INTERRUPT: {unique}");
        }
        if self.negotiated.no_interrupt.load(Ordering::Relaxed) {
            // The kernel then sends no more of them.
            let _ = self.send(&**channel, header.unique, Errno::ENOSYS.negated(), &[]);
            return;
        }
        self.interrupt(header.unique, unique);
    }

    /// Whether the session may serve this request now, and from this user.
    fn admit(&self, opcode: Option<Opcode>, header: &InHeader) -> Result<(), Errno> {
        let first = if self.config.device.is_some() { Opcode::CuseInit } else { Opcode::Init };
        let is_init = opcode == Some(first);
        // A filesystem that was told to end has freed what its handlers use.
        if self.is_initialized() == is_init || self.is_destroyed() {
            return Err(Errno::EIO);
        }
        if !self.config.deny_others {
            return Ok(());
        }
        let allowed_to_all = matches!(
            opcode,
            Some(
                Opcode::Init
                    | Opcode::CuseInit
                    | Opcode::Read
                    | Opcode::Write
                    | Opcode::Fsync
                    | Opcode::Release
                    | Opcode::Readdir
                    | Opcode::Readdirplus
                    | Opcode::Fsyncdir
                    | Opcode::Releasedir
                    | Opcode::NotifyReply
            )
        );
        // Forgets and interrupts are the kernel's own, whoever happened to cause them.
        if header.uid != self.owner && header.uid != 0 && !allowed_to_all && !is_unanswered(opcode)
        {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    /// Answers a message whose length is wrong, if a unique id can be made out.
    fn refuse_malformed(&self, bytes: &[u8], channel: &Arc<dyn Channel>) {
        // Judged by the header alone, whatever came after it.
        let claimed = bytes.first_chunk().map_or(0, |len| u32::from_ne_bytes(*len) as usize);
        let Ok(header) = request::header(bytes, claimed) else { return };
        self.decline(&header, Errno::EIO, channel);
    }

    /// Answers a request that is not entered into the table, if it is one that takes an answer.
    pub(super) fn decline(&self, header: &InHeader, error: Errno, channel: &Arc<dyn Channel>) {
        // A message with unique 0 would be a notification.
        if header.unique != 0 && !is_unanswered(Opcode::from_raw(header.opcode)) {
            // A failure to deliver was logged.
            let _ = self.send(&**channel, header.unique, error.negated(), &[]);
        }
    }

    fn log_malformed(&self, header: &InHeader, error: Malformed) {
        let opcode = Opcode::from_raw(header.opcode).map_or("request", Opcode::name);
        log::error!("fuse: malformed {opcode} (unique {}): {error}", header.unique);
    }

    /// Calls the method for one operation.
    #[inline]
    fn serve(
        self: &Arc<Self>,
        req: Request,
        header: &InHeader,
        operation: Operation<'_>,
        payload: Payload<'_>,
    ) {
        let ops = &*self.ops;
        let node = header.nodeid;
        match operation {
            Operation::Lookup { name } => ops.lookup(req, node, name),
            Operation::Forget { nlookup } => {
                if check::on() {
                    check::forgotten(self, header.unique, node, nlookup);
                }
                ops.forget(req, &mut std::iter::once(Forget { node, nlookup }));
            }
            Operation::BatchForget { items } => {
                if check::on() {
                    for item in request::forgets(items) {
                        check::forgotten(self, header.unique, item.nodeid, item.nlookup);
                    }
                }
                let mut forgets = request::forgets(items)
                    .map(|item| Forget { node: item.nodeid, nlookup: item.nlookup });
                ops.forget(req, &mut forgets);
            }
            Operation::Getattr { fh } => {
                let file = fh.map(|fh| FileInfo { fh, ..FileInfo::default() });
                ops.getattr(req, node, file.as_ref());
            }
            Operation::Setattr { valid, args } => serve_setattr(ops, req, node, valid, &args),
            Operation::Readlink => ops.readlink(req, node),
            Operation::Symlink { name, target } => ops.symlink(req, target, node, name),
            Operation::Mknod { args, name } => {
                req.context().set_umask(args.umask);
                ops.mknod(req, node, name, args.mode, args.rdev);
            }
            Operation::Mkdir { args, name } => {
                req.context().set_umask(args.umask);
                ops.mkdir(req, node, name, args.mode);
            }
            Operation::Unlink { name } => ops.unlink(req, node, name),
            Operation::Rmdir { name } => ops.rmdir(req, node, name),
            Operation::Rename { newdir, flags, name, newname } => {
                ops.rename(req, node, name, newdir, newname, flags);
            }
            Operation::Link { oldnodeid, newname } => ops.link(req, oldnodeid, node, newname),
            Operation::Open { args } => ops.open(req, node, &opened_with(args.flags)),
            Operation::Opendir { args } => ops.opendir(req, node, &opened_with(args.flags)),
            Operation::Read { args } => {
                let size = args.size as usize;
                ops.read(req, node, size, args.offset, &read_file(&args, self.protocol().minor));
            }
            Operation::Readdir { args } => {
                let size = args.size as usize;
                ops.readdir(req, node, size, args.offset, &file_with(args.fh));
            }
            Operation::Readdirplus { args } => {
                let size = args.size as usize;
                ops.readdirplus(req, node, size, args.offset, &file_with(args.fh));
            }
            Operation::Write { args, data } => {
                self.serve_write(req, node, &args, data, payload);
            }
            Operation::Statfs => ops.statfs(req, node),
            Operation::Release { args } => {
                ops.release(req, node, &release_file(&args, self.protocol().minor))
            }
            Operation::Releasedir { args } => {
                ops.releasedir(req, node, &release_file(&args, self.protocol().minor))
            }
            Operation::Fsync { args } => {
                let datasync = args.fsync_flags & FSYNC_FDATASYNC != 0;
                ops.fsync(req, node, datasync, &file_with(args.fh));
            }
            Operation::Fsyncdir { args } => {
                let datasync = args.fsync_flags & FSYNC_FDATASYNC != 0;
                ops.fsyncdir(req, node, datasync, &file_with(args.fh));
            }
            Operation::Setxattr { flags, name, value } => {
                ops.setxattr(req, node, name, value, flags);
            }
            Operation::Getxattr { size, name } => ops.getxattr(req, node, name, size as usize),
            Operation::Listxattr { size } => ops.listxattr(req, node, size as usize),
            Operation::Removexattr { name } => ops.removexattr(req, node, name),
            Operation::Flush { args } => {
                let lock_owner = if self.protocol().minor >= 7 { args.lock_owner } else { 0 };
                let file = FileInfo { fh: args.fh, flush: true, lock_owner, ..FileInfo::default() };
                ops.flush(req, node, &file);
            }
            Operation::Init { args } => self.negotiate(req, &args),
            Operation::CuseInit { args } => self.negotiate_device(req, &args),
            Operation::Getlk { args } => ops.getlk(req, node, &lock_file(&args), &args.lk),
            Operation::Setlk { args, sleep } => serve_lock(ops, req, node, &args, sleep),
            Operation::Access { mask } => ops.access(req, node, mask),
            Operation::Create { args, name } => {
                req.context().set_umask(args.umask);
                ops.create(req, node, name, args.mode, &opened_with(args.flags));
            }
            Operation::Tmpfile { args } => {
                req.context().set_umask(args.umask);
                ops.tmpfile(req, node, args.mode, &opened_with(args.flags));
            }
            Operation::Bmap { args } => ops.bmap(req, node, args.blocksize as usize, args.block),
            Operation::Destroy => {
                self.run_destroy_handler();
                req.done();
            }
            Operation::Ioctl { args, flags, data } => {
                let compat = flags.contains(IoctlFlags::BITS_32);
                req.at.slot.compat_ioctl.store(compat, Ordering::Relaxed);
                let out_size = args.out_size as usize;
                let call = IoctlCall { cmd: args.cmd, arg: args.arg, flags, out_size };
                ops.ioctl(req, node, &call, data, &file_with(args.fh));
            }
            Operation::Poll { args } => {
                let notify = args.flags & POLL_SCHEDULE_NOTIFY != 0;
                let handle =
                    notify.then(|| PollHandle { kh: args.kh, session: Arc::downgrade(self) });
                let file = FileInfo { poll_events: args.events, ..file_with(args.fh) };
                ops.poll(req, node, &file, handle);
            }
            Operation::NotifyReply { args, data } => {
                self.serve_notify_reply(req, header, &args, data, payload);
            }
            Operation::Fallocate { args } => {
                let file = file_with(args.fh);
                ops.fallocate(req, node, args.mode, args.offset, args.length, &file);
            }
            Operation::Lseek { args } => {
                ops.lseek(req, node, args.offset, args.whence, &file_with(args.fh));
            }
            Operation::CopyFileRange { args } => {
                let range = CopyRange {
                    node_in: node,
                    off_in: args.off_in,
                    file_in: file_with(args.fh_in),
                    node_out: args.nodeid_out,
                    off_out: args.off_out,
                    file_out: file_with(args.fh_out),
                    len: args.len,
                    flags: args.flags,
                };
                ops.copy_file_range(req, &range);
            }
            Operation::Syncfs => ops.syncfs(req, node),
            Operation::Statx { fh, flags, mask } => {
                let file = fh.map(file_with);
                ops.statx(req, node, flags, mask, file.as_ref());
            }
            // INTERRUPT was handled before the request was entered.
            Operation::Interrupt { .. } | Operation::Unserved(_) | Operation::Unknown(_) => {
                req.not_implemented();
            }
        }
    }

    fn serve_write(
        &self,
        req: Request,
        node: u64,
        args: &WriteIn,
        data: &[u8],
        payload: Payload<'_>,
    ) {
        let flags = WriteFlags::from_bits_retain(args.write_flags);
        let mut file =
            FileInfo { writepage: flags.contains(WriteFlags::CACHE), ..file_with(args.fh) };
        if self.protocol().minor >= 9 {
            file.lock_owner = args.lock_owner;
            file.flags = args.flags.cast_signed();
        }
        let vectors = self.negotiated.takes_vectors.load(Ordering::Relaxed);
        match payload.resolve(data, args.size as usize, !vectors) {
            Ok(mut resolved) if vectors => {
                self.ops.write_vector(req, node, resolved.vector(), args.offset, &file);
            }
            Ok(resolved) => {
                self.ops.write(req, node, resolved.bytes(), args.offset, &file);
            }
            Err(error) => {
                log::error!("fuse: data of WRITE (unique {}): {error}", req.unique());
                let _ = req.reply_error(Errno::EIO);
            }
        }
    }

    fn serve_notify_reply(
        &self,
        req: Request,
        header: &InHeader,
        args: &NotifyRetrieveIn,
        data: &[u8],
        payload: Payload<'_>,
    ) {
        let Some(cookie) = self.retrieves.lock().remove(header.unique) else {
            log::error!("fuse: answer to an unknown retrieve notification {}", header.unique);
            req.finish();
            return;
        };
        match payload.resolve(data, args.size as usize, false) {
            Ok(mut resolved) => {
                let node = header.nodeid;
                self.ops.retrieve_reply(req, cookie, node, args.offset, resolved.vector());
            }
            Err(error) => {
                log::error!("fuse: data of NOTIFY_REPLY {}: {error}", header.unique);
                req.finish();
            }
        }
    }
}

/// Ends a request whose method panicked, if it is still open.
fn answer_after_panic(handle: Handle, opcode: Option<Opcode>) {
    // Unwinding drops a Request that the method still owned, which answers; one that was given out
    // as a handle is claimed here.
    if let Ok(req) = Request::claim(handle) {
        if is_unanswered(opcode) {
            req.finish();
        } else {
            let _ = req.reply_error(Errno::EIO);
        }
    }
}

fn file_with(fh: u64) -> FileInfo {
    FileInfo { fh, ..FileInfo::default() }
}

fn opened_with(flags: u32) -> FileInfo {
    FileInfo { flags: flags.cast_signed(), ..FileInfo::default() }
}

fn read_file(args: &ReadIn, minor: u32) -> FileInfo {
    let mut file = file_with(args.fh);
    if minor >= 9 {
        // Zero where the kernel does not mean it (FUSE_READ_LOCKOWNER).
        file.lock_owner = args.lock_owner;
        file.flags = args.flags.cast_signed();
    }
    file
}

fn release_file(args: &ReleaseIn, minor: u32) -> FileInfo {
    let flags = if minor >= 8 { args.release_flags } else { 0 };
    let flags = ReleaseFlags::from_bits_retain(flags);
    FileInfo {
        flags: args.flags.cast_signed(),
        fh: args.fh,
        lock_owner: args.lock_owner,
        flush: flags.contains(ReleaseFlags::FLUSH),
        flock_release: flags.contains(ReleaseFlags::FLOCK_UNLOCK),
        ..FileInfo::default()
    }
}

fn lock_file(args: &LkIn) -> FileInfo {
    FileInfo { fh: args.fh, lock_owner: args.owner, ..FileInfo::default() }
}

fn serve_setattr(
    ops: &dyn super::LowLevelOps,
    req: Request,
    node: u64,
    valid: crate::wire::flags::SetattrValid,
    args: &SetattrIn,
) {
    use crate::wire::flags::SetattrValid;
    let file = valid.contains(SetattrValid::FH).then(|| {
        let has_owner = valid.contains(SetattrValid::LOCKOWNER);
        FileInfo { lock_owner: if has_owner { args.lock_owner } else { 0 }, ..file_with(args.fh) }
    });
    ops.setattr(req, node, args, valid, file.as_ref());
}

/// SETLK carries POSIX locks and, with a flag, flock(2) ones.
fn serve_lock(ops: &dyn super::LowLevelOps, req: Request, node: u64, args: &LkIn, sleep: bool) {
    let file = lock_file(args);
    if args.lk_flags & LK_FLOCK == 0 {
        ops.setlk(req, node, &file, &args.lk, sleep);
        return;
    }
    let op = match args.lk.kind.cast_signed() {
        libc::F_RDLCK => libc::LOCK_SH,
        libc::F_WRLCK => libc::LOCK_EX,
        _ => libc::LOCK_UN,
    };
    ops.flock(req, node, &file, if sleep { op } else { op | libc::LOCK_NB });
}
