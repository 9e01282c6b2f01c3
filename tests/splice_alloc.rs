//! Once a thread has its pipe and buffer, sending data allocates nothing.

mod splice_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::Arc;

use ferrofuse::buf::Vector;
use ferrofuse::transport::Channel;
use ferrofuse::transport::{SplicePolicy, send_data};
use ferrofuse::{Errno, Result};
use splice_support::{file_segment, memory_segment, noise, reply, tmpfs_file, vector};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: passes everything to the system's allocator and counts in a thread-local that needs
// neither initialisation nor destruction.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc`, that is from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Takes messages and keeps nothing.
struct Sink;

impl Channel for Sink {
    fn raw_fd(&self) -> RawFd {
        -1
    }
    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }
    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        Ok(message.iter().map(|part| part.len()).sum())
    }
    fn can_splice_in(&self) -> bool {
        false
    }
    fn can_splice_out(&self) -> bool {
        true
    }
    fn splice_in(&self, _: BorrowedFd<'_>, _: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
    }
    fn splice_out(&self, pipe: BorrowedFd<'_>, len: usize, _: bool) -> Result<usize> {
        let mut room = [0; 4096];
        let mut left = len;
        while left > 0 {
            let want = left.min(room.len());
            left -= nix::unistd::read(pipe, &mut room[..want])?;
        }
        Ok(len)
    }
    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::ENOSYS)
    }
}

#[test]
fn the_steady_path_allocates_nothing() {
    let content = noise(1, 300_000);
    let file = tmpfs_file(&content);
    let mixed = [
        memory_segment(&content[..100]),
        file_segment(&file, Some(5), 70_000),
        memory_segment(&content[..5000]),
    ];
    let round = || {
        for policy in [SplicePolicy::Never, SplicePolicy::Always] {
            let whole = Vector::from_fd(file.as_fd(), Some(17), 200_000);
            send_data(reply(&Sink, whole, policy)).unwrap();
            let end = Vector::from_fd(file.as_fd(), Some(299_000), 200_000);
            send_data(reply(&Sink, end, policy)).unwrap();
            send_data(reply(&Sink, vector(&mixed), policy)).unwrap();
            send_data(reply(&Sink, Vector::from_bytes(&content), policy)).unwrap();
            // Too large for any pipe: spliced as far as it goes, and finished by copying.
            let large = Vector::from_fd(file.as_fd(), Some(0), 2 << 20);
            send_data(reply(&Sink, large, policy)).unwrap();
        }
    };
    round();
    let before = ALLOCATIONS.get();
    for _ in 0..10 {
        round();
    }
    assert_eq!(ALLOCATIONS.get() - before, 0, "allocations in the second and later rounds");
}
