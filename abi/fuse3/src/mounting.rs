//! Mounting a session.

use std::path::Path;
use std::sync::Arc;

use ferrofuse::Result;
use ferrofuse::mount::{self, MountOptions, MountPoint};
use ferrofuse::session::Session;
use ferrofuse::transport::Device;

/// What mounting has to know of a session: nothing.
#[derive(Debug)]
pub struct Mounting;

impl Mounting {
    /// Of a new session.
    pub const fn new() -> Mounting {
        Mounting
    }

    /// Mounts, and lets the session serve the device.
    pub fn mount(
        &self,
        session: &Arc<Session>,
        mountpoint: &Path,
        options: &MountOptions,
    ) -> Result<MountPoint> {
        let (device, point) = mount::mount(mountpoint, options)?.into_parts();
        session.attach(Arc::new(Device::new(device)))?;
        Ok(point)
    }

    /// The session is about to be freed.
    pub fn end(&self) {}
}
