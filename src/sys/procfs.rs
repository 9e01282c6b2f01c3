//! What `/proc` says of threads, whatever is mounted there afterwards.
//!
//! A program may mount its own filesystem over `/proc`. A thread of the library that went there then
//! would wait for the very handlers that it serves. So `/proc` is opened once, and proved to be the
//! kernel's; what lies below is reached from there, and never across another mount.

use std::os::fd::{AsFd, OwnedFd};

use libc::nlink_t;
use nix::dir::Dir;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::known_fd::KnownFd;
use crate::errno::{Errno, Result};

/// The kernel's `/proc`, held open.
#[derive(Debug)]
pub struct ProcFs {
    root: KnownFd,
    /// The threads of this process.
    threads: KnownFd,
}

impl ProcFs {
    /// Opens what is at `/proc` now. `ENODEV` if it is not the kernel's, `ENOSYS` before Linux 5.6.
    ///
    /// The only step that may wait for another filesystem, for as long as that likes: it has to be asked
    /// what it is.
    pub fn open() -> Result<ProcFs> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open("/proc", flags, Mode::empty())?;
        if fstatfs(&root)?.filesystem_type() != PROC_SUPER_MAGIC {
            return Err(Errno::ENODEV);
        }
        let threads = below(&root, "self/task", OFlag::O_DIRECTORY)?;
        Ok(ProcFs { root: KnownFd::new(root), threads: KnownFd::new(threads) })
    }

    /// Processor a thread, of this process or another, ran on last, and its state as proc(5) has it;
    /// `None` if it is gone or not to be seen.
    pub fn last_seen(&self, thread: u32) -> Option<(usize, u8)> {
        let file = below(&self.root, &format!("{thread}/stat"), OFlag::empty()).ok()?;
        // Longer than any line can be: a name of 64 bytes and 51 numbers.
        let mut stat = [0; 2048];
        let len = nix::unistd::read(&file, &mut stat).ok()?;
        parse_stat(&stat[..len])
    }

    /// How many threads this process has.
    pub fn thread_count(&self) -> Option<nlink_t> {
        // Itself, its parent, and one for each thread.
        fstat(&self.threads).ok().map(|folder| folder.st_nlink)
    }

    /// All threads of this process.
    pub fn threads(&self) -> Vec<i32> {
        let folder = below(&self.threads, ".", OFlag::O_DIRECTORY);
        let Ok(mut folder) = folder.and_then(|folder| Ok(Dir::from_fd(folder)?)) else {
            return Vec::new();
        };
        folder
            .iter()
            .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok())
            .collect()
    }
}

/// Opens for reading what lies below a folder in the same mount.
fn below(folder: impl AsFd, path: &str, flags: OFlag) -> Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(flags | OFlag::O_RDONLY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_XDEV | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    Ok(openat2(folder, path, how)?)
}

/// The name of a program may hold anything, so that fields are counted from its end.
fn parse_stat(stat: &[u8]) -> Option<(usize, u8)> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let text = std::str::from_utf8(stat.get(end + 2..)?).ok()?;
    let mut fields = text.split(' ');
    let state = fields.next()?.bytes().next()?;
    // The 39th; the state is the third.
    let processor = fields.nth(35)?.trim().parse().ok()?;
    Some((processor, state))
}

#[cfg(test)]
mod tests {
    use super::super::place;
    use super::*;

    #[test]
    fn names_with_anything_in_them() {
        let rest = "R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 7 0";
        for name in ["cat", "a) S 1 (b", ""] {
            assert_eq!(parse_stat(format!("12 ({name}) {rest}\n").as_bytes()), Some((7, b'R')));
        }
        assert_eq!(parse_stat(b"12 (cat"), None);
        assert_eq!(parse_stat(b"12 (cat) R 1"), None);
    }

    #[test]
    fn this_thread_is_seen() {
        let proc = ProcFs::open().unwrap();
        let me = place::thread_id();
        let (processor, state) = proc.last_seen(me as u32).unwrap();
        assert!(place::contains(&place::processors(0).unwrap(), processor));
        assert_eq!(state, b'R');
        assert!(proc.threads().contains(&me));
        assert!(proc.thread_count().unwrap() >= 3);
    }

    #[test]
    fn a_thread_is_seen_where_it_is_kept() {
        std::thread::spawn(|| {
            let (proc, home) = (ProcFs::open().unwrap(), place::processors(0).unwrap());
            let last =
                (0..nix::sched::CpuSet::count()).rfind(|cpu| place::contains(&home, *cpu)).unwrap();
            place::keep_on(0, &place::only(last).unwrap()).unwrap();
            assert_eq!(proc.last_seen(place::thread_id() as u32).unwrap().0, last);
        })
        .join()
        .unwrap();
    }
}
