//! Where the sockets lie through which processes are asked.
//!
//! `ferrofuse/PID-N.sock` in the user's run-time folder, which only the user can enter.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};
use nix::sys::stat::{Mode, fchmod};

use crate::sys::env;

/// The folder in a run-time folder.
pub const FOLDER: &str = "ferrofuse";
/// How the sockets' names end.
pub const SUFFIX: &str = ".sock";
/// Libraries in one process that may have a socket each.
const MOST: u32 = 16;
/// Readers that may wait to be let in.
const BACKLOG: i32 = 16;

/// The folder for the sockets of this process: in `XDG_RUNTIME_DIR`, else in `/run` for root and in
/// `/run/user/UID` for others. It need not exist.
pub fn folder() -> Option<PathBuf> {
    if let Some(base) = env::secure_var("XDG_RUNTIME_DIR").map(PathBuf::from)
        && base.is_absolute()
    {
        return Some(base.join(FOLDER));
    }
    let uid = nix::unistd::geteuid();
    if uid.is_root() {
        return Some(Path::new("/run").join(FOLDER));
    }
    let base = PathBuf::from(format!("/run/user/{uid}"));
    base.is_dir().then(|| base.join(FOLDER))
}

/// Makes the folder, for its owner alone; refuses one that somebody else could write to.
fn make_folder(folder: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = folder.symlink_metadata()?;
    let mine = found.uid() == nix::unistd::geteuid().as_raw();
    if !found.is_dir() || !mine || found.mode() & 0o022 != 0 {
        let problem = format!("{}: not a folder of this user's alone", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    Ok(())
}

/// Whether nobody listens at the socket any more.
fn is_stale(path: &Path) -> bool {
    matches!(UnixStream::connect(path), Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// A socket of this name, for its owner from the beginning: the file gets the mode of the socket.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let (family, kind) = (AddressFamily::Unix, SockType::Stream);
    let socket = socket::socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)?;
    socket::bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    socket::listen(&socket, Backlog::new(BACKLOG)?)?;
    Ok(UnixListener::from(socket))
}

/// A socket in a file, which goes with it.
#[derive(Debug)]
pub struct Listener {
    /// What is listened at; set not to block.
    pub socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// A socket of this process's own in `folder`. Sockets that a process of the same number has
    /// left behind are removed.
    pub fn bind(folder: &Path) -> io::Result<Listener> {
        // Different in each library of the process.
        static MARK: u8 = 0;
        make_folder(folder)?;
        let pid = std::process::id();
        // Nobody finds it under its name before somebody listens: who finds a socket at which
        // nobody does takes it for one that was left behind, and removes it.
        let hidden = folder.join(format!(".{pid}-{:x}", (&raw const MARK).addr()));
        let _ = std::fs::remove_file(&hidden);
        let mut listener = Listener { socket: listen(&hidden)?, path: hidden.clone() };
        // Where the umask has taken even the owner's.
        std::fs::set_permissions(&hidden, PermissionsExt::from_mode(0o600))?;
        listener.socket.set_nonblocking(true)?;
        listener.path = Listener::show(&hidden, folder, pid)?;
        std::fs::remove_file(&hidden)?;
        Ok(listener)
    }

    /// Gives the socket a name by which it is found.
    fn show(hidden: &Path, folder: &Path, pid: u32) -> io::Result<PathBuf> {
        for number in 0..MOST {
            let path = folder.join(format!("{pid}-{number}{SUFFIX}"));
            let shown = match std::fs::hard_link(hidden, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !is_stale(&path) {
                        continue;
                    }
                    std::fs::remove_file(&path)?;
                    std::fs::hard_link(hidden, &path)
                }
                shown => shown,
            };
            return shown.map(|()| path);
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // Somebody else may have tidied up.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
