//! The number by which a request goes through a C program.

use super::table::SLOTS;

/// Low bits of a handle that are zero, as in a pointer to anything aligned.
const ALIGN_BITS: u32 = 4;
const INDEX_BITS: u32 = SLOTS.trailing_zeros();
/// Bits left for the generation; the handle stays a canonical user-space address on 64-bit
/// machines. On 32-bit ones the generation is short and a very old handle may go unrecognised.
pub(super) const GENERATION_BITS: u32 =
    if usize::BITS >= 64 { 47 } else { usize::BITS } - ALIGN_BITS - INDEX_BITS;

/// A request's name outside the engine; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(usize);

impl Handle {
    pub(super) fn new(index: u32, generation: u32) -> Handle {
        let value = ((generation as usize) << INDEX_BITS) | index as usize;
        Handle(value << ALIGN_BITS)
    }

    /// From what [`Handle::to_raw`] gave; any number may be passed.
    pub fn from_raw(raw: usize) -> Handle {
        Handle(raw)
    }

    /// A number that looks like an aligned pointer and is not 0.
    pub fn to_raw(self) -> usize {
        self.0
    }

    /// Slot number and generation, if the number can be a handle at all.
    pub(in crate::session) fn parts(self) -> Option<(u32, u32)> {
        if self.0 & ((1 << ALIGN_BITS) - 1) != 0 {
            return None;
        }
        let value = self.0 >> ALIGN_BITS;
        let generation = value >> INDEX_BITS;
        let index = (value & ((1 << INDEX_BITS) - 1)) as u32;
        let most = (1 << GENERATION_BITS) - 1;
        (generation.wrapping_sub(1) < most).then_some((index, generation as u32))
    }
}
