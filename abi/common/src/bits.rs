//! Bit-fields of C structs.

/// The mask of a bit-field of one bit, counted from 0 in the order of their declaration, in an `unsigned int`.
///
/// Compilers give the first one the least significant bit on little-endian machines, and the most significant
/// one on others.
#[must_use]
pub const fn bit_field(number: u32) -> u32 {
    if cfg!(target_endian = "little") { 1 << number } else { 1 << (31 - number) }
}
