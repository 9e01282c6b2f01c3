//! Whole sessions over a channel of ours: any bytes in any order, answered at once, late, twice, in the
//! wrong form, or never.

use std::ffi::CStr;
use std::sync::{Arc, Mutex};

use ferrofuse::Errno;
use ferrofuse::buf::{CopyFlags, Vector};
use ferrofuse::session::caps::Features;
use ferrofuse::session::ops::{FileInfo, Forget};
use ferrofuse::session::{
    Config, Handle, LowLevelOps, Message, NodeId, OpenReply, PollHandle, Request, Session,
};
use ferrofuse::transport::Channel;
use ferrofuse::wire::flags::OpenFlags;
use ferrofuse::wire::layout::{Attr, Kstatfs};
use ferrofuse::wire::reply::{Entry, Timeout};

use crate::tape::Tape;

/// What the filesystem does with the next requests, and what it has put aside.
#[derive(Default)]
struct State {
    moods: Vec<u8>,
    held: Vec<Handle>,
    polls: Vec<PollHandle>,
}

#[derive(Clone, Default)]
struct Fickle(Arc<Mutex<State>>);

fn entry(node: u64) -> Entry {
    let timeout = Timeout { secs: 1, nanos: 0 };
    Entry {
        node,
        generation: 0,
        attr: Attr::default(),
        attr_timeout: timeout,
        entry_timeout: timeout,
    }
}

/// Answers in one of many forms, whatever was asked.
fn answer(req: Request, mood: u8) {
    let timeout = Timeout { secs: 1, nanos: 0 };
    let open = OpenReply { fh: mood.into(), flags: OpenFlags::empty(), backing_id: 0 };
    // Delivered or not: the tape never refuses.
    let _ = match mood % 16 {
        0 => req.reply_error(Errno::ENOENT),
        1 => req.reply_ok(),
        2 => req.reply_entry(&entry(u64::from(mood / 16))),
        3 => req.reply_attr(Attr::default(), timeout),
        4 => req.reply_bytes(&vec![mood; usize::from(mood) * 32]),
        5 => req.reply_open(open),
        6 => req.reply_create(&entry(u64::from(mood)), open),
        7 => req.reply_written(mood.into()),
        8 => req.reply_vector(Vector::from_bytes(&[mood; 100]), CopyFlags::empty()),
        9 => req.reply_statfs(&Kstatfs::default()),
        10 => req.reply_xattr_size(mood.into()),
        11 => req.reply_ioctl(mood.into(), &[]),
        12 => req.reply_poll(mood.into()),
        13 => req.reply_lseek(mood.into()),
        // Dropped: the engine answers.
        _ => Ok(()),
    };
}

impl Fickle {
    fn act(&self, req: Request) {
        let mood = self.0.lock().unwrap().moods.pop().unwrap_or(0);
        if mood & 0x80 != 0 {
            self.0.lock().unwrap().held.push(req.into_handle());
        } else {
            answer(req, mood);
        }
    }

    /// Answers something that was put aside; sometimes twice.
    fn late(&self, which: u8, mood: u8) {
        let handle = {
            let mut state = self.0.lock().unwrap();
            let count = state.held.len();
            if count == 0 {
                return;
            }
            let at = usize::from(which) % count;
            if mood & 0x40 != 0 { state.held[at] } else { state.held.swap_remove(at) }
        };
        if let Ok(req) = Request::claim(handle) {
            answer(req, mood);
        }
    }
}

impl LowLevelOps for Fickle {
    fn features(&self) -> Features {
        Features::all()
    }
    fn lookup(&self, req: Request, _: NodeId, _: &CStr) {
        self.act(req);
    }
    fn forget(&self, req: Request, forgets: &mut dyn ExactSizeIterator<Item = Forget>) {
        forgets.for_each(drop);
        self.act(req);
    }
    fn getattr(&self, req: Request, _: NodeId, _: Option<&FileInfo>) {
        self.act(req);
    }
    fn mkdir(&self, req: Request, _: NodeId, _: &CStr, _: u32) {
        self.act(req);
    }
    fn unlink(&self, req: Request, _: NodeId, _: &CStr) {
        self.act(req);
    }
    fn rename(&self, req: Request, _: NodeId, _: &CStr, _: NodeId, _: &CStr, _: u32) {
        self.act(req);
    }
    fn open(&self, req: Request, _: NodeId, _: &FileInfo) {
        self.act(req);
    }
    fn read(&self, req: Request, _: NodeId, _: usize, _: u64, _: &FileInfo) {
        self.act(req);
    }
    fn write_vector(&self, req: Request, _: NodeId, data: Vector<'_>, _: u64, _: &FileInfo) {
        assert!(data.remaining() <= 1 << 20);
        self.act(req);
    }
    fn readdir(&self, req: Request, _: NodeId, _: usize, _: u64, _: &FileInfo) {
        self.act(req);
    }
    fn readdirplus(&self, req: Request, _: NodeId, _: usize, _: u64, _: &FileInfo) {
        self.act(req);
    }
    fn setxattr(&self, req: Request, _: NodeId, _: &CStr, _: &[u8], _: u32) {
        self.act(req);
    }
    fn poll(&self, req: Request, _: NodeId, _: &FileInfo, handle: Option<PollHandle>) {
        self.0.lock().unwrap().polls.extend(handle);
        self.act(req);
    }
    fn retrieve_reply(&self, req: Request, _: usize, _: NodeId, _: u64, _: Vector<'_>) {
        req.finish();
    }
}

fn message(opcode: u32, unique: u64, node: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((40 + body.len() as u32).to_ne_bytes());
    bytes.extend(opcode.to_ne_bytes());
    bytes.extend(unique.to_ne_bytes());
    bytes.extend(node.to_ne_bytes());
    bytes.extend([0; 16]);
    bytes.extend(body);
    bytes
}

const INIT: u32 = 26;

struct Run {
    ops: Fickle,
    tape: Arc<Tape>,
    channel: Arc<dyn Channel>,
    session: Arc<Session>,
}

impl Run {
    fn new(config: Config) -> Run {
        let (ops, tape) = (Fickle::default(), Arc::new(Tape::default()));
        let channel: Arc<dyn Channel> = tape.clone();
        let session = Session::new(Box::new(ops.clone()), config);
        session.attach(channel.clone()).expect("a fresh session");
        Run { ops, tape, channel, session }
    }

    fn send(&self, message: &[u8]) {
        self.tape.asked(message);
        self.session.process(Message::in_memory(message), &self.channel);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.session.destroy();
        self.session.detach();
        // Too late for these.
        self.ops.late(0, 1);
        if let Some(wrong) = self.tape.wrong()
            && !std::thread::panicking()
        {
            panic!("{wrong}");
        }
    }
}

/// Negotiation: the bytes are the body of INIT, once or twice.
pub fn run_init(data: &[u8]) {
    let [max_read, rest @ ..] = data else { return };
    let run = Run::new(Config { max_read: u32::from(*max_read) << 12, ..Config::default() });
    run.send(&message(INIT, 2, 0, rest));
    if !run.session.is_initialized() {
        let minor = 7u32.to_ne_bytes().into_iter().chain(45u32.to_ne_bytes());
        run.send(&message(INIT, 4, 0, &minor.chain([0; 56]).collect::<Vec<_>>()));
    }
    assert!(run.session.buffer_size() >= 8192);
    run.send(&message(3, 6, 1, &[0; 16]));
}

fn take<'d>(data: &mut &'d [u8], len: usize) -> &'d [u8] {
    let (taken, rest) = data.split_at(len.min(data.len()));
    *data = rest;
    taken
}

/// A script: each step is a byte that says what happens, and what it needs.
pub fn run(mut data: &[u8]) {
    let run = Run::new(Config { deny_others: data.len().is_multiple_of(7), ..Config::default() });
    let minor = take(&mut data, 1).first().map_or(45, |byte| u32::from(*byte) % 50);
    let init: Vec<u8> =
        [7, minor, 0x20000, u32::MAX].iter().flat_map(|n| n.to_ne_bytes()).collect();
    run.send(&message(INIT, 2, 0, &[init.as_slice(), &[0; 48]].concat()));
    let mut unique = 4;
    for _ in 0..256 {
        let [step, argument, mood] = take(&mut data, 3) else { return };
        let len = usize::from(*argument);
        match step % 8 {
            // As it comes.
            0 => run.send(take(&mut data, len)),
            // A good header; sometimes an id that is in use.
            1..=4 => {
                run.ops.0.lock().unwrap().moods.push(*mood);
                let body = take(&mut data, usize::from(step >> 3) * 4);
                run.send(&message(u32::from(*argument) % 54, unique, u64::from(mood % 8), body));
                unique += if mood & 0x20 == 0 { 2 } else { 0 };
            }
            5 => run.ops.late(*argument, *mood),
            6 => notify(&run, *argument, *mood),
            // An interrupt of something recent.
            _ => run.send(&message(
                36,
                unique | 1,
                0,
                &unique.saturating_sub((*argument).into()).to_ne_bytes(),
            )),
        }
    }
}

fn notify(run: &Run, node: u8, mood: u8) {
    let (session, node) = (&run.session, u64::from(node));
    let name = vec![mood; usize::from(mood)];
    // Refused before INIT and for old kernels.
    let _ = match mood % 5 {
        0 => session.notify_inval_inode(node, i64::from(mood) - 9, 0),
        1 => session.notify_inval_entry(node, &name),
        2 => session.notify_delete(node, node + 1, &name),
        3 => session.notify_store(node, 0, Vector::from_bytes(&name), CopyFlags::empty()),
        _ => session.notify_retrieve(node, 10, 0, 1),
    };
    if let Some(poll) = run.ops.0.lock().unwrap().polls.pop() {
        let _ = poll.notify();
    }
}
