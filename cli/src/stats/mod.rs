//! What running filesystems tell.

mod client;
mod histogram;
mod mounts;
mod prometheus;
pub mod text;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use ferrofuse::stats::snapshot::Snapshot;
use lexopt::prelude::*;
use serde::Serialize;

pub use client::{Connection, connect_all};
pub use histogram::{Summary, since, summarize};
pub use mounts::mount_point;

/// A process's answer, and where its filesystems are mounted.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The process, by the number that it has here.
    pub process: u32,
    /// Where each session is mounted, as far as that is known.
    pub mounts: Vec<Option<String>>,
    /// What it says.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// Whom to ask.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Process numbers or mount points; all if there are none.
    wanted: Vec<String>,
}

impl Filter {
    /// This process or mount point, too.
    pub fn add(&mut self, wanted: OsString) {
        self.wanted.push(absolute(wanted));
    }

    /// Whether this process is meant.
    pub fn admits(&self, answer: &Answer) -> bool {
        let is = |wanted: &String| {
            let wanted = wanted.trim_end_matches('/');
            *wanted == answer.process.to_string()
                || answer.mounts.iter().flatten().any(|mount| mount == wanted)
        };
        self.wanted.is_empty() || self.wanted.iter().any(is)
    }
}

/// The text of `ferrofuse stats --help`.
pub const USAGE: &str = "\
Usage: ferrofuse stats [--json | --prometheus] [--for SECONDS] [PID | MOUNTPOINT]...

Asks the running filesystems of this user (of all users, as root) what they do. Requests per opcode
are counted since each filesystem began; errors, latencies and bytes since somebody looked at it for
the first time, or since its beginning with FERROFUSE_STATS=always. --for looks for so long before it
prints.

Exit status: 0, or 1 if there is no such filesystem.
";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Prometheus,
}

/// `ferrofuse stats`.
pub fn main(mut args: lexopt::Parser) -> Result<ExitCode, lexopt::Error> {
    let (mut form, mut seconds, mut filter) = (Form::Text, 0.0, Filter::default());
    while let Some(arg) = args.next()? {
        match arg {
            Long("json") => form = Form::Json,
            Long("prometheus") => form = Form::Prometheus,
            Long("for") => seconds = args.value()?.parse()?,
            Short('h') | Long("help") => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(wanted) => filter.add(wanted),
            other => return Err(other.unexpected()),
        }
    }
    let wait = Duration::try_from_secs_f64(seconds).map_err(|_| "--for: no number of seconds")?;
    let mut connections = connect_all();
    if !wait.is_zero() {
        connections.iter_mut().for_each(|connection| {
            connection.ask();
        });
        std::thread::sleep(wait);
    }
    let answers: Vec<_> = connections.iter_mut().filter_map(Connection::ask).collect();
    let answers: Vec<_> = answers.into_iter().filter(|answer| filter.admits(answer)).collect();
    match form {
        Form::Json => println!("{}", serde_json::to_string_pretty(&answers).unwrap_or_default()),
        Form::Prometheus => print!("{}", prometheus::render(&answers)),
        Form::Text => print!("{}", text::render(&answers)),
    }
    if !answers.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if form == Form::Text {
        eprintln!(
            "ferrofuse: no filesystem can be asked{}; single-threaded ones can if they were \
             started with `ferrofuse-run --stats=on` or FERROFUSE_STATS=on",
            if filter.wanted.is_empty() { "" } else { " there" }
        );
    }
    Ok(ExitCode::FAILURE)
}

/// A mount point as the kernel names it; a number stays what it is.
fn absolute(wanted: OsString) -> String {
    let text = wanted.to_string_lossy().into_owned();
    if text.parse::<u32>().is_ok() {
        return text;
    }
    // Of the folder that it lies in, since the filesystem itself may not answer.
    let path = std::path::absolute(&text).unwrap_or_else(|_| text.clone().into());
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name).display().to_string(),
        _ => text,
    }
}
