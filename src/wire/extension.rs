//! What may stand behind the body of a request that creates a node: security contexts and groups.
//!
//! `total_extlen` in the header counts it in units of 8 bytes. It is a row of records, each with its
//! whole length in bytes and a kind; kinds up to 31 are a number of security contexts.

use std::ffi::CStr;

use zerocopy::FromBytes;

use super::IN_HEADER_SIZE;
use super::layout::{ExtHeader, InHeader, Secctx};

/// Largest kind that stands for so many security contexts (`FUSE_MAX_NR_SECCTX`).
const MAX_CONTEXTS: u32 = 31;

/// The extension area of a message; empty if it has none, or one that does not fit.
pub fn area<'a>(header: &InHeader, message: &'a [u8]) -> &'a [u8] {
    let len = usize::from(header.total_extlen) * 8;
    let start = message.len().checked_sub(len).filter(|start| *start >= IN_HEADER_SIZE);
    start.map_or(&[], |start| &message[start..])
}

/// The security contexts among the records of an area: their number, and the bytes they stand in.
/// `None` where there are none, or a record is longer than the area.
pub fn security_contexts(mut area: &[u8]) -> Option<(u32, &[u8])> {
    while let Ok((record, _)) = ExtHeader::read_from_prefix(area) {
        let size = record.size as usize;
        let whole = area.get(..size).filter(|whole| whole.len() >= size_of::<ExtHeader>())?;
        if record.kind <= MAX_CONTEXTS {
            return Some((record.kind, &whole[size_of::<ExtHeader>()..]));
        }
        area = area.get(size.next_multiple_of(8)..)?;
    }
    None
}

/// One security context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityContext<'a> {
    /// The extended attribute it is to be stored as, such as `security.selinux`.
    pub name: &'a CStr,
    /// Its value.
    pub value: &'a [u8],
}

/// Takes one context off the front, and gives how many bytes it took; `None` if the bytes are not
/// such a context.
pub fn next_context(bytes: &[u8]) -> Option<(SecurityContext<'_>, usize)> {
    let (head, rest) = Secctx::read_from_prefix(bytes).ok()?;
    let name = CStr::from_bytes_until_nul(rest).ok()?;
    let size = head.size as usize;
    if size == 0 {
        return None;
    }
    let start = name.to_bytes_with_nul().len();
    let value = rest.get(start..start.checked_add(size)?)?;
    let taken = (size_of::<Secctx>() + start + size).next_multiple_of(8);
    Some((SecurityContext { name, value }, taken))
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes;

    use super::*;

    fn context(name: &CStr, value: &[u8]) -> Vec<u8> {
        let head = Secctx { size: value.len() as u32, padding: 0 };
        let mut bytes = head.as_bytes().to_vec();
        bytes.extend_from_slice(name.to_bytes_with_nul());
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn record(kind: u32, payload: &[u8]) -> Vec<u8> {
        let size = (size_of::<ExtHeader>() + payload.len()) as u32;
        let mut bytes = ExtHeader { size, kind }.as_bytes().to_vec();
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn contexts_are_found_behind_groups() {
        let mut contexts = context(c"security.selinux", b"label\0");
        contexts.extend(context(c"security.other", b"x"));
        let mut area = record(32, &[0; 8]);
        area.extend(record(2, &contexts));
        let (count, bytes) = security_contexts(&area).unwrap();
        assert_eq!(count, 2);
        let (first, taken) = next_context(bytes).unwrap();
        assert_eq!((first.name, first.value), (c"security.selinux", &b"label\0"[..]));
        let (second, taken_too) = next_context(&bytes[taken..]).unwrap();
        assert_eq!((second.name, second.value), (c"security.other", &b"x"[..]));
        assert_eq!(taken + taken_too, bytes.len());
    }

    #[test]
    fn lies_about_lengths_are_no_context() {
        assert_eq!(security_contexts(&[]), None);
        assert_eq!(security_contexts(&record(1, &[])), Some((1, &[][..])));
        assert_eq!(security_contexts(ExtHeader { size: 0, kind: 1 }.as_bytes()), None);
        assert_eq!(security_contexts(ExtHeader { size: 99, kind: 1 }.as_bytes()), None);
        let mut bytes = context(c"n", b"value");
        assert!(next_context(&bytes).is_some());
        bytes[..4].copy_from_slice(&200_u32.to_ne_bytes());
        assert_eq!(next_context(&bytes), None);
        bytes[..4].copy_from_slice(&0_u32.to_ne_bytes());
        assert_eq!(next_context(&bytes), None);
        assert_eq!(next_context(b"short"), None);
        let header = InHeader { total_extlen: 9, ..InHeader::default() };
        assert!(area(&header, &[0; 64]).is_empty());
    }
}
