//! `struct fuse_conn_info` of this generation, between the engine and an init handler.

use ferrofuse::session::caps::{Capabilities, ConnInfo};

use crate::types::ConnInfo as CConnInfo;

/// Has `init` edit the connection as C sees it, in a struct that the program may keep.
pub fn with_c_conn(c_conn: &mut CConnInfo, conn: &mut ConnInfo, init: impl FnOnce(&mut CConnInfo)) {
    c_conn.proto_major = conn.proto_major;
    c_conn.proto_minor = conn.proto_minor;
    c_conn.max_write = conn.max_write;
    c_conn.max_read = conn.max_read;
    c_conn.max_readahead = conn.max_readahead;
    c_conn.capable = conn.capable.bits() as u32;
    c_conn.want = conn.want.bits() as u32;
    c_conn.max_background = conn.max_background;
    c_conn.congestion_threshold = conn.congestion_threshold;
    c_conn.time_gran = conn.time_gran;
    init(c_conn);
    conn.max_write = c_conn.max_write;
    conn.max_read = c_conn.max_read;
    conn.max_readahead = c_conn.max_readahead;
    conn.want = Capabilities::from_bits_retain(c_conn.want.into());
    conn.max_background = c_conn.max_background;
    conn.congestion_threshold = c_conn.congestion_threshold;
    conn.time_gran = c_conn.time_gran;
    conn.refused = Capabilities::from_bits_retain(c_conn.refused().into());
}

/// Shows a program what was agreed, in the struct that it may have kept; it is told nothing in this era.
pub fn agreed(_c_conn: &mut CConnInfo, _conn: &ConnInfo) {}
