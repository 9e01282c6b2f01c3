//! The lines of debug output, in the form libfuse users know.

use super::super::Session;
use crate::errno::Errno;
use crate::wire::Opcode;
use crate::wire::layout::{InHeader, OutHeader};

impl Session {
    /// The line of a request.
    pub(super) fn log_request(header: &InHeader) {
        let name = Opcode::from_raw(header.opcode).map_or("???", Opcode::name);
        log::debug!(
            "unique: {}, opcode: {name} ({}), nodeid: {}, insize: {}, pid: {}",
            header.unique,
            header.opcode,
            header.nodeid,
            header.len,
            header.pid
        );
    }

    /// The line of an answer or a notification, if the session shows them.
    #[cold]
    pub(in super::super) fn log_reply(&self, header: &OutHeader) {
        if !self.is_debugged() {
            return;
        }
        if header.unique == 0 {
            log::debug!("NOTIFY: code={} length={}", header.error, header.len);
        } else if header.error != 0 {
            let error = Errno::from_raw(header.error);
            log::debug!(
                "   unique: {}, error: {} ({error}), outsize: {}",
                header.unique,
                header.error,
                header.len
            );
        } else {
            log::debug!("   unique: {}, success, outsize: {}", header.unique, header.len);
        }
    }
}
