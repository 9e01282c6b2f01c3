//! The buffer vector: memory and file-descriptor segments, and copying between them.
//!
//! A [`Vector`] is a list of [`Segment`]s with a cursor. [`copy`] moves data from one vector to
//! another by whatever way suits the two kinds of segment that meet: memory moves, read, write,
//! splice. Its rules are those of `fuse_buf_copy`, including when a short result ends the copy.

mod copy;
mod segment;
mod vector;

pub use copy::copy;
pub use segment::{CopyFlags, Segment, SegmentFlags};
pub use vector::{Piece, Source, Vector};
