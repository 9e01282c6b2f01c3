//! FUSE over io_uring, as far as the kernel's interface goes: rings, entries, their memory.
//!
//! The kernel has one queue of requests for each processor. An *entry* is a piece of memory that was
//! registered with a queue; the kernel puts one request into it, and takes the answer from it when
//! the entry is committed, which at once makes it ready for the next request. Whichever ring commits
//! an entry receives that next request.

mod bell;
mod buffers;
mod entry;
mod inherited;
mod message;
mod ring;
mod unshared;

pub use bell::Bell;
pub use entry::{Delivery, Entry, Handling, HasEntry, Outcome, current};
pub use inherited::Inherited;
pub use message::Arrived;
pub use ring::{Event, Ring, possible_processors};
pub use unshared::close_in_child;

/// A descriptor number as a borrow of whatever keeps it open.
pub fn borrow<T: ?Sized>(fd: std::os::fd::RawFd, _owner: &T) -> std::os::fd::BorrowedFd<'_> {
    // SAFETY: a channel's descriptor is open for as long as the channel lives, and is not -1. A
    // number that is not open would only make system calls fail.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(fd.max(0)) }
}
