//! Whether splicing or copying is cheaper, by what each has cost this process so far.
//!
//! Which of the two wins depends on the machine, the kernel, the source and the size: a splice saves
//! a copy and pays for each page. So one of [`SAMPLE`] decisions that are open is measured, by the
//! thread's processor time, which neither a slow disk nor a busy machine falsifies, and one of
//! [`EXPLORE`] takes the way that is not preferred. The preference changes when the other way has
//! proven cheaper by an eighth, so that it does not go back and forth.
//!
//! Kinds of sources that are told apart: those read at a position, and streams.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::time::{ClockId, clock_gettime};

/// Of how many decisions one is measured.
const SAMPLE: u32 = 16;
/// Of how many decisions one goes the other way; a multiple of [`SAMPLE`].
const EXPLORE: u32 = 64;
/// Measurements of each way before they are compared.
const ENOUGH: u32 = 8;

/// Powers of two from 8 KiB on; the last class has all that is larger than 2 MiB.
const CLASSES: usize = 10;
const SMALLEST: u32 = 13;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Copy = 0,
    Splice = 1,
}

/// What is known of one size of one kind of source. Racing updates lose a measurement at worst.
struct Class {
    /// Mean processor time of each way in ns.
    cost: [AtomicU32; 2],
    /// Measurements of each way, up to [`ENOUGH`].
    count: [AtomicU32; 2],
    /// Copying has proven cheaper; until then, or again, splicing is preferred.
    copy: AtomicBool,
}

impl Class {
    const fn new() -> Class {
        Class {
            cost: [const { AtomicU32::new(0) }; 2],
            count: [const { AtomicU32::new(0) }; 2],
            copy: AtomicBool::new(false),
        }
    }

    fn preferred(&self) -> Way {
        if self.copy.load(Ordering::Relaxed) { Way::Copy } else { Way::Splice }
    }

    /// Takes a measurement in, and draws the conclusion.
    fn learn(&self, way: Way, ns: u32) {
        let (cost, count) = (&self.cost[way as usize], &self.count[way as usize]);
        let seen = count.load(Ordering::Relaxed);
        let mean = cost.load(Ordering::Relaxed);
        let next = match seen {
            0 => ns,
            // One that was disturbed, by an interrupt for example, must not count for many.
            _ => mean - mean / 8 + ns.min(mean.saturating_mul(4)) / 8,
        };
        cost.store(next, Ordering::Relaxed);
        count.store((seen + 1).min(ENOUGH), Ordering::Relaxed);
        let now = self.preferred();
        let other = if now == Way::Copy { Way::Splice } else { Way::Copy };
        let known = self.count.iter().all(|count| count.load(Ordering::Relaxed) >= ENOUGH);
        let price = |way: Way| u64::from(self.cost[way as usize].load(Ordering::Relaxed));
        if known && price(other) * 8 < price(now) * 7 {
            self.copy.store(other == Way::Copy, Ordering::Relaxed);
        }
    }
}

static STREAMS: [Class; CLASSES] = [const { Class::new() }; CLASSES];
static FILES: [Class; CLASSES] = [const { Class::new() }; CLASSES];

thread_local! {
    /// Decisions of this thread.
    static DECISIONS: Cell<u32> = const { Cell::new(0) };
}

/// A decision, and its measurement if it is one that is measured.
pub(super) struct Choice {
    class: &'static Class,
    way: Way,
    /// Processor time of the thread at the beginning, in ns.
    start: Option<u64>,
}

/// Decides for `len` bytes of a source that is read at a position or is a stream.
pub(super) fn choose(len: usize, positioned: bool) -> Choice {
    let table = if positioned { &FILES } else { &STREAMS };
    let class = &table[class_of(len)];
    let number = DECISIONS.get().wrapping_add(1);
    DECISIONS.set(number);
    let preferred = class.preferred();
    if !number.is_multiple_of(SAMPLE) {
        return Choice { class, way: preferred, start: None };
    }
    let way = match (number % EXPLORE, preferred) {
        (0, Way::Copy) => Way::Splice,
        (0, Way::Splice) => Way::Copy,
        (_, way) => way,
    };
    Choice { class, way, start: processor_time() }
}

fn class_of(len: usize) -> usize {
    (len.max(1).ilog2().saturating_sub(SMALLEST) as usize).min(CLASSES - 1)
}

/// The C library's, not rustix's: that one looks into the vDSO, which valgrind hides.
fn processor_time() -> Option<u64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    let whole = time.tv_sec().cast_unsigned().wrapping_mul(1_000_000_000);
    Some(whole.wrapping_add(time.tv_nsec().cast_unsigned()))
}

impl Choice {
    /// Whether to splice.
    pub fn splices(&self) -> bool {
        self.way == Way::Splice
    }

    /// The message is on its way, complete. A splice that ended in a copy counts as a splice.
    pub fn done(self) {
        if let Some(start) = self.start
            && let Some(end) = processor_time()
        {
            let ns = end.wrapping_sub(start);
            self.class.learn(self.way, u32::try_from(ns).unwrap_or(u32::MAX).max(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(splice: u32, copy: u32) -> Class {
        let class = Class::new();
        for _ in 0..ENOUGH {
            class.learn(Way::Splice, splice);
            class.learn(Way::Copy, copy);
        }
        class
    }

    #[test]
    fn the_cheaper_way_is_preferred() {
        assert_eq!(taught(1000, 500).preferred(), Way::Copy);
        assert_eq!(taught(500, 1000).preferred(), Way::Splice);
        // Not by so little.
        assert_eq!(taught(1000, 950).preferred(), Way::Splice);
    }

    #[test]
    fn nothing_changes_before_both_are_known() {
        let class = Class::new();
        (0..100).for_each(|_| class.learn(Way::Splice, 1_000_000));
        (0..ENOUGH - 1).for_each(|_| class.learn(Way::Copy, 1));
        assert_eq!(class.preferred(), Way::Splice);
    }

    #[test]
    fn a_preference_is_given_up_again() {
        let class = taught(1000, 500);
        (0..40).for_each(|_| class.learn(Way::Copy, 3000));
        assert_eq!(class.preferred(), Way::Splice);
    }

    #[test]
    fn one_outlier_changes_nothing() {
        let class = taught(500, 1000);
        class.learn(Way::Splice, u32::MAX);
        assert_eq!(class.preferred(), Way::Splice);
    }

    #[test]
    fn sizes_have_classes() {
        assert_eq!(class_of(0), 0);
        assert_eq!(class_of(8192), 0);
        assert_eq!(class_of(16384), 1);
        assert_eq!(class_of(1 << 20), 7);
        assert_eq!(class_of(usize::MAX), CLASSES - 1);
    }

    #[test]
    fn every_way_is_tried() {
        let mut ways = [0; 2];
        for _ in 0..2 * EXPLORE {
            let choice = choose(300 << 20, false);
            ways[choice.way as usize] += 1;
            choice.done();
        }
        assert!(ways[0] >= 2 && ways[1] >= 2, "{ways:?}");
    }
}
