//! An entry, and whose turn it is to use its memory.

use std::cell::Cell;
use std::io::IoSlice;

use crate::sys::lock::Mutex;
use zerocopy::FromBytes;

use super::buffers::Buffers;
use super::message::Arrived;
use crate::errno::{Errno, Result};
use crate::wire::layout::{InHeader, OutHeader};
use crate::wire::{OUT_HEADER_SIZE, Opcode};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The kernel's: the entry is armed, or was never registered.
    Kernel,
    /// The filesystem's: a request waits for its answer.
    Serving,
    /// An answer is being read into the payload.
    Filling,
    /// The answer is complete and waits to be committed.
    Answered,
}

#[derive(Debug)]
struct Turn {
    phase: Phase,
    /// Counts requests, so that a handler can tell whether the one it served is still there.
    serial: u64,
    unique: u64,
    commit_id: u64,
    /// A handler has not returned yet.
    running: bool,
    /// It looks at the payload itself, which nothing may be written to therefore.
    in_place: bool,
    /// An answer by the handler's own thread waits for the handler's end.
    defers: bool,
    /// Somebody has taken it upon himself to commit the answer.
    taken: bool,
    header: OutHeader,
    payload: usize,
    /// The answer's payload while that can't be written yet; such answers are short.
    aside: Vec<u8>,
}

/// What is to be done with an answer that was just completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing: whoever runs the handler commits it.
    AtEnd,
    /// The caller has it committed. `running`: the handler has not returned, so that its thread
    /// can't do it.
    Now {
        /// The handler still runs.
        running: bool,
    },
}

/// What a handler left when it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, for the caller to commit.
    Commit,
    /// No answer yet; it will be delivered by whoever gives it.
    Unanswered,
    /// The answer has been committed, or will be, by somebody else, whose entry this is now.
    Gone,
}

/// A kernel entry of one queue.
#[derive(Debug)]
pub struct Entry {
    queue: u16,
    buffers: Buffers,
    turn: Mutex<Turn>,
}

/// Something that is, or belongs to, an entry.
pub trait HasEntry {
    /// The entry.
    fn entry(&self) -> &Entry;
}

thread_local! {
    /// The entry whose request this thread's handler serves, by address.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// Whether the calling thread runs the handler of this entry's request.
pub fn current(entry: &Entry) -> bool {
    CURRENT.get() == std::ptr::from_ref(entry).addr()
}

impl Entry {
    /// An entry for `queue` with room for `payload` bytes, not yet registered. `ENOMEM`.
    pub fn new(queue: u16, payload: usize) -> Result<Entry> {
        let turn = Turn {
            phase: Phase::Kernel,
            serial: 0,
            unique: 0,
            commit_id: 0,
            running: false,
            in_place: false,
            defers: false,
            taken: false,
            header: OutHeader { len: 0, error: 0, unique: 0 },
            payload: 0,
            aside: Vec::new(),
        };
        Ok(Entry { queue, buffers: Buffers::new(payload)?, turn: Mutex::new(turn) })
    }

    /// The queue it belongs to.
    pub fn queue(&self) -> u16 {
        self.queue
    }

    /// The memory, for registration.
    pub(super) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// Takes the request that has arrived. `defers`: an answer by this thread, from within the
    /// handler, waits for the handler's end. `None` if there is none, or it makes no sense.
    pub fn begin(&self, defers: bool) -> Option<Handling<'_>> {
        let mut turn = self.turn.lock();
        if turn.phase != Phase::Kernel {
            return None;
        }
        let arrived = self.buffers.arrived()?;
        // What was here before is still there if it was not the kernel that completed the command, but
        // another file by the descriptor's number. Ids of retrieved data are this side's own.
        let same = turn.serial != 0 && arrived.header.unique == turn.unique;
        if same && arrived.header.opcode != Opcode::NotifyReply as u32 {
            return None;
        }
        turn.phase = Phase::Serving;
        turn.serial += 1;
        turn.unique = arrived.header.unique;
        turn.commit_id = arrived.commit_id;
        turn.running = true;
        turn.in_place = false;
        turn.defers = defers;
        turn.taken = false;
        CURRENT.set(std::ptr::from_ref(self).addr());
        Some(Handling { entry: self, serial: turn.serial, arrived, finished: false })
    }

    /// The header of the request that has arrived, for whoever got its completion and has not called
    /// [`Entry::begin`]. `None` if there is none, or it makes no sense.
    pub fn arrived_header(&self) -> Option<InHeader> {
        let turn = self.turn.lock();
        (turn.phase == Phase::Kernel).then(|| self.buffers.arrived())?.map(|arrived| arrived.header)
    }

    /// Whether this is what the request with this id waits for.
    fn expects(turn: &Turn, unique: u64) -> bool {
        turn.phase == Phase::Serving && turn.unique == unique
    }

    /// Whether a request with this id is being served here.
    pub fn serves(&self, unique: u64) -> bool {
        Entry::expects(&self.turn.lock(), unique)
    }

    /// Where the answer to this request goes to, and how much fits there. `None` if the request is not
    /// here or its own data stands there.
    pub fn place(&self, unique: u64) -> Option<(*mut u8, usize)> {
        let turn = self.turn.lock();
        let free = Entry::expects(&turn, unique) && !(turn.running && turn.in_place);
        free.then(|| (self.buffers.payload_start(), self.buffers.payload_size()))
    }

    /// Takes an answer in one piece: header, then payload. `None` if its request is not here;
    /// `EINVAL` if the kernel would refuse it.
    pub fn answer(&self, message: &[IoSlice<'_>]) -> Option<Result<Delivery>> {
        let (header, _) = OutHeader::read_from_prefix(message.first()?).ok()?;
        let mut turn = self.turn.lock();
        if !Entry::expects(&turn, header.unique) {
            return None;
        }
        let total: usize = message.iter().map(|part| part.len()).sum();
        let size = total - OUT_HEADER_SIZE;
        if header.error > 0 || header.error <= -512 || size > self.buffers.payload_size() {
            return Some(Err(Errno::EINVAL));
        }
        turn.aside.clear();
        let aside = turn.running && turn.in_place;
        let mut offset = 0;
        for (n, part) in message.iter().enumerate() {
            let part = if n == 0 { &part[OUT_HEADER_SIZE..] } else { part };
            if aside {
                turn.aside.extend_from_slice(part);
            } else {
                // SAFETY: the phase says that the entry is not armed, the lock is held, no handler
                // looks at the payload, and nobody fills it.
                unsafe { self.buffers.store(offset, part) };
            }
            offset += part.len();
        }
        Some(Ok(self.complete(&mut turn, header, size)))
    }

    /// Lets `fill` write an answer's payload where it belongs and say how long it is; header and
    /// error are those of success. `None` if the request is not here or its payload is in use; then
    /// `fill` was not called. An error of `fill` leaves the request unanswered.
    pub fn fill(
        &self,
        unique: u64,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<usize>,
    ) -> Option<Result<(usize, Delivery)>> {
        {
            let mut turn = self.turn.lock();
            if !Entry::expects(&turn, unique) || (turn.running && turn.in_place) {
                return None;
            }
            turn.phase = Phase::Filling;
        }
        let unfilled = Unfilled(self);
        // SAFETY: the phase makes the payload this call's alone until it changes below.
        let filled = fill(unsafe { self.buffers.payload() });
        drop(unfilled);
        let mut turn = self.turn.lock();
        Some(filled.map(|len| {
            let len = len.min(self.buffers.payload_size());
            turn.aside.clear();
            let header = OutHeader { len: (OUT_HEADER_SIZE + len) as u32, error: 0, unique };
            (len, self.complete(&mut turn, header, len))
        }))
    }

    fn complete(&self, turn: &mut Turn, header: OutHeader, payload: usize) -> Delivery {
        turn.phase = Phase::Answered;
        turn.header = header;
        turn.payload = payload;
        let waits = turn.running && (turn.in_place || (turn.defers && current(self)));
        turn.taken = !waits;
        if waits { Delivery::AtEnd } else { Delivery::Now { running: turn.running } }
    }

    /// Takes an answer that waits for its handler's end, for the caller to commit at once. False if
    /// there is none, or it must wait.
    pub fn take_early(&self) -> bool {
        let mut turn = self.turn.lock();
        let takes = turn.phase == Phase::Answered && !turn.taken && turn.running && !turn.in_place;
        turn.taken |= takes;
        takes
    }

    /// Writes the answer for the kernel, whose turn it is from now on. Returns what to commit it
    /// with, or `None` if there is no answer that can be committed.
    pub(super) fn give_to_kernel(&self) -> Option<u64> {
        let mut turn = self.turn.lock();
        if turn.phase != Phase::Answered || !turn.taken || (turn.running && turn.in_place) {
            return None;
        }
        let aside = std::mem::take(&mut turn.aside);
        // SAFETY: the phase says that the entry is not armed, and the lock is held; no handler looks
        // at the payload.
        unsafe {
            self.buffers.store(0, &aside);
            self.buffers.answer(&turn.header, turn.payload);
        }
        turn.phase = Phase::Kernel;
        turn.running = false;
        Some(turn.commit_id)
    }
}

/// Gives an entry that is being filled back, also if filling it panics.
struct Unfilled<'e>(&'e Entry);

impl Drop for Unfilled<'_> {
    fn drop(&mut self) {
        self.0.turn.lock().phase = Phase::Serving;
    }
}

/// A request while its handler runs.
#[derive(Debug)]
pub struct Handling<'e> {
    entry: &'e Entry,
    serial: u64,
    arrived: Arrived,
    finished: bool,
}

impl Handling<'_> {
    /// The request's header and lengths.
    pub fn arrived(&self) -> &Arrived {
        &self.arrived
    }

    /// The request as one message, in place. Until the handler has returned, an answer is kept
    /// aside and not committed.
    pub fn message_in_place(&mut self) -> &[u8] {
        self.entry.turn.lock().in_place = true;
        // SAFETY: nobody writes to the payload while `running` and `in_place`, which `finish` ends:
        // that takes `self`, which this borrows. Filling it had not begun: nobody else knew of it.
        unsafe { self.entry.buffers.whole_message(&self.arrived) }
    }

    /// The request as one message, copied into `buffer`; its length.
    pub fn copy_message(&mut self, buffer: &mut [u8]) -> usize {
        // SAFETY: nobody was told of the request yet, so nobody answers it.
        let message = unsafe { self.entry.buffers.whole_message(&self.arrived) };
        let len = message.len().min(buffer.len());
        buffer[..len].copy_from_slice(&message[..len]);
        len
    }

    /// The handler has returned.
    pub fn finish(mut self) -> Outcome {
        self.end()
    }

    fn end(&mut self) -> Outcome {
        self.finished = true;
        CURRENT.set(0);
        let mut turn = self.entry.turn.lock();
        if turn.serial != self.serial || turn.phase == Phase::Kernel {
            return Outcome::Gone;
        }
        turn.running = false;
        turn.in_place = false;
        match turn.phase {
            Phase::Answered if turn.taken => Outcome::Gone,
            Phase::Answered => {
                turn.taken = true;
                Outcome::Commit
            }
            _ => Outcome::Unanswered,
        }
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    fn reply(unique: u64, bytes: &[u8]) -> Option<Result<Delivery>> {
        let _ = bytes;
        let header = OutHeader { len: 16 + bytes.len() as u32, error: 0, unique };
        ENTRY.with(|entry| entry.answer(&[IoSlice::new(header.as_bytes()), IoSlice::new(bytes)]))
    }

    thread_local! {
        static ENTRY: Entry = {
            let entry = Entry::new(0, 4096).unwrap();
            entry.turn.lock().unique = 8;
            entry
        };
    }

    /// As if the kernel had put a request there.
    fn arrive(running: bool, in_place: bool, defers: bool) {
        ENTRY.with(|entry| {
            let mut turn = entry.turn.lock();
            turn.phase = Phase::Serving;
            turn.running = running;
            turn.in_place = in_place;
            turn.defers = defers;
            turn.taken = false;
            CURRENT.set(std::ptr::from_ref(entry).addr());
        });
    }

    #[test]
    fn an_answer_goes_to_whoever_can_commit_it() {
        arrive(true, false, true);
        assert_eq!(reply(10, b"x"), None);
        assert_eq!(reply(8, b"x"), Some(Ok(Delivery::AtEnd)));
        assert_eq!(reply(8, b"x"), None, "only one answer");
        ENTRY.with(|entry| {
            assert_eq!(entry.give_to_kernel(), None, "nobody has taken it");
            assert!(entry.take_early() && !entry.take_early());
            assert_eq!(entry.give_to_kernel(), Some(0));
        });
        arrive(true, false, false);
        assert_eq!(reply(8, b"x"), Some(Ok(Delivery::Now { running: true })));
        arrive(false, false, true);
        assert_eq!(reply(8, b"x"), Some(Ok(Delivery::Now { running: false })));
    }

    #[test]
    fn what_a_handler_looks_at_is_not_overwritten() {
        arrive(true, true, false);
        assert_eq!(reply(8, b"new"), Some(Ok(Delivery::AtEnd)));
        ENTRY.with(|entry| {
            // SAFETY: nobody else knows the entry.
            assert_eq!(unsafe { &entry.buffers.payload()[..3] }, [0; 3]);
            assert!(!entry.take_early());
            let mut turn = entry.turn.lock();
            turn.running = false;
            turn.taken = true;
            drop(turn);
            assert_eq!(entry.give_to_kernel(), Some(0));
            // SAFETY: as above.
            assert_eq!(unsafe { &entry.buffers.payload()[..3] }, b"new");
        });
    }

    #[test]
    fn filling_that_fails_leaves_the_request() {
        arrive(true, false, false);
        ENTRY.with(|entry| {
            let failed = entry.fill(8, &mut |_| Err(Errno::EIO));
            assert_eq!(failed, Some(Err(Errno::EIO)));
            assert!(entry.serves(8));
            let filled = entry.fill(8, &mut |room| {
                room[0] = 7;
                Ok(1)
            });
            assert_eq!(filled, Some(Ok((1, Delivery::Now { running: true }))));
        });
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused_here() {
        arrive(true, false, false);
        assert_eq!(reply(8, &[0; 5000]), Some(Err(Errno::EINVAL)));
        ENTRY.with(|entry| {
            let header = OutHeader { len: 16, error: 5, unique: 8 };
            let message = [IoSlice::new(header.as_bytes())];
            assert_eq!(entry.answer(&message), Some(Err(Errno::EINVAL)));
        });
    }
}
