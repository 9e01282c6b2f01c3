//! The vector: borrowed segments and a cursor.

use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};

use smallvec::SmallVec;

use super::segment::Segment;
use crate::errno::{Errno, Result};

/// A list of segments and a cursor into it.
///
/// The cursor is an index and an offset in that segment, as in the C `fuse_bufvec`. It is
/// exhausted once the index reaches the number of segments; the offset then stays at the length
/// of the last segment, which C programs can see.
#[derive(Debug)]
pub struct Vector<'a> {
    segments: Segments<'a>,
    idx: usize,
    off: usize,
    /// False if the memory came as `&[u8]`, which must never be stored to.
    pub(super) writable: bool,
    _memory: PhantomData<&'a mut [u8]>,
}

#[derive(Debug)]
enum Segments<'a> {
    Many(&'a [Segment]),
    Own(SmallVec<[Segment; 2]>),
    One(Segment),
}

/// What stands at the cursor or after it.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'v> {
    /// Bytes in memory.
    Memory(&'v [u8]),
    /// Bytes to be read from a descriptor.
    File(Source<'v>),
}

/// The rest of a file-descriptor segment.
#[derive(Clone, Copy, Debug)]
pub struct Source<'v> {
    /// Where to read.
    pub fd: BorrowedFd<'v>,
    /// The file position, or `None` to read at the descriptor's own offset (or from a stream).
    pub pos: Option<i64>,
    /// Bytes wanted.
    pub len: usize,
    /// Whether a short read is to be repeated: positioned reads can be, and others if the
    /// filesystem allows it (`FUSE_BUF_FD_RETRY`). Anything else could block for data that may
    /// never come.
    pub repeat: bool,
}

impl Piece<'_> {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Piece::Memory(bytes) => bytes.len(),
            Piece::File(source) => source.len,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Vector<'a> {
    /// A vector over the caller's segments with the cursor at `off` in segment `idx`. Any `idx` and
    /// `off` may be given; a cursor that points nowhere is an exhausted vector or an error later.
    ///
    /// # Safety
    /// For `'a`, the memory of each segment that is not null must be readable for `size` bytes,
    /// must be writable if the vector is the destination of a copy, and must not be changed by
    /// others meanwhile; each descriptor that is open must stay open.
    pub unsafe fn from_raw(segments: &'a [Segment], idx: usize, off: usize) -> Vector<'a> {
        let segments = Segments::Many(segments);
        Vector { segments, idx, off, writable: true, _memory: PhantomData }
    }

    /// As [`Vector::from_raw`], with a list of its own, for callers whose segments look otherwise.
    ///
    /// # Safety
    /// As for [`Vector::from_raw`].
    pub unsafe fn from_list(
        segments: impl IntoIterator<Item = Segment>,
        idx: usize,
        off: usize,
    ) -> Vector<'a> {
        let segments = Segments::Own(segments.into_iter().collect());
        Vector { segments, idx, off, writable: true, _memory: PhantomData }
    }

    /// One segment of memory, to copy from. As a destination it gives `EFAULT`.
    pub fn from_bytes(bytes: &'a [u8]) -> Vector<'a> {
        let segment = Segment::memory(bytes.as_ptr().cast_mut(), bytes.len());
        Vector { writable: false, ..Vector::one(segment) }
    }

    /// One segment of memory, to copy into or from.
    pub fn from_bytes_mut(bytes: &'a mut [u8]) -> Vector<'a> {
        Vector::one(Segment::memory(bytes.as_mut_ptr(), bytes.len()))
    }

    /// `len` bytes of a descriptor: from position `pos` on, or at its own file offset.
    pub fn from_fd(fd: BorrowedFd<'a>, pos: Option<i64>, len: usize) -> Vector<'a> {
        Vector::one(Segment::file(fd.as_raw_fd(), pos, len))
    }

    fn one(segment: Segment) -> Vector<'a> {
        let segments = Segments::One(segment);
        Vector { segments, idx: 0, off: 0, writable: true, _memory: PhantomData }
    }

    /// All segments, whether before or after the cursor.
    pub fn segments(&self) -> &[Segment] {
        match &self.segments {
            Segments::Many(segments) => segments,
            Segments::Own(segments) => segments,
            Segments::One(segment) => std::slice::from_ref(segment),
        }
    }

    /// The cursor's segment.
    pub fn idx(&self) -> usize {
        self.idx
    }

    /// The cursor's offset in its segment, in bytes.
    pub fn off(&self) -> usize {
        self.off
    }

    /// The size of all segments together wherever the cursor is, as `fuse_buf_size` counts:
    /// `usize::MAX` if a segment has that size or the sum does not fit.
    pub fn size(&self) -> usize {
        self.segments().iter().fold(0, |sum: usize, segment| sum.saturating_add(segment.size))
    }

    /// Bytes from the cursor to the end; `usize::MAX` if a segment there has that size or the sum
    /// does not fit.
    pub fn remaining(&self) -> usize {
        self.lengths().fold(0, |sum: usize, (segment, len)| match segment.size {
            usize::MAX => usize::MAX,
            _ => sum.saturating_add(len),
        })
    }

    /// Like [`Vector::remaining`], but only what is behind file descriptors.
    pub fn remaining_in_files(&self) -> usize {
        let files = self.lengths().filter(|(segment, _)| segment.is_fd());
        files.fold(0, |sum: usize, (_, len)| sum.saturating_add(len))
    }

    /// Number of segments from the cursor on.
    pub fn remaining_segments(&self) -> usize {
        self.segments().len().saturating_sub(self.idx)
    }

    /// Each segment from the cursor on with the number of its bytes that are left.
    fn lengths(&self) -> impl Iterator<Item = (&Segment, usize)> {
        let rest = self.segments().get(self.idx..).unwrap_or_default();
        rest.iter().enumerate().map(|(n, segment)| {
            let skip = if n == 0 { self.off } else { 0 };
            (segment, segment.size.saturating_sub(skip))
        })
    }

    /// What is left, segment by segment, empty ones included. `EFAULT` for memory at a null
    /// address or of impossible length, `EBADF` for a negative descriptor, `EINVAL` for a position
    /// out of range.
    pub fn pieces(&self) -> impl Iterator<Item = Result<Piece<'_>>> {
        self.lengths().enumerate().map(|(n, (segment, len))| {
            let skip = if n == 0 { self.off } else { 0 };
            // SAFETY: `len` bytes are left after `skip`, so both are within the segment, for which
            // the maker of the vector vouched; the result borrows the vector, and storing to the
            // memory takes `&mut` of it.
            unsafe { piece(segment, skip, len) }
        })
    }

    /// The first of [`Vector::pieces`] that is not empty.
    pub fn current(&self) -> Option<Result<Piece<'_>>> {
        self.pieces().find(|piece| !matches!(piece, Ok(piece) if piece.is_empty()))
    }

    /// Moves the cursor on by `len` bytes, at most to the end.
    pub fn advance(&mut self, mut len: usize) {
        while let Some(left) = self.left_here() {
            if len < left {
                self.off += len;
                return;
            }
            len -= left;
            self.step_within(left);
        }
    }

    fn left_here(&self) -> Option<usize> {
        self.lengths().next().map(|(_, left)| left)
    }

    /// The cursor's segment and offset; `None` at the end, `EINVAL` if the offset lies outside.
    #[inline]
    pub(super) fn at_cursor(&self) -> Option<Result<(&Segment, usize)>> {
        let segment = self.segments().get(self.idx)?;
        Some(if self.off <= segment.size { Ok((segment, self.off)) } else { Err(Errno::EINVAL) })
    }

    /// Moves on by `len` bytes that lie within the current segment. False once exhausted.
    pub(super) fn step_within(&mut self, len: usize) -> bool {
        let Some(segment) = self.segments().get(self.idx) else { return false };
        let size = segment.size;
        self.off = self.off.saturating_add(len);
        if self.off >= size {
            self.idx += 1;
            if self.idx >= self.segments().len() {
                return false;
            }
            self.off = 0;
        }
        true
    }
}

/// # Safety
/// `skip + len` must not exceed the segment's size, and for `'v` the segment's memory must be
/// readable and unchanged, its descriptor open.
unsafe fn piece<'v>(segment: &Segment, skip: usize, len: usize) -> Result<Piece<'v>> {
    if len == 0 {
        // Nothing will be read, so whatever else is wrong with it goes unnoticed.
        return Ok(Piece::Memory(&[]));
    }
    if segment.is_fd() {
        let pos = segment.position(skip)?;
        let repeat = segment.seeks() || segment.retries();
        // SAFETY: the caller vouches for the descriptor.
        let fd = unsafe { segment.borrow_fd() }?;
        return Ok(Piece::File(Source { fd, pos, len, repeat }));
    }
    if segment.mem.is_null() || isize::try_from(segment.size).is_err() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: not null, at most isize::MAX long, and the caller vouches for the memory.
    Ok(Piece::Memory(unsafe { std::slice::from_raw_parts(segment.mem.add(skip), len) }))
}
