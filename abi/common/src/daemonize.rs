//! `fuse_daemonize`: going into the background.

use std::ffi::c_int;

use ferrofuse::Errno;

use crate::log::{FUSE_LOG_ERR, emit};
use crate::panic::guard;

/// `fuse_daemonize`: in the foreground only changes to the root directory. Otherwise forks: the
/// child goes on in a session of its own, in the root directory, with descriptors 0 to 2 on
/// `/dev/null`; the parent waits until it has come that far and ends with status 0, without
/// running exit handlers.
///
/// Returns 0, or -1 with a message. Must be called before any thread is started: only the calling
/// one lives on in the child.
pub extern "C" fn fuse_daemonize(foreground: c_int) -> c_int {
    guard("fuse_daemonize", -1, || {
        if foreground != 0 {
            change_to_root();
            return 0;
        }
        match detach() {
            Ok(()) => 0,
            Err((what, error)) => {
                emit(FUSE_LOG_ERR, &format!("fuse_daemonize: {what}: {error}"));
                -1
            }
        }
    })
}

fn change_to_root() {
    // SAFETY: a C string. `/` can always be entered but by a process locked out of it, which then
    // stays where it is.
    unsafe {
        libc::chdir(c"/".as_ptr());
    }
}

fn detach() -> Result<(), (&'static str, Errno)> {
    let failed = |what| (what, Errno::last());
    let mut ready = [-1; 2];
    // SAFETY: room for two descriptors.
    if unsafe { libc::pipe2(ready.as_mut_ptr(), libc::O_CLOEXEC) } == -1 {
        return Err(failed("pipe"));
    }
    let [reader, writer] = ready;
    let close = |fd| {
        // SAFETY: closes this function's own descriptors, once each.
        unsafe {
            libc::close(fd);
        }
    };
    // SAFETY: the child goes on in ordinary code, as after any fork of a program with one thread;
    // the caller sees to that.
    match unsafe { libc::fork() } {
        -1 => {
            let error = failed("fork");
            close(reader);
            close(writer);
            Err(error)
        }
        0 => {
            close(reader);
            // SAFETY: no arguments.
            if unsafe { libc::setsid() } == -1 {
                let error = failed("setsid");
                close(writer);
                return Err(error);
            }
            change_to_root();
            silence_standard_streams();
            let byte = 1u8;
            // SAFETY: one readable byte. If the parent is gone, nobody waits for it.
            unsafe {
                libc::write(writer, (&raw const byte).cast(), 1);
            }
            close(writer);
            Ok(())
        }
        _ => {
            // A child that fails closes the pipe, which ends the wait as well.
            close(writer);
            let mut byte = 0u8;
            // SAFETY: one writable byte; _exit never returns.
            unsafe {
                while libc::read(reader, (&raw mut byte).cast(), 1) == -1
                    && Errno::last() == Errno::EINTR
                {}
                libc::_exit(0)
            }
        }
    }
}

/// Puts `/dev/null` on descriptors 0 to 2; without one, they stay as they are.
fn silence_standard_streams() {
    // SAFETY: a C string and plain descriptors; the opened one is closed unless it is one of the
    // three itself.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        if null == -1 {
            return;
        }
        for fd in 0..=2 {
            libc::dup2(null, fd);
        }
        if null > 2 {
            libc::close(null);
        }
    }
}

/// Fills descriptors 0 to 2 with `/dev/null` where they are closed, so that no descriptor of the
/// library lands there and is taken for a standard stream.
pub fn fill_standard_streams() {
    loop {
        // SAFETY: a C string; the lowest free descriptor is opened, and closed again as soon as it
        // is above the standard ones.
        unsafe {
            let fd = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            if fd > 2 {
                libc::close(fd);
            }
            if !(0..=2).contains(&fd) {
                return;
            }
        }
    }
}
