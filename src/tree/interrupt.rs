//! Interrupts (`intr`): a signal to the thread that serves the request, repeated every second until
//! its operation returns.
//!
//! The first signal is sent by the thread that read the INTERRUPT. Repeating is left to a thread of
//! its own, so that no worker is held up by an operation that ignores its signals.

use std::sync::Arc;
use std::time::Duration;

use crate::sys::lock::Mutex;

use crate::session::{Handle, Peek};
use crate::sys::signal::Thread;

const REPEAT: Duration = Duration::from_secs(1);

/// An operation that can be interrupted.
struct Running {
    thread: Thread,
    signal: i32,
    /// It has returned; its thread does other things now. Held while signalling.
    done: Mutex<bool>,
}

impl Running {
    /// Sends the signal; false if the operation has returned.
    fn interrupt(&self) -> bool {
        let done = self.done.lock();
        if *done {
            return false;
        }
        if let Err(error) = self.thread.signal(self.signal) {
            log::error!("fuse: can't send signal {} to interrupt: {error}", self.signal);
            return false;
        }
        true
    }
}

#[derive(Default)]
struct Repeater {
    waiting: Vec<Arc<Running>>,
    running: bool,
}

#[derive(Default)]
pub(super) struct Interrupts {
    repeater: Mutex<Repeater>,
}

/// An operation for which interrupts are watched, until dropped.
pub(super) struct Watch {
    running: Arc<Running>,
    handle: Handle,
}

impl Interrupts {
    /// Lets interrupts of a request reach the calling thread.
    pub fn watch(self: &Arc<Self>, handle: Handle, signal: i32) -> Option<Watch> {
        let thread = Thread::current();
        let running = Arc::new(Running { thread, signal, done: Mutex::new(false) });
        let (interrupts, theirs) = (self.clone(), running.clone());
        let callback = Arc::new(move || interrupts.interrupt(&theirs));
        Peek::new(handle).ok()?.set_interrupt_callback(Some(callback));
        Some(Watch { running, handle })
    }

    fn interrupt(self: &Arc<Self>, running: &Arc<Running>) {
        // Its own thread runs this only if the interrupt came before the operation began.
        if running.thread == Thread::current() || !running.interrupt() {
            return;
        }
        let mut repeater = self.repeater.lock();
        repeater.waiting.push(running.clone());
        if repeater.running {
            return;
        }
        let interrupts = self.clone();
        let thread = std::thread::Builder::new().name("fuse_interrupt".into());
        match thread.spawn(move || interrupts.repeat()) {
            Ok(_) => repeater.running = true,
            Err(error) => log::error!("fuse: error creating thread: {error}"),
        }
    }

    /// Life of the repeating thread, which ends when there is nothing to repeat.
    fn repeat(&self) {
        loop {
            std::thread::sleep(REPEAT);
            let mut repeater = self.repeater.lock();
            repeater.waiting.retain(|running| running.interrupt());
            if repeater.waiting.is_empty() {
                repeater.running = false;
                return;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.running.done.lock() = true;
        if let Ok(peek) = Peek::new(self.handle) {
            peek.set_interrupt_callback(None);
        }
    }
}
