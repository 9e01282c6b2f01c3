//! Making paths.

use std::ffi::CStr;

use smallvec::SmallVec;

use super::name::Name;
use super::namespace::Namespace;
use super::nodes::{Id, ROOT};

/// Where an operation has its path; most need no other memory. Paths stay where they were made, since
/// moving one costs as much as looking for its node.
pub(super) type Room = SmallVec<[u8; 120]>;

impl Namespace {
    /// The path of a node, or of a name in it, as operations get it: absolute, NUL-terminated. `None` if
    /// the node has none. The caller must hold it (see [`locks`](super::locks)): otherwise it may be a
    /// path that never was.
    pub fn path<'r>(&self, id: Id, name: Option<&[u8]>, room: &'r mut Room) -> Option<&'r CStr> {
        room.clear();
        match name {
            Some(name) => {
                self.append_directory(id, room)?;
                room.push(b'/');
                room.extend_from_slice(name);
            }
            None if id == ROOT => room.push(b'/'),
            None => return self.path_at(&self.place(id)?, room),
        }
        debug_assert!(!room.contains(&0), "names of requests hold no NUL");
        room.push(0);
        CStr::from_bytes_until_nul(room).ok()
    }

    /// The path of a node that stands there, in a directory.
    pub fn path_at<'r>(&self, (parent, name): &(Id, Name), room: &'r mut Room) -> Option<&'r CStr> {
        // Not kept for a node that may be no directory: its directory's is.
        self.path(*parent, Some(name.as_bytes()), room)
    }

    /// Appends a directory's path, without a slash at its end; that of the root is empty.
    fn append_directory(&self, id: Id, out: &mut Room) -> Option<()> {
        let mut names: SmallVec<[Name; 8]> = SmallVec::new();
        let mut at = id;
        while at != ROOT && !self.paths.append(at, out) {
            let (parent, name) = self.place(at)?;
            names.push(name);
            at = parent;
        }
        if !names.is_empty() {
            for name in names.iter().rev() {
                out.push(b'/');
                out.extend_from_slice(name.as_bytes());
            }
            self.paths.store(id, out);
        }
        Some(())
    }
}
