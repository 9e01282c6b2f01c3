//! The role of the process that mounts.
//!
//! `role:holder MOUNTPOINT OPTIONS HELPER_DIR ACTION`; an empty HELPER_DIR means the default.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use ferrofuse::mount::{Flavor, MountOptions, mount, open_channel};

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{}", record.args());
    }
    fn flush(&self) {}
}

pub fn main(args: &[String]) -> ExitCode {
    let [point, list, dir, action] = args else { panic!("holder's arguments: {args:?}") };
    log::set_logger(&Stderr).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let mut flavor = Flavor::FUSE3;
    if !dir.is_empty() {
        flavor.helper_dir = dir.clone().leak();
    }
    let mut options = MountOptions::new(flavor);
    for option in list.split(',').filter(|option| !option.is_empty()) {
        assert_eq!(options.accept(option), Ok(true), "{option}");
    }
    let point = Path::new(point);
    if action == "exec" {
        // As `mount.fuse3` does: the device and the watch over it go to another program.
        let device = open_channel(point, &options).unwrap();
        println!("mounted");
        let error = Command::new("sh").args(["-c", "read x || sleep 60"]).exec();
        panic!("{error} with {device:?}");
    }
    let before = descriptors();
    let mounted = match mount(point, &options) {
        Ok(mounted) => mounted,
        Err(error) => {
            println!("{error:?} children={:?} new={:?}", children(), surplus(&before));
            return ExitCode::from(4);
        }
    };
    println!("mounted");
    if action == "wait" {
        let _ = std::io::stdin().read(&mut [0]);
    }
    println!("new={:?} children={:?}", surplus(&before), children());
    println!("{:?}", mounted.unmount());
    println!("new={:?} children={:?}", surplus(&before), children());
    ExitCode::SUCCESS
}

/// Every open descriptor: number, target, whether close-on-exec.
fn descriptors() -> Vec<(String, String, bool)> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().map(Result::unwrap);
    let mut list: Vec<_> = entries
        .filter_map(|entry| {
            let number = entry.file_name().into_string().unwrap();
            let target = fs::read_link(entry.path()).ok()?.display().to_string();
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
            let flags = u32::from_str_radix(flags, 8).unwrap();
            (!target.starts_with("/proc/")).then_some((number, target, flags & 0o2000000 != 0))
        })
        .collect();
    list.sort();
    list
}

/// What kind of descriptors came since `before`: `device`, `socket`, with a `!` if not
/// close-on-exec.
fn surplus(before: &[(String, String, bool)]) -> Vec<String> {
    let new = descriptors().into_iter().filter(|entry| !before.contains(entry));
    let mut new: Vec<String> = new
        .map(|(_, target, cloexec)| {
            let kind = target.split(":[").next().unwrap().rsplit('/').next().unwrap();
            format!("{kind}{}", if cloexec { "" } else { "!" })
        })
        .collect();
    new.sort();
    new
}

/// Children of this process, zombies included.
fn children() -> Vec<String> {
    let list = fs::read_to_string("/proc/thread-self/children").unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}
