//! What character devices share with the library.

use core::ffi::{c_char, c_int, c_uint, c_void};

use libc::{off_t, size_t};

use super::ConnInfo;
use super::{FuseFileInfo, FusePollhandle, FuseReqHandle as Req};

/// A callback argument: the open device, valid during the call.
type Fi = *mut FuseFileInfo;

/// `struct cuse_info`: the device.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CuseInfo {
    /// Device number; 0 lets the kernel choose.
    pub dev_major: c_uint,
    /// Device number.
    pub dev_minor: c_uint,
    /// Number of strings.
    pub dev_info_argc: c_uint,
    /// Strings `KEY=value` that the kernel is told.
    pub dev_info_argv: *mut *const c_char,
    /// `CUSE_UNRESTRICTED_IOCTL` or nothing.
    pub flags: c_uint,
}

/// `struct cuse_lowlevel_ops`: the callbacks of a device. The replies are those of the callbacks of
/// the same name in [`FuseLowlevelOps`](super::FuseLowlevelOps).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct CuseLowlevelOps {
    /// Session start. No request, no reply.
    pub init: Option<unsafe extern "C" fn(userdata: *mut c_void, conn: *mut ConnInfo)>,
    /// The kernel has been told of the device. No request, no reply.
    pub init_done: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    /// Session end. No request, no reply.
    pub destroy: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    /// The device is opened. Absent: it succeeds.
    pub open: Option<unsafe extern "C" fn(req: Req, fi: Fi)>,
    /// Reads.
    pub read: Option<unsafe extern "C" fn(req: Req, size: size_t, off: off_t, fi: Fi)>,
    /// Writes.
    pub write: Option<
        unsafe extern "C" fn(req: Req, buf: *const c_char, size: size_t, off: off_t, fi: Fi),
    >,
    /// A descriptor is closed.
    pub flush: Option<unsafe extern "C" fn(req: Req, fi: Fi)>,
    /// The last descriptor was closed.
    pub release: Option<unsafe extern "C" fn(req: Req, fi: Fi)>,
    /// `fsync`.
    pub fsync: Option<unsafe extern "C" fn(req: Req, datasync: c_int, fi: Fi)>,
    /// `ioctl`. `cmd` was an `int` before API 35.
    pub ioctl: Option<
        unsafe extern "C" fn(
            req: Req,
            cmd: c_int,
            arg: *mut c_void,
            fi: Fi,
            flags: c_uint,
            in_buf: *const c_void,
            in_bufsz: size_t,
            out_bufsz: size_t,
        ),
    >,
    /// Which events are ready. `ph`, if not NULL, becomes the handler's.
    pub poll: Option<unsafe extern "C" fn(req: Req, fi: Fi, ph: *mut FusePollhandle)>,
}
