//! The table of requests in flight.
//!
//! A C program holds a request as an opaque pointer and may misuse it: answer twice, answer after
//! the session is gone, pass any number. The pointer is therefore no address but a [`Handle`]: slot
//! number and generation, checked against a table whose slots are never freed. A stale handle is
//! recognised, whatever happened since, and costs nothing to check.
//!
//! Free slots are cached per thread and reused last in, first out; a slot keeps its session and
//! channel, so that the next request of the same worker touches no shared counter.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, ReentrantMutex};
use smallvec::SmallVec;

use super::request::is_unanswered;
use super::{Session, check};
use crate::transport::Channel;
use crate::wire::Opcode;
use crate::wire::layout::InHeader;

const CHUNK: usize = 256;
const CHUNKS: usize = 4096;
/// Freed slots a thread keeps for itself before it shares them.
const CACHED: usize = 32;

/// Low bits of a handle that are zero, as in a pointer to anything aligned.
const ALIGN_BITS: u32 = 4;
const INDEX_BITS: u32 = (CHUNK * CHUNKS).trailing_zeros();
/// Bits left for the generation; the handle stays a canonical user-space address on 64-bit
/// machines. On 32-bit ones the generation is short and a very old handle may go unrecognised.
const GENERATION_BITS: u32 =
    if usize::BITS >= 64 { 47 } else { usize::BITS } - ALIGN_BITS - INDEX_BITS;

/// A request's name outside the engine; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(usize);

impl Handle {
    fn new(index: u32, generation: u32) -> Handle {
        let value = ((generation as usize) << INDEX_BITS) | index as usize;
        Handle(value << ALIGN_BITS)
    }

    /// From what [`Handle::to_raw`] gave; any number may be passed.
    pub fn from_raw(raw: usize) -> Handle {
        Handle(raw)
    }

    /// A number that looks like an aligned pointer and is not 0.
    pub fn to_raw(self) -> usize {
        self.0
    }

    /// Slot number and generation, if the number can be a handle at all.
    pub(super) fn parts(self) -> Option<(u32, u32)> {
        if self.0 & ((1 << ALIGN_BITS) - 1) != 0 {
            return None;
        }
        let value = self.0 >> ALIGN_BITS;
        let generation = u32::try_from(value >> INDEX_BITS).ok()?;
        let index = (value & ((1 << INDEX_BITS) - 1)) as u32;
        (generation != 0 && generation < 1 << GENERATION_BITS).then_some((index, generation))
    }
}

/// Whom a request comes from, in the layout of libfuse's `fuse_ctx`: four 32-bit numbers.
///
/// Atomic because a C program may still look at it when the slot is already in other hands.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Context {
    uid: AtomicU32,
    gid: AtomicU32,
    pid: AtomicI32,
    umask: AtomicU32,
}

impl Context {
    /// User id, as seen from the daemon's user namespace.
    pub fn uid(&self) -> u32 {
        self.uid.load(Ordering::Relaxed)
    }
    /// Group id, likewise.
    pub fn gid(&self) -> u32 {
        self.gid.load(Ordering::Relaxed)
    }
    /// Thread id, 0 where it is outside the daemon's pid namespace.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }
    /// The requester's umask; meaningful for MKNOD, MKDIR, CREATE and TMPFILE.
    pub fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }
    pub(super) fn set_umask(&self, umask: u32) {
        self.umask.store(umask, Ordering::Relaxed);
    }
}

/// Called when a request is interrupted.
pub type InterruptCallback = Arc<dyn Fn() + Send + Sync>;

/// What a slot holds; the mutex around it is uncontended but for interrupts.
#[derive(Default)]
pub(super) struct Body {
    pub session: Option<Arc<Session>>,
    pub channel: Option<Arc<dyn Channel>>,
    pub opcode: Option<Opcode>,
    pub node: u64,
    pub callback: Option<InterruptCallback>,
    /// An IOCTL by a 32-bit process on a 64-bit kernel.
    pub compat_ioctl: bool,
}

/// A slot is free, or its request is in the filesystem's hands, or in the engine's.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Phase {
    Free = 0,
    Pending = 1,
    Taken = 2,
}

const PHASE_BITS: u32 = 2;

#[derive(Default)]
pub(super) struct Slot {
    /// Generation and phase.
    state: AtomicU64,
    /// The kernel's id; 0 while free.
    pub unique: AtomicU64,
    pub interrupted: AtomicBool,
    pub context: Context,
    pub body: Mutex<Body>,
    /// Held while an interrupt callback runs; reentrant, because the callback may set another.
    pub callback_gate: ReentrantMutex<()>,
}

fn state_of(generation: u32, phase: Phase) -> u64 {
    (u64::from(generation) << PHASE_BITS) | phase as u64
}

impl Slot {
    fn generation(&self) -> u32 {
        (self.state.load(Ordering::Acquire) >> PHASE_BITS) as u32
    }

    /// From the filesystem's hands to the engine's; false if this generation is not pending.
    pub fn take(&self, generation: u32) -> bool {
        let pending = state_of(generation, Phase::Pending);
        let taken = state_of(generation, Phase::Taken);
        self.state.compare_exchange(pending, taken, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// From the engine's hands to the filesystem's.
    pub fn give(&self, generation: u32) {
        self.state.store(state_of(generation, Phase::Pending), Ordering::Release);
    }

    /// Whether this generation has not been answered yet.
    pub fn is_live(&self, generation: u32) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state == state_of(generation, Phase::Pending) || state == state_of(generation, Phase::Taken)
    }
}

static TABLE: [OnceLock<Box<[Slot]>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];
/// Slots ever used.
static USED: AtomicU32 = AtomicU32::new(0);
static FREE: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Free slots of one thread; given back when it ends.
struct Cache(Vec<u32>);

impl Drop for Cache {
    fn drop(&mut self) {
        FREE.lock().append(&mut self.0);
    }
}

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache(Vec::new())) };
}

/// The slot with this number, if it was ever used.
fn slot(index: u32) -> Option<&'static Slot> {
    let index = index as usize;
    TABLE.get(index / CHUNK)?.get()?.get(index % CHUNK)
}

/// A slot that was never used; `None` when the table is full.
fn fresh() -> Option<u32> {
    let limit = (CHUNK * CHUNKS) as u32;
    let index = USED
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| (used < limit).then_some(used + 1))
        .ok()?;
    TABLE[index as usize / CHUNK].get_or_init(|| (0..CHUNK).map(|_| Slot::default()).collect());
    Some(index)
}

fn pop_free() -> Option<u32> {
    let cached = CACHE.try_with(|cache| cache.borrow_mut().0.pop()).ok().flatten();
    cached.or_else(|| FREE.lock().pop()).or_else(fresh)
}

fn push_free(index: u32) {
    let cached = CACHE.try_with(|cache| {
        let list = &mut cache.borrow_mut().0;
        if list.len() < CACHED {
            list.push(index);
        }
        list.last() == Some(&index)
    });
    // Full, or the thread is ending.
    if cached != Ok(true) {
        FREE.lock().push(index);
    }
}

/// A slot in use, in the engine's hands.
#[derive(Clone, Copy)]
pub(super) struct SlotRef {
    pub slot: &'static Slot,
    pub index: u32,
    pub generation: u32,
}

impl SlotRef {
    /// Enters a request into the table, in the engine's hands.
    pub fn allocate(
        session: &Arc<Session>,
        channel: &Arc<dyn Channel>,
        header: &InHeader,
    ) -> Option<SlotRef> {
        let index = pop_free()?;
        let slot = slot(index)?;
        // Generation 0 is never used, so that no handle is 0.
        let generation = (slot.generation() + 1) % (1 << GENERATION_BITS);
        let generation = generation.max(1);
        {
            let mut body = slot.body.lock();
            if !body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
                body.session = Some(session.clone());
            }
            if !body.channel.as_ref().is_some_and(|held| Arc::ptr_eq(held, channel)) {
                body.channel = Some(channel.clone());
            }
            body.opcode = Opcode::from_raw(header.opcode);
            body.node = header.nodeid;
        }
        slot.context.uid.store(header.uid, Ordering::Relaxed);
        slot.context.gid.store(header.gid, Ordering::Relaxed);
        slot.context.pid.store(header.pid.cast_signed(), Ordering::Relaxed);
        slot.context.set_umask(0);
        slot.interrupted.store(false, Ordering::Relaxed);
        slot.state.store(state_of(generation, Phase::Taken), Ordering::Release);
        // Sequentially consistent against the queue of early interrupts: see `interrupt`.
        slot.unique.store(header.unique, Ordering::SeqCst);
        let at = SlotRef { slot, index, generation };
        if check::on() {
            check::entered(session, at, header);
        }
        Some(at)
    }

    pub fn handle(self) -> Handle {
        Handle::new(self.index, self.generation)
    }

    /// Another request of the same origin, in the engine's hands, which the kernel knows nothing
    /// of.
    pub fn companion(self) -> Option<SlotRef> {
        let (session, channel, opcode, node) = {
            let body = self.slot.body.lock();
            (body.session.clone()?, body.channel.clone()?, body.opcode?, body.node)
        };
        let context = &self.slot.context;
        let header = InHeader {
            opcode: opcode as u32,
            nodeid: node,
            uid: context.uid(),
            gid: context.gid(),
            pid: context.pid().cast_unsigned(),
            ..InHeader::default()
        };
        SlotRef::allocate(&session, &channel, &header)
    }

    /// The slot a handle names, if its request has not been answered yet.
    pub fn find(handle: Handle) -> Option<SlotRef> {
        let (index, generation) = handle.parts()?;
        let slot = slot(index)?;
        slot.is_live(generation).then_some(SlotRef { slot, index, generation })
    }

    /// Ends the request; the slot may be reused at once.
    pub fn release(self) {
        self.slot.unique.store(0, Ordering::SeqCst);
        let held = {
            let mut body = self.slot.body.lock();
            // A walk over the table can't have cleared what an answer under way had taken out, nor
            // what a live request still needed.
            let gone = body.session.as_ref().is_some_and(|session| session.is_let_go());
            let held = if gone { (body.session.take(), body.channel.take()) } else { (None, None) };
            // Under the lock: who holds it and sees a live request can rely on that.
            self.slot.state.store(state_of(self.generation, Phase::Free), Ordering::Release);
            (body.callback.take(), held)
        };
        push_free(self.index);
        drop(held);
    }
}

/// Every slot ever used, for the rare walks over all requests.
fn all() -> impl Iterator<Item = (u32, &'static Slot)> {
    (0..USED.load(Ordering::SeqCst)).filter_map(|index| Some((index, slot(index)?)))
}

/// The request of `session` with this unique id, if it is in flight.
pub(super) fn by_unique(session: &Arc<Session>, unique: u64) -> Option<SlotRef> {
    if unique == 0 {
        return None;
    }
    all().find_map(|(index, slot)| {
        if slot.unique.load(Ordering::SeqCst) != unique {
            return None;
        }
        let generation = slot.generation();
        let body = slot.body.lock();
        let ours = body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session));
        let live = slot.is_live(generation) && slot.unique.load(Ordering::SeqCst) == unique;
        // The answer to a retrieve notification carries an id that this side chose.
        let waits = !is_unanswered(body.opcode);
        (ours && live && waits).then_some(SlotRef { slot, index, generation })
    })
}

/// Requests of `session` in flight for which the kernel may hold one of these nodes; 0 is none.
pub(super) fn in_the_way(session: &Session, nodes: [u64; 2]) -> SmallVec<[SlotRef; 4]> {
    let named = |node| node != 0 && nodes.contains(&node);
    all()
        .filter_map(|(index, slot)| {
            if slot.unique.load(Ordering::SeqCst) == 0 {
                return None;
            }
            let generation = slot.generation();
            let body = slot.body.lock();
            // An answer under way has taken the session out; the kernel is about to let go.
            let ours = body.session.as_ref().is_some_and(|held| std::ptr::eq(&**held, session));
            let holds = named(body.node) && !is_unanswered(body.opcode)
                || body.opcode.is_some_and(has_second_node);
            (ours && holds && slot.is_live(generation)).then_some(SlotRef {
                slot,
                index,
                generation,
            })
        })
        .collect()
}

/// Requests that hold a directory beside the one in their header.
fn has_second_node(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Rename | Opcode::Rename2 | Opcode::Link)
}

/// The ids of the requests of `session` that somebody waits for.
pub(super) fn waiting(session: &Arc<Session>) -> Vec<u64> {
    all()
        .filter_map(|(_, slot)| {
            let unique = slot.unique.load(Ordering::SeqCst);
            let body = slot.body.lock();
            let ours = body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session));
            (unique != 0 && ours && !is_unanswered(body.opcode)).then_some(unique)
        })
        .collect()
}

/// Drops every reference to `session`; requests the filesystem still holds become stale handles.
/// Returns how many of those there were.
pub(super) fn forget_session(session: &Arc<Session>) -> usize {
    let mut unanswered = 0;
    for (index, slot) in all() {
        let mut body = slot.body.lock();
        if !body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            continue;
        }
        let generation = slot.generation();
        if slot.take(generation) {
            unanswered += 1;
            drop(body);
            let found = SlotRef { slot, index, generation };
            if check::on() {
                check::unanswered(found);
            }
            let held = {
                let mut body = slot.body.lock();
                (body.session.take(), body.channel.take())
            };
            found.release();
            drop(held);
        } else if !slot.is_live(generation) {
            let held = (body.session.take(), body.channel.take());
            drop(body);
            drop(held);
        }
    }
    unanswered
}

/// Drops every reference from requests of `session` to a channel.
pub(super) fn forget_channels(session: &Arc<Session>) {
    for (_, slot) in all() {
        let mut body = slot.body.lock();
        if body.session.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            let channel = body.channel.take();
            drop(body);
            drop(channel);
        }
    }
}
