//! Whether the next request is likely to be a large WRITE, which is better received into a pipe.
//!
//! That has to be decided before there is a request, by each worker before it waits. What that worker had last says little:
//! the kernel asks for an attribute before each WRITE, and workers take turns.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::wire::Opcode;
use crate::wire::layout::InHeader;

/// Below this, a request is cheaper to read than to splice.
const LARGE: u32 = 64 * 1024;
/// Other requests that may be received into a pipe for one large WRITE: each costs a system call more, and copying
/// 64 KiB as much as a few of these.
const LEAST: u32 = 2;
const MOST: u32 = 8;

/// What the requests of a session were like of late. Races lose a count at worst.
#[derive(Debug, Default)]
pub(super) struct Foresight(AtomicU32);

impl Foresight {
    /// Whether a large WRITE is expected.
    #[inline]
    pub fn expects_large(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// This request has come, where a large one was expected or not.
    #[inline]
    pub fn learn(&self, header: &InHeader, expected: bool) {
        if header.opcode == Opcode::Write as u32 && header.len >= LARGE {
            let credit = (header.len / LARGE).clamp(LEAST, MOST);
            if self.0.load(Ordering::Relaxed) != credit {
                self.0.store(credit, Ordering::Relaxed);
            }
        } else if expected {
            let left = self.0.load(Ordering::Relaxed);
            self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests in a row, each received as was expected; which of them were received into a pipe.
    fn received(foresight: &Foresight, requests: &[(Opcode, u32)]) -> Vec<bool> {
        let take = |(opcode, len): &(Opcode, u32)| {
            let expected = foresight.expects_large();
            let header = InHeader { opcode: *opcode as u32, len: *len, ..InHeader::default() };
            foresight.learn(&header, expected);
            expected
        };
        requests.iter().map(take).collect()
    }

    #[test]
    fn an_attribute_before_each_write_does_not_hide_it() {
        for size in [LARGE, 1 << 20] {
            let foresight = Foresight::default();
            let pair = [(Opcode::Getxattr, 80), (Opcode::Write, size + 80)];
            let taken = received(&foresight, &pair.repeat(10));
            assert_eq!(taken[..2], [false, false]);
            assert!(taken[2..].iter().all(|piped| *piped), "{size}");
        }
    }

    #[test]
    fn small_requests_are_read_again_soon() {
        let foresight = Foresight::default();
        received(&foresight, &[(Opcode::Write, 1 << 24)]);
        let taken = received(&foresight, &[(Opcode::Write, 4096); 20]);
        assert_eq!(taken.iter().filter(|piped| **piped).count(), MOST as usize);
        assert!(!foresight.expects_large());
    }
}
