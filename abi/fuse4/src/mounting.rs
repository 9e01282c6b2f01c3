//! Mounting a session, with INIT answered before the mount appears where that is wanted.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use ferrofuse::mount::{self, MountOptions, MountPoint, Watcher};
use ferrofuse::session::{EarlyServer, Session};
use ferrofuse::sys::lock::Mutex;
use ferrofuse::transport::Device;
use ferrofuse::{Errno, Result};

use crate::newer::early;
use crate::newer::watchdog::Watchdog;

/// What mounting has to know of a session.
pub struct Mounting {
    /// Whether the program wants synchronous INIT; `None` if it has not said.
    pub sync_init: Mutex<Option<bool>>,
    /// The session's watchdog, if it has one.
    pub watchdog: Mutex<Option<Arc<Watchdog>>>,
}

/// Serves INIT while the mount is being made.
struct SyncInit<'s> {
    session: &'s Arc<Session>,
    server: Option<EarlyServer>,
}

impl SyncInit<'_> {
    fn finish(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), EarlyServer::finish)
    }
}

impl Watcher for SyncInit<'_> {
    fn opened(&mut self, device: BorrowedFd<'_>) {
        let prepare = || -> Result<Option<EarlyServer>> {
            if !self.session.wants_early_service(device) {
                return Ok(None);
            }
            let own = device.try_clone_to_owned()?;
            self.session.attach(Arc::new(Device::new(own)))?;
            self.session.serve_early().map(Some)
        };
        self.server = prepare().unwrap_or_else(|error| {
            log::warn!("fuse: no synchronous INIT: {error}");
            self.session.detach();
            None
        });
    }

    fn given_up(&mut self) {
        if self.server.is_some() {
            // It had nothing to read from.
            let _ = self.finish();
            self.session.detach();
        }
    }
}

impl Mounting {
    /// Of a new session.
    pub fn new() -> Mounting {
        Mounting { sync_init: Mutex::new(None), watchdog: Mutex::new(None) }
    }

    /// Mounts, and lets the session serve the device.
    pub fn mount(
        &self,
        session: &Arc<Session>,
        mountpoint: &Path,
        options: &MountOptions,
    ) -> Result<MountPoint> {
        let wanted = self.sync_init.lock().unwrap_or_else(early::is_used);
        let (device, point) = if wanted {
            let mut sync_init = SyncInit { session, server: None };
            let mounted = mount::mount_watched(mountpoint, options, &mut sync_init)?;
            let early = sync_init.server.is_some();
            let finished = sync_init.finish();
            let (device, point) = mounted.into_parts();
            if early && (finished.is_err() || session.exit().is_requested()) {
                log::error!("fuse: INIT failed (mounting on {})", mountpoint.display());
                session.detach();
                // Logged where it failed.
                let _ = point.unmount(Some(device));
                return Err(finished.err().unwrap_or(Errno::EPROTO));
            }
            (device, point)
        } else {
            mount::mount(mountpoint, options)?.into_parts()
        };
        if session.channel().is_none() {
            session.attach(Arc::new(Device::new(device)))?;
        }
        early::set_mounted();
        Ok(point)
    }

    /// The session is about to be freed.
    pub fn end(&self) {
        if let Some(watchdog) = self.watchdog.lock().take() {
            watchdog.session_ends();
        }
    }
}
