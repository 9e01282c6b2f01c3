//! A path filesystem in memory, and a kernel that speaks to it in bytes.
#![allow(dead_code)] // each test binary uses its own part of it

pub mod memory;
pub mod scripted;

use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ferrofuse::session::{Config, Message, Session};
use ferrofuse::transport::Channel;
use ferrofuse::tree::{Compat, PathOps, Tree, TreeConfig};
use ferrofuse::wire::flags::InitFlags;
use ferrofuse::wire::layout::*;
use ferrofuse::wire::{MAJOR, MINOR, OUT_HEADER_SIZE, Opcode};
use ferrofuse::{Errno, Result};
use zerocopy::{FromBytes, IntoBytes};

/// A device that keeps each answer under its request's id.
#[derive(Default)]
pub struct Wire {
    answers: Mutex<HashMap<u64, Vec<u8>>>,
    /// Requests of which nobody waits for the answer.
    lost: Mutex<HashSet<u64>>,
    pub notifications: Mutex<Vec<Vec<u8>>>,
}

impl Channel for Wire {
    fn raw_fd(&self) -> RawFd {
        -1
    }

    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        let whole: Vec<u8> = message.iter().flat_map(|part| part.iter().copied()).collect();
        let (header, _) = OutHeader::read_from_prefix(&whole).unwrap();
        assert_eq!(header.len as usize, whole.len());
        let len = whole.len();
        if header.unique == 0 {
            self.notifications.lock().unwrap().push(whole);
            return Ok(len);
        }
        if self.lost.lock().unwrap().remove(&header.unique) {
            return Err(Errno::ENOENT);
        }
        let former = self.answers.lock().unwrap().insert(header.unique, whole);
        assert!(former.is_none(), "answered twice");
        Ok(len)
    }

    fn can_splice_in(&self) -> bool {
        false
    }

    fn can_splice_out(&self) -> bool {
        false
    }

    fn splice_in(&self, _: BorrowedFd<'_>, _: usize) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn splice_out(&self, _: BorrowedFd<'_>, _: usize, _: bool) -> Result<usize> {
        Err(Errno::ENOSYS)
    }

    fn is_synchronous(&self) -> bool {
        true
    }

    fn try_clone(&self) -> Result<Arc<dyn Channel>> {
        Err(Errno::ENOSYS)
    }
}

/// The other end of a tree. Shared by threads.
pub struct Kernel<P: PathOps> {
    pub session: Arc<Session>,
    pub tree: Arc<Tree<P>>,
    pub wire: Arc<Wire>,
    channel: Arc<dyn Channel>,
    unique: AtomicU64,
    /// The flags that INIT was answered with.
    pub init_flags: InitFlags,
}

/// A readdirplus or readdir entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub ino: u64,
    pub offset: u64,
    /// Type bits, as in a mode.
    pub kind: u32,
    pub nodeid: u64,
}

fn nul(name: &[u8]) -> Vec<u8> {
    [name, &[0]].concat()
}

fn parse<T: FromBytes>(bytes: &[u8]) -> T {
    T::read_from_prefix(bytes).unwrap().0
}

impl<P: PathOps + 'static> Kernel<P> {
    pub fn new(ops: P, config: TreeConfig) -> Kernel<P> {
        Kernel::with_compat(ops, config, Compat::default())
    }

    pub fn with_compat(ops: P, config: TreeConfig, compat: Compat) -> Kernel<P> {
        let tree = Tree::new(ops, config, compat);
        let session = Session::new(Box::new(tree.clone()), Config::default());
        let wire = Arc::new(Wire::default());
        let channel: Arc<dyn Channel> = wire.clone();
        session.attach(channel.clone()).unwrap();
        let mut kernel = Kernel {
            session,
            tree,
            wire,
            channel,
            unique: AtomicU64::new(2),
            init_flags: InitFlags::empty(),
        };
        let all = InitFlags::all().bits();
        let init = InitIn {
            major: MAJOR,
            minor: MINOR,
            max_readahead: 131_072,
            flags: all as u32,
            flags2: (all >> 32) as u32,
            ..InitIn::default()
        };
        let out: InitOut = parse(&kernel.call(Opcode::Init, 0, &[init.as_bytes()]).unwrap());
        kernel.init_flags = InitFlags::from_bits_retain(out.flags.into());
        kernel
    }

    fn next_unique(&self) -> u64 {
        self.unique.fetch_add(2, Ordering::Relaxed)
    }

    fn process(&self, unique: u64, opcode: Opcode, node: u64, body: &[&[u8]]) {
        let body = body.concat();
        let header = InHeader {
            len: (size_of::<InHeader>() + body.len()) as u32,
            opcode: opcode as u32,
            unique,
            nodeid: node,
            uid: 1000,
            gid: 1000,
            pid: 4242,
            ..InHeader::default()
        };
        let bytes = [header.as_bytes(), &body].concat();
        self.session.process(Message::in_memory(&bytes), &self.channel);
    }

    /// Sends a request and returns the body of its answer.
    pub fn call(&self, opcode: Opcode, node: u64, body: &[&[u8]]) -> Result<Vec<u8>> {
        let unique = self.next_unique();
        self.process(unique, opcode, node, body);
        let answer = self.wire.answers.lock().unwrap().remove(&unique);
        let answer = answer.unwrap_or_else(|| panic!("{opcode:?} was not answered"));
        match parse::<OutHeader>(&answer).error {
            0 => Ok(answer[OUT_HEADER_SIZE..].to_vec()),
            error => Err(Errno::from_raw(error)),
        }
    }

    /// Sends a request whose answer comes too late.
    pub fn lose(&self, opcode: Opcode, node: u64, body: &[&[u8]]) {
        let unique = self.next_unique();
        self.wire.lost.lock().unwrap().insert(unique);
        self.process(unique, opcode, node, body);
        let lost = !self.wire.lost.lock().unwrap().remove(&unique);
        assert!(lost, "{opcode:?} was not answered");
    }

    /// Sends INTERRUPT for the request with this id.
    pub fn interrupt(&self, unique: u64) {
        let body = InterruptIn { unique };
        let own = self.next_unique();
        self.process(own, Opcode::Interrupt, 0, &[body.as_bytes()]);
    }

    /// The id that the next request of this kernel gets.
    pub fn coming_unique(&self) -> u64 {
        self.unique.load(Ordering::Relaxed)
    }

    fn entry(&self, opcode: Opcode, node: u64, body: &[&[u8]]) -> Result<EntryOut> {
        self.call(opcode, node, body).map(|body| parse(&body))
    }

    pub fn lookup(&self, parent: u64, name: &[u8]) -> Result<EntryOut> {
        self.entry(Opcode::Lookup, parent, &[&nul(name)])
    }

    pub fn lose_lookup(&self, parent: u64, name: &[u8]) {
        self.lose(Opcode::Lookup, parent, &[&nul(name)]);
    }

    pub fn forget(&self, node: u64, nlookup: u64) {
        let body = ForgetIn { nlookup };
        self.process(self.next_unique(), Opcode::Forget, node, &[body.as_bytes()]);
    }

    pub fn batch_forget(&self, forgets: &[(u64, u64)]) {
        let head = BatchForgetIn { count: forgets.len() as u32, dummy: 0 };
        let items: Vec<u8> = forgets
            .iter()
            .flat_map(|(nodeid, nlookup)| {
                ForgetOne { nodeid: *nodeid, nlookup: *nlookup }.as_bytes().to_vec()
            })
            .collect();
        self.process(self.next_unique(), Opcode::BatchForget, 0, &[head.as_bytes(), &items]);
    }

    pub fn getattr(&self, node: u64, fh: Option<u64>) -> Result<Attr> {
        let body =
            GetattrIn { getattr_flags: u32::from(fh.is_some()), dummy: 0, fh: fh.unwrap_or(0) };
        let out: AttrOut = parse(&self.call(Opcode::Getattr, node, &[body.as_bytes()])?);
        Ok(out.attr)
    }

    pub fn setattr(&self, node: u64, args: SetattrIn) -> Result<Attr> {
        let out: AttrOut = parse(&self.call(Opcode::Setattr, node, &[args.as_bytes()])?);
        Ok(out.attr)
    }

    pub fn mkdir(&self, parent: u64, name: &[u8]) -> Result<EntryOut> {
        let args = MkdirIn { mode: 0o755, umask: 0o22 };
        self.entry(Opcode::Mkdir, parent, &[args.as_bytes(), &nul(name)])
    }

    pub fn mknod(&self, parent: u64, name: &[u8], mode: u32) -> Result<EntryOut> {
        let args = MknodIn { mode, rdev: 0, umask: 0, padding: 0 };
        self.entry(Opcode::Mknod, parent, &[args.as_bytes(), &nul(name)])
    }

    pub fn symlink(&self, parent: u64, name: &[u8], target: &[u8]) -> Result<EntryOut> {
        self.entry(Opcode::Symlink, parent, &[&nul(name), &nul(target)])
    }

    pub fn link(&self, node: u64, newparent: u64, newname: &[u8]) -> Result<EntryOut> {
        let args = LinkIn { oldnodeid: node };
        self.entry(Opcode::Link, newparent, &[args.as_bytes(), &nul(newname)])
    }

    fn create_body(name: &[u8]) -> (CreateIn, Vec<u8>) {
        let flags = (libc::O_CREAT | libc::O_RDWR) as u32;
        (CreateIn { flags, mode: libc::S_IFREG | 0o644, umask: 0, open_flags: 0 }, nul(name))
    }

    pub fn create(&self, parent: u64, name: &[u8]) -> Result<(EntryOut, OpenOut)> {
        let (args, name) = Self::create_body(name);
        let body = self.call(Opcode::Create, parent, &[args.as_bytes(), &name])?;
        Ok((parse(&body), parse(&body[size_of::<EntryOut>()..])))
    }

    pub fn lose_create(&self, parent: u64, name: &[u8]) {
        let (args, name) = Self::create_body(name);
        self.lose(Opcode::Create, parent, &[args.as_bytes(), &name]);
    }

    pub fn unlink(&self, parent: u64, name: &[u8]) -> Result<()> {
        self.call(Opcode::Unlink, parent, &[&nul(name)]).map(drop)
    }

    pub fn rmdir(&self, parent: u64, name: &[u8]) -> Result<()> {
        self.call(Opcode::Rmdir, parent, &[&nul(name)]).map(drop)
    }

    pub fn rename(&self, from: (u64, &[u8]), to: (u64, &[u8]), flags: u32) -> Result<()> {
        let args = Rename2In { newdir: to.0, flags, padding: 0 };
        let body: [&[u8]; 3] = [args.as_bytes(), &nul(from.1), &nul(to.1)];
        self.call(Opcode::Rename2, from.0, &body).map(drop)
    }

    pub fn open(&self, node: u64, flags: i32) -> Result<OpenOut> {
        let args = OpenIn { flags: flags as u32, open_flags: 0 };
        self.call(Opcode::Open, node, &[args.as_bytes()]).map(|body| parse(&body))
    }

    pub fn lose_open(&self, node: u64) {
        self.lose(Opcode::Open, node, &[OpenIn { flags: 0, open_flags: 0 }.as_bytes()]);
    }

    pub fn release(&self, node: u64, fh: u64) -> Result<()> {
        let args = ReleaseIn { fh, ..ReleaseIn::default() };
        self.call(Opcode::Release, node, &[args.as_bytes()]).map(drop)
    }

    pub fn read(&self, node: u64, fh: u64, size: u32, offset: u64) -> Result<Vec<u8>> {
        let args = ReadIn { fh, offset, size, ..ReadIn::default() };
        self.call(Opcode::Read, node, &[args.as_bytes()])
    }

    pub fn write(&self, node: u64, fh: u64, data: &[u8], offset: u64) -> Result<u32> {
        let args = WriteIn { fh, offset, size: data.len() as u32, ..WriteIn::default() };
        let out: WriteOut = parse(&self.call(Opcode::Write, node, &[args.as_bytes(), data])?);
        Ok(out.size)
    }

    pub fn opendir(&self, node: u64) -> Result<OpenOut> {
        let args = OpenIn { flags: 0, open_flags: 0 };
        self.call(Opcode::Opendir, node, &[args.as_bytes()]).map(|body| parse(&body))
    }

    pub fn releasedir(&self, node: u64, fh: u64) -> Result<()> {
        let args = ReleaseIn { fh, ..ReleaseIn::default() };
        self.call(Opcode::Releasedir, node, &[args.as_bytes()]).map(drop)
    }

    fn readdir_args(fh: u64, offset: u64, size: u32) -> ReadIn {
        ReadIn { fh, offset, size, ..ReadIn::default() }
    }

    pub fn readdir(&self, node: u64, fh: u64, offset: u64, size: u32) -> Result<Vec<Listed>> {
        let args = Self::readdir_args(fh, offset, size);
        let body = self.call(Opcode::Readdir, node, &[args.as_bytes()])?;
        assert!(body.len() <= size as usize);
        Ok(list(&body, false))
    }

    pub fn readdirplus(&self, node: u64, fh: u64, offset: u64, size: u32) -> Result<Vec<Listed>> {
        let args = Self::readdir_args(fh, offset, size);
        let body = self.call(Opcode::Readdirplus, node, &[args.as_bytes()])?;
        assert!(body.len() <= size as usize);
        Ok(list(&body, true))
    }

    pub fn lose_readdirplus(&self, node: u64, fh: u64) {
        let args = Self::readdir_args(fh, 0, 4096);
        self.lose(Opcode::Readdirplus, node, &[args.as_bytes()]);
    }
}

/// Takes the records of a directory's answer apart.
fn list(mut body: &[u8], plus: bool) -> Vec<Listed> {
    let mut listed = Vec::new();
    while !body.is_empty() {
        let mut nodeid = 0;
        let mut at = 0;
        if plus {
            nodeid = parse::<EntryOut>(body).nodeid;
            at = size_of::<EntryOut>();
        }
        let head: Dirent = parse(&body[at..]);
        at += size_of::<Dirent>();
        let name = &body[at..at + head.namelen as usize];
        listed.push(Listed {
            name: String::from_utf8_lossy(name).into_owned(),
            ino: head.ino,
            offset: head.off,
            kind: head.kind << 12,
            nodeid,
        });
        body = &body[(at + head.namelen as usize).next_multiple_of(8)..];
    }
    listed
}

/// A path as text.
pub fn text(path: &CStr) -> String {
    path.to_string_lossy().into_owned()
}
