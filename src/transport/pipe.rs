//! The pipes a worker splices through: one for replies, one for requests.
//!
//! Each thread keeps its own between requests, so none is shared and nothing is locked. A
//! [`Lease`] takes one out of the cache; it goes back only through [`Lease::finish`], which its
//! holder calls when the pipe is known to be empty. In every other case the pipe is closed: a
//! pipe with bytes left over would put them in front of the next reply.

use std::cell::Cell;
use std::os::fd::BorrowedFd;

use crate::errno::{Errno, Result};
use crate::sys::fork;
use crate::sys::pipe::Pipe;
use crate::sys::shared::SharedPage;

/// After so many requests that wanted a larger pipe than the kernel allowed, ask it again: other
/// pipes of the user may have gone, or the administrator may have raised the limit.
const ASK_AGAIN: u32 = 4096;

/// What a pipe is for. A worker can need both at once: a write request whose payload is still in
/// one pipe while a notification is sent through the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Messages to the kernel.
    Reply,
    /// Requests from the kernel.
    Receive,
}

struct Cached {
    pipe: Pipe,
    page: Option<SharedPage>,
    generation: u64,
}

/// What is known about how large the kernel lets pipes grow.
#[derive(Clone, Copy)]
struct Growth {
    ceiling: usize,
    denied: u32,
}

const UNTRIED: Growth = Growth { ceiling: usize::MAX, denied: 0 };

thread_local! {
    static REPLY: Cell<Option<Cached>> = const { Cell::new(None) };
    static RECEIVE: Cell<Option<Cached>> = const { Cell::new(None) };
    static GROWTH: Cell<Growth> = const { Cell::new(UNTRIED) };
    static LIMIT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Has the places for the calling thread's pipes made, not the pipes.
pub(super) fn claim_storage() {
    REPLY.with(|_| ());
    RECEIVE.with(|_| ());
}

/// Caps the pipes of the calling thread at `slots` slots (at least 1; `None` removes the cap) and
/// closes the ones it has. For memory-constrained callers, and for tests of what happens when the
/// kernel grants little.
pub fn limit_thread_slots(slots: Option<usize>) {
    LIMIT.set(slots.map_or(usize::MAX, |slots| slots.max(1)));
    GROWTH.set(UNTRIED);
    REPLY.set(None);
    RECEIVE.set(None);
}

/// A pipe in exclusive use by the calling thread; closed when dropped, kept by [`Lease::finish`].
pub struct Lease {
    role: Role,
    cached: Cached,
}

impl Lease {
    /// This thread's pipe for `role`: an empty one from earlier or a new one. One that was made
    /// before a fork and is now shared with the parent is not used. `EMFILE`, `ENFILE` if a new
    /// pipe is needed and there are no descriptors.
    pub fn take(role: Role) -> Result<Lease> {
        let generation = fork::generation();
        // The cache is gone while the thread is ending; a pipe made then is simply not kept.
        let kept = slot(role, Cell::take).flatten();
        if let Some(cached) = kept.filter(|cached| cached.generation == generation) {
            return Ok(Lease { role, cached });
        }
        let mut pipe = Pipe::new()?;
        let limit = LIMIT.get();
        if pipe.slots() > limit {
            pipe.resize(limit)?;
        }
        Ok(Lease { role, cached: Cached { pipe, page: None, generation } })
    }

    /// Grows the pipe to `wanted` slots if the kernel lets it and returns how many it now has,
    /// which may be fewer or more. A refusal is remembered for the thread, so that it costs system
    /// calls only now and then.
    pub fn reserve(&mut self, wanted: usize) -> usize {
        let pipe = &mut self.cached.pipe;
        let wanted = wanted.min(LIMIT.get());
        if pipe.slots() >= wanted {
            return pipe.slots();
        }
        let mut growth = GROWTH.get();
        if wanted > growth.ceiling {
            growth.denied += 1;
            if growth.denied > ASK_AGAIN {
                growth = UNTRIED;
            }
        }
        // The kernel rounds up to powers of two, so halving tries each size there is.
        let mut size = wanted.min(growth.ceiling).next_power_of_two();
        while size > pipe.slots() {
            match pipe.resize(size) {
                Ok(_) => break,
                Err(error) => {
                    log::debug!("a splice pipe of {size} pages was refused: {error}");
                    size /= 2;
                    growth.ceiling = size.max(pipe.slots());
                }
            }
        }
        GROWTH.set(growth);
        pipe.slots()
    }

    /// The pipe itself.
    pub fn pipe(&self) -> &Pipe {
        &self.cached.pipe
    }

    /// The end that data leaves by.
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.cached.pipe.reader()
    }

    /// The end that data enters by.
    pub fn writer(&self) -> BorrowedFd<'_> {
        self.cached.pipe.writer()
    }

    /// The shared page that belongs to this pipe, for the message header. Its content may be
    /// replaced as soon as the pipe has been emptied into something that is done with the pages.
    pub fn page(&mut self) -> Result<&mut SharedPage> {
        match &mut self.cached.page {
            Some(page) => Ok(page),
            none => Ok(none.insert(SharedPage::new()?)),
        }
    }

    /// Puts a reference to the first `len` bytes of the shared page into the pipe. What is stored
    /// in the page later still shows in the pipe.
    pub fn put_head(&self, len: usize) -> Result<usize> {
        match &self.cached.page {
            Some(page) => page.vmsplice(self.writer(), len),
            None => Err(Errno::EINVAL),
        }
    }

    /// Gives up the shared page, because a receiver may still be looking at it; the next message
    /// gets a fresh one.
    pub fn retire_page(&mut self) {
        self.cached.page = None;
    }

    /// Keeps the pipe for the thread's next request. It must be empty.
    pub fn finish(self) {
        debug_assert_eq!(self.cached.pipe.buffered(), Ok(0), "a dirty pipe must not be kept");
        slot(self.role, |slot| slot.set(Some(self.cached)));
    }
}

fn slot<T>(role: Role, using: impl FnOnce(&Cell<Option<Cached>>) -> T) -> Option<T> {
    match role {
        Role::Reply => REPLY.try_with(using),
        Role::Receive => RECEIVE.try_with(using),
    }
    .ok()
}
