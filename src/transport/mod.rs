//! How bytes reach the kernel and come from it.

mod adaptive;
mod copying;
mod dev;
pub mod pipe;
mod receive;
mod scratch;
mod splice;
mod spliced;
pub mod uring;

use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;

use crate::errno::Result;
use crate::stats::counters::Route;
pub use dev::Device;
pub use receive::{HEAD, Payload, Received, receive_spliced};
pub use splice::{DataReply, SendOutcome, SplicePolicy, send_data};

/// Has the calling thread's own storage made, before it is needed.
pub(crate) fn claim_storage() {
    pipe::claim_storage();
    scratch::claim_storage();
    uring::claim_storage();
}

/// One open end of a FUSE connection: `/dev/fuse`, a clone of it, or the caller's own I/O.
///
/// Every method may be called from any thread at any time. A reply must leave by the channel its
/// request came from, because a cloned device descriptor has its own table of pending requests.
pub trait Channel: Send + Sync {
    /// The descriptor that `fuse_session_fd` reports; borrowed, never closed by the caller.
    fn raw_fd(&self) -> RawFd;

    /// Reads exactly one request into `buf` and returns its length in bytes; blocks until there is
    /// one. `ENODEV` is the end of the connection, `EINTR` a signal.
    fn read(&self, buf: &mut [u8]) -> Result<usize>;

    /// Writes one whole message. A short count is reported as it is; the caller treats it as an
    /// error, since the kernel takes a message whole or not at all.
    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize>;

    /// Whether [`Channel::splice_in`] can work.
    fn can_splice_in(&self) -> bool;

    /// Whether [`Channel::splice_out`] can work.
    fn can_splice_out(&self) -> bool;

    /// Moves one request from the device into a pipe, at most `len` bytes; returns its length.
    /// `ENOSYS` where [`Channel::can_splice_in`] is false.
    fn splice_in(&self, pipe: BorrowedFd<'_>, len: usize) -> Result<usize>;

    /// Moves the whole message that stands in a pipe, `len` bytes, to the device in one call.
    /// `steal` lets the kernel take the pages instead of copying them (SPLICE_F_MOVE).
    /// `ENOSYS` where [`Channel::can_splice_out`] is false.
    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, steal: bool) -> Result<usize>;

    /// Whether the receiver is done with a message's memory once the call that sent it returns, as
    /// the kernel is. The caller's own I/O may keep referring to pages that were spliced.
    fn is_synchronous(&self) -> bool;

    /// Another channel to the same connection with a request table of its own (`-o clone_fd`).
    fn try_clone(&self) -> Result<Arc<dyn Channel>>;

    /// Whether this is the kernel's own device, which may hand its requests to io_uring.
    fn is_kernel_device(&self) -> bool {
        false
    }

    /// The way that bytes go which are written here.
    fn route(&self) -> Route {
        Route::Copied
    }

    /// Has the data of a successful answer written where it belongs, and sends it; `fill` says how
    /// long it is. `None`, without a call of `fill`, where the channel has no such place.
    fn fill_answer(
        &self,
        unique: u64,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<usize>,
    ) -> Option<Result<usize>> {
        let _ = (unique, fill);
        None
    }

    /// Whether the request with this id came by io_uring, and waits there for its answer.
    fn serves_by_ring(&self, unique: u64) -> bool {
        let _ = unique;
        false
    }

    /// Where the data of the answer to this request goes to, and how much fits there, if it is memory
    /// that nobody else uses until then.
    fn answer_place(&self, unique: u64) -> Option<(*mut u8, usize)> {
        let _ = unique;
        None
    }

    /// The request with this id gets no answer, and what it occupies is free again.
    fn abandon(&self, unique: u64) {
        let _ = unique;
    }
}
