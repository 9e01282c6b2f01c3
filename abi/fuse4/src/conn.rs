//! `struct fuse_conn_info` of this generation, between the engine and an init handler.

use ferrofuse::session::caps::{Capabilities, ConnInfo};
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};

use crate::newer::early;
use crate::types::ConnInfo as CConnInfo;

/// Has `init` edit the connection as C sees it, in a struct that the program may keep.
pub fn with_c_conn(c_conn: &mut CConnInfo, conn: &mut ConnInfo, init: impl FnOnce(&mut CConnInfo)) {
    c_conn.proto_major = conn.proto_major;
    c_conn.proto_minor = conn.proto_minor;
    c_conn.max_write = conn.max_write;
    c_conn.max_read = conn.max_read;
    c_conn.max_readahead = conn.max_readahead;
    c_conn.capable_ext = conn.capable.bits();
    // The low half.
    c_conn.capable = c_conn.capable_ext as u32;
    c_conn.set_wanted(conn.want.bits());
    c_conn.max_background = conn.max_background;
    c_conn.congestion_threshold = conn.congestion_threshold;
    c_conn.time_gran = conn.time_gran;
    init(c_conn);
    if !c_conn.settle() {
        emit(
            FUSE_LOG_ERR,
            &format!(
                "fuse: init changed both conn->want (0x{:x}) and conn->want_ext (0x{:x}), and not to the same; the \
                 latter counts",
                c_conn.want, c_conn.want_ext
            ),
        );
    }
    conn.max_write = c_conn.max_write;
    conn.max_read = c_conn.max_read;
    conn.max_readahead = c_conn.max_readahead;
    conn.want = Capabilities::from_bits_retain(c_conn.want_ext);
    conn.max_background = c_conn.max_background;
    conn.congestion_threshold = c_conn.congestion_threshold;
    conn.time_gran = c_conn.time_gran;
    conn.max_backing_stack_depth = c_conn.max_backing_stack_depth;
    conn.no_interrupt |= c_conn.has(CConnInfo::NO_INTERRUPT);
    conn.request_timeout = c_conn.request_timeout;
    conn.refused = Capabilities::from_bits_retain(c_conn.refused().into());
}

/// Shows a program what was agreed, in the struct that it may have kept.
pub fn agreed(c_conn: &mut CConnInfo, conn: &ConnInfo) {
    c_conn.max_write = conn.max_write;
    c_conn.set_wanted(conn.want.bits());
    // Requests that come before the answer has gone out wait for it.
    early::set_greeted();
    early::fuse_daemonize_early_success();
}
