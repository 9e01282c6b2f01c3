//! Encoding of replies: fixed structures, cut to what the negotiated minor expects.

use zerocopy::IntoBytes;

use super::Protocol;
use super::layout::*;

/// A time-out in the protocol's form: whole seconds and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeout {
    /// Whole seconds.
    pub secs: u64,
    /// Nanoseconds, below 1,000,000,000.
    pub nanos: u32,
}

impl Timeout {
    /// From seconds as the C API gives them: negative and NaN become 0, too large becomes the
    /// largest.
    pub fn from_secs_f64(secs: f64) -> Timeout {
        if secs.is_nan() || secs <= 0.0 {
            return Timeout::default();
        }
        // `as` saturates, which is the clamp wanted, here and below.
        let whole = secs as u64;
        let nanos = ((secs - whole as f64) * 1.0e9) as u32;
        Timeout { secs: whole, nanos: nanos.min(999_999_999) }
    }
}

/// What a successful lookup tells the kernel about a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// Node number; 0 is a negative entry, allowed from minor 4 on.
    pub node: u64,
    /// Distinguishes nodes that reuse a number.
    pub generation: u64,
    /// Attributes.
    pub attr: Attr,
    /// How long the attributes may be cached.
    pub attr_timeout: Timeout,
    /// How long the name may be cached.
    pub entry_timeout: Timeout,
}

impl Entry {
    /// The wire form, of which minors below 9 take [`entry_size`] bytes.
    pub fn encode(&self) -> EntryOut {
        EntryOut {
            nodeid: self.node,
            generation: self.generation,
            entry_valid: self.entry_timeout.secs,
            attr_valid: self.attr_timeout.secs,
            entry_valid_nsec: self.entry_timeout.nanos,
            attr_valid_nsec: self.attr_timeout.nanos,
            attr: self.attr,
        }
    }
}

/// Bytes of an entry reply before minor 9.
pub const OLD_ENTRY_SIZE: usize = 120;

/// Bytes of an attribute reply before minor 9.
pub const OLD_ATTR_SIZE: usize = 96;

/// Bytes of a STATFS reply before minor 4.
pub const OLD_STATFS_SIZE: usize = 48;

/// Bytes of an entry reply.
pub const fn entry_size(protocol: Protocol) -> usize {
    if protocol.minor < 9 { OLD_ENTRY_SIZE } else { size_of::<EntryOut>() }
}

/// Bytes of an INIT reply to a kernel of this minor.
pub const fn init_size(kernel_minor: u32) -> usize {
    match kernel_minor {
        0..5 => 8,
        5..23 => 24,
        _ => size_of::<InitOut>(),
    }
}

/// An attribute reply.
pub fn attr(attr: Attr, timeout: Timeout) -> AttrOut {
    AttrOut { attr_valid: timeout.secs, attr_valid_nsec: timeout.nanos, dummy: 0, attr }
}

/// A STATX reply. `flags` are the protocol's own, of which it has none yet.
pub fn statx(stat: Statx, flags: u32, timeout: Timeout) -> StatxOut {
    StatxOut {
        attr_valid: timeout.secs,
        attr_valid_nsec: timeout.nanos,
        flags,
        spare: [0; 2],
        stat,
    }
}

/// A CREATE reply: the entry, then the open part directly behind it. Returns the buffer and how
/// many of its bytes are meant.
pub fn create(
    entry: &Entry,
    open: &OpenOut,
    protocol: Protocol,
) -> ([u8; size_of::<EntryOut>() + size_of::<OpenOut>()], usize) {
    let mut bytes = [0; size_of::<EntryOut>() + size_of::<OpenOut>()];
    let split = entry_size(protocol);
    let end = split + size_of::<OpenOut>();
    bytes[..split].copy_from_slice(&entry.encode().as_bytes()[..split]);
    bytes[split..end].copy_from_slice(open.as_bytes());
    (bytes, end)
}

/// Header of a message to the kernel with `payload` bytes behind it.
///
/// `None` where the whole message would not fit into the 32-bit length.
pub fn out_header(unique: u64, error: i32, payload: usize) -> Option<OutHeader> {
    let len = payload.checked_add(size_of::<OutHeader>())?;
    Some(OutHeader { len: u32::try_from(len).ok()?, error, unique })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_clamp() {
        assert_eq!(Timeout::from_secs_f64(-1.0), Timeout::default());
        assert_eq!(Timeout::from_secs_f64(f64::NAN), Timeout::default());
        assert_eq!(Timeout::from_secs_f64(1.5), Timeout { secs: 1, nanos: 500_000_000 });
        let longest = Timeout { secs: u64::MAX, nanos: 999_999_999 };
        assert_eq!(Timeout::from_secs_f64(f64::INFINITY), longest);
    }

    #[test]
    fn create_reply_has_no_gap_on_old_protocols() {
        let old = Protocol { minor: 8, setxattr_ext: false };
        let open = OpenOut { fh: 0x1122_3344_5566_7788, open_flags: 2, backing_id: 0 };
        let (bytes, len) = create(&Entry::default(), &open, old);
        assert_eq!(len, 136);
        assert_eq!(&bytes[120..136], open.as_bytes());
    }
}
