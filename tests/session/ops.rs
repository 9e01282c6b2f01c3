//! A filesystem that notes each call and leaves the answer to the test.

use std::ffi::CStr;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use ferrofuse::buf::{CopyFlags, Vector};
use ferrofuse::session::caps::{ConnInfo, Features};
use ferrofuse::session::ops::{CopyRange, FileInfo, Forget, IoctlCall};
use ferrofuse::session::{LowLevelOps, NodeId, OpenReply, PollHandle, Request};
use ferrofuse::wire::flags::SetattrValid;
use ferrofuse::wire::layout::{Attr, FileLock, Kstatfs, SetattrIn};
use ferrofuse::wire::reply::{Entry, Timeout};

/// Takes the request, or gives it back to be answered in its method's own way.
pub type Act = dyn Fn(&str, Request) -> Option<Request> + Send + Sync;

#[derive(Clone)]
pub struct Scripted {
    pub calls: Arc<Mutex<Vec<String>>>,
    pub poll_handles: Arc<Mutex<Vec<PollHandle>>>,
    pub vectors: bool,
    act: Arc<Act>,
}

impl Scripted {
    pub fn new(act: impl Fn(&str, Request) -> Option<Request> + Send + Sync + 'static) -> Scripted {
        let (calls, poll_handles) = Default::default();
        Scripted { calls, poll_handles, vectors: false, act: Arc::new(act) }
    }

    /// Answers everything well.
    pub fn willing() -> Scripted {
        Scripted::new(|_, req| Some(req))
    }

    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Notes the call; answers by `natural` unless the script takes the request.
    fn on(&self, req: Request, call: String, natural: impl FnOnce(Request)) {
        let name = call.split(' ').next().unwrap_or_default().to_owned();
        self.calls.lock().unwrap().push(call);
        if let Some(req) = (self.act)(&name, req) {
            natural(req);
        }
    }
}

fn text(name: &CStr) -> &str {
    name.to_str().unwrap_or("?")
}

/// What is not zero of an open file.
fn file(file: &FileInfo) -> String {
    let mut text = format!("fh={:x}", file.fh);
    let mut show = |name: &str, value: u64| {
        if value != 0 {
            let _ = write!(text, " {name}={value:x}");
        }
    };
    show("flags", u64::from(file.flags.cast_unsigned()));
    show("owner", file.lock_owner);
    show("events", u64::from(file.poll_events));
    show("writepage", file.writepage.into());
    show("flush", file.flush.into());
    show("flock_release", file.flock_release.into());
    text
}

fn ok(result: ferrofuse::Result<()>) {
    assert_eq!(result, Ok(()));
}

fn entry(req: Request) {
    ok(req.reply_entry(&Entry { node: 9, ..Entry::default() }));
}

fn done(req: Request) {
    ok(req.reply_ok());
}

fn open() -> OpenReply {
    OpenReply { fh: 77, ..OpenReply::default() }
}

fn attr(req: Request) {
    ok(req.reply_attr(Attr { ino: 5, ..Attr::default() }, Timeout::default()));
}

impl LowLevelOps for Scripted {
    fn features(&self) -> Features {
        if self.vectors { Features::WRITE_VECTOR } else { Features::empty() }
    }
    fn init(&self, conn: &mut ConnInfo) {
        self.calls.lock().unwrap().push(format!("init {}", conn.proto_minor));
    }
    fn destroy(&self) {
        self.calls.lock().unwrap().push("destroy".into());
    }
    fn lookup(&self, req: Request, parent: NodeId, name: &CStr) {
        self.on(req, format!("lookup {parent} {}", text(name)), entry);
    }
    fn forget(&self, req: Request, forgets: &mut dyn ExactSizeIterator<Item = Forget>) {
        let list: Vec<_> = forgets.map(|f| format!("{}-{}", f.node, f.nlookup)).collect();
        self.on(req, format!("forget {}", list.join(",")), Request::finish);
    }
    fn getattr(&self, req: Request, node: NodeId, fi: Option<&FileInfo>) {
        self.on(req, format!("getattr {node} {}", fi.map_or("none".into(), file)), attr);
    }
    fn setattr(
        &self,
        req: Request,
        node: NodeId,
        args: &SetattrIn,
        valid: SetattrValid,
        fi: Option<&FileInfo>,
    ) {
        let fi = fi.map_or("none".into(), file);
        let call = format!("setattr {node} {:x} mode={:o} {fi}", valid.bits(), args.mode);
        self.on(req, call, attr);
    }
    fn readlink(&self, req: Request, node: NodeId) {
        self.on(req, format!("readlink {node}"), |req| ok(req.reply_bytes(b"target")));
    }
    fn mknod(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, rdev: u32) {
        let umask = req.context().umask();
        let call = format!("mknod {parent} {} {mode:o} {rdev} umask={umask:o}", text(name));
        self.on(req, call, entry);
    }
    fn mkdir(&self, req: Request, parent: NodeId, name: &CStr, mode: u32) {
        let umask = req.context().umask();
        self.on(req, format!("mkdir {parent} {} {mode:o} umask={umask:o}", text(name)), entry);
    }
    fn unlink(&self, req: Request, parent: NodeId, name: &CStr) {
        self.on(req, format!("unlink {parent} {}", text(name)), done);
    }
    fn rmdir(&self, req: Request, parent: NodeId, name: &CStr) {
        self.on(req, format!("rmdir {parent} {}", text(name)), done);
    }
    fn symlink(&self, req: Request, target: &CStr, parent: NodeId, name: &CStr) {
        self.on(req, format!("symlink {} {parent} {}", text(target), text(name)), entry);
    }
    fn rename(
        &self,
        req: Request,
        parent: NodeId,
        name: &CStr,
        newparent: NodeId,
        newname: &CStr,
        flags: u32,
    ) {
        let (name, newname) = (text(name), text(newname));
        self.on(req, format!("rename {parent} {name} {newparent} {newname} {flags}"), done);
    }
    fn link(&self, req: Request, node: NodeId, newparent: NodeId, newname: &CStr) {
        self.on(req, format!("link {node} {newparent} {}", text(newname)), entry);
    }
    fn open(&self, req: Request, node: NodeId, fi: &FileInfo) {
        self.on(req, format!("open {node} {}", file(fi)), |req| ok(req.reply_open(open())));
    }
    fn read(&self, req: Request, node: NodeId, size: usize, offset: u64, fi: &FileInfo) {
        let call = format!("read {node} {size} {offset} {}", file(fi));
        let reply = |req: Request| {
            ok(req.reply_vector(Vector::from_bytes(b"data"), CopyFlags::empty()));
        };
        self.on(req, call, reply);
    }
    fn write(&self, req: Request, node: NodeId, data: &[u8], offset: u64, fi: &FileInfo) {
        let data = String::from_utf8_lossy(data);
        let call = format!("write {node} {data} {offset} {}", file(fi));
        self.on(req, call, |req| ok(req.reply_written(3)));
    }
    fn write_vector(
        &self,
        req: Request,
        node: NodeId,
        data: Vector<'_>,
        offset: u64,
        fi: &FileInfo,
    ) {
        let call = format!("write_vector {node} {} {offset} {}", data.remaining(), file(fi));
        self.on(req, call, |req| ok(req.reply_written(3)));
    }
    fn flush(&self, req: Request, node: NodeId, fi: &FileInfo) {
        self.on(req, format!("flush {node} {}", file(fi)), done);
    }
    fn release(&self, req: Request, node: NodeId, fi: &FileInfo) {
        self.on(req, format!("release {node} {}", file(fi)), done);
    }
    fn fsync(&self, req: Request, node: NodeId, datasync: bool, fi: &FileInfo) {
        self.on(req, format!("fsync {node} {datasync} {}", file(fi)), done);
    }
    fn opendir(&self, req: Request, node: NodeId, fi: &FileInfo) {
        self.on(req, format!("opendir {node} {}", file(fi)), |req| ok(req.reply_open(open())));
    }
    fn readdir(&self, req: Request, node: NodeId, size: usize, offset: u64, fi: &FileInfo) {
        let call = format!("readdir {node} {size} {offset} {}", file(fi));
        self.on(req, call, |req| ok(req.reply_bytes(b"")));
    }
    fn readdirplus(&self, req: Request, node: NodeId, size: usize, offset: u64, fi: &FileInfo) {
        let call = format!("readdirplus {node} {size} {offset} {}", file(fi));
        self.on(req, call, |req| ok(req.reply_bytes(b"")));
    }
    fn releasedir(&self, req: Request, node: NodeId, fi: &FileInfo) {
        self.on(req, format!("releasedir {node} {}", file(fi)), done);
    }
    fn fsyncdir(&self, req: Request, node: NodeId, datasync: bool, fi: &FileInfo) {
        self.on(req, format!("fsyncdir {node} {datasync} {}", file(fi)), done);
    }
    fn statfs(&self, req: Request, node: NodeId) {
        let reply = |req: Request| ok(req.reply_statfs(&Kstatfs::default()));
        self.on(req, format!("statfs {node}"), reply);
    }
    fn setxattr(&self, req: Request, node: NodeId, name: &CStr, value: &[u8], flags: u32) {
        let value = String::from_utf8_lossy(value);
        self.on(req, format!("setxattr {node} {} {value} {flags}", text(name)), done);
    }
    fn getxattr(&self, req: Request, node: NodeId, name: &CStr, size: usize) {
        let call = format!("getxattr {node} {} {size}", text(name));
        self.on(req, call, |req| ok(req.reply_xattr_size(3)));
    }
    fn listxattr(&self, req: Request, node: NodeId, size: usize) {
        self.on(req, format!("listxattr {node} {size}"), |req| ok(req.reply_xattr_size(3)));
    }
    fn removexattr(&self, req: Request, node: NodeId, name: &CStr) {
        self.on(req, format!("removexattr {node} {}", text(name)), done);
    }
    fn access(&self, req: Request, node: NodeId, mask: u32) {
        self.on(req, format!("access {node} {mask}"), done);
    }
    fn create(&self, req: Request, parent: NodeId, name: &CStr, mode: u32, fi: &FileInfo) {
        let umask = req.context().umask();
        let name = text(name);
        let call = format!("create {parent} {name} {mode:o} umask={umask:o} {}", file(fi));
        let reply = |req: Request| {
            ok(req.reply_create(&Entry { node: 9, ..Entry::default() }, open()));
        };
        self.on(req, call, reply);
    }
    fn getlk(&self, req: Request, node: NodeId, fi: &FileInfo, lock: &FileLock) {
        let call = format!("getlk {node} {} {lock:?}", file(fi));
        self.on(req, call, |req| ok(req.reply_lock(&FileLock::default())));
    }
    fn setlk(&self, req: Request, node: NodeId, fi: &FileInfo, lock: &FileLock, sleep: bool) {
        let call = format!("setlk {node} {} {}..{} {sleep}", file(fi), lock.start, lock.end);
        self.on(req, call, done);
    }
    fn flock(&self, req: Request, node: NodeId, fi: &FileInfo, op: i32) {
        self.on(req, format!("flock {node} {} {op}", file(fi)), done);
    }
    fn bmap(&self, req: Request, node: NodeId, blocksize: usize, block: u64) {
        let call = format!("bmap {node} {blocksize} {block}");
        self.on(req, call, |req| ok(req.reply_bmap(6)));
    }
    fn ioctl(&self, req: Request, node: NodeId, call: &IoctlCall, data: &[u8], fi: &FileInfo) {
        let (cmd, out, data) = (call.cmd, call.out_size, String::from_utf8_lossy(data));
        let call = format!("ioctl {node} {cmd:x} {:x} {out} {data} {}", call.arg, file(fi));
        self.on(req, call, |req| ok(req.reply_ioctl(1, &[])));
    }
    fn poll(&self, req: Request, node: NodeId, fi: &FileInfo, handle: Option<PollHandle>) {
        let call = format!("poll {node} {} {}", file(fi), handle.is_some());
        self.poll_handles.lock().unwrap().extend(handle);
        self.on(req, call, |req| ok(req.reply_poll(1)));
    }
    fn retrieve_reply(
        &self,
        req: Request,
        cookie: usize,
        node: NodeId,
        offset: u64,
        data: Vector<'_>,
    ) {
        let call = format!("retrieve_reply {cookie} {node} {offset} {}", data.remaining());
        self.on(req, call, Request::finish);
    }
    fn fallocate(
        &self,
        req: Request,
        node: NodeId,
        mode: u32,
        offset: u64,
        length: u64,
        fi: &FileInfo,
    ) {
        self.on(req, format!("fallocate {node} {mode} {offset} {length} {}", file(fi)), done);
    }
    fn copy_file_range(&self, req: Request, range: &CopyRange) {
        let (i, o) = ((range.node_in, range.off_in), (range.node_out, range.off_out));
        let (fi, fo) = (range.file_in.fh, range.file_out.fh);
        let call = format!("copy_file_range {i:?} {fi:x} {o:?} {fo:x} {}", range.len);
        self.on(req, call, |req| ok(req.reply_written(3)));
    }
    fn lseek(&self, req: Request, node: NodeId, offset: u64, whence: u32, fi: &FileInfo) {
        let call = format!("lseek {node} {offset} {whence} {}", file(fi));
        self.on(req, call, |req| ok(req.reply_lseek(8)));
    }
    fn syncfs(&self, req: Request, node: NodeId) {
        self.on(req, format!("syncfs {node}"), done);
    }
    fn tmpfile(&self, req: Request, parent: NodeId, mode: u32, fi: &FileInfo) {
        let umask = req.context().umask();
        let call = format!("tmpfile {parent} {mode:o} umask={umask:o} {}", file(fi));
        let reply = |req: Request| {
            ok(req.reply_create(&Entry { node: 9, ..Entry::default() }, open()));
        };
        self.on(req, call, reply);
    }
}
