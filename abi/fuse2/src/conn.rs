//! `struct fuse_conn_info` of libfuse 2, between the engine and an init handler.
//!
//! Programs see what libfuse 2.9 shows them. What they can't see stays the engine's: requests up to
//! 1 MiB where neither the program nor the user set a limit, and parallel look-ups in a directory
//! for path-based programs.

use ferrofuse::session::caps::{Capabilities, ConnInfo};

use crate::types::ConnInfo as CConnInfo;

/// The largest write that libfuse 2.9 shows, in bytes.
const MAX_WRITE: u32 = 0x20000;
/// `FUSE_CAP_BIG_WRITES`; the engine always asks for them.
const BIG_WRITES: u32 = 1 << 5;
/// The capabilities that libfuse 2.9 knows: bits 0 to 11, without the one that was never used.
const KNOWN: u32 = 0xffb;
/// `FUSE_CAP_SPLICE_WRITE`, `_MOVE` and `_READ`.
const SPLICE: u32 = 0x380;
/// What the engine wants for a program by what it implements, and for the tree.
const BY_FEATURES: Capabilities =
    Capabilities::POSIX_LOCKS.union(Capabilities::FLOCK_LOCKS).union(Capabilities::EXPORT_SUPPORT);
/// What a program of libfuse 2 neither knows nor notices.
const UNSEEN: Capabilities = Capabilities::PARALLEL_DIROPS;

/// What the user asked for with options of the session.
///
/// It waits for init in words of the connection's struct that no release gave a meaning, because
/// init gets that struct and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `max_write=`; 0 if it was not given.
    pub max_write: u32,
    /// `max_readahead=`; `None` if it was not given.
    pub max_readahead: Option<u32>,
    /// `max_background=`
    pub max_background: u32,
    /// `congestion_threshold=`
    pub congestion_threshold: u32,
    /// `sync_read`
    pub sync_read: bool,
    /// Capabilities asked for.
    pub want: u32,
    /// Capabilities refused.
    pub refused: u32,
}

/// Reserved words of the library: limit of writes, capabilities wanted and refused, `sync_read`,
/// and the limit of readahead, plus one.
const WORDS: [usize; 5] = [22, 21, 20, 19, 18];

impl Wishes {
    /// Puts them where init finds them.
    pub fn store(&self, conn: &mut CConnInfo) {
        conn.max_background = self.max_background;
        conn.congestion_threshold = self.congestion_threshold;
        let readahead = self.max_readahead.map_or(0, |limit| limit.saturating_add(1));
        let words = [self.max_write, self.want, self.refused, self.sync_read.into(), readahead];
        for (at, word) in WORDS.into_iter().zip(words) {
            conn.reserved[at] = word;
        }
    }

    fn take(conn: &mut CConnInfo) -> Wishes {
        let [max_write, want, refused, sync_read, readahead] =
            WORDS.map(|at| std::mem::take(&mut conn.reserved[at]));
        Wishes {
            max_write,
            max_readahead: readahead.checked_sub(1),
            max_background: conn.max_background,
            congestion_threshold: conn.congestion_threshold,
            sync_read: sync_read != 0,
            want,
            refused,
        }
    }
}

/// Has `init` edit the connection as C sees it, in a struct that the program may keep.
pub fn with_c_conn(c_conn: &mut CConnInfo, conn: &mut ConnInfo, init: impl FnOnce(&mut CConnInfo)) {
    let wishes = Wishes::take(c_conn);
    let mut capable = conn.capable.bits() as u32 & KNOWN | BIG_WRITES;
    // libfuse shows them by the protocol alone, whatever the channel can do.
    if (conn.proto_major, conn.proto_minor) >= (7, 14) {
        capable |= SPLICE;
    }
    let shown = match wishes.max_write {
        0 => conn.max_write.min(MAX_WRITE),
        limit => conn.max_write.min(limit),
    };
    let by_features = (conn.want & BY_FEATURES).bits() as u32;
    c_conn.proto_major = conn.proto_major;
    c_conn.proto_minor = conn.proto_minor;
    let can_async = conn.capable.contains(Capabilities::ASYNC_READ);
    c_conn.async_read = (can_async && !wishes.sync_read).into();
    c_conn.max_write = shown;
    c_conn.max_readahead = conn.max_readahead.min(wishes.max_readahead.unwrap_or(u32::MAX));
    c_conn.capable = capable;
    c_conn.want = (by_features & !wishes.refused) | wishes.want;
    init(c_conn);
    // Bits that the kernel does not offer are not sent, and fail nothing.
    let refused = Capabilities::from_bits_retain(wishes.refused.into());
    let mut want = c_conn.want & !wishes.refused & capable & !BIG_WRITES;
    if c_conn.async_read == 0 {
        want &= !(Capabilities::ASYNC_READ.bits() as u32);
    } else {
        want |= Capabilities::ASYNC_READ.bits() as u32;
    }
    let unseen = conn.want & UNSEEN & !refused;
    conn.want = Capabilities::from_bits_retain(want.into()) & conn.capable | unseen;
    conn.refused = refused;
    // Nobody set a limit, and the buffers are the library's own.
    let free = wishes.max_write == 0 && c_conn.max_write == shown && conn.library_reads;
    if !free {
        conn.max_write = c_conn.max_write;
    }
    conn.max_readahead = c_conn.max_readahead;
    conn.max_background = c_conn.max_background;
    conn.congestion_threshold = c_conn.congestion_threshold;
}

/// Shows a program what was agreed: libfuse 2 shows nothing.
pub fn agreed(_c_conn: &mut CConnInfo, _conn: &ConnInfo) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(library_reads: bool) -> ConnInfo {
        ConnInfo {
            proto_major: 7,
            proto_minor: 45,
            max_write: 1 << 20,
            max_read: 0,
            max_readahead: 0x20000,
            capable: Capabilities::from_bits_retain(0x79f_ffdb),
            want: Capabilities::from_bits_retain(0x14_f819),
            max_background: 0,
            congestion_threshold: 0,
            time_gran: 1,
            max_backing_stack_depth: 0,
            no_interrupt: false,
            request_timeout: 0,
            library_reads,
            refused: Capabilities::empty(),
        }
    }

    /// Observed with libfuse 2.9.9 on Linux 6.18.
    #[test]
    fn programs_see_what_libfuse_2_shows() {
        let (mut c_conn, mut conn) = (CConnInfo::default(), kernel(true));
        with_c_conn(&mut c_conn, &mut conn, |c_conn| {
            assert_eq!((c_conn.max_write, c_conn.max_readahead), (0x20000, 0x20000));
            assert_eq!((c_conn.capable, c_conn.want, c_conn.async_read), (0xffb, 0x10, 1));
            // What no kernel has fails nothing.
            c_conn.want |= 1 << 2 | 1 << 20;
        });
        assert_eq!(conn.max_write, 1 << 20);
        let expected =
            Capabilities::ASYNC_READ | Capabilities::EXPORT_SUPPORT | Capabilities::PARALLEL_DIROPS;
        assert_eq!(conn.want, expected);
    }

    #[test]
    fn limits_of_programs_and_users_hold() {
        for (library_reads, limit, set, expected) in [
            (true, 0, None, 1 << 20),
            (true, 0, Some(0x10000), 0x10000),
            (true, 0x8000, None, 0x8000),
            (false, 0, None, 0x20000),
        ] {
            let (mut c_conn, mut conn) = (CConnInfo::default(), kernel(library_reads));
            Wishes { max_write: limit, ..Wishes::default() }.store(&mut c_conn);
            with_c_conn(&mut c_conn, &mut conn, |c_conn| {
                c_conn.max_write = set.unwrap_or(c_conn.max_write);
            });
            assert_eq!(conn.max_write, expected);
        }
    }

    #[test]
    fn what_the_user_refuses_is_not_wanted() {
        let (mut c_conn, mut conn) = (CConnInfo::default(), kernel(true));
        let refused = Capabilities::SPLICE_READ.bits() as u32;
        Wishes { refused, sync_read: true, max_readahead: Some(0), ..Wishes::default() }
            .store(&mut c_conn);
        with_c_conn(&mut c_conn, &mut conn, |c_conn| {
            assert_eq!((c_conn.async_read, c_conn.max_readahead), (0, 0));
            c_conn.want |= refused;
        });
        assert!(!conn.want.intersects(Capabilities::SPLICE_READ | Capabilities::ASYNC_READ));
        assert_eq!(conn.refused, Capabilities::SPLICE_READ);
    }
}
