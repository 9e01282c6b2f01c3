//! Buckets of a latency histogram: eight to each power of two, so that a value is known to 12 %.

/// Values below `1 << LOWEST` nanoseconds (256 ns) share the first bucket.
const LOWEST: u32 = 8;
/// Values from `1 << HIGHEST` nanoseconds (69 s) on share the last one.
const HIGHEST: u32 = 36;
/// Buckets in each power of two, as a power of two.
const FINE: u32 = 3;

/// How many buckets there are.
pub const BUCKETS: usize = ((HIGHEST - LOWEST) << FINE) as usize;

/// The bucket of a duration in nanoseconds.
pub fn bucket(ns: u64) -> usize {
    let ns = ns.clamp(1 << LOWEST, (1 << HIGHEST) - 1);
    let power = ns.ilog2();
    let fine = (ns >> (power - FINE)) & ((1 << FINE) - 1);
    ((power - LOWEST) << FINE) as usize + fine as usize
}

/// The largest duration in a bucket, in nanoseconds.
pub fn upper_bound(bucket: usize) -> u64 {
    let power = LOWEST + (bucket as u32 >> FINE);
    let fine = bucket as u64 & ((1 << FINE) - 1);
    let step = 1 << (power - FINE);
    (1 << power) + (fine + 1) * step - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_the_largest_of_their_buckets() {
        for at in 0..BUCKETS {
            let bound = upper_bound(at);
            assert_eq!(bucket(bound), at, "{bound}");
            if at + 1 < BUCKETS {
                assert_eq!(bucket(bound + 1), at + 1, "{bound}");
            }
        }
    }

    #[test]
    fn any_duration_has_a_bucket() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
