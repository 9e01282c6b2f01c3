//! How many seats each queue begins with.

/// Seats of each queue unless the user says otherwise. The kernel wakes who waits for an answer before
/// the entry it came in is ready again, so the next request often finds the first seat's busy.
const SEATS: usize = 2;
/// Most threads with an entry of their own, whatever depth the user asks for.
pub(super) const MOST_SEATS: usize = 1024;
/// Each seat has a ring and a bell.
const DESCRIPTORS: usize = 2;

/// The seats of each of `queues` queues where the user asks for `wanted` (0: for nothing) and the process
/// may have `descriptors` open; `None` if that is too few. A filesystem needs descriptors for itself: of
/// these, seats nobody asked for take a quarter, and half if there are not to be any less.
pub(super) fn seats(wanted: usize, queues: usize, descriptors: usize) -> Option<usize> {
    let queues = queues.max(1);
    let fits = |seats: usize, part: usize| seats * queues * DESCRIPTORS <= descriptors / part;
    let most = (MOST_SEATS / queues).max(1);
    match wanted {
        0 if fits(SEATS.min(most), 4) => Some(SEATS.min(most)),
        0 => fits(1, 2).then_some(1),
        wanted => Some(wanted.min(most)),
    }
}

/// How many descriptors the process may have open.
pub(super) fn descriptors() -> usize {
    use nix::sys::resource::{Resource, getrlimit};
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filesystem_keeps_descriptors_for_itself() {
        assert_eq!(seats(0, 2, 1024), Some(2));
        assert_eq!(seats(0, 64, 1024), Some(2));
        assert_eq!(seats(0, 65, 1024), Some(1));
        assert_eq!(seats(0, 256, 1024), Some(1));
        assert_eq!(seats(0, 257, 1024), None);
        assert_eq!(seats(0, 512, 1 << 20), Some(2));
        assert_eq!(seats(0, 4096, 1 << 20), Some(1));
    }

    #[test]
    fn what_the_user_asks_for_is_bounded_by_threads_alone() {
        assert_eq!(seats(8, 64, 64), Some(8));
        assert_eq!(seats(100, 64, 1024), Some(16));
        assert_eq!(seats(100, 4096, 1024), Some(1));
    }
}
