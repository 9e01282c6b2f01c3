//! The words of debug output. Users of libfuse read them, and scripts search for them.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;

use super::file::{OpenFile, SetTime};
use crate::wire::layout::FileLock;

/// A path, or what C prints for none. Looked into only when it is written.
pub(super) struct Shown<'a>(Option<&'a CStr>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map_or(Cow::Borrowed("(null)"), CStr::to_string_lossy))
    }
}

/// A path as it is shown.
pub(super) fn name(path: Option<&CStr>) -> Shown<'_> {
    Shown(path)
}

/// The number of an open file, or what stands for none.
pub(super) struct File<'a>(pub Option<&'a OpenFile>);

impl fmt::Display for File<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(file) => file.fh.fmt(f),
            None => f.write_str("NULL"),
        }
    }
}

/// A time as utimens gets it: those that are none are numbers too.
pub(super) struct Time(pub SetTime);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = match self.0 {
            SetTime::Omit => (0, libc::UTIME_OMIT),
            SetTime::Now => (0, libc::UTIME_NOW),
            SetTime::At { secs, nanos } => (secs, nanos.into()),
        };
        write!(f, "{secs}.{nanos:09}")
    }
}

/// A record lock and what is to be done with it.
pub(super) struct Lock<'a>(pub i32, pub &'a FileLock);

impl fmt::Display for Lock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lock(command, lock) = self;
        let command = match *command {
            libc::F_GETLK => "F_GETLK",
            libc::F_SETLK => "F_SETLK",
            libc::F_SETLKW => "F_SETLKW",
            _ => "???",
        };
        let kind = match i32::try_from(lock.kind) {
            Ok(libc::F_RDLCK) => "F_RDLCK",
            Ok(libc::F_WRLCK) => "F_WRLCK",
            Ok(libc::F_UNLCK) => "F_UNLCK",
            _ => "???",
        };
        // 0 is a length too: to the end of the file.
        let to_the_end = lock.end >= i64::MAX.cast_unsigned();
        let len = if to_the_end { 0 } else { lock.end.wrapping_sub(lock.start).wrapping_add(1) };
        write!(f, "{command} {kind} start: {} len: {len} pid: {}", lock.start, lock.pid)
    }
}

/// An operation of flock(2).
pub(super) struct Flock(pub i32);

impl fmt::Display for Flock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 & !libc::LOCK_NB {
            libc::LOCK_SH => "LOCK_SH",
            libc::LOCK_EX => "LOCK_EX",
            libc::LOCK_UN => "LOCK_UN",
            _ => "???",
        })?;
        f.write_str(if self.0 & libc::LOCK_NB != 0 { "|LOCK_NB" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named_as_c_does() {
        assert_eq!(name(None).to_string(), "(null)");
        assert_eq!(name(Some(c"/a")).to_string(), "/a");
        assert_eq!(File(None).to_string(), "NULL");
        assert_eq!(File(Some(&OpenFile { fh: 7, ..OpenFile::default() })).to_string(), "7");
    }

    #[test]
    fn times() {
        assert_eq!(Time(SetTime::At { secs: -1, nanos: 5 }).to_string(), "-1.000000005");
        assert_eq!(Time(SetTime::Omit).to_string(), "0.1073741822");
        assert_eq!(Time(SetTime::Now).to_string(), "0.1073741823");
    }

    #[test]
    fn locks() {
        let lock =
            |start, end, kind: i32| FileLock { start, end, kind: kind.cast_unsigned(), pid: 3 };
        let said = |command, lock| Lock(command, &lock).to_string();
        assert_eq!(
            said(libc::F_SETLKW, lock(5, 14, libc::F_WRLCK)),
            "F_SETLKW F_WRLCK start: 5 len: 10 pid: 3"
        );
        assert_eq!(
            said(libc::F_GETLK, lock(0, i64::MAX as u64, libc::F_RDLCK)),
            "F_GETLK F_RDLCK start: 0 len: 0 pid: 3"
        );
        assert_eq!(said(99, lock(2, 1, 9)), "??? ??? start: 2 len: 0 pid: 3");
        assert_eq!(Flock(libc::LOCK_SH | libc::LOCK_NB).to_string(), "LOCK_SH|LOCK_NB");
        assert_eq!(Flock(libc::LOCK_UN).to_string(), "LOCK_UN");
    }
}
