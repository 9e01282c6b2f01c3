//! Finding the processes that can be asked, and asking.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ferrofuse::stats::snapshot::Snapshot;
use ferrofuse::stats::socket::{FOLDER, SUFFIX, folder};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::{Answer, mount_point};

/// How long a process may take for an answer. One that hangs must not hang those who look.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody to ask. As long as it lives, the process counts.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
    /// The socket's name.
    pub path: PathBuf,
    process: u32,
}

/// Folders in which sockets of this user may be; for root also those of others.
fn folders() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folder().into_iter().collect();
    let uid = nix::unistd::geteuid();
    found.push(format!("/run/user/{uid}/{FOLDER}").into());
    found.push(Path::new("/run").join(FOLDER));
    if uid.is_root()
        && let Ok(users) = std::fs::read_dir("/run/user")
    {
        found.extend(users.flatten().map(|user| user.path().join(FOLDER)));
    }
    found.sort();
    found.dedup();
    found
}

/// Everybody who can be asked. Sockets that nobody listens at any more are removed.
pub fn connect_all() -> Vec<Connection> {
    let entries = folders().into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    let mut paths: Vec<_> =
        entries.flat_map(|entries| entries.flatten()).map(|e| e.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(SUFFIX));
    paths.sort();
    paths.into_iter().filter_map(connect).collect()
}

fn connect(path: PathBuf) -> Option<Connection> {
    match Connection::open(path.clone()) {
        Ok(connection) => Some(connection),
        Err(error) => {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                // Its process is gone. Somebody else may have removed it.
                let _ = std::fs::remove_file(&path);
            }
            None
        }
    }
}

impl Connection {
    /// Connects to the socket of this name.
    pub fn open(path: PathBuf) -> io::Result<Connection> {
        let stream = UnixStream::connect(&path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let process = getsockopt(&stream, PeerCredentials).map_or(0, |peer| peer.pid());
        Ok(Connection { stream: BufReader::new(stream), path, process: process.unsigned_abs() })
    }

    /// What the process says now; `None` if it is gone, or does not answer.
    pub fn ask(&mut self) -> Option<Answer> {
        self.stream.get_mut().write_all(b"json\n").ok()?;
        let mut line = String::new();
        if self.stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let snapshot: Snapshot = serde_json::from_str(&line).ok()?;
        let process = if self.process == 0 { snapshot.pid } else { self.process };
        let of =
            |connection: Option<u32>| connection.and_then(|number| mount_point(process, number));
        let mounts = snapshot.sessions.iter().map(|session| of(session.connection)).collect();
        Some(Answer { process, mounts, snapshot })
    }
}
