//! What a request that has arrived in a ring waits for before its handler is called.

use super::gate::Gate;
use super::member::Member;
use crate::session::turns::{Turn, Turns};

/// Waits until a handler may be called, and announces one; `None` if none ever may. Whoever shuts
/// the gate waits for the announced.
pub(super) fn admit<'t>(gate: &Gate, turns: &'t Turns, member: &Member) -> Option<Turn<'t>> {
    loop {
        member.begin();
        if gate.is_open()
            && let Some(turn) = turns.take(|| gate.is_open())
        {
            return Some(turn);
        }
        member.end();
        if !gate.pass() {
            return None;
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::sync::AtomicUsize;

    /// A handler, which may not find another one running.
    fn handle(running: &AtomicUsize) {
        assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "handlers overlap");
        loom::thread::yield_now();
        running.fetch_sub(1, Ordering::SeqCst);
    }

    /// A request comes by a ring while the program serves another by its own loop, which then ends. Their
    /// handlers do not overlap, none runs after the end, and the ring's is not lost: the next loop has it served.
    #[test]
    fn rings_take_turns_with_a_loop_of_the_programs_own() {
        loom::model(|| {
            let (gate, turns) = (Arc::new(Gate::default()), Arc::new(Turns::default()));
            let member = Arc::new(Member::new(None, None));
            let (running, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let ring = {
                let (gate, turns, member) = (gate.clone(), turns.clone(), member.clone());
                let (running, served) = (running.clone(), served.clone());
                loom::thread::spawn(move || {
                    let Some(turn) = admit(&gate, &turns, &member) else { return };
                    handle(&running);
                    served.fetch_add(1, Ordering::SeqCst);
                    drop(turn);
                    member.end();
                })
            };
            // As `Session::serve_rings_beside_reader` does it, and then `Session::process`.
            turns.one_at_a_time(true);
            gate.open();
            let turn = turns.take(|| true);
            handle(&running);
            drop(turn);
            // As `Session::rest_beside_reader` does it.
            gate.shut();
            while member.is_busy() {
                loom::thread::yield_now();
            }
            turns.one_at_a_time(false);
            assert_eq!(running.load(Ordering::SeqCst), 0, "a handler runs between loops");
            // The next loop, one with workers.
            gate.open();
            ring.join().unwrap();
            assert_eq!(served.load(Ordering::SeqCst), 1, "a request was lost");
        });
    }
}
