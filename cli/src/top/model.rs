//! What is shown: the latest answers and what happened between them and those before.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use ferrofuse::stats::snapshot::{Bytes, InFlight, Operation, SessionSnapshot, Workers};

use crate::stats::{Answer, Connection, Filter, Summary, connect_all, since, summarize};

/// A process and a session in it.
type Key = (u32, String, u64);

/// A filesystem and what it did lately.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it is mounted, or a stand-in.
    pub mount: String,
    /// Who serves it.
    pub program: String,
    /// The process.
    pub process: u32,
    /// `dev` or `io_uring`.
    pub transport: String,
    /// Requests in a second.
    pub requests: f64,
    /// Errors in a second.
    pub errors: f64,
    /// Bytes of requests in a second.
    pub bytes_in: f64,
    /// Bytes of answers in a second.
    pub bytes_out: f64,
    /// Of the latter, this part was spliced.
    pub spliced: f64,
    /// Threads.
    pub workers: Workers,
    /// What is under way, the oldest first.
    pub in_flight: Vec<InFlight>,
    /// What there was of each opcode.
    pub operations: Vec<Rate>,
    key: Key,
}

/// What there was of one opcode.
#[derive(Clone, Debug)]
pub struct Rate {
    /// The opcode.
    pub opcode: String,
    /// Requests in a second.
    pub requests: f64,
    /// Requests since the filesystem began.
    pub total: u64,
    /// Errors in a second.
    pub errors: f64,
    /// Latencies in this interval, or in all that was seen if it had none.
    pub latency: Summary,
}

/// Everybody who is asked, and the latest answers.
pub struct Model {
    filter: Filter,
    connections: HashMap<PathBuf, Connection>,
    before: HashMap<Key, (Instant, SessionSnapshot)>,
    /// One for each filesystem.
    pub lines: Vec<Line>,
    selected: Option<Key>,
}

fn total(bytes: &Bytes) -> u64 {
    bytes.copied + bytes.spliced + bytes.ring
}

impl Model {
    /// Nothing yet.
    pub fn new(filter: Filter) -> Model {
        Model {
            filter,
            connections: HashMap::new(),
            before: HashMap::new(),
            lines: Vec::new(),
            selected: None,
        }
    }

    /// Asks everybody.
    pub fn update(&mut self) {
        // A connection keeps its process counting, so the old ones stay.
        for connection in connect_all() {
            self.connections.entry(connection.path.clone()).or_insert(connection);
        }
        let mut answers = Vec::new();
        self.connections.retain(|_, connection| {
            let answer = connection.ask();
            let gone = answer.is_none();
            answers.extend(answer);
            !gone
        });
        let now = Instant::now();
        let mut before = HashMap::new();
        self.lines.clear();
        for answer in answers.iter().filter(|answer| self.filter.admits(answer)) {
            for (session, mount) in answer.snapshot.sessions.iter().zip(&answer.mounts) {
                let key = (answer.process, answer.snapshot.program.clone(), session.id);
                let earlier = self.before.get(&key);
                self.lines.push(line(answer, session, mount.clone(), key.clone(), earlier, now));
                before.insert(key, (now, session.clone()));
            }
        }
        self.before = before;
        self.lines.sort_by(|a, b| (&a.mount, a.process).cmp(&(&b.mount, b.process)));
    }

    /// The number of the selected line.
    pub fn selected(&self) -> Option<usize> {
        let selected = self.selected.as_ref();
        let at = selected.and_then(|key| self.lines.iter().position(|line| line.key == *key));
        at.or_else(|| (!self.lines.is_empty()).then_some(0))
    }

    /// Selects the line so many below.
    pub fn select(&mut self, step: isize) {
        if let Some(at) = self.selected() {
            let at = at.saturating_add_signed(step).min(self.lines.len() - 1);
            self.selected = Some(self.lines[at].key.clone());
        }
    }
}

fn line(
    answer: &Answer,
    session: &SessionSnapshot,
    mount: Option<String>,
    key: Key,
    earlier: Option<&(Instant, SessionSnapshot)>,
    now: Instant,
) -> Line {
    let seconds = earlier.map_or(0.0, |(then, _)| (now - *then).as_secs_f64());
    let past = earlier.map(|(_, session)| session);
    let rate = |now: u64, before: Option<u64>| match before {
        Some(before) if seconds > 0.0 => now.saturating_sub(before) as f64 / seconds,
        _ => 0.0,
    };
    let mut operations: Vec<Rate> = (session.operations.iter())
        .map(|operation| {
            let named = |past: &&Operation| past.opcode == operation.opcode;
            let old = past.and_then(|past| past.operations.iter().find(named));
            let lately = since(operation, old);
            let known = if lately.timed > 0 { &lately } else { operation };
            // One that was not there before began at 0.
            let requests = past.map(|_| old.map_or(0, |old| old.requests));
            let errors = past.map(|_| old.map_or(0, |old| old.errors));
            Rate {
                opcode: operation.opcode.clone(),
                requests: rate(operation.requests, requests),
                total: operation.requests,
                errors: rate(operation.errors, errors),
                latency: summarize(known),
            }
        })
        .collect();
    operations.sort_by(|a, b| {
        (b.requests, b.total)
            .partial_cmp(&(a.requests, a.total))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut in_flight = session.in_flight.clone();
    // Those that were there before anybody looked first.
    in_flight.sort_by_key(|request| {
        std::cmp::Reverse((request.age_ns.is_none(), request.age_ns.or(request.seen_ns)))
    });
    let out = rate(total(&session.bytes_out), past.map(|past| total(&past.bytes_out)));
    let spliced = rate(session.bytes_out.spliced, past.map(|past| past.bytes_out.spliced));
    Line {
        mount: mount.unwrap_or_else(|| format!("(session {})", session.id)),
        program: answer.snapshot.program.clone(),
        process: answer.process,
        transport: session.transport.clone(),
        requests: operations.iter().map(|operation| operation.requests).sum(),
        errors: operations.iter().map(|operation| operation.errors).sum(),
        bytes_in: rate(total(&session.bytes_in), past.map(|past| total(&past.bytes_in))),
        bytes_out: out,
        spliced: if out > 0.0 { spliced / out } else { 0.0 },
        workers: session.workers,
        in_flight,
        operations,
        key,
    }
}
