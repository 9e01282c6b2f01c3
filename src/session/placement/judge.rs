//! Where workers are better off: decided by trying both, and by nothing else.
//!
//! Free workers run where the scheduler puts them; placed ones stay with their clients. Which way more
//! requests are served depends on the machine, on what else runs there and on what handlers do, so both are
//! tried in turns for a few milliseconds, and the winner is kept for a time that grows as long as the same
//! one wins.

use std::time::Duration;

/// Where workers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Where the scheduler puts them.
    Free,
    /// With their client, or on one processor.
    Placed,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go this way, and look again after this time.
    Go(Way, Duration),
    /// Too little to do: free them, and wait until there is more.
    Rest,
}

/// What was seen since the last decision.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Requests taken by workers.
    pub requests: u64,
    pub time: Duration,
    /// Nothing was served although a worker could have run.
    pub starved: bool,
}

/// The shortest window for workers with one client, in which starving workers delay requests.
const WINDOW: Duration = Duration::from_millis(4);
/// The shortest with several clients, where it makes less of a difference, and so takes longer to see.
const WIDE_WINDOW: Duration = Duration::from_millis(16);
/// The longest.
const LONGEST: Duration = Duration::from_millis(32);
/// A window is made long enough for so many requests.
const ENOUGH: f64 = 40.0;
/// How often placed workers are looked after.
const LOOK: Duration = Duration::from_millis(16);
/// Requests a second below which a wake-up more or less does not matter.
const QUIET: f64 = 400.0;
/// Looks in a row with so little to do, after which workers are freed.
const QUIET_LOOKS: u32 = 4;
/// Windows of each way in a trial.
const EACH: u32 = 2;
/// The other way must be better by so much.
const CLEARLY: f64 = 1.1;
/// How long the winner of a trial is kept.
const SHORT_HOLD: Duration = Duration::from_millis(120);
const LONG_HOLD: Duration = Duration::from_secs(4);
/// The longest with several clients: which way is better for them depends on what they ask for.
const WIDE_HOLD: Duration = Duration::from_millis(480);
/// How long workers with several clients stay free when being placed was clearly worse: a trial costs a third of
/// what would be served meanwhile.
const WORSE_HOLD: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
enum State {
    /// Finding out how much there is to do.
    Begin,
    Trial {
        window: Duration,
        done: u32,
        free: f64,
        placed: f64,
        /// What was free in this round.
        last: f64,
    },
    Hold {
        way: Way,
        left: Duration,
        slow: u32,
        quiet: u32,
    },
}

/// The judge of one kind of load of a session.
#[derive(Debug)]
pub struct Judge {
    /// The shortest window.
    window: Duration,
    /// How long a winner is kept at most; whether after a rest as well.
    longest_hold: Duration,
    remembers: bool,
    /// Being placed has to win each round of a trial, and every trial anew.
    doubts: bool,
    state: State,
    won: Way,
    hold: Duration,
    /// Requests a second that placed workers have to serve, to be placed on.
    floor: f64,
}

impl Judge {
    /// For workers with one client.
    pub fn of_one() -> Judge {
        Judge {
            window: WINDOW,
            longest_hold: LONG_HOLD,
            remembers: true,
            doubts: false,
            state: State::Begin,
            won: Way::Free,
            hold: Duration::ZERO,
            floor: 0.0,
        }
    }

    /// For workers with several. What there is to gain is of the size of what single windows differ by, and
    /// just after a change more is served than later.
    pub fn of_many() -> Judge {
        Judge {
            window: WIDE_WINDOW,
            longest_hold: WIDE_HOLD,
            remembers: false,
            doubts: true,
            ..Judge::of_one()
        }
    }

    /// Something is to be done after a rest, or after another kind of load.
    pub fn wake(&mut self) -> Next {
        let worse = self.won == Way::Free && self.hold >= WORSE_HOLD;
        if self.hold.is_zero() || !self.remembers && !worse {
            self.hold = Duration::ZERO;
            self.won = Way::Free;
            self.state = State::Begin;
            return Next::Go(Way::Free, self.window);
        }
        // That free was better may be long ago, and each burst of requests would go by what was true of another.
        let hold = if self.won == Way::Free { SHORT_HOLD } else { self.hold };
        self.keep(self.won, hold)
    }

    /// Judges what was seen on the way last decided.
    pub fn see(&mut self, seen: Seen) -> Next {
        let rate = seen.requests as f64 / seen.time.as_secs_f64().max(1e-6);
        match self.state {
            State::Begin if rate < QUIET => Next::Rest,
            State::Begin => self.try_both(rate),
            State::Trial { window, done, free, placed, last } => {
                let is_free = done % 2 == 0;
                let (free, placed) =
                    if is_free { (free + rate, placed) } else { (free, placed + rate) };
                let last = if is_free { rate } else { last };
                let done = done + 1;
                if free + placed < QUIET * f64::from(done) {
                    return Next::Rest;
                }
                let enough = if self.doubts { last * CLEARLY } else { last / 2.0 };
                // Not worth the rest of the trial.
                let hopeless = !is_free && (self.doubts || done == 2) && rate < enough;
                if hopeless {
                    self.lost(Way::Free);
                    if self.doubts && rate * CLEARLY < last {
                        self.hold = WORSE_HOLD;
                    }
                    return self.keep(Way::Free, self.hold);
                }
                if done < 2 * EACH {
                    self.state = State::Trial { window, done, free, placed, last };
                    return Next::Go(if is_free { Way::Placed } else { Way::Free }, window);
                }
                self.decide(free, placed, f64::from(done) / 2.0)
            }
            State::Hold { way: Way::Free, left, .. } => {
                let left = left.saturating_sub(seen.time);
                if rate < QUIET {
                    Next::Rest
                } else if left.is_zero() {
                    self.try_both(rate)
                } else {
                    self.keep(Way::Free, left)
                }
            }
            State::Hold { way: Way::Placed, left, slow, quiet } => {
                if seen.starved {
                    // Somebody else wants the processor, and gets it.
                    return self.settle(Way::Free);
                }
                let left = left.saturating_sub(seen.time);
                let quiet = if rate < QUIET { quiet + 1 } else { 0 };
                let slow = if quiet == 0 && rate < self.floor { slow + 1 } else { 0 };
                if quiet >= QUIET_LOOKS {
                    Next::Rest
                } else if self.doubts && slow >= 3 {
                    // Better only at first.
                    self.won = Way::Free;
                    self.hold = self.longest_hold;
                    self.keep(Way::Free, self.hold)
                } else if quiet == 0 && (left.is_zero() || slow >= 3) {
                    self.try_both(rate)
                } else {
                    self.state = State::Hold { way: Way::Placed, left, slow, quiet };
                    Next::Go(Way::Placed, LOOK)
                }
            }
        }
    }

    fn try_both(&mut self, rate: f64) -> Next {
        let window = Duration::from_secs_f64(ENOUGH / rate.max(1.0)).clamp(self.window, LONGEST);
        self.state = State::Trial { window, done: 0, free: 0.0, placed: 0.0, last: 0.0 };
        Next::Go(Way::Free, window)
    }

    fn decide(&mut self, free: f64, placed: f64, windows: f64) -> Next {
        let way = match self.won {
            Way::Free if placed > free * CLEARLY => Way::Placed,
            Way::Placed if free > placed * CLEARLY => Way::Free,
            won => won,
        };
        self.floor = if self.doubts { free } else { placed / 2.0 } / windows;
        self.settle(way)
    }

    fn settle(&mut self, way: Way) -> Next {
        self.lost(way);
        self.keep(way, self.hold)
    }

    /// `way` has won; the longer the same one wins, the more rarely it has to.
    fn lost(&mut self, way: Way) {
        let longer = if way == self.won { self.hold * 2 } else { Duration::ZERO };
        self.hold = longer.clamp(SHORT_HOLD, self.longest_hold);
        self.won = way;
    }

    fn keep(&mut self, way: Way, left: Duration) -> Next {
        self.state = State::Hold { way, left, slow: 0, quiet: 0 };
        Next::Go(way, if way == Way::Free { left.min(SHORT_HOLD) } else { LOOK })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes on for `time` with so many requests a second on each way; returns how long workers were placed,
    /// and whether they rest at the end.
    fn run(
        judge: &mut Judge,
        mut next: Next,
        time: Duration,
        free: f64,
        placed: f64,
    ) -> (Duration, Next) {
        let (mut gone, mut there) = (Duration::ZERO, Duration::ZERO);
        while gone < time {
            let Next::Go(way, step) = next else { break };
            gone += step;
            let rate = if way == Way::Placed { placed } else { free };
            if way == Way::Placed {
                there += step;
            }
            let requests = (rate * step.as_secs_f64()) as u64;
            next =
                judge.see(Seen { requests, time: step, starved: placed < free && requests == 0 });
        }
        (there, next)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_better_way_is_kept() {
        let mut judge = Judge::of_one();
        let next = judge.wake();
        let (there, next) = run(&mut judge, next, 20 * SECOND, 20_000.0, 50_000.0);
        assert!(there > 19 * SECOND, "{there:?}");
        // The load changes.
        let (there, next) = run(&mut judge, next, 10 * SECOND, 20_000.0, 5_000.0);
        assert!(there < SECOND / 5, "{there:?}");
        let (there, _) = run(&mut judge, next, 60 * SECOND, 20_000.0, 19_000.0);
        assert!(there < SECOND / 3, "{there:?}");
    }

    #[test]
    fn starving_is_short_and_rare() {
        let mut judge = Judge::of_one();
        let next = judge.wake();
        let (_, next) = run(&mut judge, next, SECOND, 20_000.0, 50_000.0);
        let (there, _) = run(&mut judge, next, 60 * SECOND, 30_000.0, 0.0);
        assert!(there < SECOND / 5, "{there:?}");
    }

    #[test]
    fn little_to_do_is_left_alone() {
        let mut judge = Judge::of_one();
        let next = judge.wake();
        let (there, next) = run(&mut judge, next, SECOND, 100.0, 1000.0);
        assert_eq!((there, next), (Duration::ZERO, Next::Rest));
        let next = judge.wake();
        let (_, next) = run(&mut judge, next, SECOND, 10_000.0, 30_000.0);
        let (there, next) = run(&mut judge, next, SECOND, 0.0, 0.0);
        assert_eq!(next, Next::Rest);
        assert!(there < SECOND / 10, "{there:?}");
        // What was known is used at once.
        assert!(matches!(judge.wake(), Next::Go(Way::Placed, _)));
    }

    #[test]
    fn several_clients_are_judged_anew_more_often() {
        let mut judge = Judge::of_many();
        let next = judge.wake();
        let (there, next) = run(&mut judge, next, 5 * SECOND, 20_000.0, 30_000.0);
        assert!(there > SECOND * 4, "{there:?}");
        let (there, _) = run(&mut judge, next, 5 * SECOND, 20_000.0, 15_000.0);
        assert!(there < SECOND, "{there:?}");
        let mut judge = Judge::of_many();
        let next = judge.wake();
        run(&mut judge, next, 5 * SECOND, 20_000.0, 30_000.0);
        let again = judge.wake();
        assert!(matches!(again, Next::Go(Way::Free, _)), "{again:?}");
    }

    #[test]
    fn with_several_clients_being_placed_has_to_win_always() {
        let see = |judge: &mut Judge, next: Next, rate: f64| {
            let Next::Go(_, time) = next else { panic!("it rests") };
            judge.see(Seen { requests: (rate * time.as_secs_f64()) as u64, time, starved: false })
        };
        // Clients were just beginning when workers were free for the first time.
        let mut judge = Judge::of_many();
        let next = judge.wake();
        let rates = [10_000.0, 10_000.0, 70_000.0, 75_000.0, 70_000.0];
        let next = rates.iter().fold(next, |next, rate| see(&mut judge, next, *rate));
        assert!(matches!(next, Next::Go(Way::Free, SHORT_HOLD)), "{next:?}");
        // It was better only at first.
        let mut judge = Judge::of_many();
        let next = judge.wake();
        let rates = [70_000.0, 70_000.0, 90_000.0, 70_000.0, 90_000.0];
        let next = rates.iter().fold(next, |next, rate| see(&mut judge, next, *rate));
        assert!(matches!(next, Next::Go(Way::Placed, _)), "{next:?}");
        let next = (0..3).fold(next, |next, _| see(&mut judge, next, 65_000.0));
        assert!(matches!(next, Next::Go(Way::Free, _)), "{next:?}");
    }

    #[test]
    fn with_several_clients_what_was_clearly_worse_is_tried_rarely() {
        let mut judge = Judge::of_many();
        let next = judge.wake();
        let (there, next) = run(&mut judge, next, 10 * SECOND, 70_000.0, 45_000.0);
        assert!(there <= 11 * WIDE_WINDOW, "{there:?}");
        run(&mut judge, next, SECOND, 0.0, 0.0);
        assert_eq!(judge.wake(), Next::Go(Way::Free, SHORT_HOLD));
    }

    #[test]
    fn bursts_are_not_judged_by_an_old_verdict() {
        let mut judge = Judge::of_one();
        let next = judge.wake();
        run(&mut judge, next, 60 * SECOND, 20_000.0, 5_000.0);
        // Each shorter than the verdict was to be kept.
        let mut there = Duration::ZERO;
        for _ in 0..4 {
            let next = judge.wake();
            let (burst, next) = run(&mut judge, next, SECOND / 2, 20_000.0, 50_000.0);
            there += burst;
            run(&mut judge, next, SECOND, 0.0, 0.0);
        }
        assert!(there > SECOND, "{there:?}");
    }

    #[test]
    fn a_tie_changes_nothing() {
        let mut judge = Judge::of_one();
        let next = judge.wake();
        let (there, _) = run(&mut judge, next, 60 * SECOND, 20_000.0, 21_000.0);
        assert!(there < SECOND / 3, "{there:?}");
    }
}
