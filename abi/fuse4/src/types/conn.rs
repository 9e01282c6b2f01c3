//! `struct fuse_conn_info` with capabilities of 64 bits.

use core::mem::{offset_of, size_of};

use ferrofuse_abi_common::bits::bit_field;
use ferrofuse_abi_common::conn_info::ConnInfo as Base;

/// `struct fuse_conn_info`, what a filesystem's `init` reads and edits. Sizes in bytes, capabilities as
/// `FUSE_CAP_*` bits.
///
/// `want` and `want_ext` are two ways to say one thing; what each was when the library last set both
/// tells which of them a program has used.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnInfo {
    /// Major version of the protocol (read-only).
    pub proto_major: u32,
    /// Minor version of the protocol (read-only).
    pub proto_minor: u32,
    /// Largest write request.
    pub max_write: u32,
    /// Largest read request; must repeat the mount option `max_read=`.
    pub max_read: u32,
    /// Largest readahead.
    pub max_readahead: u32,
    /// The low half of [`capable_ext`](Self::capable_ext).
    pub capable: u32,
    /// The low half of what the filesystem wants.
    pub want: u32,
    /// Most background requests the kernel may have pending; 0 leaves its default.
    pub max_background: u32,
    /// Pending background requests from which the kernel reports congestion; 0: three quarters of
    /// `max_background`.
    pub congestion_threshold: u32,
    /// Granularity of time stamps in nanoseconds.
    pub time_gran: u32,
    /// How many filesystems may be stacked below a file that is passed through to: 0 or 1.
    pub max_backing_stack_depth: u32,
    /// The bit-fields.
    pub bits: u32,
    /// Capabilities the kernel offers (read-only).
    pub capable_ext: u64,
    /// Capabilities the filesystem wants.
    pub want_ext: u64,
    /// Seconds after which the kernel aborts a connection with an unanswered request; 0: never.
    pub request_timeout: u16,
    /// Not for filesystems. The last words are this library's own.
    pub reserved: [u16; 31],
}

// Common code sees the first 40 bytes, and the last word, as those of 3.14.
const _: () = {
    assert!(size_of::<ConnInfo>() == size_of::<Base>());
    assert!(offset_of!(ConnInfo, want) == offset_of!(Base, want));
    assert!(offset_of!(ConnInfo, time_gran) == offset_of!(Base, time_gran));
};

/// Where in `reserved` the library keeps `want_ext` (four words) and `want` (two) as it last set them.
/// The two after them are those of [`ConnInfo::refused`]. No release up to 3.19 gave them a meaning.
const SHADOW: usize = 23;
const REFUSED: usize = 29;

impl ConnInfo {
    /// No INTERRUPT shall be sent.
    pub const NO_INTERRUPT: u32 = bit_field(0);
    /// Every request of a ring is answered by the thread that got it. Nothing depends on it here.
    pub const IO_URING_SINGLE_ISSUER: u32 = bit_field(1);

    /// As common code sees it.
    pub const fn as_base(&mut self) -> &mut Base {
        // SAFETY: both are plain integers without padding, of one size, and this one has the greater
        // alignment.
        unsafe { &mut *core::ptr::from_mut(self).cast() }
    }

    /// Capabilities that the user refused by name.
    pub fn refused(&self) -> u32 {
        u32::from(self.reserved[REFUSED]) | u32::from(self.reserved[REFUSED + 1]) << 16
    }

    fn shadow(&self) -> (u64, u32) {
        let word = |at: usize| u64::from(self.reserved[SHADOW + at]);
        let ext = (0..4).fold(0, |sum, at| sum | word(at) << (16 * at));
        (ext, (word(4) | word(5) << 16) as u32)
    }

    fn set_shadow(&mut self, ext: u64, want: u32) {
        // Each takes the low 16 bits of what is left.
        for at in 0..4 {
            self.reserved[SHADOW + at] = (ext >> (16 * at)) as u16;
        }
        for at in 0..2 {
            self.reserved[SHADOW + 4 + at] = (want >> (16 * at)) as u16;
        }
    }

    /// What is wanted, said in both ways.
    pub fn set_wanted(&mut self, ext: u64) {
        // The low half.
        (self.want_ext, self.want) = (ext, ext as u32);
        self.set_shadow(ext, self.want);
    }

    /// Wants more, as far as it is offered; false if nothing of it is.
    pub fn add(&mut self, flags: u64) -> bool {
        if self.capable_ext & flags == 0 {
            return false;
        }
        let (ext, want) = self.shadow();
        self.want_ext |= flags;
        self.want |= flags as u32;
        self.set_shadow(ext | flags, want | flags as u32);
        true
    }

    /// Wants less.
    pub fn remove(&mut self, flags: u64) {
        let (ext, want) = self.shadow();
        self.want_ext &= !flags;
        self.want &= !(flags as u32);
        self.set_shadow(ext & !flags, want & !(flags as u32));
    }

    /// Takes `capabilities` out of what is wanted.
    pub fn unwant(&mut self, capabilities: u32) {
        self.remove(capabilities.into());
    }

    /// Brings `want_ext` and `want` together after a program has edited one of them. False if it has
    /// edited both, to different ends; then they stay as they are.
    pub fn settle(&mut self) -> bool {
        let (ext, want) = self.shadow();
        if self.want != want && self.want_ext as u32 != self.want {
            if self.want_ext != ext {
                return false;
            }
            self.want_ext = self.want_ext >> 32 << 32 | u64::from(self.want);
        }
        self.want = self.want_ext as u32;
        true
    }

    /// Whether all bits of `mask` are set.
    pub const fn has(&self, mask: u32) -> bool {
        self.bits & mask == mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u32 = 1 << 0;
    const SPLICE: u32 = 1 << 9;
    const IDMAP: u64 = 1 << 32;

    fn conn() -> ConnInfo {
        let mut conn = ConnInfo { capable_ext: u64::MAX >> 4, ..ConnInfo::default() };
        conn.set_wanted(u64::from(SPLICE));
        conn
    }

    #[test]
    fn old_programs_edit_the_low_half() {
        let mut old = conn();
        old.want |= READ;
        old.want &= !SPLICE;
        assert!(old.settle());
        assert_eq!((old.want_ext, old.want), (READ.into(), READ));
    }

    #[test]
    fn helpers_edit_both_and_do_not_count_as_either() {
        let mut mixed = conn();
        assert!(mixed.add(IDMAP) && !mixed.add(1 << 63));
        mixed.want |= READ;
        assert!(mixed.settle());
        assert_eq!(mixed.want_ext, IDMAP | u64::from(SPLICE | READ));
        mixed.remove(IDMAP | u64::from(SPLICE));
        assert!(mixed.settle());
        assert_eq!(mixed.want_ext, u64::from(READ));
    }

    #[test]
    fn who_edits_both_by_hand_is_told() {
        let mut both = conn();
        both.want |= READ;
        both.want_ext |= IDMAP;
        assert!(!both.settle());
        assert_eq!(both.want_ext, IDMAP | u64::from(SPLICE));
        // The same change in both is no contradiction.
        let mut same = conn();
        same.want |= READ;
        same.want_ext |= u64::from(READ);
        assert!(same.settle());
    }

    #[test]
    fn the_users_refusals_are_where_common_code_puts_them() {
        let mut refused = conn();
        refused.as_base().refuse(0x1234_5678);
        assert_eq!(refused.refused(), 0x1234_5678);
        assert_eq!(refused.shadow(), (u64::from(SPLICE), SPLICE));
    }
}
