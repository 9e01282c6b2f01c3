//! Requests per opcode, counted by one thread and read by any.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::Opcode;

/// A row for each opcode; opcodes that the protocol does not have share the first one.
pub const ROWS: usize = 56;
const CUSE_INIT_ROW: usize = ROWS - 1;

/// The row of an opcode as it stands in a request.
#[inline]
pub fn row(opcode: u32) -> usize {
    const CUSE_INIT: u32 = Opcode::CuseInit as u32;
    match opcode {
        CUSE_INIT => CUSE_INIT_ROW,
        opcode if (opcode as usize) < CUSE_INIT_ROW => opcode as usize,
        _ => 0,
    }
}

/// The name of a row's opcode.
pub fn row_name(row: usize) -> &'static str {
    let raw = if row == CUSE_INIT_ROW { Opcode::CuseInit as u32 } else { row as u32 };
    Opcode::from_raw(raw).map_or("UNKNOWN", Opcode::name)
}

/// The counters of one thread.
#[derive(Debug)]
pub struct Tally([AtomicU64; ROWS]);

impl Default for Tally {
    fn default() -> Tally {
        Tally([const { AtomicU64::new(0) }; ROWS])
    }
}

impl Tally {
    /// Counts one request; returns how many there were of its kind. By the one thread that the tally belongs to.
    #[inline]
    pub fn count(&self, opcode: u32) -> u64 {
        let counter = &self.0[row(opcode)];
        // No other thread writes, so that no locked instruction is needed.
        let count = counter.load(Ordering::Relaxed).wrapping_add(1);
        counter.store(count, Ordering::Relaxed);
        count
    }

    /// All that was counted.
    pub fn sum(&self) -> u64 {
        self.0.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    /// Adds what was counted to `sums`.
    pub fn add_to(&self, sums: &mut [u64; ROWS]) {
        for (sum, counter) in sums.iter_mut().zip(&self.0) {
            *sum += counter.load(Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_has_a_row_of_its_own() {
        for opcode in Opcode::ALL {
            assert_eq!(row_name(row(*opcode as u32)), opcode.name());
        }
        assert_eq!(row(0), 0);
        assert_eq!(row(u32::MAX), 0);
        assert_eq!(row_name(0), "UNKNOWN");
    }

    #[test]
    fn sums() {
        let (tally, mut sums) = (Tally::default(), [0; ROWS]);
        for opcode in [15, 15, 4096, 999] {
            tally.count(opcode);
        }
        tally.add_to(&mut sums);
        assert_eq!((sums[15], sums[CUSE_INIT_ROW], sums[0]), (2, 1, 1));
    }
}
