//! Waiting for one of two things: what a device has to say, and a bell that another thread rings.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Rung once, it stays so.
#[derive(Debug)]
pub struct Bell(EventFd);

impl Bell {
    /// A bell that was not rung.
    ///
    /// # Errors
    /// No descriptor to be had.
    pub fn new() -> io::Result<Bell> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Bell(EventFd::from_value_and_flags(0, flags)?))
    }

    /// Rings it.
    pub fn ring(&self) {
        // Fails only where it was rung 2^64 times.
        let _ = self.0.write(1);
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The bell.
    ByBell,
    /// The connection of the device is gone.
    ByHangup,
    /// Nothing but the time.
    ByTime,
}

/// Until the kernel has ended the connection of `device`, or the bell is rung.
pub fn for_hangup(device: BorrowedFd<'_>, bell: &Bell) -> Woken {
    loop {
        let mut fds = [
            PollFd::new(bell.0.as_fd(), PollFlags::POLLIN),
            PollFd::new(device, PollFlags::empty()),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            // Memory is short; looked at once more.
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
            Ok(_) if fds[0].any() == Some(true) => return Woken::ByBell,
            Ok(_) => {
                if fds[1].any() == Some(true) {
                    return Woken::ByHangup;
                }
            }
        }
    }
}

/// Whether the kernel has ended the connection of `device`, after an unmount or an abort.
pub fn is_over(device: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(device, PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO) == Ok(1)
        && fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
}

/// Until the bell is rung, or so many seconds have passed.
pub fn for_bell(bell: &Bell, seconds: u32) -> Woken {
    let end = Instant::now() + Duration::from_secs(seconds.into());
    loop {
        let left = end.saturating_duration_since(Instant::now());
        // Up to a millisecond late, never early, and never longer than the call can wait.
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(bell.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, left) {
            Ok(1..) => return Woken::ByBell,
            _ if Instant::now() >= end => return Woken::ByTime,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_that_was_rung_is_heard() {
        let bell = Bell::new().unwrap();
        assert_eq!(for_bell(&bell, 0), Woken::ByTime);
        bell.ring();
        assert_eq!(for_bell(&bell, 1000), Woken::ByBell);
        let (reader, writer) = std::io::pipe().unwrap();
        assert_eq!(for_hangup(reader.as_fd(), &bell), Woken::ByBell);
        let quiet = Bell::new().unwrap();
        drop(writer);
        assert_eq!(for_hangup(reader.as_fd(), &quiet), Woken::ByHangup);
    }
}
