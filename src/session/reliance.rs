//! That a worker is counted on which has answered, and is expected to wait for requests again soon.

use std::sync::atomic::Ordering;

use super::census::Census;
use crate::sync::AtomicBool;

/// Whether the supervisor of a pool has to see that whoever was counted on came back.
#[derive(Debug, Default)]
pub(super) struct Reliance(AtomicBool);

impl Reliance {
    /// Somebody is counted on, by a worker that has left nobody waiting; true if the supervisor must be called.
    pub fn begin(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    /// Whether the supervisor has to look.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Ends if somebody waits; whether it goes on.
    pub fn look(&self, census: &Census) -> bool {
        if census.nobody_waits() {
            return true;
        }
        self.0.store(false, Ordering::SeqCst);
        // Whoever found it begun, and so called nobody, had taken its request before.
        let again = census.nobody_waits();
        if again {
            self.0.store(true, Ordering::SeqCst);
        }
        again
    }

    /// Nobody came back: the supervisor starts a worker now, if there may be more.
    pub fn end(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn where_nobody_waits_somebody_looks() {
        loom::model(|| {
            let shared = Arc::new((Census::default(), Reliance::default()));
            for _ in 0..3 {
                assert!(shared.0.announce(3));
                shared.0.arrive();
            }
            // One has answered and does something else; another came back a while ago.
            shared.0.take_request();
            assert!(shared.1.begin());
            let workers: Vec<_> = (0..2)
                .map(|_| {
                    let theirs = shared.clone();
                    loom::thread::spawn(move || theirs.0.take_request() && theirs.1.begin())
                })
                .collect();
            let looks = shared.1.look(&shared.0);
            let called = workers.into_iter().map(|it| it.join().unwrap()).fold(false, |a, b| a | b);
            assert!(shared.0.nobody_waits());
            assert!(looks || called, "nobody looks");
            assert!(shared.1.is_on());
        });
    }
}
