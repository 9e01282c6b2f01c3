//! Serving the request in an entry: the same for all kinds of threads.

use std::sync::Arc;

use super::super::errand::Errand;
use super::super::receive::{DATA_OFFSET, Message, RequestBuffer};
use super::super::{Session, dispatch};
use super::doorbell::{self, RegularFiles};
use crate::errno::Errno;
use crate::sys::uring::{HasEntry, Outcome};
use crate::transport::Channel;
use crate::transport::uring::{RingChannel, serving};
use crate::wire::Opcode;

/// From this size on, a WRITE is handed out where it lies. Below, and for all other requests, a copy
/// costs less than what an answer kept aside would.
const IN_PLACE_MIN: usize = 32 * 1024;

/// What most requests fit into, in bytes.
const USUAL: usize = 8192;

/// A thread's means to serve requests.
pub(super) struct Server {
    buffer: RequestBuffer,
    errand: Arc<Errand>,
    files: Arc<RegularFiles>,
}

impl Server {
    pub fn new(errand: Arc<Errand>, files: Arc<RegularFiles>) -> Server {
        Server { buffer: RequestBuffer::default(), errand, files }
    }

    /// Serves the request that has arrived in `channel`. `defers`: an answer from within the handler
    /// is committed by the caller when this returns.
    pub fn serve(
        &mut self,
        session: &Arc<Session>,
        channel: &Arc<RingChannel>,
        defers: bool,
    ) -> Outcome {
        let Some(mut handling) = channel.entry().begin(defers) else {
            log::error!("fuse: malformed request in queue {}", channel.entry().queue());
            // Not the kernel's: it would come again and again.
            session.reading_failed(Errno::EIO);
            return Outcome::Gone;
        };
        let header = handling.arrived().header;
        if doorbell::is_echo(&header) {
            channel.abandon(header.unique);
            return handling.finish();
        }
        self.files.note(&header);
        serving(Some(channel.clone()));
        if self.errand.begin(&header) {
            session.placement.stir();
        }
        let dyn_channel: Arc<dyn Channel> = channel.clone();
        let in_place = header.opcode == Opcode::Write as u32 && header.len as usize >= IN_PLACE_MIN;
        // A panic in the engine itself must not end the loop either.
        if in_place {
            let message = Message::in_memory(handling.message_in_place());
            dispatch::contain("a request", || session.serve_message(message, &dyn_channel));
        } else {
            let size = (header.len as usize).max(DATA_OFFSET).max(USUAL);
            match self.buffer.sized(size) {
                Ok(bytes) => {
                    let len = handling.copy_message(bytes);
                    let message = self.buffer.message(len);
                    dispatch::contain("a request", || session.serve_message(message, &dyn_channel));
                }
                Err(error) => {
                    log::error!("fuse: no memory for a request of {size} bytes: {error}");
                    session.decline(&header, error, &dyn_channel);
                }
            }
        }
        self.errand.end();
        serving(None);
        handling.finish()
    }
}
