//! The boundary that neither a panic nor the end of a cancelled thread crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ferrofuse::sys::cancel::Uncancelled;

use crate::log::{FUSE_LOG_ERR, emit};

/// Runs `body`, the inside of the exported function `name`. If it panics, the panic ends here: it
/// is logged once, naming the function, and `default` is returned.
///
/// State that `body` was changing may be left half changed; the engine's own locks are released.
///
/// The thread can't be cancelled meanwhile.
pub fn guard<T>(name: &str, default: T, body: impl FnOnce() -> T) -> T {
    let _whole = Uncancelled::new();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            emit(FUSE_LOG_ERR, &format!("fuse: {name}: internal error: {}", text_of(&*payload)));
            // Dropping a foreign payload could panic again, outside of any catch.
            std::mem::forget(payload);
            default
        }
    }
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "panic of unknown type"
    }
}
