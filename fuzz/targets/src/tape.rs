//! A kernel that only listens, and checks what it hears.

use std::collections::HashMap;
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::{Arc, Mutex};

use ferrofuse::transport::Channel;
use ferrofuse::{Errno, Result};

/// Where replies go.
#[derive(Default)]
pub struct Tape {
    /// How often each id was asked, less how often it was answered.
    open: Mutex<HashMap<u64, u32>>,
    wrong: Mutex<Option<String>>,
}

impl Tape {
    /// A message with these bytes is about to be served.
    pub fn asked(&self, message: &[u8]) {
        if let Some(unique) = message.get(8..16).and_then(|bytes| bytes.try_into().ok()) {
            *self.open.lock().unwrap().entry(u64::from_ne_bytes(unique)).or_default() += 1;
        }
    }

    /// The first wrong message, if there was one. Not a panic where it is written: the engine contains
    /// those.
    pub fn wrong(&self) -> Option<String> {
        self.wrong.lock().unwrap().clone()
    }

    fn judge(&self, message: &[u8]) -> std::result::Result<(), String> {
        let number = |at: usize| {
            let bytes = message.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_ne_bytes).ok_or("a reply without a header".to_owned())
        };
        let (len, error) = (number(0)? as usize, number(4)?.cast_signed());
        let unique = u64::from(number(8)?) | u64::from(number(12)?) << 32;
        if len != message.len() {
            return Err(format!("a reply of {} bytes says {len}", message.len()));
        }
        if unique == 0 {
            return if (1..=9).contains(&error) {
                Ok(())
            } else {
                Err(format!("{error} is no notification"))
            };
        }
        if !(-511..=0).contains(&error) || (error != 0 && len != 16) {
            return Err(format!("error {error} in a reply of {len} bytes"));
        }
        match self.open.lock().unwrap().get_mut(&unique) {
            Some(count) if *count > 0 => {
                *count -= 1;
                Ok(())
            }
            Some(_) => Err(format!("a second answer to {unique}")),
            None => Err(format!("an answer to {unique}, which was never asked")),
        }
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
        let whole: Vec<u8> = message.iter().flat_map(|part| part.iter().copied()).collect();
        if let Err(wrong) = self.judge(&whole) {
            self.wrong.lock().unwrap().get_or_insert(wrong);
        }
        Ok(whole.len())
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
