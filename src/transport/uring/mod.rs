//! FUSE over io_uring: the channel its requests come by, and who decides whether it is used.

mod channel;
mod options;

pub use channel::{Home, RingChannel, claim_storage, flush, serving};
pub use options::{TransportChoice, TransportOptions, Unused};
