//! Reading a request out of an entry's memory, and writing its answer there.
//!
//! Who may do so when is the business of [`Entry`](super::Entry).

use std::ptr;

use zerocopy::{FromBytes, IntoBytes};

use super::buffers::Buffers;
use crate::wire::layout::{InHeader, OutHeader};

/// Bytes that the kernel leaves for the fixed part of a request.
pub const MAX_OP_HEADER: usize = 128;
/// Bytes of [`Headers`].
pub(super) const HEADERS: usize = size_of::<Headers>();

/// `struct fuse_uring_req_header`.
#[repr(C)]
pub(super) struct Headers {
    /// The request's header; the answer's, when the entry is committed.
    in_out: [u8; 128],
    /// The fixed part of the request.
    op: [u8; MAX_OP_HEADER],
    transfer: Transfer,
}

/// `struct fuse_uring_ent_in_out`.
#[repr(C)]
struct Transfer {
    flags: u64,
    commit_id: u64,
    payload_size: u32,
    padding: u32,
    reserved: u64,
}

const _: () = assert!(HEADERS == 288);

/// A request that has arrived in an entry.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Its header.
    pub header: InHeader,
    /// What the entry has to be committed with.
    pub commit_id: u64,
    /// Bytes between header and payload.
    op_len: usize,
    payload_len: usize,
}

impl Buffers {
    /// The request that the kernel has put here; `None` if its lengths contradict each other.
    ///
    /// The caller got the entry's completion, so that the entry is not armed, and answers it.
    pub(super) fn arrived(&self) -> Option<Arrived> {
        let headers = self.headers().as_ptr();
        // SAFETY: the headers stand at the start of the mapping. The kernel wrote them before it
        // completed the entry, and no one writes them until it is answered. Copied out, so that no
        // reference is left.
        let (in_out, commit_id, payload_len) = unsafe {
            let transfer = &raw const (*headers).transfer;
            let size = ptr::read_volatile(&raw const (*transfer).payload_size) as usize;
            ((*headers).in_out, ptr::read_volatile(&raw const (*transfer).commit_id), size)
        };
        let (header, _) = InHeader::read_from_prefix(&in_out).ok()?;
        let before = (header.len as usize).checked_sub(size_of::<InHeader>())?;
        let op_len = before.checked_sub(payload_len).filter(|len| *len <= MAX_OP_HEADER)?;
        self.note_use(payload_len);
        (payload_len <= self.payload_size()).then_some(Arrived {
            header,
            commit_id,
            op_len,
            payload_len,
        })
    }

    /// The request as one message, in place.
    ///
    /// # Safety
    /// The entry is not armed, and until the slice is given up nobody writes the payload.
    pub(super) unsafe fn whole_message(&self, arrived: &Arrived) -> &[u8] {
        let mut head = [0; size_of::<InHeader>() + MAX_OP_HEADER];
        let op = size_of::<InHeader>();
        head[..op].copy_from_slice(arrived.header.as_bytes());
        // SAFETY: as in `arrived`.
        let fixed = unsafe { (*self.headers().as_ptr()).op };
        head[op..].copy_from_slice(&fixed);
        // SAFETY: the caller's promise.
        unsafe { self.message(&head[..op + arrived.op_len], arrived.payload_len) }
    }

    /// Writes the answer's header; `payload` bytes of payload are there already.
    ///
    /// # Safety
    /// The entry is not armed and nobody else writes its headers.
    pub(super) unsafe fn answer(&self, header: &OutHeader, payload: usize) {
        let headers = self.headers().as_ptr();
        let bytes = header.as_bytes();
        self.note_use(payload);
        // SAFETY: the headers stand at the start of the mapping; the caller vouches that they are
        // nobody else's now.
        unsafe {
            let in_out = (&raw mut (*headers).in_out).cast::<u8>();
            ptr::copy_nonoverlapping(bytes.as_ptr(), in_out, bytes.len());
            // At most the size of the payload, which is far below 4 GiB.
            (&raw mut (*headers).transfer.payload_size).write(payload as u32);
        }
    }
}
