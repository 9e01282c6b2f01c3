//! Looks into ferrofuse: at this machine, and at running filesystems.

use std::process::ExitCode;

use ferrofuse_cli::{VERSION, doctor, stats, top};
use lexopt::prelude::*;

const USAGE: &str = "\
Usage: ferrofuse COMMAND [OPTION...]

  doctor   why io_uring, splicing, passthrough or mounts by users are or are not in use here, and the
           command that turns each on
  stats    what the running filesystems do, as text, JSON or for Prometheus
  top      the same, live on the screen

`ferrofuse COMMAND --help` says more. To run a program on ferrofuse: ferrofuse-run.
";

fn run() -> Result<ExitCode, lexopt::Error> {
    let mut args = lexopt::Parser::from_env();
    match args.next()? {
        Some(Value(command)) => match command.to_str() {
            Some("doctor") => doctor::main(args),
            Some("stats") => stats::main(args),
            Some("top") => top::main(args),
            _ => Err(format!("{}: no such command; see --help", command.display()).into()),
        },
        Some(Short('h') | Long("help")) => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(Short('V') | Long("version")) => {
            println!("ferrofuse {VERSION}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(other.unexpected()),
        None => Err("no command; see --help".into()),
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("ferrofuse: {error}");
        ExitCode::from(2)
    })
}
