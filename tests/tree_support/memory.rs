//! A filesystem in memory, over paths.
//!
//! It records every call, and fails the test when an operation's path changes under it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ferrofuse::session::caps::ConnInfo;
use ferrofuse::tree::*;
use ferrofuse::wire::layout::Attr;
use ferrofuse::{Errno, Result};

use super::text;

pub const DIR: u32 = libc::S_IFDIR | 0o755;
pub const FILE: u32 = libc::S_IFREG | 0o644;
/// Inode number of the root directory.
pub const ROOT_INO: u64 = 1_000_000;

#[derive(Clone, Debug)]
struct Inode {
    mode: u32,
    nlink: u32,
    data: Vec<u8>,
}

struct Files {
    inodes: HashMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    last: u64,
    open: HashMap<u64, u64>,
    last_fh: u64,
}

/// One call: the operation and its paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call(pub &'static str, pub Vec<Option<String>>);

/// What lives behind the paths; kept by tests that look at it.
pub struct Memory {
    files: Mutex<Files>,
    pub calls: Mutex<Vec<Call>>,
    /// Paths in use now, and whether they are being taken away.
    /// The calls that run: operation, path, whether it takes the path away.
    active: Mutex<HashMap<u64, (&'static str, String, bool)>>,
    token: AtomicU64,
    /// Let operations take a moment, so that they overlap.
    pub slow: AtomicBool,
    pub record: AtomicBool,
    pub violations: Mutex<Vec<String>>,
    pub destroyed: AtomicBool,
}

/// What a test hands to a tree.
#[derive(Clone)]
pub struct MemoryFs {
    pub memory: Arc<Memory>,
    pub has: OpSet,
    /// readdir gives offsets.
    pub stream: bool,
}

struct Using<'m> {
    memory: &'m Memory,
    tokens: Vec<u64>,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        let mut active = self.memory.active.lock().unwrap();
        for token in &self.tokens {
            active.remove(token);
        }
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn parent_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

impl Default for Memory {
    fn default() -> Memory {
        let root = Inode { mode: DIR, nlink: 2, data: Vec::new() };
        Memory {
            files: Mutex::new(Files {
                inodes: HashMap::from([(ROOT_INO, root)]),
                names: BTreeMap::from([("/".to_owned(), ROOT_INO)]),
                last: ROOT_INO,
                open: HashMap::new(),
                last_fh: 0,
            }),
            calls: Mutex::default(),
            active: Mutex::default(),
            token: AtomicU64::new(0),
            slow: AtomicBool::new(false),
            record: AtomicBool::new(true),
            violations: Mutex::default(),
            destroyed: AtomicBool::new(false),
        }
    }
}

impl Memory {
    /// Inode number of a path.
    pub fn ino(&self, path: &str) -> Option<u64> {
        self.files.lock().unwrap().names.get(path).copied()
    }

    pub fn paths(&self) -> Vec<String> {
        self.files.lock().unwrap().names.keys().cloned().collect()
    }

    pub fn open_files(&self) -> usize {
        self.files.lock().unwrap().open.len()
    }

    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Notes a call for its duration. Those that take paths away must be alone on them.
    fn using(&self, op: &'static str, paths: &[Option<&CStr>], removes: bool) -> Using<'_> {
        let paths: Vec<Option<String>> = paths.iter().map(|path| path.map(text)).collect();
        let mut tokens = Vec::new();
        {
            let mut active = self.active.lock().unwrap();
            for path in paths.iter().flatten() {
                for (other_op, other, other_removes) in active.values() {
                    let clash = (removes && is_at_or_below(other, path))
                        || (*other_removes && is_at_or_below(path, other));
                    if clash {
                        let note = format!("{op} of {path} during {other_op} of {other}");
                        self.violations.lock().unwrap().push(note);
                    }
                }
            }
            for path in paths.iter().flatten() {
                let token = self.token.fetch_add(1, Ordering::Relaxed);
                active.insert(token, (op, path.clone(), removes));
                tokens.push(token);
            }
        }
        if self.record.load(Ordering::Relaxed) {
            self.calls.lock().unwrap().push(Call(op, paths));
        }
        if self.slow.load(Ordering::Relaxed) {
            match self.token.load(Ordering::Relaxed) % 8 {
                0 => std::thread::sleep(std::time::Duration::from_micros(50)),
                _ => std::thread::yield_now(),
            }
        }
        Using { memory: self, tokens }
    }

    fn make(&self, path: &CStr, mode: u32) -> Result<u64> {
        let path = text(path);
        let mut files = self.files.lock().unwrap();
        if files.names.contains_key(&path) {
            return Err(Errno::EEXIST);
        }
        files.directory(parent_of(&path))?;
        files.last += 1;
        let ino = files.last;
        files.inodes.insert(ino, Inode { mode, nlink: 1, data: Vec::new() });
        files.names.insert(path, ino);
        Ok(ino)
    }

    fn attr(&self, ino: u64) -> Result<Attr> {
        let files = self.files.lock().unwrap();
        let inode = files.inodes.get(&ino).ok_or(Errno::ENOENT)?;
        Ok(Attr {
            ino,
            mode: inode.mode,
            nlink: inode.nlink,
            size: inode.data.len() as u64,
            ..Attr::default()
        })
    }

    fn open(&self, ino: u64) -> u64 {
        let mut files = self.files.lock().unwrap();
        files.last_fh += 1;
        let fh = files.last_fh;
        files.open.insert(fh, ino);
        fh
    }

    fn ino_of(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<u64> {
        let files = self.files.lock().unwrap();
        if let Some(file) = file {
            return files.open.get(&file.fh).copied().ok_or(Errno::EBADF);
        }
        let path = text(path.ok_or(Errno::EFAULT)?);
        files.names.get(&path).copied().ok_or(Errno::ENOENT)
    }
}

impl Files {
    fn directory(&self, path: &str) -> Result<()> {
        let ino = self.names.get(path).ok_or(Errno::ENOENT)?;
        let is_dir = self.inodes[ino].mode & libc::S_IFMT == libc::S_IFDIR;
        if is_dir { Ok(()) } else { Err(Errno::ENOTDIR) }
    }

    fn is_directory(&self, path: &str) -> bool {
        self.directory(path).is_ok()
    }

    fn is_empty(&self, path: &str) -> bool {
        let below = format!("{path}/");
        !self.names.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below))
    }

    fn remove(&mut self, path: &str) -> Result<()> {
        let ino = self.names.remove(path).ok_or(Errno::ENOENT)?;
        let inode = self.inodes.get_mut(&ino).ok_or(Errno::EIO)?;
        inode.nlink -= 1;
        if inode.nlink == 0 && !self.open.values().any(|open| *open == ino) {
            self.inodes.remove(&ino);
        }
        Ok(())
    }

    /// Takes a path and everything below it out.
    fn cut(&mut self, path: &str) -> Vec<(String, u64)> {
        let names: Vec<String> =
            self.names.keys().filter(|name| is_at_or_below(name, path)).cloned().collect();
        let cut = |name: &String| (name[path.len()..].to_owned(), self.names.remove(name).unwrap());
        names.iter().map(cut).collect()
    }

    fn paste(&mut self, path: &str, cut: Vec<(String, u64)>) {
        self.names.extend(cut.into_iter().map(|(rest, ino)| (format!("{path}{rest}"), ino)));
    }
}

/// Everything that `MemoryFs` has.
pub const OPS: OpSet = OpSet::GETATTR
    .union(OpSet::MKNOD)
    .union(OpSet::MKDIR)
    .union(OpSet::UNLINK)
    .union(OpSet::RMDIR)
    .union(OpSet::SYMLINK)
    .union(OpSet::READLINK)
    .union(OpSet::RENAME)
    .union(OpSet::LINK)
    .union(OpSet::OPEN)
    .union(OpSet::CREATE)
    .union(OpSet::RELEASE)
    .union(OpSet::READ)
    .union(OpSet::WRITE)
    .union(OpSet::READDIR);

impl MemoryFs {
    pub fn new() -> MemoryFs {
        MemoryFs { memory: Arc::default(), has: OPS, stream: false }
    }
}

/// Data that a filesystem without `read_buf` never gives.
pub enum NoData {}

impl ReadData for NoData {
    fn vector(&mut self) -> ferrofuse::buf::Vector<'_> {
        match *self {}
    }
}

impl PathOps for MemoryFs {
    type Data = NoData;

    fn implements(&self) -> OpSet {
        self.has
    }

    fn init(&self, _: &mut ConnInfo, config: &mut TreeConfig) {
        config.use_ino = true;
    }

    fn destroy(&self) {
        self.memory.destroyed.store(true, Ordering::SeqCst);
    }

    fn getattr(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<Attr> {
        let _using = self.memory.using("getattr", &[path], false);
        self.memory.attr(self.memory.ino_of(path, file)?)
    }

    fn readlink(&self, path: &CStr, buf: &mut [u8]) -> Result<()> {
        let _using = self.memory.using("readlink", &[Some(path)], false);
        let ino = self.memory.ino_of(Some(path), None)?;
        let files = self.memory.files.lock().unwrap();
        let target = &files.inodes[&ino].data;
        buf[..target.len()].copy_from_slice(target);
        buf[target.len()] = 0;
        Ok(())
    }

    fn mknod(&self, path: &CStr, mode: u32, _: u32) -> Result<()> {
        let _using = self.memory.using("mknod", &[Some(path)], false);
        self.memory.make(path, mode).map(drop)
    }

    fn mkdir(&self, path: &CStr, _: u32) -> Result<()> {
        let _using = self.memory.using("mkdir", &[Some(path)], false);
        self.memory.make(path, DIR).map(drop)
    }

    fn unlink(&self, path: &CStr) -> Result<()> {
        let _using = self.memory.using("unlink", &[Some(path)], true);
        let mut files = self.memory.files.lock().unwrap();
        if files.is_directory(&text(path)) {
            return Err(Errno::EISDIR);
        }
        files.remove(&text(path))
    }

    fn rmdir(&self, path: &CStr) -> Result<()> {
        let _using = self.memory.using("rmdir", &[Some(path)], true);
        let mut files = self.memory.files.lock().unwrap();
        files.directory(&text(path))?;
        if !files.is_empty(&text(path)) {
            return Err(Errno::ENOTEMPTY);
        }
        files.remove(&text(path))
    }

    fn symlink(&self, target: &CStr, path: &CStr) -> Result<()> {
        let _using = self.memory.using("symlink", &[Some(path)], false);
        let ino = self.memory.make(path, libc::S_IFLNK | 0o777)?;
        let mut files = self.memory.files.lock().unwrap();
        files.inodes.get_mut(&ino).ok_or(Errno::EIO)?.data = target.to_bytes().to_vec();
        Ok(())
    }

    fn rename(&self, from: &CStr, to: &CStr, flags: u32) -> Result<()> {
        let _using = self.memory.using("rename", &[Some(from), Some(to)], true);
        let (from, to) = (text(from), text(to));
        let mut files = self.memory.files.lock().unwrap();
        let source = *files.names.get(&from).ok_or(Errno::ENOENT)?;
        files.directory(parent_of(&to))?;
        let target = files.names.get(&to).copied();
        if is_at_or_below(&to, &from) && to != from {
            return Err(Errno::EINVAL);
        }
        if flags & libc::RENAME_EXCHANGE != 0 {
            target.ok_or(Errno::ENOENT)?;
            let (a, b) = (files.cut(&from), files.cut(&to));
            files.paste(&to, a);
            files.paste(&from, b);
            return Ok(());
        }
        if target.is_some() && flags & libc::RENAME_NOREPLACE != 0 {
            return Err(Errno::EEXIST);
        }
        if target == Some(source) {
            // Two names of one file: nothing happens, as rename(2) has it.
            return Ok(());
        }
        if target.is_some() {
            match (files.is_directory(&from), files.is_directory(&to)) {
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                _ if !files.is_empty(&to) => return Err(Errno::ENOTEMPTY),
                _ => files.remove(&to)?,
            }
        }
        let cut = files.cut(&from);
        files.paste(&to, cut);
        Ok(())
    }

    fn link(&self, from: &CStr, to: &CStr) -> Result<()> {
        let _using = self.memory.using("link", &[Some(from), Some(to)], false);
        let (from, to) = (text(from), text(to));
        let mut files = self.memory.files.lock().unwrap();
        let ino = *files.names.get(&from).ok_or(Errno::ENOENT)?;
        files.directory(parent_of(&to))?;
        if files.is_directory(&from) {
            return Err(Errno::EPERM);
        }
        if files.names.contains_key(&to) {
            return Err(Errno::EEXIST);
        }
        files.names.insert(to, ino);
        files.inodes.get_mut(&ino).ok_or(Errno::EIO)?.nlink += 1;
        Ok(())
    }

    fn open(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        let _using = self.memory.using("open", &[Some(path)], false);
        file.fh = self.memory.open(self.memory.ino_of(Some(path), None)?);
        Ok(())
    }

    fn create(&self, path: &CStr, mode: u32, file: &mut OpenFile) -> Result<()> {
        let _using = self.memory.using("create", &[Some(path)], false);
        let ino = self.memory.make(path, mode)?;
        file.fh = self.memory.open(ino);
        Ok(())
    }

    fn release(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        let _using = self.memory.using("release", &[path], false);
        let mut files = self.memory.files.lock().unwrap();
        let ino = files.open.remove(&file.fh).ok_or(Errno::EBADF)?;
        if files.inodes[&ino].nlink == 0 && !files.open.values().any(|open| *open == ino) {
            files.inodes.remove(&ino);
        }
        Ok(())
    }

    fn read(
        &self,
        path: Option<&CStr>,
        buf: &mut [u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let _using = self.memory.using("read", &[path], false);
        let ino = self.memory.ino_of(path, Some(file))?;
        let files = self.memory.files.lock().unwrap();
        let data = files.inodes[&ino].data.get(offset as usize..).unwrap_or_default();
        let len = data.len().min(buf.len());
        buf[..len].copy_from_slice(&data[..len]);
        Ok(len)
    }

    fn write(
        &self,
        path: Option<&CStr>,
        data: &[u8],
        offset: i64,
        file: &OpenFile,
    ) -> Result<usize> {
        let _using = self.memory.using("write", &[path], false);
        let ino = self.memory.ino_of(path, Some(file))?;
        let mut files = self.memory.files.lock().unwrap();
        let content = &mut files.inodes.get_mut(&ino).ok_or(Errno::EIO)?.data;
        let end = offset as usize + data.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset as usize..end].copy_from_slice(data);
        Ok(data.len())
    }

    fn readdir(
        &self,
        path: Option<&CStr>,
        filler: &mut dyn Filler,
        offset: i64,
        _: &OpenFile,
        flags: ReaddirFlags,
    ) -> Result<()> {
        let _using = self.memory.using("readdir", &[path], false);
        let path = text(path.ok_or(Errno::EFAULT)?);
        let below = if path == "/" { path } else { format!("{path}/") };
        let mut entries = vec![(".".to_owned(), None), ("..".to_owned(), None)];
        for name in self.memory.paths() {
            let Some(rest) = name.strip_prefix(&below) else { continue };
            if !rest.is_empty() && !rest.contains('/') {
                let attr = self.memory.ino(&name).and_then(|ino| self.memory.attr(ino).ok());
                entries.push((rest.to_owned(), attr));
            }
        }
        let plus = flags.contains(ReaddirFlags::PLUS);
        let fill_flags = if plus { FillFlags::PLUS } else { FillFlags::empty() };
        let skip = if self.stream { offset as usize } else { 0 };
        for (at, (name, attr)) in entries.into_iter().enumerate().skip(skip) {
            let name = std::ffi::CString::new(name).unwrap();
            let offset = if self.stream { at as i64 + 1 } else { 0 };
            if filler.fill(&name, attr.as_ref(), offset, fill_flags) {
                break;
            }
        }
        Ok(())
    }
}
