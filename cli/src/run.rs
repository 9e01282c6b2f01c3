//! `ferrofuse-run`: starts a program on our library.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use lexopt::prelude::*;

use crate::program::{self, Refusal, Verdict, loader};
use crate::{VERSION, libraries};

const USAGE: &str = "\
Usage: ferrofuse-run [OPTION...] PROGRAM [ARGUMENT...]

Runs PROGRAM, a FUSE filesystem that links libfuse, on ferrofuse's libraries. Nothing is installed
or changed.

  --transport=auto|dev|uring   how requests come from the kernel
  --splice=auto|always|never   when file data is spliced
  --stats[=auto|on|off|always] whether the program can be asked by `ferrofuse stats` and `top`;
                               without a value: always
  --log=LEVEL                  error, warn, info, debug or trace
  --check                      only say whether PROGRAM can run on ferrofuse, and on which library
  --force                      run PROGRAM even if ferrofuse can't help it
  -q, --quiet                  no word about what is done
  -h, --help
  -V, --version

Exit status: that of PROGRAM; 125 if ferrofuse can't help it or something else is wrong here, 126 if
PROGRAM can't be run, 127 if it is not found.
";

/// Something is wrong here, or the program can't be helped.
const FAILED: u8 = 125;
/// The program can't be run.
const NOT_RUN: u8 = 126;
/// There is no such program.
const NOT_FOUND: u8 = 127;

/// Each option that becomes a variable, and its values.
const SETTINGS: [(&str, &str, &[&str]); 4] = [
    ("transport", "FERROFUSE_TRANSPORT", &["auto", "dev", "uring"]),
    ("splice", "FERROFUSE_SPLICE", &["auto", "always", "never"]),
    ("stats", "FERROFUSE_STATS", &["auto", "on", "off", "always"]),
    ("log", "FERROFUSE_LOG", &["error", "warn", "info", "debug", "trace"]),
];

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    settings: Vec<(&'static str, String)>,
    check: bool,
    force: bool,
    quiet: bool,
    program: Vec<OsString>,
}

enum Asked {
    Run(Wish),
    Print(String),
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Asked, lexopt::Error> {
    let mut parser = lexopt::Parser::from_iter(args);
    let mut wish = Wish::default();
    while let Some(arg) = parser.next()? {
        let setting = match &arg {
            Long(name) => SETTINGS.iter().find(|(option, ..)| option == name),
            _ => None,
        };
        if let Some((option, variable, values)) = setting {
            let value = match parser.optional_value() {
                Some(value) => value,
                None if *option == "stats" => "always".into(),
                None => parser.value()?,
            };
            let value = value.string()?;
            if !values.contains(&value.as_str()) {
                let values = values.join(", ");
                return Err(format!("--{option}={value}: must be one of {values}").into());
            }
            wish.settings.push((variable, value));
            continue;
        }
        match arg {
            Long("check") => wish.check = true,
            Long("force") => wish.force = true,
            Short('q') | Long("quiet") => wish.quiet = true,
            Short('h') | Long("help") => return Ok(Asked::Print(USAGE.to_owned())),
            Short('V') | Long("version") => {
                return Ok(Asked::Print(format!("ferrofuse-run {VERSION}\n")));
            }
            Value(program) => {
                wish.program.push(program);
                // All that follows is the program's.
                wish.program.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected()),
        }
    }
    if wish.program.is_empty() {
        return Err("no program; see --help".into());
    }
    Ok(Asked::Run(wish))
}

fn complain(message: &str, status: u8) -> ExitCode {
    eprintln!("ferrofuse-run: {message}");
    ExitCode::from(status)
}

/// The program's main function.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let wish = match parse(args) {
        Ok(Asked::Run(wish)) => wish,
        Ok(Asked::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return complain(&error.to_string(), FAILED),
    };
    let folder = match libraries::folder() {
        Ok(folder) => folder,
        Err(error) => return complain(&error, FAILED),
    };
    let name = &wish.program[0];
    let Some(path) = program::find(name.clone()) else {
        return complain(&format!("{}: not found", name.display()), NOT_FOUND);
    };
    if !program::is_program(&path) {
        return complain(&format!("{}: no executable file", path.display()), NOT_RUN);
    }
    let verdict = match program::judge(&path, &folder) {
        Ok(verdict) => verdict,
        Err(error) => return complain(&error, NOT_RUN),
    };
    let helped = verdict.is_ok();
    let words = describe(&path, &verdict);
    if wish.check {
        println!("{words}");
        return if helped { ExitCode::SUCCESS } else { ExitCode::from(FAILED) };
    }
    if !helped && !wish.force {
        return complain(&format!("{words} (--force runs it all the same)"), FAILED);
    }
    let is_sure = matches!(verdict, Ok(Verdict::Runs(_)));
    if !wish.quiet && !is_sure {
        eprintln!("ferrofuse-run: {words}");
    }
    let error = command(&wish, &path, &folder).exec();
    complain(&format!("{}: {error}", path.display()), NOT_RUN)
}

fn command(wish: &Wish, path: &Path, folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.arg0(&wish.program[0]).args(&wish.program[1..]);
    command.env("LD_LIBRARY_PATH", loader::library_path(folder));
    command.envs(wish.settings.iter().map(|(variable, value)| (variable, value)));
    command
}

/// What was found, in words.
fn describe(path: &Path, verdict: &Result<Verdict, Refusal>) -> String {
    let path = path.display();
    match verdict {
        Ok(Verdict::Runs(libraries)) => {
            let files: Vec<_> =
                libraries.iter().map(|(_, file)| file.display().to_string()).collect();
            format!("{path}: runs on {}", files.join(" and "))
        }
        Ok(Verdict::MayLoad(why)) => format!("{path}: links no libfuse; {why}"),
        Ok(Verdict::NoFuse) => {
            format!("{path}: links no libfuse; programs that it starts find ferrofuse first")
        }
        Err(refusal) => format!("{path}: ferrofuse can't help: {refusal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(line: &str) -> Result<Wish, String> {
        let args = std::iter::once("ferrofuse-run").chain(line.split_whitespace());
        match parse(args.map(OsString::from)) {
            Ok(Asked::Run(wish)) => Ok(wish),
            Ok(Asked::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn options_end_at_the_program() {
        let found =
            wish("--transport=uring --splice never -q sshfs --log=debug host: /mnt").unwrap();
        assert!(found.quiet && !found.check);
        assert_eq!(found.program, ["sshfs", "--log=debug", "host:", "/mnt"]);
        let settings = [("FERROFUSE_TRANSPORT", "uring"), ("FERROFUSE_SPLICE", "never")];
        assert_eq!(found.settings, settings.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn stats_needs_no_value() {
        assert_eq!(wish("--stats prog").unwrap().settings[0].1, "always");
        assert_eq!(wish("--stats=on prog").unwrap().settings[0].1, "on");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(wish("--splice=maybe prog").unwrap_err().contains("auto, always, never"));
        assert!(wish("--what prog").unwrap_err().contains("--what"));
        assert!(wish("").unwrap_err().contains("no program"));
        assert!(wish("--help").unwrap_err().starts_with("Usage:"));
    }
}
