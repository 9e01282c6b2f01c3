//! A kernel entry as a channel: what answers the request in it.

use std::cell::RefCell;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::{Arc, Weak};

use zerocopy::IntoBytes;

use crate::errno::{Errno, Result};
use crate::stats::counters::Route;
use crate::sys::uring::{Delivery, Entry, HasEntry, Inherited, current};
use crate::transport::Channel;
use crate::wire::OUT_HEADER_SIZE;
use crate::wire::layout::OutHeader;

/// Who commits answers that the thread of an entry's handler does not commit by itself.
pub trait Home: Send + Sync {
    /// `answered` has an answer, to be committed soon. `running`: its handler has not returned.
    fn deliver(&self, answered: Arc<RingChannel>, running: bool);
}

/// An entry, the device beside it for all that is no answer to its request, and its home.
pub struct RingChannel {
    entry: Entry,
    device: Arc<dyn Channel>,
    home: Arc<dyn Home>,
    me: Weak<RingChannel>,
    /// A forked child can't answer: what it would write stays in its own memory.
    made: Inherited<()>,
}

impl HasEntry for RingChannel {
    fn entry(&self) -> &Entry {
        &self.entry
    }
}

impl RingChannel {
    /// A new entry for a queue. `ENOMEM`.
    pub fn new(
        queue: u16,
        payload: usize,
        device: &Arc<dyn Channel>,
        home: Arc<dyn Home>,
    ) -> Result<Arc<RingChannel>> {
        let entry = Entry::new(queue, payload)?;
        let device = device.clone();
        let made = Inherited::new(());
        Ok(Arc::new_cyclic(|me| RingChannel { entry, device, home, me: me.clone(), made }))
    }

    fn deliver(&self, delivery: Delivery) {
        if let Delivery::Now { running } = delivery
            && let Some(me) = self.me.upgrade()
        {
            self.home.deliver(me, running);
        }
    }
}

impl Channel for RingChannel {
    fn raw_fd(&self) -> RawFd {
        self.device.raw_fd()
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        self.device.read(buf)
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        if self.made.is_inherited() {
            return Err(Errno::ENOTCONN);
        }
        match self.entry.answer(message) {
            Some(delivery) => {
                self.deliver(delivery?);
                Ok(message.iter().map(|part| part.len()).sum())
            }
            // No answer to this request: one to an interrupt.
            None => self.device.writev(message),
        }
    }

    fn can_splice_in(&self) -> bool {
        false
    }

    fn can_splice_out(&self) -> bool {
        false
    }

    fn splice_in(&self, _pipe: BorrowedFd<'_>, _len: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn splice_out(&self, _pipe: BorrowedFd<'_>, _len: usize, _steal: bool) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        self.device.try_clone()
    }

    fn route(&self) -> Route {
        Route::Ring
    }

    fn fill_answer(
        &self,
        unique: u64,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<usize>,
    ) -> Option<Result<usize>> {
        if self.made.is_inherited() {
            return Some(Err(Errno::ENOTCONN));
        }
        let filled = self.entry.fill(unique, fill)?;
        Some(filled.map(|(len, delivery)| {
            self.deliver(delivery);
            len
        }))
    }

    fn serves_by_ring(&self, unique: u64) -> bool {
        self.entry.serves(unique)
    }

    fn answer_place(&self, unique: u64) -> Option<(*mut u8, usize)> {
        self.entry.place(unique)
    }

    fn abandon(&self, unique: u64) {
        if !self.entry.serves(unique) {
            return;
        }
        let header = OutHeader { len: OUT_HEADER_SIZE as u32, error: 0, unique };
        // Nothing that could be refused.
        let _ = self.writev(&[IoSlice::new(header.as_bytes())]);
    }
}

thread_local! {
    /// What this thread's handler serves.
    static HERE: RefCell<Option<Arc<RingChannel>>> = const { RefCell::new(None) };
}

/// Has the calling thread's place for that made.
pub fn claim_storage() {
    HERE.with(|_| ());
}

/// Names what this thread's handler serves from now on.
pub fn serving(channel: Option<Arc<RingChannel>>) {
    HERE.replace(channel);
}

/// Sends the answer of this thread's handler, if it waits for the handler's end. To be called before
/// anything that may make the handler wait for the one who waits for the answer.
pub fn flush() {
    let waiting = HERE.with_borrow(|here| {
        let here = here.as_ref().filter(|here| {
            !here.made.is_inherited() && current(&here.entry) && here.entry.take_early()
        });
        here.cloned()
    });
    if let Some(channel) = waiting {
        channel.home.clone().deliver(channel, true);
    }
}
