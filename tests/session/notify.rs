//! Messages that answer nothing, and the answers to those that ask.

use ferrofuse::Errno;
use ferrofuse::buf::{CopyFlags, Vector};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrofuse::session::{Handle, Request};

use crate::fake::Kernel;
use crate::ops::Scripted;
use crate::wire::{self, body, message, op};

fn retrieved(unique: u64, data: &[u8]) -> Vec<u8> {
    let head = body().u64s(&[0, 4096]).u32s(&[data.len() as u32, 0]).u64s(&[0, 0]);
    message(op::NOTIFY_REPLY, unique, 5, head.bytes(data))
}

#[test]
fn a_retrieve_is_answered_once_with_its_cookie() {
    let ops = Scripted::willing();
    let kernel = Kernel::started(ops.clone(), 45);
    for cookie in [11, 22] {
        kernel.session.notify_retrieve(5, 100, 4096, cookie).unwrap();
    }
    let asked = kernel.answers();
    let ids: Vec<u64> = (asked.iter())
        .map(|ask| u64::from_ne_bytes(ask.payload[..8].try_into().unwrap()))
        .collect();
    assert!(asked.iter().all(|ask| (ask.unique, ask.error) == (0, 5)));
    ops.take_calls();
    for id in [ids[1], ids[0]] {
        assert_eq!(kernel.ask(&retrieved(id, b"data")), []);
    }
    assert_eq!(ops.take_calls(), ["retrieve_reply 22 5 4096 4", "retrieve_reply 11 5 4096 4"]);
    // Answers to nothing: used up, never asked, cut short.
    for id in [ids[0], 999, 0] {
        assert_eq!(kernel.ask(&retrieved(id, b"data")), []);
    }
    kernel.session.notify_retrieve(5, 100, 4096, 33).unwrap();
    kernel.answers();
    assert_eq!(kernel.ask(&retrieved(3, b"data")[..50]), []);
    assert_eq!(ops.take_calls(), [""; 0]);
}

#[test]
fn notifications_wait_for_init_and_for_their_minor() {
    let kernel = Kernel::new(Scripted::willing());
    let session = &kernel.session;
    assert_eq!(session.notify_inval_inode(5, 0, 0), Err(Errno::ENOTCONN));
    kernel.ask(&wire::init(2, 11, 0));
    assert_eq!(session.notify_inval_inode(5, 0, 0), Err(Errno::ENOSYS));
    assert_eq!(session.notify_retrieve(5, 1, 0, 1), Err(Errno::ENOSYS));
    let store = || session.notify_store(5, 0, Vector::from_bytes(b"x"), CopyFlags::empty());
    assert_eq!(store(), Err(Errno::ENOSYS));
    assert_eq!(session.notify_expire_entry(5, b"n"), Err(Errno::ENOSYS));

    let kernel = Kernel::started(Scripted::willing(), 45);
    kernel.session.notify_inval_entry(5, b"name").unwrap();
    kernel.session.notify_delete(5, 6, b"name").unwrap();
    let sent = kernel.answers();
    assert_eq!(sent.iter().map(|s| (s.unique, s.error)).collect::<Vec<_>>(), [(0, 3), (0, 6)]);
    assert_eq!(&sent[0].payload[16..], b"name\0");
    assert_eq!(&sent[1].payload[24..], b"name\0");
}

#[test]
fn a_poll_handle_outlives_its_session() {
    let ops = Scripted::willing();
    let kernel = Kernel::started(ops.clone(), 45);
    let poll = message(40, 6, 5, body().u64s(&[1, 0xcc]).u32s(&[1, 5]));
    assert_eq!(kernel.ask(&poll).len(), 1);
    let handle = ops.poll_handles.lock().unwrap().pop().unwrap();
    handle.notify().unwrap();
    let sent = kernel.answers();
    assert_eq!((sent[0].unique, sent[0].error), (0, 1));
    assert_eq!(sent[0].payload, 0xccu64.to_ne_bytes());
    kernel.session.detach();
    assert_eq!(handle.notify(), Err(Errno::ENOTCONN));
    drop(kernel);
    assert_eq!(handle.notify(), Ok(()));
}

/// Notifications from other threads while the channel is taken away: sent or refused, no more.
#[test]
fn notifications_race_with_detaching() {
    for _ in 0..100 {
        let kernel = Kernel::started(Scripted::willing(), 45);
        let channel = std::sync::Arc::downgrade(&kernel.channel);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        match kernel.session.notify_inval_inode(5, 0, 0) {
                            Ok(()) | Err(Errno::ENOTCONN) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
            kernel.session.detach();
        });
        drop(kernel);
        assert_eq!(channel.strong_count(), 0);
    }
}

/// The end of a session helps a notification that does not come back, by refusing what it may wait for: each
/// request once, and what the filesystem says to it afterwards is not sent.
#[test]
fn what_the_end_refuses_is_answered_once() {
    let held = Arc::new(Mutex::new(Vec::<Handle>::new()));
    let theirs = held.clone();
    let ops = Scripted::new(move |name, req| {
        if name != "getattr" {
            return Some(req);
        }
        theirs.lock().unwrap().push(req.into_handle());
        None
    });
    let kernel = Kernel::started(ops, 45);
    for (unique, node) in [(6, 5), (8, 7)] {
        assert_eq!(kernel.ask(&message(op::GETATTR, unique, node, body().u64s(&[0, 0]))), []);
    }
    // Behind the first request; when that is answered, it is sent, and takes its time.
    kernel.delay_notifications(Duration::from_millis(300));
    kernel.session.notify_inval_inode(5, 0, 0).unwrap();
    let handles = held.lock().unwrap().clone();
    Request::claim(handles[0]).unwrap().reply_error(Errno::ENOENT).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    kernel.session.destroy();
    assert!(Request::claim(handles[1]).is_err());
    let ids: Vec<_> = kernel.answers().iter().map(|answer| answer.unique).collect();
    assert_eq!(ids, [6, 0, 8], "answers");
}
