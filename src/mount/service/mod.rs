//! A filesystem that a service manager has started, and that a helper mounts.
//!
//! The manager (systemd, by a socket unit) hands over the connection to the helper as descriptor 3 and says so in
//! `LISTEN_FDS` and `LISTEN_PID`. The helper (libfuse's `fuservicemount3`) has been called with a command line, opens
//! what the filesystem needs, and mounts; the filesystem needs no rights but to talk to it. What is said, in this order:
//! a greeting; the file with the arguments and the device; files, as the filesystem asks for them; what to mount where;
//! goodbye. See [`wire`] for the messages.
//!
//! The helper is trusted with the mount, but not to send what it should.

mod wire;

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{IoSlice, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockaddrLike, SockaddrStorage, getsockname, getsockopt,
    sendmsg, shutdown, sockopt,
};

use super::MountOptions;
use crate::sys::env::secure_var;
use crate::sys::proc::adopt_fd;
use crate::sys::scm::{self, receive_fds};
use crate::{Errno, Result};
use wire::{Fault, Text};
pub use wire::{FileRequest, Hello};

/// The descriptor that a service manager hands over.
const SOCKET: RawFd = 3;
/// What the first files are called.
const ARGUMENTS: &CStr = c"argv";
const DEVICE: &CStr = c"fusedev";
/// Bytes of the largest message: what precedes a path of `PATH_MAX`, that path and its NUL.
const LARGEST: usize = 20 + 4096 + 1;
/// Bytes of arguments that are still read.
const MOST_ARGUMENTS: u64 = 16 << 20;

/// The connection to a mount helper.
#[derive(Debug)]
pub struct Service {
    socket: OwnedFd,
}

/// What a helper has sent when it was greeted.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub service: Service,
    /// What the helper may do.
    pub hello: Hello,
    /// The file with the arguments, for [`arguments`].
    pub arguments: OwnedFd,
    /// The device, which is not mounted yet.
    pub device: OwnedFd,
}

impl Service {
    /// Greets the helper that this process was started for; `None` if it was not started so. The connection belongs to
    /// the first call that gets through the greeting.
    ///
    /// # Errors
    /// Logged. `E2BIG` for several descriptors, `ENOTSOCK`, `EAFNOSUPPORT` and `ENOBUFS` for one that will not do,
    /// `EOPNOTSUPP` for another version of the protocol, `EINVAL` for flags that nobody knows, `EBADMSG` for nonsense,
    /// `EBUSY` if the connection is in use, and what the helper or the system calls failed with.
    pub fn accept() -> Result<Option<Accepted>> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let count = passed_descriptors(secure_var("LISTEN_PID"), secure_var("LISTEN_FDS"));
        if count == 0 {
            return Ok(None);
        }
        if count != 1 {
            log::error!("fuse: a service has one socket, and this one {count}");
            return Err(Errno::E2BIG);
        }
        if TAKEN.swap(true, Ordering::AcqRel) {
            log::error!("fuse: the service's socket is in use already");
            return Err(Errno::EBUSY);
        }
        let socket = adopt_fd(SOCKET)
            .map_err(Errno::from)
            .inspect_err(|error| log::error!("fuse: service socket: {error}"))?;
        let service = Service { socket };
        let greeted = service.examine().and_then(|()| service.greet());
        let hello = match greeted {
            Ok(hello) => hello,
            Err(error) => {
                // Perhaps the program knows better whose it is.
                std::mem::forget(service);
                TAKEN.store(false, Ordering::Release);
                return Err(error);
            }
        };
        let arguments = service.required(ARGUMENTS)?;
        let device = service.required(DEVICE)?;
        Ok(Some(Accepted { service, hello, arguments, device }))
    }

    /// Whether the descriptor can be such a connection.
    fn examine(&self) -> Result<()> {
        let address = match getsockname::<SockaddrStorage>(self.socket.as_raw_fd()) {
            Ok(address) => address,
            Err(error) => {
                log::error!("fuse: service socket: {}", Errno::from(error));
                return Err(error.into());
            }
        };
        if address.family() != Some(AddressFamily::Unix) {
            log::error!("fuse: the service's socket is not a local one");
            return Err(Errno::EAFNOSUPPORT);
        }
        // Where that can't be asked, sending will show it.
        let room = getsockopt(&self.socket, sockopt::SndBuf).unwrap_or(LARGEST);
        if room < LARGEST {
            log::error!("fuse: the service's socket takes {room} bytes, and {LARGEST} are needed");
            return Err(Errno::ENOBUFS);
        }
        Ok(())
    }

    fn greet(&self) -> Result<Hello> {
        let what = "greeting";
        let (bytes, _) = self.receive(what, wire::HELLO_LENGTH)?;
        let hello = wire::hello(&bytes).map_err(|fault| nonsense(what, fault))?;
        self.send(what, &wire::hello_reply())?;
        Ok(hello)
    }

    /// A file that comes unasked, and must.
    fn required(&self, name: &CStr) -> Result<OwnedFd> {
        self.receive_file(name)?.inspect_err(|error| {
            log::error!("fuse: service file `{}': {error}", name.to_string_lossy());
        })
    }

    /// Asks for a file, which [`receive_file`](Self::receive_file) then takes.
    ///
    /// # Errors
    /// Logged: what sending failed with.
    pub fn request_file(&self, request: &FileRequest<'_>) -> Result<()> {
        self.send("file request", &wire::open(request))
    }

    /// Takes the file that was asked for, or the error number that the helper got instead: `ENOENT` if it sent neither.
    ///
    /// # Errors
    /// Logged. `EBADMSG` for any other message, or what receiving failed with.
    pub fn receive_file(&self, path: &CStr) -> Result<Result<OwnedFd>> {
        let what = "file";
        let (bytes, fds) = self.receive(what, wire::file_length(path))?;
        match wire::file(&bytes, path).map_err(|fault| nonsense(what, fault))? {
            0 => {}
            error => return Ok(Err(helpers_error(error))),
        }
        match <[OwnedFd; 1]>::try_from(fds) {
            Ok([file]) => Ok(Ok(file)),
            Err(fds) => {
                let (path, count) = (path.to_string_lossy(), fds.len());
                log::error!("fuse: service file `{path}' came with {count} descriptors");
                if fds.is_empty() { Ok(Err(Errno::ENOENT)) } else { Err(Errno::EBADMSG) }
            }
        }
    }

    /// No more files shall come. Older kernels than Linux 6.16 can't see to that.
    ///
    /// # Errors
    /// Logged: what the system call failed with.
    pub fn finish_files(&self) -> Result<()> {
        match scm::refuse_fds(self.socket.as_fd()) {
            Err(error) if error.raw_os_error() != Some(libc::ENOPROTOOPT) => {
                log::error!("fuse: service: refusing descriptors: {error}");
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// Has the helper mount the device. `format` is the file type of `st_mode` that the mount point must have, or 0.
    ///
    /// # Errors
    /// Logged. What the helper says, `EBADMSG` for nonsense, or what the system calls failed with.
    pub fn mount(&self, options: &MountOptions, format: u32, mountpoint: &CStr) -> Result<()> {
        // A mode has no more than 16 bits.
        let format = u16::try_from(format).map_err(|_| Errno::EINVAL)?;
        let (source, _) = options.source_and_type(true);
        self.command("file system type", &wire::kind(options.blkdev()))?;
        self.command("source", &wire::text(Text::Source, &c_string(&source)?))?;
        self.command("mount point", &wire::mountpoint(format, mountpoint))?;
        for (what, which, list) in [
            ("mount options", Text::Options, options.kernel_list()),
            ("table options", Text::TableOptions, options.table_only_list()),
        ] {
            if !list.is_empty() {
                self.command(what, &wire::text(which, &c_string(&list)?))?;
            }
        }
        let flags = u32::try_from(options.flags().bits()).map_err(|_| Errno::EINVAL)?;
        self.command("mount", &wire::mount(flags))
    }

    /// Takes leave, with the exit status of the filesystem.
    ///
    /// # Errors
    /// Logged: what sending failed with.
    pub fn goodbye(&self, status: i32) -> Result<()> {
        self.send("goodbye", &wire::goodbye(status.cast_unsigned()))
    }

    /// One command and the answer to it.
    fn command(&self, what: &str, message: &[u8]) -> Result<()> {
        self.send(what, message)?;
        let (bytes, _) = self.receive(what, wire::REPLY_LENGTH)?;
        match wire::reply(&bytes).map_err(|fault| nonsense(what, fault))? {
            0 => Ok(()),
            error => {
                let error = helpers_error(error);
                log::error!("fuse: service {what}: {error}");
                Err(error)
            }
        }
    }

    fn send(&self, what: &str, message: &[u8]) -> Result<()> {
        let flags = MsgFlags::MSG_EOR | MsgFlags::MSG_NOSIGNAL;
        loop {
            let parts = [IoSlice::new(message)];
            match sendmsg::<()>(self.socket.as_raw_fd(), &parts, &[], flags, None) {
                Ok(_) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => {
                    let error = Errno::from(error);
                    log::error!("fuse: service {what}: {error}");
                    return Err(error);
                }
            }
        }
    }

    /// A message that should have so many bytes, and the descriptors that came with it.
    fn receive(&self, what: &str, length: usize) -> Result<(Vec<u8>, Vec<OwnedFd>)> {
        // One more, to notice what is longer.
        let mut bytes = vec![0; length + 1];
        let received = receive_fds(self.socket.as_fd(), &mut bytes).map_err(|error| {
            let error = Errno::from(error);
            log::error!("fuse: service {what}: {error}");
            error
        })?;
        if received.truncated {
            log::error!("fuse: service {what}: its descriptors could not be received");
            return Err(Errno::EBADMSG);
        }
        if received.bytes == 0 {
            log::error!("fuse: service {what}: the mount helper has hung up");
            return Err(Errno::EBADMSG);
        }
        bytes.truncate(received.bytes);
        Ok((bytes, received.fds))
    }
}

impl Drop for Service {
    /// Also for processes that hold copies of the socket.
    fn drop(&mut self) {
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }
}

/// The arguments that the helper was called with; the first is the type of the filesystem.
///
/// # Errors
/// Logged. `EBADMSG` for a file that has none, or what reading failed with.
pub fn arguments(file: OwnedFd) -> Result<Vec<CString>> {
    let what = "arguments";
    let mut bytes = Vec::new();
    let mut file = File::from(file);
    let read = file.rewind().and_then(|()| file.take(MOST_ARGUMENTS).read_to_end(&mut bytes));
    read.map_err(Errno::from).inspect_err(|error| log::error!("fuse: service {what}: {error}"))?;
    let found = wire::arguments(&bytes).map_err(|fault| nonsense(what, fault))?;
    // As C programs see it, an argument ends with a NUL in it.
    let text = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().map(CString::new);
    Ok(found.into_iter().filter_map(text).flatten().collect())
}

/// How many descriptors a service manager has handed to this process: 0 if there is none, or it meant another process.
fn passed_descriptors(pid: Option<impl AsRef<OsStr>>, count: Option<impl AsRef<OsStr>>) -> u32 {
    let number = |value: Option<&OsStr>| value?.to_str()?.parse::<u32>().ok();
    let pid = number(pid.as_ref().map(AsRef::as_ref));
    let count = number(count.as_ref().map(AsRef::as_ref));
    if pid == Some(std::process::id()) { count.unwrap_or(0) } else { 0 }
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL)
}

/// A number that the helper sent.
fn helpers_error(error: u32) -> Errno {
    Errno::from_raw(i32::try_from(error).unwrap_or(0))
}

/// Logs a message that is none.
fn nonsense(what: &str, fault: Fault) -> Errno {
    let (reason, error) = match fault {
        Fault::Length => ("it has the wrong length", Errno::EBADMSG),
        Fault::Kind => ("it is something else", Errno::EBADMSG),
        Fault::Name => ("it is another file", Errno::EBADMSG),
        Fault::Version => ("no version of the protocol is known to both", Errno::EOPNOTSUPP),
        Fault::Flags => ("it has unknown flags", Errno::EINVAL),
    };
    log::error!("fuse: service {what}: {reason}");
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_for_the_process_that_is_named() {
        let own = std::process::id().to_string();
        let passed = |pid: &str, count: &str| passed_descriptors(Some(pid), Some(count));
        assert_eq!(passed(&own, "1"), 1);
        assert_eq!(passed(&own, "2"), 2);
        assert_eq!(passed("1", "1"), 0);
        assert_eq!(passed(&own, "x"), 0);
        assert_eq!(passed(&own, "-1"), 0);
        assert_eq!(passed(&(own + "x"), "1"), 0);
        assert_eq!(passed_descriptors(None::<&str>, Some("1")), 0);
    }
}
