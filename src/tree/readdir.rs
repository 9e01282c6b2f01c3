//! readdir and readdirplus, in both of the filler's modes.
//!
//! A lookup is counted only for entries that really go out: after it is known that they fit, and
//! taken back if the answer finds nobody.

use std::ffi::CStr;

use zerocopy::IntoBytes;

use super::core::Tree;
use super::directory::Directory;
use super::listing::{Listed, Listing};
use super::nodes::{Id, UNKNOWN};
use super::ops::{Filler, PathOps};
use super::opset::{FillFlags, OpSet, ReaddirFlags};
use super::path::Room;
use crate::errno::{Errno, Result};
use crate::memory;
use crate::session::Request;
use crate::session::ops::FileInfo;
use crate::wire::dirent::{self, DirEntry};
use crate::wire::layout::{Attr, EntryOut};

/// Most that one answer may carry, whatever is asked for.
const MAX_SIZE: usize = 16 << 20;

fn is_dots(name: &[u8]) -> bool {
    matches!(name, b"." | b"..")
}

/// An answer in the making.
struct Answer<'t, P: PathOps> {
    tree: &'t Tree<P>,
    dir: Id,
    /// With attributes.
    plus: bool,
    bytes: Vec<u8>,
    limit: usize,
    /// Nodes whose lookup this answer counted.
    counted: Vec<Id>,
}

impl<P: PathOps> Answer<'_, P> {
    /// Inode number of an entry without complete attributes.
    fn ino(&self, name: &[u8], stat: Option<&Attr>) -> u64 {
        let config = self.tree.config();
        let unknown = u64::from(UNKNOWN);
        if config.use_ino {
            stat.map_or(unknown, |stat| stat.ino)
        } else if config.readdir_ino {
            self.tree.space.child(self.dir, name).map_or(unknown, u64::from)
        } else {
            unknown
        }
    }

    /// Appends an entry; `Ok(false)` if it does not fit.
    fn push(&mut self, entry: &Listed<'_>, offset: u64) -> Result<bool> {
        let len = entry.name.len();
        let size = if self.plus { dirent::plus_size(len) } else { dirent::size(len) };
        if size > self.limit - self.bytes.len() {
            return Ok(false);
        }
        let mut record = DirEntry { ino: entry.ino, offset, mode: entry.mode, name: entry.name };
        let node = if self.plus { Some(self.enter(entry)?) } else { None };
        let at = self.bytes.len();
        memory::reserve("a directory's entries", &mut self.bytes, size)?;
        self.bytes.resize(at + size, 0);
        let out = &mut self.bytes[at..];
        let written = match &node {
            Some(node) => {
                (record.ino, record.mode) = (node.attr.ino, node.attr.mode);
                dirent::encode_plus(out, node, &record)
            }
            None => dirent::encode(out, &record),
        };
        debug_assert_eq!(written, Some(size));
        Ok(true)
    }

    /// What a READDIRPLUS says of an entry; its lookup is counted if it has attributes.
    fn enter(&mut self, entry: &Listed<'_>) -> Result<EntryOut> {
        let mut node = EntryOut::default();
        match entry.attr {
            Some(attr) if !is_dots(entry.name) => {
                let found = self.tree.enter_name(self.dir, entry.name, *attr)?;
                self.counted.push(found.node as Id);
                node = found.encode();
            }
            Some(attr) => node.attr = *attr,
            None => node.attr = Attr { ino: entry.ino, mode: entry.mode, ..Attr::default() },
        }
        Ok(node)
    }

    /// Entries of a collected directory from a position on.
    fn push_listing(&mut self, listing: &Listing, from: u64) -> Result<()> {
        let mut at = usize::try_from(from).unwrap_or(usize::MAX);
        while let Some(entry) = listing.get(at) {
            at += 1;
            if !self.push(&entry, at as u64)? {
                break;
            }
        }
        Ok(())
    }

    /// Takes back every lookup it counted.
    fn undo(&self) {
        for id in &self.counted {
            self.tree.forget_node((*id).into(), 1);
        }
    }
}

/// Which way the filesystem reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// No entry yet.
    Unknown,
    /// Without offsets: everything is collected.
    Collect,
    /// With offsets: straight into the answer.
    Stream,
}

struct Fill<'f, 't, P: PathOps> {
    answer: &'f mut Answer<'t, P>,
    listing: &'f mut Listing,
    mode: Mode,
    full: bool,
    error: Option<Errno>,
}

impl<P: PathOps> Filler for Fill<'_, '_, P> {
    fn fill(&mut self, name: &CStr, stat: Option<&Attr>, offset: i64, flags: FillFlags) -> bool {
        let mode = if offset == 0 { Mode::Collect } else { Mode::Stream };
        if !FillFlags::PLUS.contains(flags) || (self.mode != Mode::Unknown && self.mode != mode) {
            self.error.get_or_insert(Errno::EIO);
        }
        if self.full || self.error.is_some() {
            return true;
        }
        self.mode = mode;
        let name = name.to_bytes();
        let ino = self.answer.ino(name, stat);
        if mode == Mode::Collect {
            self.error = self.listing.push(name, ino, stat, flags).err();
            return self.error.is_some();
        }
        let attr = stat.filter(|_| flags.contains(FillFlags::PLUS));
        let entry = Listed { name, ino, mode: stat.map_or(0, |stat| stat.mode), attr };
        match self.answer.push(&entry, offset.cast_unsigned()) {
            Ok(taken) => self.full = !taken,
            Err(error) => self.error = Some(error),
        }
        self.full || self.error.is_some()
    }
}

impl<P: PathOps> Tree<P> {
    pub(super) fn readdir(
        &self,
        req: Request,
        size: usize,
        offset: u64,
        file: &FileInfo,
        plus: bool,
    ) {
        let directory = match self.directories.get(file.fh) {
            Ok(directory) => directory,
            Err(error) => {
                let _ = req.reply_error(error);
                return;
            }
        };
        let mut answer = Answer {
            tree: self,
            dir: directory.id,
            plus,
            bytes: Vec::new(),
            limit: size.min(MAX_SIZE),
            counted: Vec::new(),
        };
        let result = self.serve(&req, || self.read_directory(&directory, offset, &mut answer));
        match result {
            Ok(()) => {
                if req.reply_bytes(answer.bytes.as_bytes()) == Err(Errno::ENOENT) {
                    answer.undo();
                }
            }
            Err(error) => {
                answer.undo();
                let _ = req.reply_error(error);
            }
        }
    }

    fn read_directory(
        &self,
        directory: &Directory,
        offset: u64,
        answer: &mut Answer<'_, P>,
    ) -> Result<()> {
        let mut listing = directory.listing.lock();
        if offset == 0 {
            // The beginning is always read anew, as rewinddir(3) promises.
            listing.complete = false;
        }
        if !listing.complete {
            listing.clear();
            let mut flags = ReaddirFlags::empty();
            flags.set(ReaddirFlags::PLUS, answer.plus);
            let mut fill = Fill {
                answer,
                listing: &mut listing,
                mode: Mode::Unknown,
                full: false,
                error: None,
            };
            let mut room = Room::new();
            let locked = self.lock_open(directory.id, &mut room)?;
            self.need(OpSet::READDIR)?;
            let (path, file) = (locked.path(), directory.file());
            self.ops.readdir(path, &mut fill, offset.cast_signed(), &file, flags)?;
            let (mode, error) = (fill.mode, fill.error);
            if let Some(error) = error {
                return Err(error);
            }
            // Without an entry the mode shows only at the beginning: there the directory is empty.
            // Further on it is the end of one that is read with offsets, to which the kernel may
            // come back after seekdir(3).
            listing.complete = match mode {
                Mode::Collect => true,
                Mode::Stream => false,
                Mode::Unknown => offset == 0,
            };
        }
        if listing.complete && !listing.is_empty() {
            answer.push_listing(&listing, offset)?;
        }
        Ok(())
    }
}
