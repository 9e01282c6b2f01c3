//! For Prometheus: its text format, version 0.0.4.

use std::fmt::Write;

use ferrofuse::stats::snapshot::{Bytes, SessionSnapshot};

use super::Answer;

/// The bounds that are shown of a histogram, in nanoseconds: powers of four from a microsecond on.
const BOUNDS: [u64; 13] = {
    let mut bounds = [1_000; 13];
    let mut at = 1;
    while at < bounds.len() {
        bounds[at] = bounds[at - 1] * 4;
        at += 1;
    }
    bounds
};

/// A family of values: its lines stand together.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    lines: String,
}

impl Family {
    fn new(name: &'static str, kind: &'static str, help: &'static str) -> Family {
        Family { name, kind, help, lines: String::new() }
    }

    fn add(&mut self, suffix: &str, labels: &str, value: impl std::fmt::Display) {
        // Writing to a string never fails.
        let _ = writeln!(self.lines, "{}{suffix}{{{labels}}} {value}", self.name);
    }
}

/// A label's value, in quotes.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    format!("\"{escaped}\"")
}

pub(super) fn render(answers: &[Answer]) -> String {
    let mut families = [
        Family::new("ferrofuse_requests_total", "counter", "Requests since the filesystem began."),
        Family::new(
            "ferrofuse_errors_total",
            "counter",
            "Answers that were errors, while watched.",
        ),
        Family::new(
            "ferrofuse_latency_seconds",
            "histogram",
            "From request to answer, while watched.",
        ),
        Family::new(
            "ferrofuse_bytes_total",
            "counter",
            "Bytes of messages by route, while watched.",
        ),
        Family::new("ferrofuse_notifications_total", "counter", "Notifications, while watched."),
        Family::new("ferrofuse_workers", "gauge", "Threads that serve requests."),
        Family::new("ferrofuse_in_flight", "gauge", "Requests under way."),
        Family::new("ferrofuse_in_flight_oldest_seconds", "gauge", "Age of the oldest of them."),
    ];
    for answer in answers {
        for (session, mount) in answer.snapshot.sessions.iter().zip(&answer.mounts) {
            let labels = format!(
                "mountpoint={},program={},pid=\"{}\"",
                quoted(mount.as_deref().unwrap_or("")),
                quoted(&answer.snapshot.program),
                answer.process
            );
            add(&mut families, session, &labels);
        }
    }
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.lines.is_empty()) {
        let Family { name, kind, help, lines } = family;
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
    }
    text
}

fn add(families: &mut [Family; 8], session: &SessionSnapshot, labels: &str) {
    let [requests, errors, latency, bytes, notifications, workers, in_flight, oldest] = families;
    for operation in &session.operations {
        let labels = format!("{labels},opcode={}", quoted(&operation.opcode));
        requests.add("", &labels, operation.requests);
        errors.add("", &labels, operation.errors);
        for bound in BOUNDS {
            let within = operation.latency.iter().filter(|(longest, _)| *longest <= bound);
            let count: u64 = within.map(|(_, count)| count).sum();
            latency.add("_bucket", &format!("{labels},le=\"{}\"", bound as f64 / 1e9), count);
        }
        latency.add("_bucket", &format!("{labels},le=\"+Inf\""), operation.timed);
        latency.add("_sum", &labels, operation.time_ns as f64 / 1e9);
        latency.add("_count", &labels, operation.timed);
    }
    for (direction, moved) in [("in", &session.bytes_in), ("out", &session.bytes_out)] {
        let Bytes { copied, spliced, ring } = *moved;
        for (route, count) in [("copied", copied), ("spliced", spliced), ("io_uring", ring)] {
            bytes.add("", &format!("{labels},direction=\"{direction}\",route=\"{route}\""), count);
        }
    }
    notifications.add("", labels, session.notifications);
    for (state, count) in [
        ("busy", session.workers.busy),
        ("waiting", session.workers.alive.saturating_sub(session.workers.busy)),
    ] {
        workers.add("", &format!("{labels},state=\"{state}\""), count);
    }
    in_flight.add("", labels, session.in_flight.len());
    let ages = session.in_flight.iter().filter_map(|request| request.age_ns.or(request.seen_ns));
    oldest.add("", labels, ages.max().unwrap_or(0) as f64 / 1e9);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrofuse::stats::snapshot::{Operation, Snapshot};

    #[test]
    fn a_histogram_is_cumulative_and_labels_are_quoted() {
        let operation = Operation {
            opcode: "READ".into(),
            requests: 9,
            timed: 3,
            errors: 1,
            time_ns: 5_000,
            latency: vec![(900, 1), (3_900, 2)],
        };
        let session = SessionSnapshot { operations: vec![operation], ..SessionSnapshot::default() };
        let snapshot =
            Snapshot { program: "a\"b".into(), sessions: vec![session], ..Snapshot::default() };
        let text = render(&[Answer { process: 7, mounts: vec![Some("/mnt".into())], snapshot }]);
        let labels = r#"mountpoint="/mnt",program="a\"b",pid="7",opcode="READ""#;
        for line in [
            format!("ferrofuse_requests_total{{{labels}}} 9"),
            format!("ferrofuse_latency_seconds_bucket{{{labels},le=\"0.000001\"}} 1"),
            format!("ferrofuse_latency_seconds_bucket{{{labels},le=\"0.000004\"}} 3"),
            format!("ferrofuse_latency_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("ferrofuse_latency_seconds_count{{{labels}}} 3"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert_eq!(text.matches("# TYPE ferrofuse_requests_total counter").count(), 1);
    }
}
