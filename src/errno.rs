//! The error of every engine operation: a positive `errno` value.

use std::{fmt, io};

/// A positive Linux error number.
///
/// The wire protocol and the C ABI both carry `-errno`; [`Errno::negated`] gives that form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(i32);

/// Result of an engine operation.
pub type Result<T, E = Errno> = std::result::Result<T, E>;

macro_rules! named {
    ($($name:ident),* $(,)?) => {
        #[allow(missing_docs)] // the names are errno(3)'s own
        impl Errno {
            $(pub const $name: Errno = Errno(libc::$name);)*
        }
        const NAMES: &[(i32, &str)] = &[$((libc::$name, stringify!($name))),*];
    };
}

named!(
    EPERM,
    ESRCH,
    ENOENT,
    EINTR,
    EIO,
    ENXIO,
    E2BIG,
    EBADF,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EBUSY,
    EEXIST,
    EXDEV,
    ENODEV,
    ENOTDIR,
    EISDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOTTY,
    ETIME,
    ECANCELED,
    EFBIG,
    ENOSPC,
    ESPIPE,
    EROFS,
    EMLINK,
    EPIPE,
    EDOM,
    ERANGE,
    ENAMETOOLONG,
    ENOSYS,
    ENOTEMPTY,
    ELOOP,
    ENODATA,
    EPROTO,
    EOVERFLOW,
    EOPNOTSUPP,
    ENOTCONN,
    ECONNABORTED,
    ESTALE,
    EBADMSG,
    ENOTSOCK,
    EAFNOSUPPORT,
    ENOBUFS,
);

impl Errno {
    /// Wraps `code`, which may carry either sign; 0 and values the kernel would refuse in a reply
    /// (above 511) become `EIO`, so that a request is answered whatever the filesystem returned.
    pub const fn from_raw(code: i32) -> Errno {
        let code = code.unsigned_abs();
        if code == 0 || code > 511 { Errno::EIO } else { Errno(code as i32) }
    }

    /// The calling thread's `errno`, just after a failed system call.
    pub fn last() -> Errno {
        io::Error::last_os_error().into()
    }

    /// The positive error number.
    pub const fn code(self) -> i32 {
        self.0
    }

    /// `-errno`, the form used by the wire protocol and most C functions.
    pub const fn negated(self) -> i32 {
        -self.0
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(code, _)| *code == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // strerror's words without the "(os error N)" that io::Error appends.
        let text = io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

impl std::error::Error for Errno {}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
    }
}

impl From<rustix::io::Errno> for Errno {
    fn from(error: rustix::io::Errno) -> Errno {
        Errno::from_raw(error.raw_os_error())
    }
}

impl From<nix::errno::Errno> for Errno {
    fn from(error: nix::errno::Errno) -> Errno {
        Errno::from_raw(error as i32)
    }
}
