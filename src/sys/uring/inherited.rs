//! What a forked child has of its parent's rings.

use std::mem::ManuallyDrop;

use crate::errno::{Errno, Result};
use crate::sys::fork;

/// Something that only the process that made it may use or give up.
///
/// A child has a ring's descriptor, but not its memory, which is mapped for the parent alone, and not
/// its thread. What it would unmap at the ring's end may be something else by then.
#[derive(Debug)]
pub struct Inherited<T> {
    value: ManuallyDrop<T>,
    generation: u64,
}

impl<T> Inherited<T> {
    /// Made by this process.
    pub fn new(value: T) -> Inherited<T> {
        Inherited { value: ManuallyDrop::new(value), generation: fork::generation() }
    }

    /// Whether this is a child of the process that made it.
    pub fn is_inherited(&self) -> bool {
        self.generation != fork::generation()
    }

    /// `ENOTCONN` in a child.
    pub fn get(&mut self) -> Result<&mut T> {
        if self.is_inherited() { Err(Errno::ENOTCONN) } else { Ok(&mut self.value) }
    }
}

impl<T> Drop for Inherited<T> {
    fn drop(&mut self) {
        if !self.is_inherited() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_neither_uses_it_nor_gives_it_up() {
        struct Fatal;
        impl Drop for Fatal {
            fn drop(&mut self) {
                // SAFETY: ends the process at once.
                unsafe { libc::_exit(1) };
            }
        }
        let mut own = Inherited::new(ManuallyDrop::new(Fatal));
        let mut theirs = Inherited::new(Fatal);
        assert!(own.get().is_ok());
        // SAFETY: the child only loads atomics and leaves with _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            let refused = theirs.get().is_err();
            drop(theirs);
            // SAFETY: ends the child without running the test harness's handlers.
            unsafe { libc::_exit(if refused { 0 } else { 2 }) };
        }
        std::mem::forget(theirs);
        let mut status = 0;
        // SAFETY: `status` outlives the call; `pid` is our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
    }
}
