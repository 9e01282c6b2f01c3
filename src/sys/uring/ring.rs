//! One thread's io_uring.

use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use io_uring::squeue::Entry128;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::bell::Bell;
use super::entry::HasEntry;
use super::inherited::Inherited;
use super::unshared::Unshared;
use crate::errno::{Errno, Result};

/// `FUSE_IO_URING_CMD_REGISTER`.
const REGISTER: u32 = 1;
/// `FUSE_IO_URING_CMD_COMMIT_AND_FETCH`.
const COMMIT_AND_FETCH: u32 = 2;

/// What bells' and polls' completions carry instead of the number of an entry.
const BELL: u64 = u64::MAX;
const POLL: u64 = u64::MAX - 1;

/// Something that happened in a ring.
#[derive(Debug)]
pub enum Event<T> {
    /// This entry has a request, or failed; it is not armed any more.
    Entry(Arc<T>, Result<()>),
    /// The bell was rung.
    Bell,
    /// The polled descriptor is ready.
    Ready,
}

/// A ring with a bell, for one thread: the one that made it is the only one to use it.
///
/// The kernel does its part of the work only while that thread waits ([`Ring::wait`]); nothing
/// interrupts the system calls of a handler.
///
/// It also ends with that thread or before, and nowhere else: a request on its way to a ring that
/// another thread closes never comes to an end.
pub struct Ring<T> {
    /// `None` after [`Ring::end`].
    io: Option<Io>,
    device: RawFd,
    bell: RawFd,
    /// Where the bell's count is read to; boxed, so that it does not move.
    count: Box<[u8; 8]>,
    /// The entries that are armed here, so that their memory stays, each at its number.
    armed: Vec<Option<Arc<T>>>,
    free: Vec<usize>,
    /// Some of them have memory that is worth giving back.
    occupied: bool,
    /// Not to be sent to another thread.
    thread: PhantomData<*const ()>,
}

/// A ring as the kernel knows it.
struct Io {
    /// Before `io`, to be dropped before it.
    _unshared: Unshared,
    io: Inherited<IoUring<Entry128, cqueue::Entry>>,
}

impl<T: HasEntry> Ring<T> {
    /// A ring for the device and a bell, both of which must stay open while it lives, with room to
    /// submit `room` things at a time. Errors are those of io_uring_setup(2): `ENOSYS` and `EPERM`
    /// where it is forbidden, `ENOMEM` above RLIMIT_MEMLOCK.
    pub fn new(device: RawFd, bell: &Bell, room: u32) -> Result<Ring<T>> {
        let mut builder = IoUring::<Entry128, cqueue::Entry>::builder();
        builder.setup_single_issuer().setup_defer_taskrun().setup_submit_all();
        // More may complete at a time than is submitted: each entry and the bell once.
        let room = room.next_power_of_two().max(4);
        builder.setup_cqsize(room * 4).dontfork();
        let io = builder.build(room).map_err(Errno::from)?;
        let bell = bell.fd().as_raw_fd();
        let mut ring = Ring {
            io: Some(Io { _unshared: Unshared::new(io.as_raw_fd()), io: Inherited::new(io) }),
            device,
            bell,
            count: Box::new([0; 8]),
            armed: Vec::new(),
            free: Vec::new(),
            occupied: false,
            thread: PhantomData,
        };
        ring.listen()?;
        Ok(ring)
    }

    /// Takes the ring down and waits, no longer than `limit`, until the kernel has let go of all that was armed here.
    /// That happens behind this thread's back, and what the kernel puts there meanwhile comes to nothing.
    pub fn end(&mut self, limit: Duration) {
        let Ok(io) = self.io() else { return };
        // A registered file is closed when the ring has gone altogether.
        let gone = nix::unistd::pipe2(OFlag::O_CLOEXEC).ok().and_then(|(gone, held)| {
            io.submitter().register_files(&[held.as_raw_fd()]).ok()?;
            Some(gone)
        });
        self.io = None;
        if let (Some(gone), Ok(limit)) = (gone, PollTimeout::try_from(limit)) {
            let mut polled = [PollFd::new(gone.as_fd(), PollFlags::POLLIN)];
            // By a signal it may be cut short; then it is not waited for.
            let _ = nix::poll::poll(&mut polled, limit);
        }
    }

    /// `ENOTCONN` in a forked child, and of a ring that was ended.
    fn io(&mut self) -> Result<&mut IoUring<Entry128, cqueue::Entry>> {
        self.io.as_mut().ok_or(Errno::ENOTCONN)?.io.get()
    }

    /// Queues a submission; makes room by submitting if there is none.
    fn push(&mut self, entry: &Entry128) -> Result<()> {
        let io = self.io()?;
        // SAFETY: callers' entries refer to memory that outlives them: `count` lives as long as the
        // ring, and `armed` keeps an entry's buffers. The kernel uses either only within system calls
        // of this thread, so not after the ring has gone.
        if unsafe { io.submission().push(entry) }.is_ok() {
            return Ok(());
        }
        io.submit().map_err(Errno::from)?;
        // SAFETY: as above.
        unsafe { io.submission().push(entry) }.map_err(|_| Errno::EBUSY)
    }

    /// Reads the bell once more.
    fn listen(&mut self) -> Result<()> {
        let into = self.count.as_mut_ptr();
        let read = opcode::Read::new(Fd(self.bell), into, 8).build().user_data(BELL);
        self.push(&Entry128::from(read))
    }

    /// Tells once when `fd` has something to read.
    pub fn poll_in(&mut self, fd: RawFd) -> Result<()> {
        let poll = opcode::PollAdd::new(Fd(fd), libc::POLLIN as u32).build().user_data(POLL);
        self.push(&Entry128::from(poll))
    }

    fn command(
        &mut self,
        number: u64,
        command: u32,
        queue: u16,
        commit: u64,
        parts: Parts,
    ) -> Result<()> {
        // `struct fuse_uring_cmd_req`: flags, commit_id, qid, padding.
        let mut bytes = [0; 80];
        bytes[8..16].copy_from_slice(&commit.to_ne_bytes());
        bytes[16..18].copy_from_slice(&queue.to_ne_bytes());
        let mut cmd = opcode::UringCmd80::new(Fd(self.device), command).cmd(bytes);
        if let Some(address) = parts {
            cmd = cmd.addr(Some(address));
        }
        let mut entry = cmd.build().user_data(number);
        if parts.is_some() {
            set_len(&mut entry, 2);
        }
        self.push(&entry)
    }

    /// Keeps an entry that is about to be armed, and gives it a number.
    fn keep(&mut self, entry: Arc<T>) -> usize {
        match self.free.pop() {
            Some(number) => {
                self.armed[number] = Some(entry);
                number
            }
            None => {
                self.armed.push(Some(entry));
                self.armed.len() - 1
            }
        }
    }

    fn release(&mut self, number: usize) -> Option<Arc<T>> {
        let entry = self.armed.get_mut(number)?.take()?;
        self.free.push(number);
        Some(entry)
    }

    fn arm(&mut self, entry: Arc<T>, command: u32, commit: u64, parts: Parts) -> Result<()> {
        let queue = entry.entry().queue();
        let number = self.keep(entry);
        let queued = self.command(number as u64, command, queue, commit, parts);
        if queued.is_err() {
            self.release(number);
        }
        queued
    }

    /// Registers a new entry with its queue; it is armed then.
    pub fn register(&mut self, entry: Arc<T>) -> Result<()> {
        // Read when the submission is, and the entry lives at least until it completes.
        let parts = entry.entry().buffers().parts() as u64;
        self.arm(entry, REGISTER, 0, Some(parts))
    }

    /// Hands the answer in an entry to the kernel and waits for the entry's next request here.
    /// `EINVAL` if there is no answer in it.
    ///
    /// Goes to the kernel with the next [`Ring::submit`] or [`Ring::wait`].
    pub fn commit(&mut self, entry: Arc<T>) -> Result<()> {
        self.io()?;
        let commit_id = entry.entry().give_to_kernel().ok_or(Errno::EINVAL)?;
        self.occupied |= entry.entry().buffers().is_large();
        self.arm(entry, COMMIT_AND_FETCH, commit_id, None)
    }

    /// Gives what was queued to the kernel.
    pub fn submit(&mut self) -> Result<()> {
        self.io()?.submit().map_err(Errno::from)?;
        Ok(())
    }

    /// Gives what was queued to the kernel and blocks until something has happened, a signal comes
    /// (`EINTR`) or `limit` has passed, which is no error.
    pub fn wait(&mut self, limit: Option<Duration>) -> Result<()> {
        let io = self.io()?;
        if !io.completion().is_empty() {
            return self.submit();
        }
        let result = match limit {
            None => io.submit_and_wait(1),
            Some(limit) => {
                let limit = Timespec::from(limit);
                io.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&limit))
            }
        };
        match result.map_err(Errno::from) {
            Ok(_) | Err(Errno::ETIME) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether entries that are armed here occupy memory worth giving back.
    pub fn is_occupied(&self) -> bool {
        self.occupied
    }

    /// Gives the memory of the entries that are armed here back to the system; it comes again when it
    /// is needed. Nothing is given if something was queued that the kernel has not, or has happened that was not
    /// taken.
    pub fn give_back(&mut self) {
        let Ok(io) = self.io() else { return };
        if !(io.submission().is_empty() && io.completion().is_empty()) {
            return;
        }
        self.occupied = false;
        for entry in self.armed.iter().flatten() {
            // SAFETY: the entry is armed, so that nobody in this process uses its payload. The kernel
            // does so only within this thread's calls, and then reports it, which it has not.
            unsafe { entry.entry().buffers().give_back() };
        }
    }

    /// What has happened; nothing if nothing has.
    pub fn next_event(&mut self) -> Option<Event<T>> {
        let cqe = self.io().ok()?.completion().next()?;
        Some(match cqe.user_data() {
            BELL => {
                // Not heard again if that fails; nothing else could be done.
                let _ = self.listen();
                Event::Bell
            }
            POLL => Event::Ready,
            number => {
                let result = cqe.result();
                let entry = self.release(number as usize)?;
                Event::Entry(entry, if result < 0 { Err(Errno::from_raw(-result)) } else { Ok(()) })
            }
        })
    }
}

type Parts = Option<u64>;

/// Sets the field that io_uring's crate has no word for in commands.
fn set_len(entry: &mut Entry128, len: u32) {
    const LEN: usize = 24;
    const { assert!(size_of::<Entry128>() == 128 && size_of::<squeue::Entry>() == 64) };
    // SAFETY: Entry128 is the kernel's submission entry, 128 bytes, in which `len` is the aligned
    // 32-bit word at offset 24.
    unsafe { std::ptr::from_mut(entry).cast::<u8>().add(LEN).cast::<u32>().write(len) };
}

/// How many processors there may ever be, which is how many queues the kernel has.
pub fn possible_processors() -> usize {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    count_of(text.trim()).unwrap_or_else(|| {
        // SAFETY: sysconf only reads.
        let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
        usize::try_from(count).unwrap_or(1).max(1)
    })
}

/// The number of processors in a list such as `0-3,8`.
fn count_of(list: &str) -> Option<usize> {
    let mut count = 0;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_lists() {
        assert_eq!(count_of("0"), Some(1));
        assert_eq!(count_of("0-63"), Some(64));
        assert_eq!(count_of("0-3,8"), Some(5));
        assert_eq!(count_of(""), None);
        assert!(possible_processors() >= 1);
    }
}
