//! Sessions: from the first INIT to the last reply.
//!
//! A [`Session`] joins a filesystem ([`LowLevelOps`]) to a channel. It is shared by all its
//! threads; nothing on the way of a request takes a lock that another request also takes, except
//! that of its own slot.

mod beginning;
pub mod caps;
mod census;
pub mod check;
mod contexts;
mod device;
mod dispatch;
mod early;
mod errand;
pub mod exit;
mod foresight;
pub mod groups;
mod init;
mod interrupt;
mod loops;
mod notifier;
mod notify;
pub mod ops;
mod passthrough;
pub mod placement;
mod pool;
mod post;
mod receive;
mod reliance;
mod reply;
pub mod request;
mod rings;
mod serving;
mod slots;
mod stats;
mod tenure;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::errno::{Errno, Result};
use crate::stats::StatsPolicy;
use crate::sys::lock::Mutex;
use crate::sys::pipe::page_size;
use crate::sys::still::{self, Lock, Still};
use crate::transport::uring::TransportOptions;
use crate::transport::{Channel, SplicePolicy};
use crate::wire::{HEADER_ROOM, Protocol};

pub use device::CharDevice;
pub use early::EarlyServer;
pub use errand::ExitPatience;
use exit::ExitState;
use foresight::Foresight;
use interrupt::EarlyInterrupts;
use notifier::Notifier;
use notify::Retrieves;
pub use ops::{LowLevelOps, NodeId};
use placement::Placement;
pub use placement::PlacementChoice;
pub use pool::LoopConfig;
pub use receive::{Message, RequestBuffer};
pub use reply::{IoctlRange, OpenReply};
pub use request::{Misuse, Peek, PollHandle, Request};
pub use slots::{Context, Handle, InterruptCallback};
use turns::Turns;

/// Pages of a request's data before init has had its say: 1 MiB of 4 KiB pages.
const DEFAULT_PAGES: usize = 256;

/// What is fixed when a session is made.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Log every request and reply.
    pub debug: bool,
    /// Answer `EACCES` to everybody but root and the user who mounted (`-o allow_root`).
    pub deny_others: bool,
    /// The mount option max_read, in bytes; 0 if it was not given.
    pub max_read: u32,
    /// When to splice file data into replies.
    pub splice: SplicePolicy,
    /// Whether requests may come by io_uring.
    pub transport: TransportOptions,
    /// Whether the process can be asked about the session.
    pub stats: StatsPolicy,
    /// How long the end of a loop with workers waits for handlers that still run.
    pub exit_patience: ExitPatience,
    /// Whether workers are kept on their clients' processors.
    pub placement: PlacementChoice,
    /// Which libfuse's capabilities the filesystem knows.
    pub dialect: caps::Dialect,
    /// A number that belongs to whoever made the session; the engine only keeps it.
    pub userdata: usize,
    /// The session serves this character device, not a filesystem.
    pub device: Option<CharDevice>,
}

/// Who reads requests.
#[derive(Clone, Copy)]
enum LoopKind {
    /// The program does by itself, or nobody yet.
    None,
    /// A thread, while the mount is being made.
    Early,
    Single,
    Workers(LoopConfig),
}

/// A filesystem being served.
pub struct Session {
    pub(super) ops: Box<dyn LowLevelOps>,
    pub(super) config: Config,
    /// Every request and reply is logged.
    /// The user who made the session, for `deny_others`.
    pub(super) owner: u32,
    channel: Mutex<Option<Arc<dyn Channel>>>,
    exit: ExitState,
    negotiated: Negotiated,
    foresight: Foresight,
    early_interrupts: EarlyInterrupts,
    retrieves: Mutex<Retrieves>,
    notifier: Notifier,
    /// One of the library's own loops reads, so that buffers may grow beyond the first size.
    own_loop: AtomicBool,
    /// Which one; the last one that was entered.
    loop_kind: Mutex<LoopKind>,
    /// Requests come by these, if they come by io_uring to workers.
    rings: Mutex<Option<Arc<rings::Rings>>>,
    /// They come by io_uring to a loop with one thread.
    solo: AtomicBool,
    /// What stays of such a loop's ring when its thread ends.
    site: Mutex<Option<Arc<rings::solo::Site>>>,
    /// What such a loop's ring gave to a program that reads by itself.
    handed_out: rings::by_hand::HandedOut,
    /// Its mount is one with `auto_unmount`.
    watched: AtomicBool,
    turns: Arc<Turns>,
    placement: Arc<Placement>,
    /// Free slots must not keep this session or its channel alive any more.
    let_go: AtomicBool,
    sheet: stats::Sheet,
}

/// The outcome of INIT, read by every request; written once, before any other is answered.
struct Negotiated {
    initialized: AtomicBool,
    destroyed: AtomicBool,
    minor: AtomicU32,
    /// Splicing into replies: granted by kernel and channel, and not refused by the user.
    splice_write: AtomicBool,
    /// The filesystem asked for it by name.
    splice_wanted: AtomicBool,
    splice_move: AtomicBool,
    splice_read: AtomicBool,
    setxattr_ext: AtomicBool,
    /// The filesystem takes the data of a WRITE as a vector.
    takes_vectors: AtomicBool,
    /// The kernel is told to send no INTERRUPT.
    no_interrupt: AtomicBool,
    /// Bytes a request may have, headers included.
    buffer_size: AtomicUsize,
    /// See [`Session::least_buffer`].
    least_buffer: AtomicUsize,
}

/// What forked children send answers and notifications by.
impl Still for Session {
    fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        each(still::lock(&self.channel));
        each(still::lock(&self.retrieves));
    }
}

impl Session {
    /// A session without a channel; [`Session::attach`] gives it one.
    pub fn new(ops: Box<dyn LowLevelOps>, config: Config) -> Arc<Session> {
        crate::sys::wake::prepare();
        check::prepare();
        slots::prepare();
        let session = Arc::new_cyclic(|session| Session {
            sheet: stats::Sheet::new(&config),
            placement: Placement::new(config.placement),
            ops,
            config,
            owner: nix::unistd::getuid().as_raw(),
            channel: Mutex::new(None),
            exit: ExitState::default(),
            negotiated: Negotiated {
                initialized: AtomicBool::new(false),
                destroyed: AtomicBool::new(false),
                minor: AtomicU32::new(crate::wire::MINOR),
                splice_write: AtomicBool::new(false),
                splice_wanted: AtomicBool::new(false),
                splice_move: AtomicBool::new(false),
                splice_read: AtomicBool::new(false),
                setxattr_ext: AtomicBool::new(false),
                takes_vectors: AtomicBool::new(false),
                no_interrupt: AtomicBool::new(false),
                buffer_size: AtomicUsize::new(DEFAULT_PAGES * page_size() + HEADER_ROOM),
                least_buffer: AtomicUsize::new(0),
            },
            foresight: Foresight::default(),
            early_interrupts: EarlyInterrupts::default(),
            retrieves: Mutex::new(Retrieves::default()),
            notifier: Notifier::new(session.clone()),
            own_loop: AtomicBool::new(false),
            loop_kind: Mutex::new(LoopKind::None),
            rings: Mutex::new(None),
            solo: AtomicBool::new(false),
            site: Mutex::default(),
            handed_out: Default::default(),
            watched: AtomicBool::new(false),
            turns: Arc::default(),
            let_go: AtomicBool::new(false),
        });
        let owner: std::sync::Weak<Session> = Arc::downgrade(&session);
        still::keep(owner);
        session
    }

    /// What the session was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Logs every request and reply from now on.
    pub fn set_debug(&self) {
        self.sheet.set_debug();
    }

    fn is_debugged(&self) -> bool {
        self.sheet.is_debugged()
    }

    /// Its mount is one with `auto_unmount`: requests then come by the device, for the reason that
    /// [`Unused::AutoUnmount`](crate::transport::uring::Unused) gives. To be said before requests are served.
    pub fn set_auto_unmount(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Gives the session the channel it reads from. `EBUSY` if it has one.
    pub fn attach(&self, channel: Arc<dyn Channel>) -> Result<()> {
        let mut own = self.channel.lock();
        if own.is_some() {
            return Err(Errno::EBUSY);
        }
        *own = Some(channel);
        self.let_go.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Takes the channel away again, so that its descriptor is closed as soon as nothing uses it.
    /// Requests still unanswered have nowhere to send their answers to from here on.
    ///
    /// To be called when no loop runs any more.
    pub fn detach(self: &Arc<Self>) {
        // While what holds a notification up can still be answered.
        self.notifier.end(self);
        self.end_rings();
        let channel = self.channel.lock().take();
        self.let_go.store(true, Ordering::SeqCst);
        slots::forget_channels(self);
        drop(channel);
    }

    /// The session's own channel; worker threads may have clones.
    pub fn channel(&self) -> Option<Arc<dyn Channel>> {
        self.channel.lock().clone()
    }

    /// Exit flag and result. [`ExitState::request`] may be called from a signal handler.
    pub fn exit(&self) -> &ExitState {
        &self.exit
    }

    /// Bytes a receive buffer must hold.
    pub fn buffer_size(&self) -> usize {
        self.negotiated.buffer_size.load(Ordering::Acquire)
    }

    /// Bytes that the kernel wants whoever reads it to have room for; 0 before INIT.
    pub fn least_buffer(&self) -> usize {
        self.negotiated.least_buffer.load(Ordering::Acquire)
    }

    /// Whether INIT has been answered.
    pub fn is_initialized(&self) -> bool {
        self.negotiated.initialized.load(Ordering::Acquire)
    }

    /// How messages are laid out.
    pub fn protocol(&self) -> Protocol {
        Protocol {
            minor: self.negotiated.minor.load(Ordering::Relaxed),
            setxattr_ext: self.negotiated.setxattr_ext.load(Ordering::Relaxed),
        }
    }

    /// Ends the filesystem: calls its destroy handler, unless INIT never came or it has been
    /// called, and lets go of every request that was not answered. Their handles become stale.
    ///
    /// To be called when no loop runs any more.
    pub fn destroy(self: &Arc<Self>) {
        self.hide_by_hand();
        // While what holds a notification up can still be answered.
        self.notifier.end(self);
        self.end_rings();
        self.run_destroy_handler();
        // Those of that handler.
        self.notifier.end(self);
        self.let_go.store(true, Ordering::SeqCst);
        let unanswered = slots::forget_session(self);
        if check::on() {
            check::ended(self);
        }
        if unanswered > 0 {
            log::warn!("fuse: session destroyed with {unanswered} requests unanswered");
        }
    }

    /// Whether slots have to drop their references when their requests end.
    fn is_let_go(&self) -> bool {
        self.let_go.load(Ordering::SeqCst)
    }

    /// Whether the destroy handler has been called.
    fn is_destroyed(&self) -> bool {
        self.negotiated.destroyed.load(Ordering::Acquire)
    }

    /// Calls the destroy handler if it is due; at most once.
    fn run_destroy_handler(&self) {
        if self.is_initialized() && !self.negotiated.destroyed.swap(true, Ordering::AcqRel) {
            dispatch::contain("destroy", || self.ops.destroy());
        }
    }
}
