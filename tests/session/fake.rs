//! Channels without a kernel: one that only keeps replies, and one that really blocks.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferrofuse::session::{Config, LowLevelOps, Message, Session};
use ferrofuse::transport::Channel;
use ferrofuse::{Errno, Result};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};

use crate::wire::Answer;

/// A session whose requests are handed to it by the test; replies are kept.
pub struct Kernel {
    pub session: Arc<Session>,
    pub channel: Arc<dyn Channel>,
    tape: Arc<Tape>,
}

/// Keeps what is written.
#[derive(Default)]
pub struct Tape {
    messages: Mutex<Vec<Vec<u8>>>,
    /// What the next write fails with.
    refusal: Mutex<Option<Errno>>,
    /// How long notifications take.
    delay: Mutex<Duration>,
}

impl Kernel {
    pub fn new(ops: impl LowLevelOps + 'static) -> Kernel {
        Kernel::with(ops, Config::default())
    }

    pub fn with(ops: impl LowLevelOps + 'static, config: Config) -> Kernel {
        let tape = Arc::new(Tape::default());
        let channel: Arc<dyn Channel> = tape.clone();
        let session = Session::new(Box::new(ops), config);
        session.attach(channel.clone()).unwrap();
        Kernel { session, channel, tape }
    }

    /// The same, negotiated with a kernel of this minor.
    pub fn started(ops: impl LowLevelOps + 'static, minor: u32) -> Kernel {
        let kernel = Kernel::new(ops);
        let answers = kernel.ask(&crate::wire::init(2, minor, 0));
        assert_eq!((answers.len(), answers[0].error), (1, 0), "INIT {minor}");
        kernel
    }

    /// Serves one message; what was written meanwhile.
    pub fn ask(&self, message: &[u8]) -> Vec<Answer> {
        self.session.process(Message::in_memory(message), &self.channel);
        self.answers()
    }

    /// Makes the next write fail.
    pub fn refuse_next(&self, error: Errno) {
        *self.tape.refusal.lock().unwrap() = Some(error);
    }

    /// Makes notifications take so long from now on.
    pub fn delay_notifications(&self, delay: Duration) {
        *self.tape.delay.lock().unwrap() = delay;
    }

    /// What was written since the last look.
    pub fn answers(&self) -> Vec<Answer> {
        let messages = std::mem::take(&mut *self.tape.messages.lock().unwrap());
        messages.iter().map(|message| Answer::parse(message)).collect()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.session.destroy();
        self.session.detach();
    }
}

impl Channel for Tape {
    fn raw_fd(&self) -> RawFd {
        -1
    }

    fn read(&self, _: &mut [u8]) -> Result<usize> {
        Err(Errno::ENODEV)
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        if let Some(error) = self.refusal.lock().unwrap().take() {
            return Err(error);
        }
        let whole: Vec<u8> = message.iter().flat_map(|part| part.iter().copied()).collect();
        let len = whole.len();
        let notification = whole.get(8..16) == Some(&[0; 8]);
        self.messages.lock().unwrap().push(whole);
        if notification {
            std::thread::sleep(*self.delay.lock().unwrap());
        }
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

/// One end of a socket pair that keeps messages apart; it blocks, and signals interrupt it.
pub struct Socket(OwnedFd);

impl Channel for Socket {
    fn raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize> {
        match nix::unistd::read(&self.0, buf)? {
            0 => Err(Errno::ENODEV),
            len => Ok(len),
        }
    }

    fn writev(&self, message: &[IoSlice<'_>]) -> Result<usize> {
        Ok(nix::sys::uio::writev(&self.0, message)?)
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
        Ok(Arc::new(Socket(self.0.try_clone()?)))
    }
}

/// The kernel's end of a [`Socket`].
pub struct Wire(pub OwnedFd);

impl Wire {
    pub fn send(&self, message: &[u8]) {
        let sent = send(self.0.as_raw_fd(), message, MsgFlags::empty()).expect("send");
        assert_eq!(sent, message.len());
    }

    /// The next message, or `None` if none comes within `limit`.
    pub fn receive(&self, limit: Duration) -> Option<Answer> {
        let deadline = Instant::now() + limit;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return None,
                Ok(len) => return Some(Answer::parse(&buffer[..len])),
                Err(nix::errno::Errno::EAGAIN) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(_) => return None,
            }
        }
    }

    /// Sends and waits for the answer, which must come.
    pub fn ask(&self, message: &[u8]) -> Answer {
        self.send(message);
        self.receive(Duration::from_secs(5)).expect("an answer within 5 s")
    }
}

/// A session on a socket; the other end is the test's.
pub fn on_socket(ops: impl LowLevelOps + 'static) -> (Arc<Session>, Wire) {
    on_socket_with(ops, Config::default())
}

/// The same, made with this configuration.
pub fn on_socket_with(ops: impl LowLevelOps + 'static, config: Config) -> (Arc<Session>, Wire) {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
    let session = Session::new(Box::new(ops), config);
    session.attach(Arc::new(Socket(ours))).unwrap();
    (session, Wire(theirs))
}

/// What ends a session for good, at the end of a test.
pub fn end(session: &Arc<Session>) {
    session.destroy();
    session.detach();
}
