//! `ferrofuse doctor`: what is and is not in use on this machine, why, and what turns it on.

mod libraries;
mod mounting;
mod passthrough;
mod splice;
mod system;
mod uring;

use std::process::ExitCode;

use lexopt::prelude::*;
use serde::Serialize;

use system::System;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In use, or ready to be.
    On,
    /// Could be had.
    Off,
    /// Can't be had on this machine as it is.
    Missing,
    /// Nothing works without it.
    Broken,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing.
    pub subject: String,
    /// How it stands.
    pub state: State,
    /// Why.
    pub reason: String,
    /// A command that changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Finding {
    fn new(subject: &str, state: State, reason: impl Into<String>) -> Finding {
        Finding { subject: subject.to_owned(), state, reason: reason.into(), command: None }
    }

    /// With the command that changes it.
    fn fix(mut self, command: impl Into<String>) -> Finding {
        self.command = Some(command.into());
        self
    }
}

/// The text of `ferrofuse doctor --help`.
pub const USAGE: &str = "\
Usage: ferrofuse doctor [--json]

Says of io_uring, splicing, passthrough and mounts by users whether they are in use on this machine,
why not, and which command turns each on. It changes nothing.

Exit status: 0, or 1 if filesystems can't be mounted at all.
";

/// `ferrofuse doctor`.
pub fn main(mut args: lexopt::Parser) -> Result<ExitCode, lexopt::Error> {
    let mut json = false;
    while let Some(arg) = args.next()? {
        match arg {
            Long("json") => json = true,
            Short('h') | Long("help") => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected()),
        }
    }
    let findings = examine(&System::of_this_machine());
    if json {
        println!("{}", serde_json::to_string_pretty(&findings).unwrap_or_default());
    } else {
        print!("{}", render(&findings));
    }
    let broken = findings.iter().any(|finding| finding.state == State::Broken);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Everything that is to be said.
fn examine(system: &System) -> Vec<Finding> {
    let mut findings = libraries::findings();
    findings.extend(mounting::findings(system));
    findings.push(uring::finding(system));
    findings.extend(splice::findings(system));
    findings.push(passthrough::finding(system));
    findings
}

fn render(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            State::On => "on     ",
            State::Off => "off    ",
            State::Missing => "missing",
            State::Broken => "BROKEN ",
        };
        text.push_str(&format!("{state}  {}: {}\n", finding.subject, finding.reason));
        if let Some(command) = &finding.command {
            text.push_str(&format!("         turn it on: {command}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests_support {
    //! Machines made of files.

    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::system::System;

    /// Goes with what is in it.
    pub struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A machine with these files, as an ordinary user sees it.
    pub fn machine(files: &[(&str, &str)]) -> (Folder, System) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("ferrofuse-doctor-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a folder");
        for (path, text) in files {
            let path = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let system = System::at(&root, false);
        (Folder(root), system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_below_their_reason() {
        let text = render(&[
            Finding::new("io_uring", State::Off, "switched off").fix("echo 1"),
            Finding::new("splice", State::On, "in use"),
        ]);
        assert_eq!(
            text,
            "off      io_uring: switched off\n         turn it on: echo 1\non       splice: in use\n"
        );
    }
}
