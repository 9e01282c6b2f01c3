//! Supplementary groups of a requesting process.

use crate::errno::{Errno, Result};

/// The supplementary groups of the thread `pid`, read from `/proc` at each call.
///
/// `EIO` where they can't be read: the thread is gone, or `/proc` is not mounted. The kernel sends
/// thread ids, which is why the path goes through `task`.
pub fn of_process(pid: i32) -> Result<Vec<u32>> {
    let path = format!("/proc/{pid}/task/{pid}/status");
    let status = std::fs::read(path).map_err(|_| Errno::EIO)?;
    // The process's name stands before and may be any bytes.
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("Groups:")).ok_or(Errno::EIO)?;
    Ok(line.split_ascii_whitespace().map_while(|group| group.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_groups_are_those_of_getgroups() {
        let mut ours = of_process(nix::unistd::gettid().as_raw()).unwrap();
        let mut theirs: Vec<u32> =
            nix::unistd::getgroups().unwrap().into_iter().map(|gid| gid.as_raw()).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_io_error() {
        assert_eq!(of_process(-5), Err(Errno::EIO));
    }
}
