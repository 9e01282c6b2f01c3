//! A file name, small enough to stand in its node.

use std::fmt;

/// Names up to this length need no memory of their own; most are shorter.
const INLINE: usize = 22;

/// A name: any bytes, without the NUL.
#[derive(Clone)]
pub(super) struct Name(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl Name {
    pub const EMPTY: Name = Name(Repr::Inline { len: 0, bytes: [0; INLINE] });

    pub fn new(name: &[u8]) -> Name {
        if name.len() > INLINE {
            return Name(Repr::Heap(name.into()));
        }
        let mut bytes = [0; INLINE];
        bytes[..name.len()].copy_from_slice(name);
        Name(Repr::Inline { len: name.len() as u8, bytes })
    }

    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Heap(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_bytes().escape_ascii().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_come_back() {
        for len in 0..=300 {
            let bytes = vec![b'x'; len];
            assert_eq!(Name::new(&bytes).as_bytes(), bytes);
        }
        assert_eq!(size_of::<Name>(), 24);
    }
}
