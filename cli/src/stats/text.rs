//! For people.

use std::fmt::Write;

use ferrofuse::stats::snapshot::{Bytes, InFlight, SessionSnapshot};

use super::{Answer, summarize};

/// A duration with the unit that suits it.
pub fn duration(ns: u64) -> String {
    match ns {
        0 => "-".into(),
        1..10_000 => format!("{:.1}us", ns as f64 / 1e3),
        10_000..1_000_000 => format!("{}us", ns / 1_000),
        1_000_000..10_000_000 => format!("{:.1}ms", ns as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{}ms", ns / 1_000_000),
        _ => format!("{:.1}s", ns as f64 / 1e9),
    }
}

/// How long a request has been under way, as far as that is known.
pub fn age(request: &InFlight) -> String {
    match (request.age_ns, request.seen_ns) {
        (Some(age), _) => duration(age),
        (None, Some(seen @ 1..)) => format!(">{}", duration(seen)),
        _ => "?".into(),
    }
}

/// A number of bytes with the unit that suits it.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Bytes by the way they went, in words.
pub fn routes(moved: &Bytes) -> String {
    let Bytes { copied, spliced, ring } = *moved;
    format!("{} copied, {} spliced, {} by io_uring", bytes(copied), bytes(spliced), bytes(ring))
}

pub(super) fn render(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        for (session, mount) in answer.snapshot.sessions.iter().zip(&answer.mounts) {
            if !text.is_empty() {
                text.push('\n');
            }
            let mount = mount.as_deref().unwrap_or("(mount point unknown)");
            // Writing to a string never fails.
            let _ =
                writeln!(text, "{mount}: {} (process {})", answer.snapshot.program, answer.process);
            session_text(&mut text, session);
        }
    }
    text
}

fn session_text(text: &mut String, session: &SessionSnapshot) {
    let workers = &session.workers;
    let _ = writeln!(
        text,
        "  protocol 7.{}, requests by {}, splicing {}; {} of {} threads busy, at most {}",
        session.minor,
        session.transport,
        if session.splice { "on" } else { "off" },
        workers.busy,
        workers.alive,
        workers.most,
    );
    if session.watched_ns > 0 {
        let _ = writeln!(
            text,
            "  in the {} since somebody looks: in {}; out {}; {} notifications",
            duration(session.watched_ns),
            routes(&session.bytes_in),
            routes(&session.bytes_out),
            session.notifications
        );
    }
    let _ = writeln!(
        text,
        "  {:16} {:>10} {:>10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "opcode", "requests", "timed", "errors", "mean", "p50", "p90", "p99", "max"
    );
    for operation in &session.operations {
        let s = summarize(operation);
        let _ = writeln!(
            text,
            "  {:16} {:>10} {:>10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8}",
            operation.opcode,
            operation.requests,
            operation.timed,
            operation.errors,
            duration(s.mean),
            duration(s.p50),
            duration(s.p90),
            duration(s.p99),
            duration(s.max)
        );
    }
    for request in &session.in_flight {
        let _ = writeln!(
            text,
            "  under way: {} (unique {}) of node {} by process {}, age {}",
            request.opcode,
            request.unique,
            request.node,
            request.pid,
            age(request)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_that_is_not_known_is_no_number() {
        let request = |age_ns, seen_ns| InFlight { age_ns, seen_ns, ..InFlight::default() };
        assert_eq!(age(&request(Some(2_500_000_000), None)), "2.5s");
        assert_eq!(age(&request(None, Some(2_500_000_000))), ">2.5s");
        assert_eq!(age(&request(None, Some(0))), "?");
        // Of a process whose ferrofuse does not say.
        assert_eq!(age(&request(None, None)), "?");
    }

    #[test]
    fn units() {
        assert_eq!(duration(0), "-");
        assert_eq!(duration(1_500), "1.5us");
        assert_eq!(duration(15_000), "15us");
        assert_eq!(duration(2_500_000), "2.5ms");
        assert_eq!(duration(2_500_000_000), "2.5s");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
