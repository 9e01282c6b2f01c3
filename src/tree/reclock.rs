//! POSIX record locks, as the tree keeps them for each file.
//!
//! A filesystem that passes locks on with fcntl(2) holds them all as one process, so conflicts
//! between its own users would go unseen. The tree therefore remembers what it was granted and
//! looks there first.

use crate::wire::layout::FileLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    lock: FileLock,
    owner: u64,
}

/// The locks of one file, by start; those of one owner never overlap.
#[derive(Debug, Default)]
pub(super) struct RecordLocks(Vec<Record>);

fn is_write(lock: &FileLock) -> bool {
    lock.kind == libc::F_WRLCK as u32
}

fn overlap(a: &FileLock, b: &FileLock) -> bool {
    a.start <= b.end && b.start <= a.end
}

impl RecordLocks {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first lock that keeps `owner` from getting `lock`.
    pub fn conflict(&self, lock: &FileLock, owner: u64) -> Option<FileLock> {
        let in_the_way = |held: &&Record| {
            held.owner != owner
                && overlap(&held.lock, lock)
                && (is_write(&held.lock) || is_write(lock))
        };
        self.0.iter().find(in_the_way).map(|held| held.lock)
    }

    /// Notes a lock that was granted, or an unlock: what the owner had in its range goes, and
    /// neighbours of the same kind become one.
    pub fn insert(&mut self, lock: &FileLock, owner: u64) {
        let unlock = lock.kind == libc::F_UNLCK as u32;
        let mut new = *lock;
        let mut kept = Vec::with_capacity(self.0.len() + 2);
        for held in self.0.drain(..) {
            let old = held.lock;
            let touches =
                old.start <= new.end.saturating_add(1) && new.start <= old.end.saturating_add(1);
            if held.owner != owner || !touches {
                kept.push(held);
            } else if !unlock && old.kind == new.kind {
                new.start = new.start.min(old.start);
                new.end = new.end.max(old.end);
            } else {
                // What stands out on either side stays.
                if old.start < new.start {
                    let end = old.end.min(new.start - 1);
                    kept.push(Record { lock: FileLock { end, ..old }, owner });
                }
                if old.end > new.end {
                    let start = old.start.max(new.end + 1);
                    kept.push(Record { lock: FileLock { start, ..old }, owner });
                }
            }
        }
        if !unlock {
            kept.push(Record { lock: new, owner });
        }
        kept.sort_by_key(|held| held.lock.start);
        self.0 = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const READ: u32 = libc::F_RDLCK as u32;
    const WRITE: u32 = libc::F_WRLCK as u32;
    const UNLOCK: u32 = libc::F_UNLCK as u32;

    fn lock(kind: u32, start: u64, end: u64) -> FileLock {
        FileLock { start, end, kind, pid: 1 }
    }

    proptest! {
        /// Against a table of every byte's lock.
        #[test]
        fn every_byte_has_the_lock_it_should(
            steps in prop::collection::vec((0..3u32, 0..24u64, 0..24u64, 1..4u64), 1..40),
        ) {
            let mut locks = RecordLocks::default();
            let mut model = [[UNLOCK; 32]; 4];
            for (kind, a, b, owner) in steps {
                let new = lock([READ, WRITE, UNLOCK][kind as usize], a.min(b), a.max(b));
                for byte in new.start..=new.end {
                    model[owner as usize][byte as usize] = new.kind;
                }
                locks.insert(&new, owner);
            }
            for byte in 0..32u64 {
                for owner in 1..4u64 {
                    let others = || (1..4usize).filter(|other| *other as u64 != owner);
                    let any = others().any(|other| model[other][byte as usize] != UNLOCK);
                    let write = others().any(|other| model[other][byte as usize] == WRITE);
                    let wants_write = locks.conflict(&lock(WRITE, byte, byte), owner);
                    let wants_read = locks.conflict(&lock(READ, byte, byte), owner);
                    prop_assert_eq!(wants_write.is_some(), any);
                    prop_assert_eq!(wants_read.is_some(), write);
                }
            }
        }
    }

    #[test]
    fn neighbours_become_one_and_the_end_of_file_does_not_overflow() {
        let mut locks = RecordLocks::default();
        locks.insert(&lock(WRITE, 0, 9), 1);
        locks.insert(&lock(WRITE, 10, u64::MAX), 1);
        assert_eq!(locks.0.len(), 1);
        locks.insert(&lock(UNLOCK, 5, 5), 1);
        assert_eq!(locks.0.len(), 2);
        locks.insert(&lock(UNLOCK, 0, u64::MAX), 1);
        assert!(locks.is_empty());
    }
}
