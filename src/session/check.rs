//! Misuse mode (`FERROFUSE_CHECK=1`): says what a filesystem does wrong, and by which call.
//!
//! Without it, what is reported here is harmless as well, and nothing is recorded: a request looks at
//! one flag. What is recorded is under one lock; the mode is for debugging.

mod fitting;
mod lookups;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::sys::lock::Mutex;

use super::slots::{Handle, SlotRef};
use super::{Request, Session, serving};
use crate::sys::{env, still};
use crate::wire::Opcode;
use crate::wire::layout::InHeader;

pub(super) use lookups::{
    forgotten, looked_up, looked_up_in_listing, not_countable, taken_back, taken_back_in_listing,
};

static ON: AtomicBool = AtomicBool::new(false);

/// What is known of the last request in a slot.
struct Record {
    generation: u32,
    opcode: u32,
    unique: u64,
    since: Instant,
    answered_by: Option<&'static str>,
}

/// By number of the slot.
static RECORDS: Mutex<Option<HashMap<u32, Record>>> = Mutex::new(None);

/// Whether misuse is to be reported.
#[inline]
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Looks whether the user wants it; for each session that is made.
pub(super) fn prepare() {
    if env::secure_var("FERROFUSE_CHECK").is_some_and(|value| value == "1") {
        still::keep_static(&RECORDS);
        lookups::prepare();
        ON.store(true, Ordering::Relaxed);
    }
}

fn report(function: &str, what: impl std::fmt::Display) {
    log::error!("fuse: check: {function}: {what}");
}

fn name(opcode: u32) -> &'static str {
    Opcode::from_raw(opcode).map_or("request", Opcode::name)
}

/// A request has been entered into the table.
#[cold]
pub(super) fn entered(session: &Session, at: SlotRef, header: &InHeader) {
    let record = Record {
        generation: at.generation,
        opcode: header.opcode,
        unique: header.unique,
        since: Instant::now(),
        answered_by: None,
    };
    RECORDS.lock().get_or_insert_default().insert(at.index(), record);
    lookups::named(session, header);
}

/// `function` answers a request, which it holds now.
#[cold]
pub fn answering(function: &'static str, req: &Request, success: bool) {
    let (opcode, unique) = (req.opcode(), req.unique());
    let name = opcode.map_or("request", Opcode::name);
    if opcode.is_some_and(|opcode| !fitting::fits(function, opcode, success)) {
        report(function, format_args!("is no answer to {name} (unique {unique})"));
    }
    if let Some(session) = req.session()
        && serving::serves_another(&session)
    {
        let what = "belongs to another session than the one whose handler answers it";
        report(function, format_args!("{name} (unique {unique}) {what}"));
    }
    if let Some(record) = RECORDS.lock().get_or_insert_default().get_mut(&req.at.index()) {
        record.answered_by = Some(function);
    }
}

/// `function` was given a handle that names no request in the filesystem's hands.
#[cold]
pub fn refused(function: &str, handle: Handle) {
    let Some((index, generation)) = handle.parts() else {
        report(function, "was given a number that never was a request");
        return;
    };
    let records = RECORDS.lock();
    match records.as_ref().and_then(|records| records.get(&index)) {
        Some(record) if record.generation == generation => report(
            function,
            format_args!(
                "{} (unique {}) was answered before, by {}",
                name(record.opcode),
                record.unique,
                record.answered_by.unwrap_or("the library")
            ),
        ),
        Some(record) if generation < record.generation => report(
            function,
            format_args!(
                "the request was answered and freed long before; its place was {} (unique {})",
                name(record.opcode),
                record.unique
            ),
        ),
        _ => report(function, "was given a number that never was a request"),
    }
}

/// `function` was given a poll handle that is not there.
#[cold]
pub fn no_poll_handle(function: &str) {
    let what = "was given a poll handle that was destroyed before, or never was one";
    if on() {
        report(function, what);
    } else {
        log::error!("fuse: {function} {what}");
    }
}

/// The session ends with this request unanswered.
#[cold]
pub(super) fn unanswered(at: SlotRef) {
    let mut records = RECORDS.lock();
    if let Some(record) = records.get_or_insert_default().get_mut(&at.index())
        && record.generation == at.generation
    {
        record.answered_by = Some("the session's end");
        report(
            "fuse_session_destroy",
            format_args!(
                "{} (unique {}) was never answered, for {:.1} s",
                name(record.opcode),
                record.unique,
                record.since.elapsed().as_secs_f64()
            ),
        );
    }
}

/// A handler sends a notification that waits for what these requests hold.
#[cold]
pub(super) fn deadlock(function: &str, behind: &[SlotRef]) {
    let records = RECORDS.lock();
    let first = behind.first().and_then(|at| records.as_ref()?.get(&at.index()));
    let (name, unique) = first.map_or(("request", 0), |first| (name(first.opcode), first.unique));
    report(
        function,
        format_args!(
            "sent by a handler, it would wait for {name} (unique {unique}), which is not answered \
             yet; queued"
        ),
    );
}

/// The session is gone.
#[cold]
pub(super) fn ended(session: &Session) {
    lookups::ended(session);
}
