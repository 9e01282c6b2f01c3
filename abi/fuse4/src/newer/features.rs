//! Capabilities of 64 bits, asked for and refused by name. For use in `init`, on what that was given.

use std::ffi::c_int;

use ferrofuse::Errno;
use ferrofuse_abi_common::conn_opts::{self, ConnInfoOpts};
use ferrofuse_abi_common::log::{FUSE_LOG_ERR, emit};

use crate::types::ConnInfo;

/// `FUSE_CONN_FLAG_SINGLE_ISSUER`
const SINGLE_ISSUER: u64 = 1 << 0;
/// `FUSE_CONN_FLAG_NO_INTERRUPT`
const NO_INTERRUPT: u64 = 1 << 1;

/// The struct behind a pointer; NULL is reported.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread uses.
unsafe fn get<'a>(function: &str, conn: *mut ConnInfo) -> Option<&'a mut ConnInfo> {
    // SAFETY: the caller's promise.
    let conn = unsafe { conn.as_mut() };
    if conn.is_none() {
        log::error!("fuse: {function}: connection is NULL");
    }
    conn
}

/// `fuse_set_feature_flag`: asks for a capability, in both of the ways to say so. False if it is not offered.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread uses.
pub unsafe extern "C" fn fuse_set_feature_flag(conn: *mut ConnInfo, flag: u64) -> bool {
    // SAFETY: the caller's promise.
    unsafe { get("fuse_set_feature_flag", conn) }.is_some_and(|conn| conn.add(flag))
}

/// `fuse_unset_feature_flag`: refuses a capability.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread uses.
pub unsafe extern "C" fn fuse_unset_feature_flag(conn: *mut ConnInfo, flag: u64) {
    // SAFETY: the caller's promise.
    if let Some(conn) = unsafe { get("fuse_unset_feature_flag", conn) } {
        conn.remove(flag);
    }
}

/// `fuse_get_feature_flag`: whether a capability is offered.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread changes.
pub unsafe extern "C" fn fuse_get_feature_flag(conn: *const ConnInfo, flag: u64) -> bool {
    // SAFETY: the caller's promise.
    unsafe { conn.as_ref() }.is_some_and(|conn| conn.capable_ext & flag != 0)
}

/// `fuse_set_conn_flag`: says what has no capability. False for a flag that is not known.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread uses.
pub unsafe extern "C" fn fuse_set_conn_flag(conn: *mut ConnInfo, flag: u64) -> bool {
    // SAFETY: the caller's promise.
    let Some(conn) = (unsafe { get("fuse_set_conn_flag", conn) }) else { return false };
    conn.bits |= match flag {
        SINGLE_ISSUER => ConnInfo::IO_URING_SINGLE_ISSUER,
        NO_INTERRUPT => ConnInfo::NO_INTERRUPT,
        _ => return false,
    };
    true
}

/// `fuse_convert_to_conn_want_ext`: brings `want` and `want_ext` together; the library does so after `init`. Returns 0,
/// or `-EINVAL` with a message if both were changed by hand and contradict each other.
///
/// # Safety
/// `conn` is NULL or points to its struct, which no other thread uses.
pub unsafe extern "C" fn fuse_convert_to_conn_want_ext(conn: *mut ConnInfo) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { get("fuse_convert_to_conn_want_ext", conn) } {
        Some(conn) => {
            if conn.settle() {
                return 0;
            }
            emit(FUSE_LOG_ERR, "fuse: both conn->want and conn->want_ext were changed");
            Errno::EINVAL.negated()
        }
        None => Errno::EINVAL.negated(),
    }
}

/// `fuse_apply_conn_info_opts`: edits the connection as the user asked, as far as it is offered.
///
/// # Safety
/// `opts` is NULL or from `fuse_parse_conn_info_opts`; `conn` as above.
pub unsafe extern "C" fn fuse_apply_conn_info_opts(opts: *const ConnInfoOpts, conn: *mut ConnInfo) {
    // SAFETY: the caller's promise.
    let Some(conn) = (unsafe { get("fuse_apply_conn_info_opts", conn) }) else { return };
    let before = conn.want;
    // SAFETY: the caller's promise; the connection is one that common code knows.
    unsafe { conn_opts::fuse_apply_conn_info_opts(opts, conn.as_base()) };
    let after = conn.want;
    conn.want = before;
    conn.remove(u64::from(before & !after));
    conn.add(conn.capable_ext & u64::from(after & !before));
}
