//! When a session has rings, and what its loops do with them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Rings, solo};
use crate::session::{LoopKind, Session};
use crate::sys::env::under_valgrind;
use crate::transport::uring::{TransportChoice, Unused};

impl Session {
    /// Makes ready for io_uring before the kernel is told that it is wanted, or says why not.
    pub(in crate::session) fn prepare_rings(
        self: &Arc<Self>,
        offered: bool,
        payload: usize,
    ) -> Result<(), Unused> {
        let options = self.config.transport;
        if options.choice == TransportChoice::Dev {
            return Err(Unused::Option);
        }
        if self.watched.load(Ordering::Relaxed) {
            return Err(Unused::AutoUnmount);
        }
        if under_valgrind() {
            return Err(Unused::Valgrind);
        }
        if !self.channel().is_some_and(|channel| channel.is_kernel_device()) {
            return Err(Unused::CustomIo);
        }
        let kind = *self.loop_kind.lock();
        match kind {
            LoopKind::None | LoopKind::Early => Err(Unused::CustomIo),
            LoopKind::Workers(config) if config.clone_fd => Err(Unused::CloneFd),
            LoopKind::Workers(config) if config.max_threads < 2 => Err(Unused::OneWorker),
            LoopKind::Single if options.choice == TransportChoice::Auto => Err(Unused::OneThread),
            _ if !offered => Err(Unused::not_offered()),
            LoopKind::Single => solo::prepare(self, payload),
            LoopKind::Workers(config) => {
                let rings = Rings::prepare(self, payload, options.depth, config.max_threads)?;
                *self.rings.lock() = Some(rings);
                Ok(())
            }
        }
    }

    /// Says why io_uring is not used.
    pub(in crate::session) fn report_unused(&self, reason: Unused) {
        log::info!("fuse: requests come by /dev/fuse: {reason}");
    }

    /// The kernel has been told: tells it more.
    pub(in crate::session) fn begin_rings(self: &Arc<Self>) {
        let rings = self.rings.lock().clone();
        match rings {
            Some(rings) => rings.gate.open(),
            None => solo::begin(self),
        }
    }

    /// A loop with workers begins: requests are served again.
    pub(in crate::session) fn resume_rings(&self) {
        if let Some(rings) = &*self.rings.lock() {
            rings.gate.open();
        }
    }

    /// The program reads by itself after a loop with workers: what the kernel gives to the rings of that loop is
    /// served there, in turns with what the program serves. Whether it is so.
    pub(in crate::session) fn serve_rings_beside_reader(&self) -> bool {
        let rings = self.rings.lock();
        let Some(rings) = &*rings else { return false };
        if !rings.gate.is_open() && !self.turns.are_taken() {
            self.turns.one_at_a_time(true);
            rings.gate.open();
        }
        self.turns.are_taken()
    }

    /// The program's own loop is to end: rings rest until the next one.
    pub(in crate::session) fn rest_beside_reader(&self) {
        if self.turns.are_taken() {
            self.pause_rings();
            self.turns.one_at_a_time(false);
        }
    }

    /// It ends: what arrives from here on waits.
    pub(in crate::session) fn pause_rings(&self) {
        let rings = self.rings.lock().clone();
        if let Some(rings) = rings {
            rings.pause();
        }
    }

    /// Waits until every RELEASE of these nodes has been handled that the kernel sent before the
    /// request which the calling thread serves; a second at most. The caller may hold nothing that
    /// a RELEASE needs.
    ///
    /// By the device requests are taken in their order, so that this is rarely missed there.
    pub(crate) fn await_releases(&self, nodes: &[u64]) {
        let rings = self.rings.lock().clone();
        if let Some(rings) = rings {
            rings.settle(nodes);
        }
    }

    /// Whether requests come by io_uring.
    pub fn uses_rings(&self) -> bool {
        self.rings.lock().is_some() || self.by_solo()
    }

    /// Whether they come by the ring of a single-threaded loop, which only the thread that ran it can look into.
    pub fn by_solo(&self) -> bool {
        self.solo.load(Ordering::Relaxed)
    }

    /// Lets go of all rings, for good.
    pub(in crate::session) fn end_rings(self: &Arc<Self>) {
        solo::end(self);
        *self.site.lock() = None;
        self.handed_out.clear();
        let rings = self.rings.lock().take();
        if let Some(rings) = rings {
            rings.close();
        }
    }
}
