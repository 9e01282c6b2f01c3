//! Receiving descriptors over a Unix socket, without losing one whatever the sender does.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What one `recvmsg` brought.
#[derive(Debug)]
pub struct Received {
    /// Bytes stored in the buffer; 0 at the end of the stream.
    pub bytes: usize,
    /// Every descriptor of the message, close-on-exec.
    pub fds: Vec<OwnedFd>,
    /// The kernel had to drop descriptors or other control data, for want of room here or of free
    /// descriptor numbers.
    pub truncated: bool,
}

/// The kernel's limit of descriptors in one message (`SCM_MAX_FD`).
const MAX_FDS: usize = 253;

/// Control data for one header and [`MAX_FDS`] descriptors, aligned for the header.
const CONTROL_WORDS: usize = 4 + MAX_FDS.div_ceil(2);

/// Receives one message into `data`, waiting for it; interrupted waits are repeated.
///
/// # Errors
/// What `recvmsg` failed with.
pub fn receive_fds(socket: BorrowedFd<'_>, data: &mut [u8]) -> io::Result<Received> {
    let mut control = [0u64; CONTROL_WORDS];
    let mut iov = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    // SAFETY: a message header is plain data and valid when zeroed.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &mut iov;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let bytes = loop {
        // SAFETY: `header` describes `data` and `control`, both alive and writable.
        let n = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut header, libc::MSG_CMSG_CLOEXEC) };
        if n >= 0 {
            break n as usize;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    Ok(Received {
        bytes,
        fds: take_fds(&header),
        truncated: header.msg_flags & libc::MSG_CTRUNC != 0,
    })
}

/// Has the kernel drop descriptors that are sent to this socket from now on.
///
/// # Errors
/// `ENOPROTOOPT` before Linux 6.16.
pub fn refuse_fds(socket: BorrowedFd<'_>) -> io::Result<()> {
    /// Not known to the C library yet.
    const SO_PASSRIGHTS: libc::c_int = 83;
    let off: libc::c_int = 0;
    // SAFETY: the value is a live `int`, as its length says.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PASSRIGHTS,
            (&raw const off).cast(),
            size_of_val(&off) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn take_fds(header: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    // SAFETY: the kernel filled the control buffer and set its length; the CMSG macros stay within
    // it. Every number in an SCM_RIGHTS message is a new descriptor that belongs to this process.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = message.as_ref() {
            if head.cmsg_level == libc::SOL_SOCKET && head.cmsg_type == libc::SCM_RIGHTS {
                let total: usize = head.cmsg_len as _;
                let length = total.saturating_sub(libc::CMSG_LEN(0) as usize);
                let numbers = libc::CMSG_DATA(message).cast::<RawFd>();
                for i in 0..length / size_of::<RawFd>() {
                    fds.push(OwnedFd::from_raw_fd(numbers.add(i).read_unaligned()));
                }
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    fds
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    use std::io::IoSlice;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn pass(fds: &[RawFd], data: &[u8]) -> Received {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let control = [ControlMessage::ScmRights(fds)];
        let control = if fds.is_empty() { &control[..0] } else { &control[..] };
        let iov = [IoSlice::new(data)];
        sendmsg::<()>(theirs.as_raw_fd(), &iov, control, MsgFlags::empty(), None).unwrap();
        receive_fds(ours.as_fd(), &mut [0; 8]).unwrap()
    }

    #[test]
    fn takes_every_descriptor_close_on_exec() {
        for count in [0, 1, 2, MAX_FDS] {
            let got = pass(&vec![0; count], b"x");
            assert_eq!((got.bytes, got.fds.len(), got.truncated), (1, count, false));
            for fd in &got.fds {
                let flags = nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFD).unwrap();
                assert_eq!(flags, libc::FD_CLOEXEC);
            }
        }
    }

    #[test]
    fn end_of_stream_is_zero_bytes() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let got = receive_fds(ours.as_fd(), &mut [0; 8]).unwrap();
        assert_eq!((got.bytes, got.fds.len()), (0, 0));
    }
}
