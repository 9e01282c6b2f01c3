//! A directory's entries, collected at once for filesystems that give no offsets.

use super::opset::FillFlags;
use crate::errno::Result;
use crate::memory;
use crate::wire::layout::Attr;

/// One collected entry.
struct Item {
    /// Where its name ends in `names`; it begins where the one before ends.
    name_end: usize,
    /// Inode number for plain entries.
    ino: u64,
    mode: u32,
    /// Index in `attrs` plus 1, or 0.
    attr: u32,
}

/// An entry as it is read out.
#[derive(Clone, Copy)]
pub(super) struct Listed<'l> {
    pub name: &'l [u8],
    pub ino: u64,
    pub mode: u32,
    /// Complete attributes.
    pub attr: Option<&'l Attr>,
}

/// All entries of a directory, in the filesystem's order.
#[derive(Default)]
pub(super) struct Listing {
    names: Vec<u8>,
    items: Vec<Item>,
    attrs: Vec<Attr>,
    /// It is whole: offsets are positions in it.
    pub complete: bool,
}

impl Listing {
    pub fn clear(&mut self) {
        *self = Listing::default();
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an entry; its attributes are kept if they are complete.
    pub fn push(
        &mut self,
        name: &[u8],
        ino: u64,
        stat: Option<&Attr>,
        flags: FillFlags,
    ) -> Result<()> {
        const PURPOSE: &str = "a directory's entries";
        memory::reserve(PURPOSE, &mut self.names, name.len())?;
        memory::reserve(PURPOSE, &mut self.items, 1)?;
        self.names.extend_from_slice(name);
        let mut attr = 0;
        if let (Some(stat), true) = (stat, flags.contains(FillFlags::PLUS)) {
            memory::reserve(PURPOSE, &mut self.attrs, 1)?;
            self.attrs.push(*stat);
            attr = self.attrs.len() as u32;
        }
        let mode = stat.map_or(0, |stat| stat.mode);
        self.items.push(Item { name_end: self.names.len(), ino, mode, attr });
        Ok(())
    }

    /// The entry at a position.
    pub fn get(&self, at: usize) -> Option<Listed<'_>> {
        let item = self.items.get(at)?;
        let start = match at {
            0 => 0,
            _ => self.items.get(at - 1)?.name_end,
        };
        Some(Listed {
            name: self.names.get(start..item.name_end)?,
            ino: item.ino,
            mode: item.mode,
            attr: (item.attr as usize).checked_sub(1).and_then(|attr| self.attrs.get(attr)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_order() {
        let mut listing = Listing::default();
        let attr = Attr { mode: 0o100_644, size: 7, ..Attr::default() };
        listing.push(b"a", 1, None, FillFlags::empty()).unwrap();
        listing.push(b"", 2, Some(&attr), FillFlags::empty()).unwrap();
        listing.push(b"ccc", 3, Some(&attr), FillFlags::PLUS).unwrap();
        let got: Vec<_> = (0..4).map_while(|at| listing.get(at)).collect();
        let names: Vec<_> = got.iter().map(|entry| entry.name).collect();
        assert_eq!(names, [b"a".as_slice(), b"", b"ccc"]);
        assert_eq!(got[1].mode, 0o100_644);
        assert!(got[1].attr.is_none());
        assert_eq!(got[2].attr.map(|attr| attr.size), Some(7));
    }
}
