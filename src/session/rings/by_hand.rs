//! Requests of rings for programs that read by themselves.
//!
//! The ring of a single-threaded loop stays with the thread that ran it. If that thread goes on with a loop of the
//! program's own, what arrives in the ring is copied into the program's buffer, as a read of the device would do it,
//! and what answers it when the program has it served is the entry that it came in.

use std::sync::Arc;
use std::time::Duration;

use crate::sys::lock::Mutex;

use super::doorbell;
use super::solo::{Solo, set_blocking};
use crate::errno::{Errno, Result};
use crate::session::Session;
use crate::session::loops::Step;
use crate::session::receive::{Message, blocks};
use crate::sys::uring::{Event, HasEntry};
use crate::transport::Channel;
use crate::transport::uring::RingChannel;
use crate::wire::request;

/// The requests that programs were given and have not had served, with where they came from.
#[derive(Default)]
pub(in crate::session) struct HandedOut(Mutex<Vec<(u64, Arc<RingChannel>)>>);

impl HandedOut {
    fn add(&self, unique: u64, channel: Arc<RingChannel>) {
        self.0.lock().push((unique, channel));
    }

    /// Where this request came from, if it was handed out and not asked for yet.
    pub fn take(&self, message: &Message<'_>) -> Option<Arc<dyn Channel>> {
        let unique = request::header(message.bytes(), message.len()).ok()?.unique;
        let mut list = self.0.lock();
        let at = list.iter().position(|(handed_out, _)| *handed_out == unique)?;
        Some(list.swap_remove(at).1)
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Solo {
    /// Waits for a request, by the ring or the device, and copies it into `buffer`: [`Session::receive`].
    pub(in crate::session) fn receive(
        &self,
        session: &Arc<Session>,
        buffer: &mut [u8],
    ) -> Result<usize> {
        let waits = blocks(&*self.device);
        let mut looked = false;
        while !session.exit().is_requested() {
            let received = match self.next_event() {
                None if looked && !waits => return Err(Errno::EAGAIN),
                None => {
                    looked = true;
                    if let Step::Again = self.wait(session, (!waits).then_some(Duration::ZERO))? {
                        return Err(Errno::EINTR);
                    }
                    None
                }
                Some(Event::Bell) => None,
                Some(Event::Ready) => self.read_device(session, buffer, waits)?,
                Some(Event::Entry(channel, Ok(()))) => self.hand_out(session, &channel, buffer)?,
                Some(Event::Entry(_, Err(error))) => {
                    self.entry_ended(error)?;
                    None
                }
            };
            if let Some(len) = received {
                return Ok(len);
            }
        }
        Ok(0)
    }

    /// The device may have something; `None` if it has not.
    fn read_device(
        &self,
        session: &Session,
        buffer: &mut [u8],
        waits: bool,
    ) -> Result<Option<usize>> {
        // Another thread may have been faster.
        set_blocking(&self.device, false)?;
        let received = session.read_once(&*self.device, buffer);
        if waits {
            set_blocking(&self.device, true)?;
        }
        if received == Err(Errno::EAGAIN) {
            self.poll_device()?;
            return Ok(None);
        }
        // There may be more.
        self.put_off(Event::Ready);
        received
    }

    /// A request has arrived in an entry; `None` if it is none for the program.
    fn hand_out(
        &self,
        session: &Arc<Session>,
        channel: &Arc<RingChannel>,
        buffer: &mut [u8],
    ) -> Result<Option<usize>> {
        let queue = channel.entry().queue();
        self.disarmed(queue);
        let Some(mut handling) = channel.entry().begin(false) else {
            log::error!("fuse: malformed request in queue {queue}");
            return Err(Errno::EIO);
        };
        let header = handling.arrived().header;
        if doorbell::is_echo(&header) {
            channel.abandon(header.unique);
        } else if header.len as usize > buffer.len() {
            // As the device does it.
            let channel: Arc<dyn Channel> = channel.clone();
            session.decline(&header, Errno::EIO, &channel);
        } else {
            self.note(&header);
            let len = handling.copy_message(buffer);
            // From here on the answer may come from anywhere.
            handling.finish();
            session.handed_out.add(header.unique, channel.clone());
            self.renew(queue);
            return Ok(Some(len));
        }
        handling.finish();
        Ok(None)
    }
}
