//! Directory entries: the variable-length records of READDIR and READDIRPLUS replies.

use zerocopy::IntoBytes;

use super::layout::{Dirent, EntryOut};

/// Every record is padded to a multiple of this.
const ALIGN: usize = 8;

/// Bytes that a READDIR record with a name of `name_len` bytes takes, padding included.
pub const fn size(name_len: usize) -> usize {
    padded(name_len.saturating_add(size_of::<Dirent>()))
}

/// Bytes that a READDIRPLUS record with a name of `name_len` bytes takes, padding included.
pub const fn plus_size(name_len: usize) -> usize {
    padded(name_len.saturating_add(size_of::<EntryOut>() + size_of::<Dirent>()))
}

/// With padding; the largest number there is for what is beyond any memory.
const fn padded(len: usize) -> usize {
    match len.checked_next_multiple_of(ALIGN) {
        Some(size) => size,
        None => usize::MAX,
    }
}

/// One directory entry.
#[derive(Clone, Copy, Debug)]
pub struct DirEntry<'a> {
    /// Inode number shown to readdir(3); 0xffffffff is libfuse's "unknown".
    pub ino: u64,
    /// Cookie with which the kernel continues after this entry.
    pub offset: u64,
    /// File mode; only its type bits are sent.
    pub mode: u32,
    /// Name without NUL.
    pub name: &'a [u8],
}

/// Writes a READDIR record to the front of `out`; returns its size, or `None`, with `out`
/// untouched, where it does not fit.
pub fn encode(out: &mut [u8], entry: &DirEntry<'_>) -> Option<usize> {
    let total = size(entry.name.len());
    let out = out.get_mut(..total)?;
    let head = Dirent {
        ino: entry.ino,
        off: entry.offset,
        namelen: entry.name.len() as u32,
        kind: (entry.mode & 0o170_000) >> 12,
    };
    let (head_out, name_out) = out.split_at_mut(size_of::<Dirent>());
    head_out.copy_from_slice(head.as_bytes());
    let (name_out, padding) = name_out.split_at_mut(entry.name.len());
    name_out.copy_from_slice(entry.name);
    padding.fill(0);
    Some(total)
}

/// Writes a READDIRPLUS record to the front of `out`, likewise. `node` is the entry part; its
/// nodeid 0 means that no lookup was counted.
pub fn encode_plus(out: &mut [u8], node: &EntryOut, entry: &DirEntry<'_>) -> Option<usize> {
    let total = plus_size(entry.name.len());
    let out = out.get_mut(..total)?;
    let (node_out, rest) = out.split_at_mut(size_of::<EntryOut>());
    encode(rest, entry)?;
    node_out.copy_from_slice(node.as_bytes());
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_padded_with_zeros() {
        let mut out = [0xffu8; 64];
        let entry = DirEntry { ino: 7, offset: 3, mode: 0o100_644, name: b"abc" };
        assert_eq!(encode(&mut out, &entry), Some(32));
        assert_eq!(out[16..20], 3_u32.to_ne_bytes());
        assert_eq!(out[20..24], 8_u32.to_ne_bytes());
        assert_eq!(&out[24..32], b"abc\0\0\0\0\0");
        assert_eq!(out[32], 0xff);
    }

    #[test]
    fn record_that_does_not_fit_leaves_the_buffer_alone() {
        let mut out = [0xffu8; 31];
        let entry = DirEntry { ino: 7, offset: 3, mode: 0, name: b"abc" };
        assert_eq!(encode(&mut out, &entry), None);
        let node = EntryOut::default();
        let mut plus = [0xffu8; 159];
        assert_eq!(encode_plus(&mut plus, &node, &entry), None);
        assert!(out.iter().chain(&plus).all(|byte| *byte == 0xff));
    }
}
