//! Where a session counts, and what it tells.
//!
//! A request looks at one byte, whether it is observed at all; everything else is off its way.

mod debug;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::sys::lock::Mutex;

use super::beginning::Age;
use super::errand::Errand;
use super::request::is_unanswered;
use super::{Config, LoopKind, Message, Session, slots};
use crate::stats::StatsPolicy;
use crate::stats::counters::{Counters, Route, now};
use crate::stats::server::{self, Shows, Source};
use crate::stats::snapshot::{InFlight, Operation, SessionSnapshot, Workers};
use crate::stats::tally::{ROWS, row_name};
use crate::stats::{latency, tally};
use crate::transport::Channel;
use crate::wire::Opcode;
use crate::wire::layout::{InHeader, OutHeader};
use crate::wire::request;

// Why requests are observed.
const DEBUG: u8 = 1;
const WATCHED: u8 = 2;

/// What a session counts.
pub(super) struct Sheet {
    id: u64,
    observed: AtomicU8,
    /// Every request is to be timed.
    all: bool,
    /// The process can be asked although no loop of the library's serves.
    by_hand: Mutex<Option<Shows>>,
    /// Made when somebody looks for the first time.
    counters: OnceLock<Option<Counters>>,
    served: Mutex<Served>,
}

/// Who serves requests now, and what others have served.
struct Served {
    now: Vec<Arc<Errand>>,
    before: [u64; ROWS],
}

/// A thread that serves requests is known by this.
pub(super) struct Listed<'s> {
    sheet: &'s Sheet,
    errand: Arc<Errand>,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut served = self.sheet.served.lock();
        served.now.retain(|errand| !Arc::ptr_eq(errand, &self.errand));
        self.errand.tally.add_to(&mut served.before);
    }
}

impl Sheet {
    pub fn new(config: &Config) -> Sheet {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let sheet = Sheet {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            observed: AtomicU8::new(if config.debug { DEBUG } else { 0 }),
            all: config.stats == StatsPolicy::Always,
            by_hand: Mutex::new(None),
            counters: OnceLock::new(),
            served: Mutex::new(Served { now: Vec::new(), before: [0; ROWS] }),
        };
        if config.stats == StatsPolicy::Always {
            sheet.watch(true);
        }
        sheet
    }

    /// Shows every request and answer from now on.
    pub fn set_debug(&self) {
        self.observed.fetch_or(DEBUG, Ordering::Relaxed);
    }

    pub fn is_debugged(&self) -> bool {
        self.observed.load(Ordering::Relaxed) & DEBUG != 0
    }

    /// The thread that owns `errand` serves requests for as long as the result lives.
    pub fn list(&self, errand: &Arc<Errand>) -> Listed<'_> {
        self.keep(errand);
        Listed { sheet: self, errand: errand.clone() }
    }

    /// The same, for as long as the session lives.
    pub fn keep(&self, errand: &Arc<Errand>) {
        self.served.lock().now.push(errand.clone());
    }

    fn watch(&self, looked_at: bool) {
        if looked_at {
            self.counters.get_or_init(|| Counters::new(self.all));
            self.observed.fetch_or(WATCHED, Ordering::Relaxed);
        } else {
            self.observed.fetch_and(!WATCHED, Ordering::Relaxed);
        }
    }

    fn counters(&self) -> Option<&Counters> {
        self.counters.get()?.as_ref()
    }

    /// The counters, if somebody looks.
    fn watched(&self) -> Option<&Counters> {
        (self.observed.load(Ordering::Relaxed) & WATCHED != 0).then(|| self.counters())?
    }
}

impl Session {
    /// Whether anybody wants to know of each request.
    #[inline]
    pub(super) fn is_observed(&self) -> bool {
        self.sheet.observed.load(Ordering::Relaxed) != 0
    }

    /// A request has come; when, if somebody looks.
    #[cold]
    pub(super) fn observe_request(
        &self,
        header: &InHeader,
        piped: bool,
        channel: &dyn Channel,
    ) -> Option<u64> {
        if self.is_debugged() {
            Session::log_request(header);
        }
        self.count_request(header, piped, channel)
    }

    /// Apart from what is cold, so that the compiler makes one piece of it that is quick for who looks.
    #[inline(never)]
    fn count_request(&self, header: &InHeader, piped: bool, channel: &dyn Channel) -> Option<u64> {
        let counters = self.sheet.watched()?;
        let route = if piped { Route::Spliced } else { channel.route() };
        let awaited = !is_unanswered(Opcode::from_raw(header.opcode));
        counters.received(header.unique, header.opcode, header.len.into(), route, awaited)
    }

    /// A message has been sent.
    #[cold]
    pub(super) fn observe_reply(&self, header: &OutHeader, route: Route) {
        self.count_reply(header, route);
    }

    /// Apart, likewise.
    #[inline(never)]
    fn count_reply(&self, header: &OutHeader, route: Route) {
        if let Some(counters) = self.sheet.watched() {
            counters.sent(header.unique, header.error, header.len.into(), route);
        }
    }

    /// Lets the process be asked about this session, if that is wanted, for as long as the result
    /// lives; the session must live longer.
    pub(super) fn show_stats(self: &Arc<Self>, several_workers: bool) -> Option<Shows> {
        self.hide_by_hand();
        if !self.config.stats.wants_socket(several_workers) {
            return None;
        }
        let source: Weak<dyn Source> = Arc::downgrade(self) as _;
        server::show(self.sheet.id, source)
    }

    /// The same for programs that read by themselves, which have no loop that could do it: from INIT on, until
    /// the session is destroyed. With `auto`, a process that has one thread by then keeps just that one.
    pub(super) fn show_by_hand(self: &Arc<Self>) {
        if !matches!(*self.loop_kind.lock(), LoopKind::None) {
            return;
        }
        let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        let shows = self.show_stats(threads > 1);
        *self.sheet.by_hand.lock() = shows;
    }

    /// The session is about to end, or a loop begins.
    pub(super) fn hide_by_hand(&self) {
        let shows = self.sheet.by_hand.lock().take();
        drop(shows);
    }

    /// A request has come to a program that reads by itself.
    #[cold]
    pub(super) fn observe_by_hand(&self, message: &Message<'_>) {
        if let Some(counters) = self.sheet.watched()
            && let Ok(header) = request::header(message.bytes(), message.len())
        {
            counters.received_by_hand(header.opcode);
        }
    }

    fn requests(&self, mut each: impl FnMut(&Errand)) -> [u64; ROWS] {
        let mut sums = {
            let served = self.sheet.served.lock();
            let mut sums = served.before;
            for errand in &served.now {
                each(errand);
                errand.tally.add_to(&mut sums);
            }
            sums
        };
        if let Some(counters) = self.sheet.counters() {
            sums.iter_mut().zip(counters.by_hand()).for_each(|(sum, count)| *sum += count);
        }
        let rings = self.rings.lock().clone();
        if let Some(rings) = rings {
            rings.for_each_errand(|errand| {
                each(errand);
                errand.tally.add_to(&mut sums);
            });
        }
        sums
    }

    fn operations(&self, requests: &[u64; ROWS]) -> Vec<Operation> {
        let counters = self.sheet.counters();
        let rows = requests.iter().enumerate().filter(|(_, requests)| **requests > 0);
        rows.map(|(row, requests)| {
            let mut operation = Operation {
                opcode: row_name(row).to_owned(),
                requests: *requests,
                ..Operation::default()
            };
            if let Some(counted) = counters.map(|counters| counters.row(row)) {
                let filled = counted.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
                operation.latency =
                    filled.map(|(at, count)| (latency::upper_bound(at), *count)).collect();
                operation.timed = counted.buckets.iter().sum();
                operation.errors = counted.errors;
                operation.time_ns = counted.time;
            }
            operation
        })
        .collect()
    }

    /// The kernel's number of the connection, where it tells (Linux 6.13 or so).
    fn connection(&self) -> Option<u32> {
        let fd = self.channel()?.raw_fd();
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
        let number = text.lines().find_map(|line| line.strip_prefix("fuse_connection:"))?;
        number.trim().parse().ok()
    }
}

impl Source for Session {
    fn watch(&self, looked_at: bool) {
        self.sheet.watch(looked_at || self.config.stats == StatsPolicy::Always);
    }

    fn snapshot(&self) -> SessionSnapshot {
        let counters = self.sheet.counters();
        let mut workers = Workers::default();
        let requests = self.requests(|errand| {
            workers.alive += 1;
            workers.busy += usize::from(errand.is_busy());
        });
        let (kind, most) = match *self.loop_kind.lock() {
            LoopKind::Workers(config) => ("workers", config.max_threads),
            LoopKind::Single => ("single", 1),
            LoopKind::None | LoopKind::Early => ("own", 0),
        };
        workers.most = most;
        let mut in_flight = Vec::new();
        slots::in_flight(self, now(), |unique, opcode, node, context, age| {
            in_flight.push(InFlight {
                unique,
                opcode: opcode.map_or(tally::row_name(0), Opcode::name).to_owned(),
                node,
                pid: context.pid(),
                age_ns: if let Age::Known(age) = age { Some(age) } else { None },
                seen_ns: if let Age::AtLeast(age) = age { Some(age) } else { None },
            });
        });
        SessionSnapshot {
            id: self.sheet.id,
            connection: self.connection(),
            minor: self.protocol().minor,
            r#loop: kind.to_owned(),
            transport: if self.uses_rings() { "io_uring" } else { "dev" }.to_owned(),
            splice: self.negotiated.splice_write.load(Ordering::Relaxed),
            watched_ns: counters.map_or(0, Counters::age),
            workers,
            in_flight,
            operations: self.operations(&requests),
            bytes_in: counters.map(Counters::bytes_in).unwrap_or_default().into(),
            bytes_out: counters.map(Counters::bytes_out).unwrap_or_default().into(),
            notifications: counters.map_or(0, Counters::notifications),
        }
    }
}
