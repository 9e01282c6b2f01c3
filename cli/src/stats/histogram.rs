//! Latencies of an opcode, from the buckets that a process gives.

use std::collections::HashMap;

use ferrofuse::stats::snapshot::Operation;
use hdrhistogram::Histogram;

/// A minute, in nanoseconds; what took longer counts as that.
const LONGEST: u64 = 60_000_000_000;

/// Latencies in short, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many answers it says something of.
    pub count: u64,
    /// On average.
    pub mean: u64,
    /// Half of them took no longer.
    pub p50: u64,
    /// 90 of a hundred took no longer.
    pub p90: u64,
    /// 99 of a hundred took no longer.
    pub p99: u64,
    /// None took longer.
    pub max: u64,
}

/// What an operation's buckets say.
pub fn summarize(operation: &Operation) -> Summary {
    let Ok(mut histogram) = Histogram::<u64>::new_with_bounds(1, LONGEST, 2) else {
        return Summary::default();
    };
    for (bound, count) in &operation.latency {
        histogram.saturating_record_n(*bound, *count);
    }
    if histogram.is_empty() {
        return Summary::default();
    }
    let exact = operation.time_ns / operation.timed.max(1);
    Summary {
        count: histogram.len(),
        mean: exact,
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        max: histogram.max(),
    }
}

/// What happened between two answers.
pub fn since(now: &Operation, before: Option<&Operation>) -> Operation {
    let Some(before) = before else { return now.clone() };
    let earlier: HashMap<u64, u64> = before.latency.iter().copied().collect();
    let latency = now.latency.iter().map(|(bound, count)| {
        (*bound, count.saturating_sub(earlier.get(bound).copied().unwrap_or(0)))
    });
    Operation {
        opcode: now.opcode.clone(),
        requests: now.requests.saturating_sub(before.requests),
        timed: now.timed.saturating_sub(before.timed),
        errors: now.errors.saturating_sub(before.errors),
        time_ns: now.time_ns.saturating_sub(before.time_ns),
        latency: latency.filter(|(_, count)| *count > 0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(latency: &[(u64, u64)]) -> Operation {
        let timed = latency.iter().map(|(_, count)| count).sum();
        let time_ns = latency.iter().map(|(bound, count)| bound * count).sum();
        Operation { timed, time_ns, latency: latency.to_vec(), ..Operation::default() }
    }

    #[test]
    fn quantiles() {
        let summary = summarize(&operation(&[(1_000, 98), (1_000_000, 2)]));
        assert_eq!(summary.count, 100);
        assert!(summary.p50 < 1_100 && summary.p90 < 1_100);
        assert!(summary.p99 >= 1_000_000 && summary.max >= 1_000_000);
        assert_eq!(summarize(&operation(&[])), Summary::default());
    }

    #[test]
    fn differences() {
        let (before, now) = (operation(&[(1_000, 5)]), operation(&[(1_000, 7), (9_000, 1)]));
        let between = since(&now, Some(&before));
        assert_eq!((between.timed, between.latency), (3, vec![(1_000, 2), (9_000, 1)]));
        assert_eq!(since(&now, None).timed, 8);
    }
}
