//! The table of requests in flight.
//!
//! A C program holds a request as an opaque pointer and may misuse it: answer twice, answer after
//! the session is gone, pass any number. The pointer is therefore no address but a [`Handle`]: slot
//! number and generation, checked against a table whose slots are never freed. A stale handle is
//! recognised, whatever happened since, and costs nothing to check.
//!
//! Free slots are cached per thread and reused last in, first out; a slot keeps its session and
//! channel, so that the next request of the same worker touches no shared counter.

mod context;
mod handle;
mod kept;
mod table;
mod walks;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::sys::lock::{Mutex, MutexGuard, ReentrantMutex};

pub use context::Context;
use handle::GENERATION_BITS;
pub use handle::Handle;
pub(super) use kept::KeptSlot;
use table::{fresh, slot};
pub(super) use walks::{
    by_unique, forget_channels, forget_session, in_flight, in_the_way, waiting,
};

use super::beginning::Beginning;
use super::contexts::Contexts;
use super::tenure::{Keep, Tenure};
use super::{Session, check};
use crate::sys::still::{self, Lock, Still};
use crate::transport::Channel;
use crate::wire::Opcode;
use crate::wire::layout::InHeader;

/// Freed slots a thread keeps for itself before it shares them.
const CACHED: usize = 32;

/// Called when a request is interrupted.
pub type InterruptCallback = Arc<dyn Fn() + Send + Sync>;

/// What a slot holds; the mutex around it is uncontended but for interrupts.
#[derive(Default)]
pub(super) struct Body {
    session: Option<Arc<Session>>,
    channel: Option<Arc<dyn Channel>>,
    pub callback: Option<InterruptCallback>,
    /// The security contexts of a request that creates something.
    pub contexts: Option<Box<Contexts>>,
}

impl Body {
    /// What ends with the request.
    fn unburden(&mut self) -> (Option<InterruptCallback>, Option<Box<Contexts>>) {
        (self.callback.take(), self.contexts.take())
    }
}

/// Where a request came from and where its answer goes, for as long as it takes to send that.
pub(super) type Origin = (Option<Arc<Session>>, Option<Arc<dyn Channel>>);

#[derive(Default)]
pub(super) struct Slot {
    /// Its place in the table, once it has been used.
    index: AtomicU32,
    tenure: Tenure,
    /// The kernel's id; 0 while free, or an answer is under way.
    pub unique: AtomicU64,
    /// The generation that was interrupted.
    interrupted: AtomicU32,
    pub context: Context,
    /// The request's opcode as a number.
    opcode: AtomicU32,
    node: AtomicU64,
    pub begun: Beginning,
    /// An IOCTL by a 32-bit process on a 64-bit kernel.
    pub compat_ioctl: AtomicBool,
    bound: Bound,
    keep: Keep,
    pub body: Mutex<Body>,
    /// Something is in the body that ends with the request.
    encumbered: AtomicBool,
    /// Held while an interrupt callback runs; reentrant, because the callback may set another.
    pub callback_gate: ReentrantMutex<()>,
}

/// Which session and channel the body of a free slot has, to be compared without its lock.
///
/// Stored under the lock, and 0 before either is let go of; so a match means that the body holds
/// them, or that they have been let go of since by the end of the session.
#[derive(Default)]
struct Bound {
    session: AtomicUsize,
    channel: AtomicUsize,
    /// What belongs to the session's maker.
    userdata: AtomicUsize,
}

impl Bound {
    fn is(&self, session: &Arc<Session>, channel: &Arc<dyn Channel>) -> bool {
        self.session.load(Ordering::Acquire) == Arc::as_ptr(session).addr()
            && self.channel.load(Ordering::Acquire) == Arc::as_ptr(channel).addr()
    }
}

impl Slot {
    /// Makes session and channel those of the next request; the slot must be free.
    #[cold]
    fn bind(&self, session: &Arc<Session>, channel: &Arc<dyn Channel>) {
        let mut body = self.body.lock();
        let former = (body.session.replace(session.clone()), body.channel.replace(channel.clone()));
        self.bound.userdata.store(session.config.userdata, Ordering::Relaxed);
        self.bound.session.store(Arc::as_ptr(session).addr(), Ordering::Release);
        self.bound.channel.store(Arc::as_ptr(channel).addr(), Ordering::Release);
        drop(body);
        drop(former);
    }

    /// Lets go of session and channel, as far as no answer under way has them.
    fn unbind(&self, body: &mut Body) -> Origin {
        self.bound.session.store(0, Ordering::Release);
        self.bound.channel.store(0, Ordering::Release);
        (body.session.take(), body.channel.take())
    }

    /// What is asked; `None` if the protocol has no such number.
    pub fn opcode(&self) -> Option<Opcode> {
        Opcode::from_raw(self.opcode.load(Ordering::Relaxed))
    }

    /// Whether it is one that the kernel wants no answer to.
    #[inline]
    pub fn takes_no_answer(&self) -> bool {
        const NONE: [u32; 4] = [
            Opcode::Forget as u32,
            Opcode::BatchForget as u32,
            Opcode::Interrupt as u32,
            Opcode::NotifyReply as u32,
        ];
        NONE.contains(&self.opcode.load(Ordering::Relaxed))
    }

    /// The session, unless an answer under way has it.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.body.lock().session.clone()
    }

    /// The channel, likewise.
    pub fn channel(&self) -> Option<Arc<dyn Channel>> {
        self.body.lock().channel.clone()
    }

    /// The number that the session's maker gave it.
    pub fn userdata(&self) -> usize {
        self.bound.userdata.load(Ordering::Relaxed)
    }

    /// Session and channel, moved out until [`SlotRef::release_with`], so that neither a lock is
    /// held while sending nor a shared counter touched. For threads other than the one that keeps the
    /// slot, whose [`Post`](super::post::Post) has them.
    pub fn lend_origin(&self) -> Origin {
        let mut body = self.body.lock();
        (body.session.take(), body.channel.take())
    }
}

impl Slot {
    /// From the filesystem's hands to the engine's; false if this generation is not pending.
    pub fn take(&self, generation: u32) -> bool {
        self.tenure.take(generation)
    }

    /// From the engine's hands to the filesystem's.
    pub fn give(&self, generation: u32) {
        self.tenure.give(generation);
    }

    /// The kernel's id, to send the answer with; from here on nobody waits for that any more. 0 if an
    /// answer has been tried before.
    pub fn begin_answer(&self) -> u64 {
        let unique = self.unique.load(Ordering::Relaxed);
        self.unique.store(0, Ordering::Relaxed);
        unique
    }

    /// Whether an answer is under way, or nothing is to be answered.
    pub fn awaits_no_answer(&self) -> bool {
        self.unique.load(Ordering::Relaxed) == 0
    }

    /// Marks a request as interrupted.
    pub fn interrupt(&self, generation: u32) {
        self.interrupted.store(generation, Ordering::SeqCst);
    }

    /// Whether it has been.
    pub fn is_interrupted(&self, generation: u32) -> bool {
        self.interrupted.load(Ordering::SeqCst) == generation
    }

    /// To be called when something was put into the body. False if the request may have ended meanwhile,
    /// and nobody will take it out.
    pub fn encumber(&self, generation: u32) -> bool {
        self.encumbered.store(true, Ordering::SeqCst);
        self.is_live(generation)
    }

    /// Whether this generation has not been answered yet.
    pub fn is_live(&self, generation: u32) -> bool {
        self.tenure.is_live(generation)
    }
}

static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// Free slots of one thread; given back when it ends.
struct Cache(Vec<&'static Slot>);

impl Drop for Cache {
    fn drop(&mut self) {
        FREE.lock().append(&mut self.0);
    }
}

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache(Vec::new())) };
}

/// Every slot's body, which answers from forked children look into.
struct Bodies;

impl Still for Bodies {
    fn locks<'l>(&'l self, each: &mut dyn FnMut(Lock<'l>)) {
        table::all().for_each(|slot| each(still::lock(&slot.body)));
    }
}

/// Has forked children find the table usable; for each session that is made.
pub(super) fn prepare() {
    still::keep_static(&FREE);
    still::keep_static(&Bodies);
}

/// Has the calling thread's list of free slots made.
pub(super) fn claim_storage() {
    CACHE.with(|_| ());
}

fn pop_free() -> Option<&'static Slot> {
    let cached = CACHE.try_with(|cache| cache.borrow_mut().0.pop()).ok().flatten();
    cached.or_else(|| FREE.lock().pop()).or_else(fresh)
}

fn push_free(slot: &'static Slot) {
    let cached = CACHE.try_with(|cache| {
        let list = &mut cache.borrow_mut().0;
        let room = list.len() < CACHED;
        if room {
            list.push(slot);
        }
        room
    });
    // Full, or the thread is ending.
    if cached != Ok(true) {
        FREE.lock().push(slot);
    }
}

impl Slot {
    /// Enters a request into the slot, which must be free, in the engine's hands.
    #[inline]
    fn enter(
        &'static self,
        session: &Arc<Session>,
        channel: &Arc<dyn Channel>,
        header: &InHeader,
    ) -> SlotRef {
        let slot = self;
        // Generation 0 is never used, so that no handle is 0.
        let generation = (slot.tenure.generation() + 1) % (1 << GENERATION_BITS);
        let generation = generation.max(1);
        if !slot.bound.is(session, channel) {
            slot.bind(session, channel);
        }
        slot.opcode.store(header.opcode, Ordering::Relaxed);
        slot.node.store(header.nodeid, Ordering::Relaxed);
        slot.context.take_from(header);
        slot.interrupted.store(0, Ordering::Relaxed);
        slot.tenure.begin(generation);
        // Sequentially consistent against the queue of early interrupts: see `interrupt`.
        slot.unique.store(header.unique, Ordering::SeqCst);
        let at = SlotRef { slot, generation };
        if check::on() {
            check::entered(session, at, header);
        }
        at
    }
}

/// A slot in use, in the engine's hands.
#[derive(Clone, Copy)]
pub(super) struct SlotRef {
    pub slot: &'static Slot,
    pub generation: u32,
}

impl SlotRef {
    /// Enters a request into the table, in the engine's hands.
    pub fn allocate(
        session: &Arc<Session>,
        channel: &Arc<dyn Channel>,
        header: &InHeader,
    ) -> Option<SlotRef> {
        Some(pop_free()?.enter(session, channel, header))
    }

    /// Its place in the table.
    pub fn index(self) -> u32 {
        self.slot.index.load(Ordering::Relaxed)
    }

    pub fn handle(self) -> Handle {
        Handle::new(self.index(), self.generation)
    }

    /// Another request of the same origin, in the engine's hands, which the kernel knows nothing
    /// of.
    pub fn companion(self) -> Option<SlotRef> {
        let (session, channel) = (self.slot.session()?, self.slot.channel()?);
        let context = &self.slot.context;
        let header = InHeader {
            opcode: self.slot.opcode.load(Ordering::Relaxed),
            nodeid: self.slot.node.load(Ordering::Relaxed),
            uid: context.uid(),
            gid: context.gid(),
            pid: context.pid().cast_unsigned(),
            ..InHeader::default()
        };
        SlotRef::allocate(&session, &channel, &header)
    }

    /// The slot a handle names, whatever has become of its request.
    #[inline]
    pub fn named(handle: Handle) -> Option<SlotRef> {
        let (index, generation) = handle.parts()?;
        Some(SlotRef { slot: slot(index)?, generation })
    }

    /// The slot a handle names, if its request has not been answered yet.
    #[inline]
    pub fn find(handle: Handle) -> Option<SlotRef> {
        SlotRef::named(handle).filter(|at| at.slot.is_live(at.generation))
    }

    /// Ends a request that was answered by the thread that keeps its slot; no lock is taken.
    #[inline]
    pub fn release_kept(self, session: &Session) {
        self.slot.tenure.end(self.generation);
        if self.slot.encumbered.load(Ordering::SeqCst) || session.is_let_go() {
            self.clear();
        }
        self.slot.keep.ended_here();
    }

    /// Takes out what must not stay in a slot whose request has ended.
    #[cold]
    fn clear(self) {
        let mut body = self.slot.body.lock();
        let gone = body.session.as_ref().is_some_and(|session| session.is_let_go());
        let origin = gone.then(|| self.slot.unbind(&mut body));
        self.slot.encumbered.store(false, Ordering::Relaxed);
        let burden = body.unburden();
        drop(body);
        // Whatever dropping these leads to, no lock is held.
        drop((origin, burden));
    }

    /// Ends the request; the slot may be reused at once.
    pub fn release(self) {
        let body = self.slot.body.lock();
        self.release_locked(body);
    }

    /// Ends a request that was answered: gives back what [`Slot::lend_origin`] gave.
    pub fn release_with(self, origin: Origin) {
        let mut body = self.slot.body.lock();
        (body.session, body.channel) = origin;
        self.release_locked(body);
    }

    fn release_locked(self, mut body: MutexGuard<'_, Body>) {
        self.slot.unique.store(0, Ordering::Relaxed);
        // A walk over the table can't have cleared what an answer under way had taken out, nor
        // what a live request still needed.
        let gone = body.session.as_ref().is_some_and(|session| session.is_let_go());
        let origin = if gone { self.slot.unbind(&mut body) } else { (None, None) };
        self.slot.encumbered.store(false, Ordering::Relaxed);
        let burden = body.unburden();
        self.slot.tenure.end(self.generation);
        drop(body);
        if self.slot.keep.ended() {
            push_free(self.slot);
        }
        // Whatever dropping these leads to, no lock is held.
        drop((origin, burden));
    }
}
