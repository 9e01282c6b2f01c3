//! Running a small program (the mount helper, `/bin/mount`) without the host process noticing.
//!
//! The application owns its children: it may wait for "any child", count `SIGCHLD`s or ignore that
//! signal altogether. So the program is not a child of the application but a grandchild: a
//! short-lived *reaper* in between is created with exit signal 0, which the kernel neither announces
//! nor shows to an ordinary `wait()`, and the reaper waits for the program. A detached program
//! outlives the reaper and becomes init's, so it can never be left as a zombie.

use std::ffi::{CString, c_char, c_int};
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

/// One program run.
#[derive(Debug)]
pub struct Command<'a> {
    /// Paths tried in order until one can be executed.
    pub programs: &'a [CString],
    /// Argument vector, the program's own name first.
    pub argv: &'a [CString],
    /// Environment as `NAME=value`.
    pub env: &'a [CString],
    /// A close-on-exec descriptor that the program shall inherit under the same number.
    pub inherit: Option<BorrowedFd<'a>>,
    /// A close-on-exec descriptor that becomes the program's standard input; all its others above
    /// standard error are closed then. For programs that run long and must not keep things open.
    pub lone_stdin: Option<BorrowedFd<'a>>,
    /// Send the program's standard output and error to `/dev/null`.
    pub quiet: bool,
    /// Make the real user id equal to the effective one before executing.
    pub become_effective: bool,
    /// Do not wait for the program: [`Child::wait`] returns as soon as it has been executed.
    pub detach: bool,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It called `exit` with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was started; no end is known (always so for a detached one).
    Started,
}

/// A program on its way; dropping it leaves the reaper behind, so call [`Child::wait`].
#[derive(Debug)]
#[must_use]
pub struct Child {
    reaper: libc::pid_t,
    reports: File,
}

/// Kinds of record on the report pipe, each followed by a native-endian `i32`.
const FORK_FAILED: u8 = 1;
const EXEC_FAILED: u8 = 2;
const ENDED: u8 = 3;
const RECORD: usize = 5;

/// Everything the children need, computed before the fork: they must not allocate.
struct Plan {
    programs: Vec<*const c_char>,
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
    inherit: RawFd,
    stdin: RawFd,
    null: RawFd,
    report: RawFd,
    become_effective: bool,
    detach: bool,
    /// Signal mask of the caller, to be given back to the program.
    mask: libc::sigset_t,
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
}

/// Starts `command`.
///
/// # Errors
/// What `pipe2`, opening `/dev/null` or `clone` failed with. That the program itself cannot be
/// executed is reported by [`Child::wait`].
pub fn spawn(command: &Command<'_>) -> io::Result<Child> {
    let (reports, report) = pipe2(OFlag::O_CLOEXEC)?;
    let null = match command.quiet {
        true => Some(File::options().write(true).open("/dev/null")?),
        false => None,
    };
    let mut plan = Plan {
        programs: command.programs.iter().map(|s| s.as_ptr()).collect(),
        argv: pointers(command.argv),
        env: pointers(command.env),
        inherit: command.inherit.map_or(-1, |fd| fd.as_raw_fd()),
        stdin: command.lone_stdin.map_or(-1, |fd| fd.as_raw_fd()),
        null: null.as_ref().map_or(-1, |file| file.as_raw_fd()),
        report: report.as_raw_fd(),
        become_effective: command.become_effective,
        detach: command.detach,
        // SAFETY: a signal set is plain data, valid when zeroed; it is overwritten just below.
        mask: unsafe { MaybeUninit::zeroed().assume_init() },
    };
    // SAFETY: both sets live on this stack frame. All signals stay blocked until the program is
    // executed, so that no handler of the application runs in the copied process.
    let reaper = unsafe {
        let mut all = MaybeUninit::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), &mut plan.mask);
        raw_fork(0)
    };
    if reaper == 0 {
        // SAFETY: this is the new process; `plan` and all it points to were copied with it.
        unsafe { reaper_main(&plan) }
    }
    let error = io::Error::last_os_error();
    // SAFETY: `mask` is what the call above stored there.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &plan.mask, ptr::null_mut()) };
    drop(report);
    if reaper < 0 {
        return Err(error);
    }
    Ok(Child { reaper: reaper as libc::pid_t, reports: reports.into() })
}

impl Child {
    /// Waits for the program to end, or a detached one to be executed.
    ///
    /// # Errors
    /// The error of executing it (of the most telling attempt), or of forking.
    pub fn wait(mut self) -> io::Result<Exit> {
        let mut records = Vec::new();
        // A program writes at most two records; the limit only guards the allocation.
        let read = (&mut self.reports).take(1024).read_to_end(&mut records);
        reap(self.reaper);
        read?;
        let mut result = Ok(Exit::Started);
        for record in records.chunks_exact(RECORD) {
            let value = i32::from_ne_bytes([record[1], record[2], record[3], record[4]]);
            match record[0] {
                FORK_FAILED | EXEC_FAILED => return Err(io::Error::from_raw_os_error(value)),
                ENDED if libc::WIFSIGNALED(value) => {
                    result = Ok(Exit::Signal(libc::WTERMSIG(value)));
                }
                ENDED => result = Ok(Exit::Code(libc::WEXITSTATUS(value))),
                _ => {}
            }
        }
        result
    }
}

/// Collects the reaper. `ECHILD` means that the application did so with `__WALL`; that is its right.
fn reap(pid: libc::pid_t) {
    loop {
        // SAFETY: no status is asked for.
        let done = unsafe { libc::waitpid(pid, ptr::null_mut(), libc::__WALL) };
        if done >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// `fork` without the C library's handlers, whose locks other threads may hold, and with a free
/// choice of exit signal.
///
/// # Safety
/// As after any fork of a threaded process, the child may only make async-signal-safe calls.
unsafe fn raw_fork(exit_signal: c_int) -> libc::c_long {
    let (flags, zero) = (exit_signal as libc::c_long, 0 as libc::c_long);
    // SAFETY: no CLONE_* flag and no new stack: a plain copy of this process.
    unsafe {
        if cfg!(target_arch = "s390x") {
            // The only architecture that takes the stack before the flags.
            libc::syscall(libc::SYS_clone, zero, flags, zero, zero, zero)
        } else {
            libc::syscall(libc::SYS_clone, flags, zero, zero, zero, zero)
        }
    }
}

/// Sends one record; a pipe write this short is atomic, and there is no one to tell of a failure.
///
/// # Safety
/// `pipe` must be the report pipe.
unsafe fn report(pipe: RawFd, kind: u8, value: i32) {
    let v = value.to_ne_bytes();
    let record = [kind, v[0], v[1], v[2], v[3]];
    // SAFETY: the buffer is a local array of this length.
    unsafe { libc::write(pipe, record.as_ptr().cast(), RECORD) };
}

fn errno() -> i32 {
    // `io::Error` from a raw number neither allocates nor locks.
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// The reaper's life.
///
/// # Safety
/// Only in the process just made by [`raw_fork`]; calls nothing that is not async-signal-safe.
unsafe fn reaper_main(plan: &Plan) -> ! {
    // SAFETY: plain system calls on values of `plan`; the descriptors are this process's copies.
    unsafe {
        // An ignored SIGCHLD would make the wait below fail, and the helper inherit that trouble.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        let program = raw_fork(libc::SIGCHLD);
        if program == 0 {
            program_main(plan);
        }
        if program < 0 {
            report(plan.report, FORK_FAILED, errno());
            libc::_exit(1);
        }
        if plan.detach {
            libc::_exit(0);
        }
        if plan.inherit >= 0 {
            // Else the other end would not see the program's end.
            libc::close(plan.inherit);
        }
        let mut status = 0;
        while libc::waitpid(program as libc::pid_t, &mut status, 0) < 0 {
            if errno() != libc::EINTR {
                libc::_exit(1);
            }
        }
        report(plan.report, ENDED, status);
        libc::_exit(0)
    }
}

/// The last steps before the program takes over.
///
/// # Safety
/// As [`reaper_main`].
unsafe fn program_main(plan: &Plan) -> ! {
    let mut error = libc::ENOENT;
    // SAFETY: plain system calls; the vectors end in a null pointer and their strings outlive this.
    unsafe {
        if plan.become_effective && libc::setuid(libc::geteuid()) != 0 {
            report(plan.report, EXEC_FAILED, errno());
            libc::_exit(127);
        }
        if plan.null >= 0 {
            libc::dup2(plan.null, 1);
            libc::dup2(plan.null, 2);
        }
        if plan.inherit >= 0 {
            libc::fcntl(plan.inherit, libc::F_SETFD, 0);
        }
        if plan.stdin >= 0 {
            libc::dup2(plan.stdin, 0);
            // Close-on-exec and not closed: the report pipe has yet to be used. Before Linux 5.11
            // this fails, and the program inherits what any other would.
            let (first, last) = (3 as libc::c_uint, libc::c_uint::MAX);
            libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC);
        }
        libc::sigprocmask(libc::SIG_SETMASK, &plan.mask, ptr::null_mut());
        for &program in &plan.programs {
            libc::execve(program, plan.argv.as_ptr(), plan.env.as_ptr());
            // "Not there" must not hide a program that is there but cannot be executed.
            let this = errno();
            if this != libc::ENOENT && this != libc::ENOTDIR {
                error = this;
            }
        }
        report(plan.report, EXEC_FAILED, error);
        libc::_exit(127)
    }
}

/// Whether this process gained privileges when it was executed (set-user-ID and the like), so that
/// its environment is not to be believed.
pub fn privileged_exec() -> bool {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Takes over the open descriptor `number`, which someone handed to this process, and makes it
/// close-on-exec.
///
/// # Errors
/// `EBADF` if it is not open.
pub fn adopt_fd(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD has no memory arguments; a closed number gives EBADF.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and by naming it as an already mounted device the caller gave it away.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn strings(list: &[&str]) -> Vec<CString> {
        list.iter().map(|s| CString::new(*s).unwrap()).collect()
    }

    fn shell(script: &str, detach: bool, inherit: Option<BorrowedFd<'_>>) -> io::Result<Exit> {
        spawn(&Command {
            programs: &strings(&["/nonexistent/sh", "/bin/sh"]),
            argv: &strings(&["sh", "-c", script]),
            env: &strings(&["WORD=right"]),
            inherit,
            lone_stdin: None,
            quiet: true,
            become_effective: false,
            detach,
        })
        .and_then(Child::wait)
    }

    #[test]
    fn reports_exit_status_and_signal() {
        assert_eq!(shell("exit 7", false, None).unwrap(), Exit::Code(7));
        assert_eq!(shell("kill -9 $$", false, None).unwrap(), Exit::Signal(9));
        assert_eq!(shell("test $WORD = right", false, None).unwrap(), Exit::Code(0));
    }

    #[test]
    fn names_the_reason_when_nothing_can_be_executed() {
        let run = |programs: &[&str]| {
            spawn(&Command {
                programs: &strings(programs),
                argv: &strings(&["x"]),
                env: &[],
                inherit: None,
                lone_stdin: None,
                quiet: false,
                become_effective: false,
                detach: true,
            })
            .and_then(Child::wait)
        };
        assert_eq!(run(&["/nonexistent"]).unwrap_err().raw_os_error(), Some(libc::ENOENT));
        let denied = run(&["/etc/passwd", "/nonexistent"]).unwrap_err();
        assert_eq!(denied.raw_os_error(), Some(libc::EACCES));
    }

    #[test]
    fn application_sees_no_child_and_no_signal() {
        // This binary's other tests make children too, so ask about this very process's own.
        let pids = || {
            let tid = std::fs::read_link("/proc/thread-self").unwrap();
            let path = std::path::Path::new("/proc").join(tid).join("children");
            std::fs::read_to_string(path).unwrap()
        };
        let before = pids();
        assert_eq!(shell("exit 0", true, None).unwrap(), Exit::Started);
        assert_eq!(shell("exit 0", false, None).unwrap(), Exit::Code(0));
        assert_eq!(pids(), before, "a child or zombie was left");
    }

    #[test]
    fn only_the_named_descriptor_is_inherited() {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let (open, closed) = (writer.as_raw_fd(), reader.as_raw_fd());
        let script = format!("echo hi >/proc/self/fd/{open}; ! test -e /proc/self/fd/{closed}");
        assert_eq!(shell(&script, false, Some(writer.as_fd())).unwrap(), Exit::Code(0));
        drop(writer);
        let mut text = String::new();
        File::from(reader).read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi\n");
    }

    #[test]
    fn adopting_a_closed_number_fails() {
        assert_eq!(adopt_fd(1_000_000).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}
