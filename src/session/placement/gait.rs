//! Noticing that the client has gone to another processor.
//!
//! Requests then come much more slowly. The worker itself looks for the client: a thread that did so from
//! time to time would be woken on an idle processor, which makes the scheduler fetch the client there.

use std::time::{Duration, Instant};

/// Least time between two looks after one that found the client elsewhere, and most otherwise.
const SOON: Duration = Duration::from_micros(200);
const LATE: Duration = Duration::from_millis(16);

/// How fast a placed worker's requests come.
#[derive(Debug)]
pub(in crate::session) struct Gait {
    last: Instant,
    /// About the shortest time between two requests lately.
    usual: Duration,
    look_at: Instant,
    pause: Duration,
}

impl Default for Gait {
    fn default() -> Gait {
        let now = Instant::now();
        Gait { last: now, usual: Duration::ZERO, look_at: now, pause: SOON }
    }
}

impl Gait {
    /// A request has come; whether to look where its client is.
    pub fn step(&mut self, now: Instant) -> bool {
        let gap = now.saturating_duration_since(self.last);
        self.last = now;
        let slow = gap > self.usual * 2;
        self.usual = gap.min(self.usual + self.usual / 64 + Duration::from_nanos(20));
        slow && now >= self.look_at
    }

    /// The look is done.
    pub fn looked(&mut self, now: Instant, moved: bool) {
        self.pause = if moved { SOON } else { (self.pause * 2).min(LATE) };
        self.look_at = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_when_it_becomes_slower() {
        let mut gait = Gait::default();
        let mut now = Instant::now() + SOON;
        let mut walk = |gait: &mut Gait, gap, requests: u32, moved| {
            let mut looks = 0;
            for _ in 0..requests {
                now += Duration::from_micros(gap);
                if gait.step(now) {
                    gait.looked(now, moved);
                    looks += 1;
                }
            }
            looks
        };
        walk(&mut gait, 10, 5000, false);
        assert_eq!(walk(&mut gait, 10, 5000, false), 0);
        // It has moved; it is found at once.
        assert!(walk(&mut gait, 80, 2, true) >= 1);
        assert_eq!(walk(&mut gait, 10, 5000, false), 0);
        // It has not moved, but thinks longer.
        assert!(walk(&mut gait, 200, 1000, false) < 12);
    }
}
