//! Making paths.

use std::ffi::CStr;

use smallvec::SmallVec;

use super::name::Name;
use super::namespace::Namespace;
use super::nodes::{Id, ROOT};

/// Room for most paths without memory of their own.
pub(super) type Bytes = SmallVec<[u8; 120]>;

/// A path as operations get it: absolute, NUL-terminated.
pub(super) struct Path(Bytes);

impl Path {
    /// From names that hold no NUL, as all names of requests do.
    fn new(mut bytes: Bytes) -> Path {
        debug_assert!(!bytes.contains(&0));
        bytes.push(0);
        Path(bytes)
    }

    pub fn as_c_str(&self) -> &CStr {
        // There is one at the end.
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl Namespace {
    /// The path of a node, or of a name in it; `None` if the node has none. The caller must hold it
    /// (see [`locks`](super::locks)): otherwise it may be a path that never was.
    pub fn path(&self, id: Id, name: Option<&[u8]>) -> Option<Path> {
        let mut bytes = Bytes::new();
        match name {
            Some(name) => {
                self.append_directory(id, &mut bytes)?;
                bytes.push(b'/');
                bytes.extend_from_slice(name);
            }
            None if id == ROOT => bytes.push(b'/'),
            None => return self.path_at(self.place(id)?),
        }
        Some(Path::new(bytes))
    }

    /// The path of a node that stands there, in a directory.
    pub fn path_at(&self, (parent, name): (Id, Name)) -> Option<Path> {
        // Not kept for a node that may be no directory: its directory's is.
        self.path(parent, Some(name.as_bytes()))
    }

    /// Appends a directory's path, without a slash at its end; that of the root is empty.
    fn append_directory(&self, id: Id, out: &mut Bytes) -> Option<()> {
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
