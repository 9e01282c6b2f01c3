//! `fuse_parse_conn_info_opts` and `fuse_apply_conn_info_opts`: options a program may offer its
//! users for what `init` negotiates.

use std::ffi::{c_int, c_uint};
use std::mem::{offset_of, size_of};
use std::ptr;

use crate::conn_info::{
    CAP_ASYNC_DIO, CAP_ASYNC_READ, CAP_AUTO_INVAL_DATA, CAP_FLOCK_LOCKS, CAP_POSIX_LOCKS,
    CAP_READDIRPLUS, CAP_READDIRPLUS_AUTO, CAP_SPLICE_MOVE, CAP_SPLICE_READ, CAP_SPLICE_WRITE,
    CAP_WRITEBACK_CACHE, ConnInfo,
};
use crate::opt::{FuseArgs, FuseOpt, fuse_opt_parse, misuse, out_of_memory};
use crate::panic::guard;

/// `struct fuse_conn_info_opts`, opaque to C. Each `set_` or plain flag is 0 or 1.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ConnInfoOpts {
    max_write: c_uint,
    set_max_write: c_int,
    max_readahead: c_uint,
    set_max_readahead: c_int,
    max_background: c_uint,
    set_max_background: c_int,
    congestion_threshold: c_uint,
    set_congestion_threshold: c_int,
    time_gran: c_uint,
    set_time_gran: c_int,
    async_read: c_int,
    sync_read: c_int,
    atomic_o_trunc: c_int,
    no_remote_flock: c_int,
    no_remote_posix_lock: c_int,
    splice_write: Switch,
    splice_move: Switch,
    splice_read: Switch,
    auto_inval_data: Switch,
    async_dio: Switch,
    writeback_cache: Switch,
    no_readdirplus: c_int,
    no_readdirplus_auto: c_int,
}

/// A capability the user may ask for and refuse; the refusal wins.
#[repr(C)]
#[derive(Debug, Default)]
struct Switch {
    on: c_int,
    off: c_int,
}

/// `fuse_parse_conn_info_opts`: takes these options out of `args`.
///
/// Returns a structure the caller frees with `free(3)`, or NULL with a message if an option has a
/// bad value or memory ran out. NULL or empty `args` ask for nothing.
///
/// # Safety
/// `args` is NULL or a valid `struct fuse_args` of C strings that no other thread uses meanwhile.
pub unsafe extern "C" fn fuse_parse_conn_info_opts(args: *mut FuseArgs) -> *mut ConnInfoOpts {
    guard("fuse_parse_conn_info_opts", ptr::null_mut(), || {
        let table = table();
        // SAFETY: zeroed memory of the structure's size is a valid value of it, and the table's
        // offsets are in it; `args` is as the caller vouches.
        unsafe {
            let opts = libc::calloc(1, size_of::<ConnInfoOpts>()).cast::<ConnInfoOpts>();
            if opts.is_null() {
                out_of_memory();
            } else if fuse_opt_parse(args, opts.cast(), table.as_ptr(), None) != 0 {
                libc::free(opts.cast());
                return ptr::null_mut();
            }
            opts
        }
    })
}

/// `fuse_apply_conn_info_opts`: edits `*conn` as the user asked. Refused splicing is recorded in
/// [`ConnInfo::refused`] besides being taken out of `want`. NULL pointers are reported, and
/// nothing is done (libfuse crashes).
///
/// # Safety
/// `opts` is NULL or from [`fuse_parse_conn_info_opts`]; `conn` is NULL or a valid
/// `struct fuse_conn_info` no other thread uses.
pub unsafe extern "C" fn fuse_apply_conn_info_opts(opts: *const ConnInfoOpts, conn: *mut ConnInfo) {
    guard("fuse_apply_conn_info_opts", (), || {
        // SAFETY: NULL or valid, as the caller vouches.
        match unsafe { (opts.as_ref(), conn.as_mut()) } {
            (Some(opts), Some(conn)) => opts.apply(conn),
            _ => {
                misuse("fuse_apply_conn_info_opts", "NULL argument");
            }
        }
    });
}

impl ConnInfoOpts {
    /// Edits `conn` as the user asked. `want` may then hold what the kernel doesn't offer; the
    /// session refuses that later, as libfuse 3.14 does.
    pub fn apply(&self, conn: &mut ConnInfo) {
        let numbers = [
            (self.set_max_write, self.max_write, &mut conn.max_write),
            (self.set_max_readahead, self.max_readahead, &mut conn.max_readahead),
            (self.set_max_background, self.max_background, &mut conn.max_background),
            (
                self.set_congestion_threshold,
                self.congestion_threshold,
                &mut conn.congestion_threshold,
            ),
            (self.set_time_gran, self.time_gran, &mut conn.time_gran),
        ];
        for (set, value, field) in numbers {
            if set != 0 {
                *field = value;
            }
        }

        // What is asked for, then what is refused, so that refusals win. `atomic_o_trunc` has no
        // effect in libfuse 3 either.
        let on = |flag: c_int, capability: u32| if flag != 0 { capability } else { 0 };
        let switches = self.switches();
        let mut wanted = on(self.async_read, CAP_ASYNC_READ);
        let mut unwanted = on(self.sync_read, CAP_ASYNC_READ)
            | on(self.no_remote_flock, CAP_FLOCK_LOCKS)
            | on(self.no_remote_posix_lock, CAP_POSIX_LOCKS)
            | on(self.no_readdirplus, CAP_READDIRPLUS)
            | on(self.no_readdirplus_auto, CAP_READDIRPLUS_AUTO);
        for (switch, capability) in switches {
            wanted |= on(switch.on, capability);
            unwanted |= on(switch.off, capability);
        }
        conn.want = (conn.want | wanted) & !unwanted;
        conn.refuse(unwanted & (CAP_SPLICE_WRITE | CAP_SPLICE_MOVE | CAP_SPLICE_READ));
    }

    fn switches(&self) -> [(&Switch, u32); 6] {
        [
            (&self.splice_write, CAP_SPLICE_WRITE),
            (&self.splice_move, CAP_SPLICE_MOVE),
            (&self.splice_read, CAP_SPLICE_READ),
            (&self.auto_inval_data, CAP_AUTO_INVAL_DATA),
            (&self.async_dio, CAP_ASYNC_DIO),
            (&self.writeback_cache, CAP_WRITEBACK_CACHE),
        ]
    }
}

/// Templates of the options and where they go.
fn table() -> [FuseOpt; 35] {
    macro_rules! flag {
        ($templ:literal, $($field:ident).+) => {
            FuseOpt::store($templ, offset_of!(ConnInfoOpts, $($field).+), 1)
        };
    }
    macro_rules! clear {
        ($templ:literal, $field:ident) => {
            FuseOpt::store($templ, offset_of!(ConnInfoOpts, $field), 0)
        };
    }
    macro_rules! number {
        ($templ:literal, $field:ident) => {
            FuseOpt::store($templ, offset_of!(ConnInfoOpts, $field), 0)
        };
    }
    [
        number!(c"max_write=%u", max_write),
        flag!(c"max_write=", set_max_write),
        number!(c"max_readahead=%u", max_readahead),
        flag!(c"max_readahead=", set_max_readahead),
        number!(c"max_background=%u", max_background),
        flag!(c"max_background=", set_max_background),
        number!(c"congestion_threshold=%u", congestion_threshold),
        flag!(c"congestion_threshold=", set_congestion_threshold),
        number!(c"time_gran=%u", time_gran),
        flag!(c"time_gran=", set_time_gran),
        flag!(c"sync_read", sync_read),
        flag!(c"async_read", async_read),
        flag!(c"atomic_o_trunc", atomic_o_trunc),
        flag!(c"no_remote_lock", no_remote_posix_lock),
        flag!(c"no_remote_lock", no_remote_flock),
        flag!(c"no_remote_flock", no_remote_flock),
        flag!(c"no_remote_posix_lock", no_remote_posix_lock),
        flag!(c"splice_write", splice_write.on),
        flag!(c"no_splice_write", splice_write.off),
        flag!(c"splice_move", splice_move.on),
        flag!(c"no_splice_move", splice_move.off),
        flag!(c"splice_read", splice_read.on),
        flag!(c"no_splice_read", splice_read.off),
        flag!(c"auto_inval_data", auto_inval_data.on),
        flag!(c"no_auto_inval_data", auto_inval_data.off),
        flag!(c"async_dio", async_dio.on),
        flag!(c"no_async_dio", async_dio.off),
        flag!(c"writeback_cache", writeback_cache.on),
        flag!(c"no_writeback_cache", writeback_cache.off),
        // The last mode given decides about readdirplus itself, and `no` leaves the other flag.
        flag!(c"readdirplus=no", no_readdirplus),
        clear!(c"readdirplus=yes", no_readdirplus),
        flag!(c"readdirplus=yes", no_readdirplus_auto),
        clear!(c"readdirplus=auto", no_readdirplus),
        clear!(c"readdirplus=auto", no_readdirplus_auto),
        FuseOpt::END,
    ]
}
