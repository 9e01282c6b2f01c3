//! Which of the shards of all counters a thread writes.
//!
//! A thread has a shard to itself for as long as there are any, so that it counts without a locked instruction; it is
//! given back when the thread ends. Further threads share one, whose counters are added to atomically.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Shards that threads can have to themselves.
const OWNED: usize = u64::BITS as usize;
/// All of them.
pub const SHARDS: usize = OWNED + 1;
/// The one that is shared.
pub const SHARED: usize = 0;

/// Which of them have an owner: a bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// No thread has had one beyond this.
static HIGHEST: AtomicUsize = AtomicUsize::new(SHARED);

/// A shard that a thread has.
struct Claim(usize);

impl Claim {
    /// One that is free; else the shared one.
    fn new() -> Claim {
        let claimed = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
            (taken != u64::MAX).then(|| taken | (taken + 1))
        });
        let Ok(before) = claimed else { return Claim(SHARED) };
        let shard = before.trailing_ones() as usize + 1;
        HIGHEST.fetch_max(shard, Ordering::Relaxed);
        Claim(shard)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // In a thread that is about to end; what it counts from here on it counts with others.
        HOME.set(SHARED);
        if self.0 != SHARED {
            // Whoever takes it next sees what was counted here.
            TAKEN.fetch_and(!(1 << (self.0 - 1)), Ordering::Release);
        }
    }
}

/// Of a thread that has not counted yet.
const NONE: usize = usize::MAX;

thread_local! {
    /// The number alone, which is quickly found.
    static HOME: Cell<usize> = const { Cell::new(NONE) };
    static CLAIM: Claim = Claim::new();
}

/// The calling thread's shard.
#[inline]
pub fn home() -> usize {
    let home = HOME.get();
    if home == NONE { first() } else { home }
}

#[cold]
fn first() -> usize {
    // Where it is gone already, the thread is about to end.
    let home = CLAIM.try_with(|claim| claim.0).unwrap_or(SHARED);
    HOME.set(home);
    home
}

/// The shards that any thread has ever counted in.
pub fn used() -> std::ops::RangeInclusive<usize> {
    SHARED..=HIGHEST.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_until_there_are_none() {
        let claims: Vec<_> = (0..2 * OWNED).map(|_| Claim::new()).collect();
        let mut owned: Vec<_> =
            claims.iter().map(|claim| claim.0).filter(|shard| *shard != SHARED).collect();
        assert!(claims.last().is_some_and(|claim| claim.0 == SHARED));
        owned.sort_unstable();
        owned.dedup();
        assert!(owned.iter().all(|shard| used().contains(shard)));
        // Other tests' threads have some.
        assert_eq!(owned.len(), claims.iter().filter(|claim| claim.0 != SHARED).count());
        drop(claims);
        assert!(Claim::new().0 != SHARED);
    }
}
