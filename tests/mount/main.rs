//! Real mounts, as root and as an ordinary user, and mount helpers that misbehave.
//!
//! Needs root and `/dev/fuse`. This program has its own `main`, because the tests run it again in
//! other roles: as the process that mounts, and as a mount helper.

mod helper;
mod holder;
mod plain;
mod support;
mod unprivileged;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

type Case = (&'static str, fn());

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("role:holder") => return holder::main(&args[1..]),
        Some("role:helper") => return helper::main(&args[1..]),
        _ => {}
    }
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let cases: Vec<Case> = [plain::CASES, unprivileged::CASES, helper::CASES]
        .concat()
        .into_iter()
        .filter(|(name, _)| filters.is_empty() || filters.iter().any(|f| name.contains(*f)))
        .collect();
    if args.iter().any(|arg| arg == "--list") {
        cases.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if let Some(reason) = support::missing() {
        println!("{} mount tests skipped: {reason}", cases.len());
        return ExitCode::SUCCESS;
    }
    support::capture_log();
    let failed = cases.iter().filter(|(name, case)| {
        let failed = catch_unwind(AssertUnwindSafe(case)).is_err();
        println!("test {name} ... {}", if failed { "FAILED" } else { "ok" });
        failed
    });
    let failed = failed.count();
    println!("\n{} passed; {failed} failed", cases.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
