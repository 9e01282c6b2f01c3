//! Splicing, and the size of requests.

use super::system::System;
use super::{Finding, State};

const PAGE: u64 = 4096;
/// What a reply of 1 MiB takes: a page each, and one for its header. Pipes grow by powers of two.
const WANTED: u64 = 2 << 20;

/// Splicing of replies, and how large a request may be.
pub fn findings(system: &System) -> Vec<Finding> {
    vec![splice(system, std::env::var("FERROFUSE_SPLICE").ok().as_deref()), requests(system)]
}

fn splice(system: &System, choice: Option<&str>) -> Finding {
    const SUBJECT: &str = "splice";
    if choice == Some("never") {
        return Finding::new(SUBJECT, State::Off, "FERROFUSE_SPLICE=never refuses it")
            .fix("unset FERROFUSE_SPLICE");
    }
    let most = system.number("/proc/sys/fs/pipe-max-size").unwrap_or(0);
    if !system.is_root && most < WANTED {
        let reason = format!(
            "replies up to {} KiB are spliced, larger ones copied: fs.pipe-max-size is {} KiB",
            // One page of the pipe is the answer's header's.
            most.saturating_sub(PAGE).max(PAGE) / 1024,
            most / 1024
        );
        return Finding::new(SUBJECT, State::On, reason)
            .fix(format!("sysctl fs.pipe-max-size={WANTED}"));
    }
    let soft = system.number("/proc/sys/fs/pipe-user-pages-soft").unwrap_or(0);
    if !system.is_root && soft != 0 && soft < 2 * WANTED / PAGE {
        let reason = format!(
            "a user's pipes may have {soft} pages together, after which they get small ones"
        );
        return Finding::new(SUBJECT, State::On, reason)
            .fix("sysctl fs.pipe-user-pages-soft=65536");
    }
    Finding::new(
        SUBJECT,
        State::On,
        "file data is spliced into replies, from 64 KiB on, or 8 KiB if the filesystem asks for it; \
         io_uring copies instead",
    )
}

fn requests(system: &System) -> Finding {
    const SUBJECT: &str = "large requests";
    match system.number("/proc/sys/fs/fuse/max_pages_limit") {
        Some(limit) => Finding::new(
            SUBJECT,
            State::On,
            format!("up to {} KiB: fs.fuse.max_pages_limit is {limit}", limit * PAGE / 1024),
        ),
        None => Finding::new(SUBJECT, State::On, "up to 1024 KiB; more from Linux 6.13 on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests_support::machine;

    #[test]
    fn small_pipes_are_named() {
        let (_folder, system) = machine(&[("/proc/sys/fs/pipe-max-size", "1048576")]);
        let found = splice(&system, None);
        assert!(found.reason.contains("up to 1020 KiB"), "{}", found.reason);
        assert_eq!(found.command.as_deref(), Some("sysctl fs.pipe-max-size=2097152"));
        assert_eq!(splice(&system, Some("never")).state, State::Off);
    }
}
