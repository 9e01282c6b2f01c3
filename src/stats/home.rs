//! Which of the shards of all counters a thread writes.
//!
//! A thread has a shard to itself for as long as there are any, so that it counts without a locked instruction; it is
//! given back when the thread ends. Further threads share one, whose counters are added to atomically.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Shards that threads can have to themselves.
const OWNED: usize = u64::BITS as usize;
/// All of them.
pub const SHARDS: usize = OWNED + 1;
/// The one that is shared.
const SHARED: usize = 0;

/// Which of them have an owner: a bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// No thread has had one beyond this.
static HIGHEST: AtomicUsize = AtomicUsize::new(SHARED);

/// A thread's shard.
struct Home(usize);

impl Home {
    /// One that is free; else the shared one.
    fn claim() -> Home {
        let claimed = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
            (taken != u64::MAX).then(|| taken | (taken + 1))
        });
        let Ok(before) = claimed else { return Home(SHARED) };
        let shard = before.trailing_ones() as usize + 1;
        HIGHEST.fetch_max(shard, Ordering::Relaxed);
        Home(shard)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.0 != SHARED {
            // Whoever takes it next sees what was counted here.
            TAKEN.fetch_and(!(1 << (self.0 - 1)), Ordering::Release);
        }
    }
}

thread_local! {
    static HOME: Home = Home::claim();
}

/// The calling thread's shard, and whether it shares it with others.
#[inline]
pub fn home() -> (usize, bool) {
    // Gone in a thread that is about to end.
    let shard = HOME.try_with(|home| home.0).unwrap_or(SHARED);
    (shard, shard == SHARED)
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
        let homes: Vec<_> = (0..2 * OWNED).map(|_| Home::claim()).collect();
        let mut owned: Vec<_> =
            homes.iter().map(|home| home.0).filter(|shard| *shard != SHARED).collect();
        assert!(homes.last().is_some_and(|home| home.0 == SHARED));
        owned.sort_unstable();
        owned.dedup();
        assert!(owned.iter().all(|shard| used().contains(shard)));
        // Other tests' threads have some.
        assert_eq!(owned.len(), homes.iter().filter(|home| home.0 != SHARED).count());
        drop(homes);
        assert!(Home::claim().0 != SHARED);
    }
}
