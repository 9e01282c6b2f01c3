//! What the cases share: scratch directories, the mount table, the log, other processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ferrofuse::mount::MountOptions;

/// Why the tests cannot run here, if so.
pub fn missing() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Some("they need root");
    }
    (!Path::new("/dev/fuse").exists()).then_some("they need /dev/fuse")
}

/// A directory that is unmounted and removed in the end, whatever happens in between.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        let out = Command::new("mktemp").args(["-d", "/tmp/ferrofuse-mount.XXXXXX"]).output();
        let path = String::from_utf8(out.expect("mktemp").stdout).unwrap();
        let scratch = Scratch(path.trim().into());
        open_to_all(&scratch.0);
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new directory in which every user may write, as the helper demands of a mount point.
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        open_to_all(&path);
        path
    }

    /// A copy of this program that other users can execute.
    pub fn program(&self) -> PathBuf {
        let path = self.path("program");
        fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        path
    }

    pub fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        open_to_all(&path);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for mount in mounts().iter().rev().filter(|mount| mount.point.starts_with(&self.0)) {
            let _ = nix::mount::umount2(&mount.point, nix::mount::MntFlags::MNT_DETACH);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

/// One line of the mount table.
#[derive(Debug, PartialEq)]
pub struct Line {
    pub point: PathBuf,
    pub flags: Vec<String>,
    pub kind: String,
    pub source: String,
    pub options: Vec<String>,
}

pub fn mounts() -> Vec<Line> {
    parse_mounts(&fs::read_to_string("/proc/self/mountinfo").unwrap())
}

pub fn parse_mounts(text: &str) -> Vec<Line> {
    let list = |field: &str| field.split(',').map(str::to_owned).collect();
    text.lines()
        .map(|line| {
            let (left, right) = line.split_once(" - ").unwrap();
            let left: Vec<&str> = left.split(' ').collect();
            let right: Vec<&str> = right.split(' ').collect();
            Line {
                point: left[4].into(),
                flags: list(left[5]),
                kind: right[0].into(),
                source: right[1].replace("\\134", "\\"),
                options: list(right[2]),
            }
        })
        .collect()
}

/// The topmost mount on `point`.
pub fn mounted(point: &Path) -> Option<Line> {
    mounts().into_iter().rev().find(|mount| mount.point == point)
}

/// Waits up to ten seconds for `condition`.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn options(list: &str) -> MountOptions {
    let mut options = MountOptions::default();
    for option in list.split(',').filter(|option| !option.is_empty()) {
        assert_eq!(options.accept(option), Ok(true), "{option}");
    }
    options
}

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOG.lock().unwrap().push(format!("{}", record.args()));
    }
    fn flush(&self) {}
}

pub fn capture_log() {
    log::set_logger(&Capture).unwrap();
    log::set_max_level(log::LevelFilter::Info);
}

/// The messages logged since the last call.
pub fn logged() -> Vec<String> {
    std::mem::take(&mut *LOG.lock().unwrap())
}

/// A mounting process that has reported for duty.
pub struct Holder {
    pub child: Child,
    lines: BufReader<ChildStdout>,
}

impl Holder {
    /// Starts `command`, which must end in running this program as `role:holder ... wait`, and
    /// waits until it has mounted.
    pub fn start(mut command: Command) -> Holder {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut holder = Holder { child, lines };
        assert_eq!(holder.line(), "mounted");
        holder
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets it go on: unmount and end.
    pub fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let lines: Vec<String> = (&mut self.lines).lines().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success(), "{lines:?}");
        lines
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end, killing it after 20 seconds.
pub fn run(command: &Command) -> Output {
    let mut timed = Command::new("/usr/bin/timeout");
    timed.args(["-s", "KILL", "20"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        timed.env(name, value.unwrap());
    }
    let out = timed.output().unwrap();
    assert_ne!(out.status.code(), Some(137), "hangs: {command:?}");
    out
}
