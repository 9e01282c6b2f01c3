//! Security contexts of a request that creates a node (`FUSE_CAP_SECURITY_CTX`).

use super::request::Peek;
use crate::errno::{Errno, Result};
use crate::wire::extension::{self, SecurityContext};
use crate::wire::layout::InHeader;

/// The contexts as they came, and how far they have been looked at.
pub(super) struct Contexts {
    count: u32,
    bytes: Box<[u8]>,
    seen: u32,
    offset: usize,
}

impl Contexts {
    /// Those of a message; `None` if it has none.
    pub fn of(header: &InHeader, message: &[u8]) -> Option<Box<Contexts>> {
        let (count, bytes) = extension::security_contexts(extension::area(header, message))?;
        Some(Box::new(Contexts { count, bytes: bytes.into(), seen: 0, offset: 0 }))
    }

    /// The next one. `ENOENT` at the end, `EIO` if the kernel's bytes are no context.
    fn next(&mut self) -> Result<SecurityContext<'_>> {
        if self.seen == self.count {
            return Err(Errno::ENOENT);
        }
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let (context, taken) = extension::next_context(rest).ok_or(Errno::EIO)?;
        self.seen += 1;
        self.offset += taken;
        Ok(context)
    }
}

impl Peek {
    /// How many security contexts the request has.
    pub fn context_count(&self) -> u32 {
        self.at.slot.body.lock().contexts.as_ref().map_or(0, |contexts| contexts.count)
    }

    /// Has [`Peek::next_context`] begin again.
    pub fn rewind_contexts(&self) {
        if let Some(contexts) = &mut self.at.slot.body.lock().contexts {
            (contexts.seen, contexts.offset) = (0, 0);
        }
    }

    /// Shows the next security context to `look`; its bytes stay where they are until the request
    /// is answered. `ENOENT` at the end, `EIO` if the kernel's bytes are no context.
    pub fn next_context<T>(&self, look: impl FnOnce(SecurityContext<'_>) -> T) -> Result<T> {
        let mut body = self.at.slot.body.lock();
        body.contexts.as_mut().ok_or(Errno::ENOENT)?.next().map(look)
    }
}
