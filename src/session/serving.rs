//! Which threads serve requests, and for whom.
//!
//! Said once for each thread of a loop, not for each request; what a program serves by hand says it
//! for the time of the call.

use std::cell::Cell;

use super::Session;

thread_local! {
    static SERVING: Cell<usize> = const { Cell::new(0) };
}

/// The calling thread serves requests of a session as long as this lives.
pub(super) struct Serving {
    before: usize,
}

impl Serving {
    /// From here on.
    pub fn begin(session: &Session) -> Serving {
        Serving { before: SERVING.replace(id(session)) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        SERVING.set(self.before);
    }
}

fn id(session: &Session) -> usize {
    std::ptr::from_ref(session).addr()
}

/// Whether the calling thread is one that runs handlers.
pub(super) fn in_handler() -> bool {
    SERVING.get() != 0
}

/// Whether it runs those of another session than this one.
pub(super) fn serves_another(session: &Session) -> bool {
    let serving = SERVING.get();
    serving != 0 && serving != id(session)
}
