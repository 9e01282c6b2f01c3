//! A filesystem that does nothing but write down what it was asked, and answer as told.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use ferrofuse::buf::Vector;
use ferrofuse::session::PollHandle;
use ferrofuse::session::caps::ConnInfo;
use ferrofuse::tree::*;
use ferrofuse::wire::flags::IoctlFlags;
use ferrofuse::wire::layout::{Attr, FileLock, Kstatfs};
use ferrofuse::{Errno, Result};

use super::text;

/// Entries that readdir gives: name, offset, flags.
pub type Entries = Vec<(&'static str, i64, FillFlags)>;

/// Something a test does from inside an operation.
pub type Action = Box<dyn FnOnce() -> Result<()> + Send>;

#[derive(Default)]
pub struct State {
    pub calls: Mutex<Vec<String>>,
    /// Errors by operation, or by operation and path.
    pub errors: Mutex<HashMap<String, Errno>>,
    pub attr: Mutex<Attr>,
    pub entries: Mutex<Entries>,
    /// What open, create and opendir set besides the handle.
    pub opened: Mutex<OpenFile>,
    pub config: Mutex<Option<TreeConfig>>,
    pub contexts: Mutex<Vec<RequestContext>>,
    /// enter minus leave.
    pub depth: AtomicI64,
    /// Run by `access`.
    pub during_access: Mutex<Option<Action>>,
}

#[derive(Clone)]
pub struct Scripted {
    pub has: OpSet,
    pub state: Arc<State>,
}

impl Scripted {
    pub fn with(has: OpSet) -> Scripted {
        let attr = Attr { ino: 77, mode: libc::S_IFREG | 0o640, nlink: 2, ..Attr::default() };
        let state = State { attr: Mutex::new(attr), ..State::default() };
        Scripted { has, state: Arc::new(state) }
    }

    /// Everything that the library calls from here on works, unless told otherwise.
    pub fn full() -> Scripted {
        Scripted::with(OpSet::all() & !(OpSet::READ_BUF | OpSet::WRITE_BUF))
    }

    pub fn fail(&self, what: &str, error: Errno) {
        self.state.errors.lock().unwrap().insert(what.to_owned(), error);
    }

    pub fn succeed(&self, what: &str) {
        self.state.errors.lock().unwrap().remove(what);
    }

    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.calls.lock().unwrap())
    }

    fn call(&self, op: &str, path: Option<&CStr>, rest: &str) -> Result<()> {
        assert_eq!(self.state.depth.load(Ordering::SeqCst), 1, "{op} outside of enter and leave");
        let path = path.map_or("-".to_owned(), text);
        let line = format!("{op} {path} {rest}");
        self.state.calls.lock().unwrap().push(line.trim_end().to_owned());
        let errors = self.state.errors.lock().unwrap();
        let error = errors.get(&format!("{op} {path}")).or_else(|| errors.get(op));
        error.map_or(Ok(()), |error| Err(*error))
    }

    fn open_file(&self, file: &mut OpenFile) {
        let OpenFile { flags, .. } = *file;
        *file = OpenFile { fh: 5, flags, ..*self.state.opened.lock().unwrap() };
    }
}

/// One segment of memory.
pub struct Bytes(Vec<u8>);

impl ReadData for Bytes {
    fn vector(&mut self) -> Vector<'_> {
        Vector::from_bytes(&self.0)
    }
}

fn fh(file: Option<&OpenFile>) -> String {
    file.map_or(String::new(), |file| format!("fh={}", file.fh))
}

impl PathOps for Scripted {
    type Data = Bytes;

    fn implements(&self) -> OpSet {
        self.has
    }
    fn enter(&self, context: &RequestContext) {
        assert_eq!(self.state.depth.fetch_add(1, Ordering::SeqCst), 0);
        self.state.contexts.lock().unwrap().push(*context);
    }
    fn leave(&self) {
        assert_eq!(self.state.depth.fetch_sub(1, Ordering::SeqCst), 1);
    }
    fn init(&self, _: &mut ConnInfo, config: &mut TreeConfig) {
        if let Some(wanted) = self.state.config.lock().unwrap().take() {
            *config = wanted;
        }
    }
    fn destroy(&self) {
        let _ = self.call("destroy", None, "");
    }
    fn getattr(&self, path: Option<&CStr>, file: Option<&OpenFile>) -> Result<Attr> {
        self.call("getattr", path, &fh(file))?;
        Ok(*self.state.attr.lock().unwrap())
    }
    fn readlink(&self, path: &CStr, buf: &mut [u8]) -> Result<()> {
        self.call("readlink", Some(path), &format!("{}", buf.len()))?;
        // Longer than PATH_MAX, and without an end.
        buf.fill(b'x');
        Ok(())
    }
    fn mknod(&self, path: &CStr, mode: u32, rdev: u32) -> Result<()> {
        self.call("mknod", Some(path), &format!("{mode:o} {rdev}"))
    }
    fn mkdir(&self, path: &CStr, mode: u32) -> Result<()> {
        self.call("mkdir", Some(path), &format!("{mode:o}"))
    }
    fn unlink(&self, path: &CStr) -> Result<()> {
        self.call("unlink", Some(path), "")
    }
    fn rmdir(&self, path: &CStr) -> Result<()> {
        self.call("rmdir", Some(path), "")
    }
    fn symlink(&self, target: &CStr, path: &CStr) -> Result<()> {
        self.call("symlink", Some(path), &text(target))
    }
    fn rename(&self, from: &CStr, to: &CStr, flags: u32) -> Result<()> {
        self.call("rename", Some(from), &format!("{} {flags}", text(to)))
    }
    fn link(&self, from: &CStr, to: &CStr) -> Result<()> {
        self.call("link", Some(from), &text(to))
    }
    fn chmod(&self, path: Option<&CStr>, mode: u32, file: Option<&OpenFile>) -> Result<()> {
        self.call("chmod", path, &format!("{mode:o} {}", fh(file)))
    }
    fn chown(&self, path: Option<&CStr>, uid: u32, gid: u32, _: Option<&OpenFile>) -> Result<()> {
        self.call("chown", path, &format!("{} {}", uid.cast_signed(), gid.cast_signed()))
    }
    fn truncate(&self, path: Option<&CStr>, size: i64, _: Option<&OpenFile>) -> Result<()> {
        self.call("truncate", path, &format!("{size}"))
    }
    fn utimens(
        &self,
        path: Option<&CStr>,
        times: [SetTime; 2],
        _: Option<&OpenFile>,
    ) -> Result<()> {
        self.call("utimens", path, &format!("{:?} {:?}", times[0], times[1]))
    }
    fn open(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        self.call("open", Some(path), "")?;
        self.open_file(file);
        Ok(())
    }
    fn create(&self, path: &CStr, mode: u32, file: &mut OpenFile) -> Result<()> {
        self.call("create", Some(path), &format!("{mode:o} {:#x}", file.flags))?;
        self.open_file(file);
        Ok(())
    }
    fn read(&self, path: Option<&CStr>, buf: &mut [u8], _: i64, file: &OpenFile) -> Result<usize> {
        self.call("read", path, &fh(Some(file)))?;
        buf[..2].copy_from_slice(b"ok");
        Ok(2)
    }
    fn read_buf(
        &self,
        path: Option<&CStr>,
        size: usize,
        offset: i64,
        _: &OpenFile,
    ) -> Result<Bytes> {
        self.call("read_buf", path, &format!("{size} {offset}"))?;
        Ok(Bytes(b"buffer".to_vec()))
    }
    fn write(&self, path: Option<&CStr>, data: &[u8], _: i64, _: &OpenFile) -> Result<usize> {
        self.call("write", path, &String::from_utf8_lossy(data))?;
        Ok(data.len())
    }
    fn write_buf(
        &self,
        path: Option<&CStr>,
        data: Vector<'_>,
        offset: i64,
        _: &OpenFile,
    ) -> Result<usize> {
        self.call("write_buf", path, &format!("{} {offset}", data.size()))?;
        Ok(data.size())
    }
    fn statfs(&self, path: &CStr) -> Result<Kstatfs> {
        self.call("statfs", Some(path), "")?;
        Ok(Kstatfs { blocks: 9, ..Kstatfs::default() })
    }
    fn flush(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        self.call("flush", path, &format!("owner={}", file.lock_owner))
    }
    fn release(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        self.call("release", path, &fh(Some(file)))
    }
    fn fsync(&self, path: Option<&CStr>, datasync: bool, _: &OpenFile) -> Result<()> {
        self.call("fsync", path, &format!("{datasync}"))
    }
    fn getxattr(&self, path: &CStr, name: &CStr, buf: &mut [u8]) -> Result<usize> {
        self.call("getxattr", Some(path), &format!("{} {}", text(name), buf.len()))?;
        let len = buf.len().min(3);
        buf[..len].copy_from_slice(&b"val"[..len]);
        Ok(3)
    }
    fn opendir(&self, path: &CStr, file: &mut OpenFile) -> Result<()> {
        self.call("opendir", Some(path), "")?;
        self.open_file(file);
        Ok(())
    }
    fn readdir(
        &self,
        path: Option<&CStr>,
        filler: &mut dyn Filler,
        offset: i64,
        file: &OpenFile,
        flags: ReaddirFlags,
    ) -> Result<()> {
        self.call("readdir", path, &format!("{offset} {} {}", fh(Some(file)), flags.bits()))?;
        let attr = *self.state.attr.lock().unwrap();
        let entries = self.state.entries.lock().unwrap().clone();
        for (name, own, flags) in entries {
            if own != 0 && own <= offset {
                continue;
            }
            let name = std::ffi::CString::new(name).unwrap();
            if filler.fill(&name, Some(&attr), own, flags) {
                break;
            }
        }
        Ok(())
    }
    fn releasedir(&self, path: Option<&CStr>, file: &OpenFile) -> Result<()> {
        self.call("releasedir", path, &fh(Some(file)))
    }
    fn access(&self, path: &CStr, mask: i32) -> Result<()> {
        self.call("access", Some(path), &format!("{mask}"))?;
        let during = self.state.during_access.lock().unwrap().take();
        during.map_or(Ok(()), |during| during())
    }
    fn lock(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        command: i32,
        lock: &mut FileLock,
    ) -> Result<()> {
        let command = match command {
            libc::F_GETLK => "get",
            libc::F_SETLK => "set",
            _ => "wait",
        };
        let FileLock { start, end, kind, .. } = lock;
        let owner = file.lock_owner;
        self.call("lock", path, &format!("{command} {kind} {start}..{end} owner={owner}"))?;
        lock.kind = libc::F_UNLCK as u32;
        Ok(())
    }
    fn flock(&self, path: Option<&CStr>, _: &OpenFile, op: i32) -> Result<()> {
        self.call("flock", path, &format!("{op}"))
    }
    fn bmap(&self, path: &CStr, blocksize: usize, index: u64) -> Result<u64> {
        self.call("bmap", Some(path), &format!("{blocksize} {index}"))?;
        Ok(index + 1)
    }
    fn ioctl(
        &self,
        path: Option<&CStr>,
        command: u32,
        _: u64,
        file: &OpenFile,
        _: IoctlFlags,
        data: &mut [u8],
    ) -> Result<i32> {
        self.call("ioctl", path, &format!("{command} {} {data:?}", fh(Some(file))))?;
        data.reverse();
        Ok(3)
    }
    fn poll(
        &self,
        path: Option<&CStr>,
        file: &OpenFile,
        handle: Option<PollHandle>,
    ) -> Result<u32> {
        self.call("poll", path, &format!("{} {}", file.poll_events, handle.is_some()))?;
        Ok(4)
    }
    fn fallocate(
        &self,
        path: Option<&CStr>,
        mode: i32,
        offset: i64,
        length: i64,
        _: &OpenFile,
    ) -> Result<()> {
        self.call("fallocate", path, &format!("{mode} {offset} {length}"))
    }
    fn copy_file_range(
        &self,
        from: FileRange<'_>,
        to: FileRange<'_>,
        size: usize,
        _: i32,
    ) -> Result<usize> {
        let target = to.path.map_or("-".to_owned(), text);
        self.call("copy_file_range", from.path, &format!("{} {target} {size}", from.offset))?;
        Ok(size)
    }
    fn lseek(&self, path: Option<&CStr>, offset: i64, whence: i32, _: &OpenFile) -> Result<i64> {
        self.call("lseek", path, &format!("{offset} {whence}"))?;
        Ok(offset + 1)
    }
}
