//! Serving while a mount is being made.
//!
//! With synchronous INIT (Linux 6.18) mounting waits for the answer to INIT, and for what the kernel may
//! ask after it, so somebody has to serve requests meanwhile.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{LoopKind, Message, Session};
use crate::errno::{Errno, Result};
use crate::sys::sync_init;
use crate::sys::wake::Reader;
use crate::transport::uring::TransportChoice;

/// How often a thread that is to stop is told so.
const REPEAT: Duration = Duration::from_millis(2);

/// A thread that serves a session's requests one after the other, for as long as mounting takes.
pub struct EarlyServer {
    stop: Arc<AtomicBool>,
    reader: Arc<Reader>,
    thread: JoinHandle<Result<()>>,
}

impl Session {
    /// Asks the kernel for synchronous INIT on `device`, which is open and not mounted yet. False where
    /// the kernel does not know it, or requests shall come by io_uring: which of them a loop can take
    /// is only known when it begins.
    pub fn wants_early_service(&self, device: BorrowedFd<'_>) -> bool {
        if self.config.transport.choice == TransportChoice::Uring {
            return false;
        }
        sync_init::request(device)
            .inspect_err(|error| match *error {
                Errno::ENOTTY => log::debug!("fuse: kernel doesn't support sync init"),
                _ => log::warn!("fuse: failed to enable sync init: {error}"),
            })
            .is_ok()
    }

    /// Starts to serve the session's channel. Whoever mounts calls [`EarlyServer::finish`] afterwards.
    ///
    /// # Errors
    /// No thread, or no channel (`ENOTCONN`).
    pub fn serve_early(self: &Arc<Self>) -> Result<EarlyServer> {
        let channel = self.channel().ok_or(Errno::ENOTCONN)?;
        *self.loop_kind.lock() = LoopKind::Early;
        let (stop, reader) = (Arc::<AtomicBool>::default(), Arc::<Reader>::default());
        let (session, told, bound) = (self.clone(), stop.clone(), reader.clone());
        let serve = move || {
            let _mask = bound.bind();
            let mut buffer = vec![0; session.buffer_size()];
            let result = loop {
                bound.enter();
                if told.load(Ordering::SeqCst) {
                    break Ok(());
                }
                let received = session.receive(&*channel, &mut buffer);
                bound.leave();
                match received {
                    Ok(0) => break Ok(()),
                    Ok(len) => session.process(Message::in_memory(&buffer[..len]), &channel),
                    Err(Errno::EINTR) => {}
                    // An unmounted device once the attempt to mount it was given up.
                    Err(_) if told.load(Ordering::SeqCst) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            bound.unbind();
            result
        };
        let thread = thread::Builder::new().name("fuse_sync_init".to_owned()).spawn(serve)?;
        Ok(EarlyServer { stop, reader, thread })
    }
}

impl EarlyServer {
    /// Ends the thread, when the mount is made or has failed.
    ///
    /// # Errors
    /// Reading failed. Logged.
    pub fn finish(self) -> Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        while !self.thread.is_finished() {
            self.reader.kick();
            thread::sleep(REPEAT);
        }
        self.thread.join().unwrap_or(Err(Errno::EIO))
    }
}
