//! Waking a thread that waits in its ring.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::errno::Result;

/// An eventfd that its owner's ring reads. Anybody may ring; rings before the owner looks are one.
#[derive(Debug)]
pub struct Bell(EventFd);

impl Bell {
    /// A silent bell. `EMFILE`, `ENFILE` when descriptors run out.
    pub fn new() -> Result<Bell> {
        Ok(Bell(EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC)?))
    }

    /// Wakes the owner, now or when it next waits.
    pub fn ring(&self) {
        // Fails only if 2^64 rings are outstanding.
        let _ = self.0.write(1);
    }

    /// The descriptor to be read.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Bell> for OwnedFd {
    fn from(bell: Bell) -> OwnedFd {
        bell.0.into()
    }
}
