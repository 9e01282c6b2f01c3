/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * What the low-level and the high-level interface have in common. Included by both; a program
 * includes fuse.h or fuse_lowlevel.h.
 */

#if !defined(FUSE_H_) && !defined(FUSE_LOWLEVEL_H_)
#error "fuse_common.h is not for direct use: include fuse.h or fuse_lowlevel.h"
#endif

#ifndef FUSE_COMMON_H_
#define FUSE_COMMON_H_

#include "libfuse_config.h"
#include "fuse_log.h"
#include "fuse_opt.h"

#include <stdint.h>
#include <sys/types.h>

#if FUSE_MINOR_VERSION > 14
#include <assert.h>
#include <stdbool.h>
#endif

/** A version as one number, for comparison: FUSE_MAKE_VERSION(3, 12) is 312. */
#define FUSE_MAKE_VERSION(maj, min) ((maj) * 100 + (min))

/** The version of these headers. */
#define FUSE_VERSION FUSE_MAKE_VERSION(FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION)

/* The interface a program was written for: 30 to 39, then 310, 311 and so on. */
#ifndef FUSE_USE_VERSION
#error "FUSE_USE_VERSION is not defined: define it to the interface version this program was written for"
#elif FUSE_USE_VERSION < 30
#error "FUSE_USE_VERSION is below 30: interfaces older than version 3.0 are not supported by libfuse 3"
#endif

/* What a function only reads, newer headers promise not to change. Not for use elsewhere. */
#if FUSE_MINOR_VERSION > 14
#define FUSE_CONST const
#else
#define FUSE_CONST
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Offsets go through this interface as 64 bits. */
#if defined(__cplusplus) && __cplusplus >= 201103L
static_assert(sizeof(off_t) == 8, "fuse: off_t must be 64 bits, compile with -D_FILE_OFFSET_BITS=64");
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(off_t) == 8, "fuse: off_t must be 64 bits, compile with -D_FILE_OFFSET_BITS=64");
#else
/* An array of size -1 unless the program is compiled with -D_FILE_OFFSET_BITS=64. */
extern char fuse_off_t_must_be_64_bits[sizeof(off_t) == 8 ? 1 : -1];
#endif

/**
 * An open file, as the library and the handlers see it.
 *
 * The library owns it; it is valid during the call. What a handler writes to it in `open`, `create`
 * and `opendir` is what the kernel is told, once the reply is sent.
 */
struct fuse_file_info {
    /** Open flags. Set in `open`, `create`, `opendir` and the two kinds of release. */
    int flags;

    /** In `write`: the page cache writes, perhaps for a process that is gone. `fh` may be a guess. */
    unsigned int writepage : 1;

    /** Set by `open` and `create`: no page cache for this open file. */
    unsigned int direct_io : 1;

    /** Set by `open` and `create`: what is cached of the file is still good. */
    unsigned int keep_cache : 1;

    /** In `flush`: always set. In `release` (old kernels): also flush. */
    unsigned int flush : 1;

    /** Set by `open` and `create`: the file has no position. */
    unsigned int nonseekable : 1;

    /** In `release`: drop the flock(2) locks of `lock_owner`. */
    unsigned int flock_release : 1;

    /** Set by `opendir`: the kernel may cache the entries. */
    unsigned int cache_readdir : 1;

    /** Set by `open` and `create`: no `flush` each time a descriptor is closed. */
    unsigned int noflush : 1;

#if FUSE_MINOR_VERSION > 14
    /** Set by `open` and `create`: direct writes may run at the same time. */
    unsigned int parallel_direct_writes : 1;

    /** Unused; keep it as it is. */
    unsigned int padding : 23;
    /** Unused; keep it as it is. */
    unsigned int padding2 : 32;
    /** Unused; keep it as it is. */
    unsigned int padding3 : 32;
#else
    /** Unused; keep it as it is. */
    unsigned int padding : 24;
    /** Unused; keep it as it is. */
    unsigned int padding2 : 32;
#endif

    /** File handle of the file system's choice. Set by `open`, `create`, `opendir`; read elsewhere. */
    uint64_t fh;

    /** Who holds or asks for a lock. Set in `getlk`, `setlk`, `flock`, `flush`, `release`. */
    uint64_t lock_owner;

    /** The events asked for, in `poll`. */
    uint32_t poll_events;

#if FUSE_MINOR_VERSION > 14
    /** Set by `open` and `create`: the file that the kernel reads and writes, see fuse_passthrough_open(). */
    int32_t backing_id;

    /** Unused; keep it as it is. */
    uint64_t compat_flags;
    /** Unused; keep it as it is. */
    uint64_t reserved[2];
#endif
};

/**
 * Settings of the multi-threaded loop.
 *
 * From FUSE_USE_VERSION 312 on only the library knows what is in it: make it by
 * fuse_loop_cfg_create(). Before that it was the struct below.
 */
#if FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
struct fuse_loop_config_v1;
struct fuse_loop_config {
#else
struct fuse_loop_config;
struct fuse_loop_config_v1 {
#endif
    /** Whether every worker has a device descriptor of its own. */
    int clone_fd;

    /** How many workers may wait for work; what is above ends itself. */
    unsigned int max_idle_threads;
};

/**
 * @name Capabilities
 *
 * Bits of fuse_conn_info::capable, what kernel and library can do, and of fuse_conn_info::want, what
 * the file system asks for. "By default" names those that are wanted without being asked for.
 * @{
 */

/* Capabilities are wider in newer headers. Not for use elsewhere. */
#if FUSE_MINOR_VERSION > 14
#define FUSE_CAP_ONE 1UL
#else
#define FUSE_CAP_ONE 1
#endif

/** Reads of one file may arrive at the same time. By default. */
#define FUSE_CAP_ASYNC_READ (FUSE_CAP_ONE << 0)

/** The file system keeps POSIX locks itself. By default, if `getlk` and `setlk` are there. */
#define FUSE_CAP_POSIX_LOCKS (FUSE_CAP_ONE << 1)

/** `open` truncates the file itself when it sees O_TRUNC. By default. */
#define FUSE_CAP_ATOMIC_O_TRUNC (FUSE_CAP_ONE << 3)

/** `lookup` answers "." and "..", which exporting by NFS needs. */
#define FUSE_CAP_EXPORT_SUPPORT (FUSE_CAP_ONE << 4)

/** The creating operations get a mode that the umask was not yet applied to. */
#define FUSE_CAP_DONT_MASK (FUSE_CAP_ONE << 6)

/** Replies may be spliced to the device. */
#define FUSE_CAP_SPLICE_WRITE (FUSE_CAP_ONE << 7)

/** Spliced pages may be moved instead of copied. */
#define FUSE_CAP_SPLICE_MOVE (FUSE_CAP_ONE << 8)

/** Requests may be spliced from the device. By default, if `write_buf` is there. */
#define FUSE_CAP_SPLICE_READ (FUSE_CAP_ONE << 9)

/** The file system keeps flock(2) locks itself. By default, if `flock` is there. */
#define FUSE_CAP_FLOCK_LOCKS (FUSE_CAP_ONE << 10)

/** `ioctl` works on directories. By default. */
#define FUSE_CAP_IOCTL_DIR (FUSE_CAP_ONE << 11)

/** A changed modification time or size makes the kernel drop its cached data. By default. */
#define FUSE_CAP_AUTO_INVAL_DATA (FUSE_CAP_ONE << 12)

/** Directories are read together with attributes. By default, if `readdirplus` is there. */
#define FUSE_CAP_READDIRPLUS (FUSE_CAP_ONE << 13)

/** The kernel chooses, per call, between `readdirplus` and `readdir`. By default, if both are there. */
#define FUSE_CAP_READDIRPLUS_AUTO (FUSE_CAP_ONE << 14)

/** Asynchronous direct I/O is passed on as such. By default. */
#define FUSE_CAP_ASYNC_DIO (FUSE_CAP_ONE << 15)

/** The kernel collects writes in its cache and knows size and times of files best. */
#define FUSE_CAP_WRITEBACK_CACHE (FUSE_CAP_ONE << 16)

/** ENOSYS from `open` means: opened, and do not ask again. */
#define FUSE_CAP_NO_OPEN_SUPPORT (FUSE_CAP_ONE << 17)

/** `lookup` and `readdir` of one directory may run at the same time. By default. */
#define FUSE_CAP_PARALLEL_DIROPS (FUSE_CAP_ONE << 18)

/** The kernel enforces POSIX ACLs that the file system stores as extended attributes. */
#define FUSE_CAP_POSIX_ACL (FUSE_CAP_ONE << 19)

/** The file system drops set-user-ID and set-group-ID bits itself on write and chown. By default. */
#define FUSE_CAP_HANDLE_KILLPRIV (FUSE_CAP_ONE << 20)

/** The kernel may cache the targets of symbolic links. */
#define FUSE_CAP_CACHE_SYMLINKS (FUSE_CAP_ONE << 23)

/** ENOSYS from `opendir` means: opened, and do not ask again. */
#define FUSE_CAP_NO_OPENDIR_SUPPORT (FUSE_CAP_ONE << 24)

/** Cached data is dropped only when the file system says so. Not with FUSE_CAP_AUTO_INVAL_DATA. */
#define FUSE_CAP_EXPLICIT_INVAL_DATA (FUSE_CAP_ONE << 25)

/** Entries can be expired, see fuse_lowlevel_notify_expire_entry(). Only ever in `capable`. */
#define FUSE_CAP_EXPIRE_ONLY (FUSE_CAP_ONE << 26)

#if FUSE_MINOR_VERSION > 14
/** As FUSE_CAP_HANDLE_KILLPRIV, but the kernel says with each request whether the bits are to go. */
#define FUSE_CAP_HANDLE_KILLPRIV_V2 (1UL << 21)

/** `setxattr` is told more by the kernel. No operation shows it yet. */
#define FUSE_CAP_SETXATTR_EXT (1UL << 27)

/** Files with fuse_file_info::direct_io may be mapped shared. */
#define FUSE_CAP_DIRECT_IO_ALLOW_MMAP (1UL << 28)

/** The kernel reads and writes files by itself, see fuse_passthrough_open(). */
#define FUSE_CAP_PASSTHROUGH (1UL << 29)

/** The file system must not be exported by NFS. */
#define FUSE_CAP_NO_EXPORT_SUPPORT (1UL << 30)

/** Requests may come by io_uring. By default; it takes the mount option `io_uring`. */
#define FUSE_CAP_OVER_IO_URING (1UL << 31)

/** The mount may be idmapped; it takes the mount option `default_permissions`. */
#define FUSE_CAP_ALLOW_IDMAP (1ULL << 32)

/** Requests that create a node bring security contexts, see fuse_req_secctx_next(). */
#define FUSE_CAP_SECURITY_CTX (1ULL << 33)
#endif

/** @} */

/**
 * @name Flags of an ioctl
 * @{
 */

/** A 32-bit program calls a 64-bit kernel. */
#define FUSE_IOCTL_COMPAT (1 << 0)

/** No limits: the file system may ask for any memory of the caller. Only for CUSE. */
#define FUSE_IOCTL_UNRESTRICTED (1 << 1)

/** The call is repeated with other memory, see fuse_reply_ioctl_retry(). */
#define FUSE_IOCTL_RETRY (1 << 2)

/** It is about a directory. */
#define FUSE_IOCTL_DIR (1 << 4)

/** How many pieces of memory fuse_reply_ioctl_retry() can ask for, for input and for output. */
#define FUSE_IOCTL_MAX_IOV 256

/** @} */

/**
 * The connection to the kernel, as `init` sees and shapes it.
 *
 * Owned by the library; may be changed until `init` returns. Only fields described as such do
 * anything when changed.
 */
struct fuse_conn_info {
    /** Protocol major version in use. */
    unsigned proto_major;

    /** Protocol minor version in use. */
    unsigned proto_minor;

    /** Largest write in bytes; may be lowered. */
    unsigned max_write;

    /** Largest read in bytes, 0 for no limit; must be what the mount option `max_read` says. */
    unsigned max_read;

    /** How far the kernel reads ahead, in bytes; may be lowered. */
    unsigned max_readahead;

    /** FUSE_CAP_ bits that kernel and library know. */
    unsigned capable;

    /** FUSE_CAP_ bits that are asked for; bits not in `capable` make the session fail. */
    unsigned want;

    /** How many requests the kernel may keep waiting in the background; 0: its default. May be set. */
    unsigned max_background;

    /** At how many of them the kernel calls itself congested; 0: 3/4 of `max_background`. May be set. */
    unsigned congestion_threshold;

    /** Resolution of file times in nanoseconds, a power of ten up to a second. May be set. */
    unsigned time_gran;

#if FUSE_MINOR_VERSION > 14
    /**
     * How deep the file systems below passed-through files may be stacked: FUSE_BACKING_STACKED_UNDER
     * or FUSE_BACKING_STACKED_OVER. May be set.
     */
    unsigned max_backing_stack_depth;

    /** No request shall be interrupted. May be set. */
    unsigned no_interrupt : 1;

    /** Every request of a ring is answered by the thread that got it. May be set. */
    unsigned io_uring_single_issuer : 1;

    /** Zero. */
    unsigned padding : 30;

    /** FUSE_CAP_ bits that kernel and library know, of which `capable` is a part. */
    uint64_t capable_ext;

    /**
     * FUSE_CAP_ bits that are asked for, of which `want` is a part. Set them by
     * fuse_set_feature_flag() and fuse_unset_feature_flag(); who changes `want` leaves this alone.
     * When the file system is in use it says what was agreed.
     */
    uint64_t want_ext;

    /** After how many seconds the kernel gives up on a request, and the connection; 0: never. May be set. */
    uint16_t request_timeout;

    /** Zero, or the library's. */
    uint16_t reserved[31];
#else
    /** Zero. */
    unsigned reserved[22];
#endif
};

#if FUSE_MINOR_VERSION > 14
/** Passed-through files are on no stacked file system. */
#define FUSE_BACKING_STACKED_UNDER 0

/** Passed-through files may be on a stacked file system, and nothing can be stacked on this one. */
#define FUSE_BACKING_STACKED_OVER 1

/** The release whose headers a program is compiled with. */
struct libfuse_version {
    uint32_t major;   /**< 3 */
    uint32_t minor;   /**< as FUSE_MINOR_VERSION */
    uint32_t hotfix;  /**< as FUSE_HOTFIX_VERSION */
    uint32_t padding; /**< 0 */
};

/* What programs tell the library of themselves. Not for use elsewhere. */
#define FUSE_THIS_VERSION { FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION, FUSE_HOTFIX_VERSION, 0 }
#endif

struct fuse_session;
struct fuse_pollhandle;
struct fuse_conn_info_opts;

/**
 * Takes the options that fill fuse_conn_info from an argument vector.
 *
 * Known are: `max_write=N`, `max_readahead=N`, `max_background=N`, `congestion_threshold=N`,
 * `time_gran=N`, `async_read` and `sync_read`, `atomic_o_trunc`, `no_remote_lock`,
 * `no_remote_flock`, `no_remote_posix_lock`, `splice_write`, `splice_move`, `splice_read`,
 * `auto_inval_data`, `async_dio`, `writeback_cache`, these also with `no_` before them, and
 * `readdirplus=no|yes|auto`.
 *
 * @param args the vector, from which the options are removed
 * @return what was asked for, to be freed by free(3); NULL after a message
 */
struct fuse_conn_info_opts *fuse_parse_conn_info_opts(struct fuse_args *args);

/**
 * Puts parsed options into effect. To be called from `init`.
 *
 * @param opts from fuse_parse_conn_info_opts(); stays the caller's
 * @param conn what `init` was given
 */
void fuse_apply_conn_info_opts(FUSE_CONST struct fuse_conn_info_opts *opts,
                               struct fuse_conn_info *conn);

#if FUSE_MINOR_VERSION > 14
/**
 * Asks for a capability. To be called from `init`.
 *
 * @param conn what `init` was given
 * @param flag a FUSE_CAP_ bit
 * @return false if it is not in fuse_conn_info::capable_ext
 */
bool fuse_set_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Refuses a capability. To be called from `init`.
 *
 * @param conn what `init` was given
 * @param flag a FUSE_CAP_ bit
 */
void fuse_unset_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Whether a capability can be asked for.
 *
 * @param conn what `init` was given
 * @param flag a FUSE_CAP_ bit
 * @return true if it is in fuse_conn_info::capable_ext
 */
bool fuse_get_feature_flag(const struct fuse_conn_info *conn, uint64_t flag);

/** Sets fuse_conn_info::io_uring_single_issuer. */
#define FUSE_CONN_FLAG_SINGLE_ISSUER (1u << 0)

/** Sets fuse_conn_info::no_interrupt. */
#define FUSE_CONN_FLAG_NO_INTERRUPT (1u << 1)

/**
 * Sets a field of fuse_conn_info that is one bit. To be called from `init`.
 *
 * @param conn what `init` was given
 * @param flag a FUSE_CONN_FLAG_ bit
 * @return false if the library does not know it
 */
bool fuse_set_conn_flag(struct fuse_conn_info *conn, uint64_t flag);

/**
 * Brings fuse_conn_info::want and fuse_conn_info::want_ext together. The library does so after `init`.
 *
 * @param conn what `init` was given
 * @return 0, or -EINVAL if both were changed and contradict each other
 */
int fuse_convert_to_conn_want_ext(struct fuse_conn_info *conn);
#endif

/**
 * Goes on as a daemon, or only changes to the root directory.
 *
 * In the background: the parent exits with status 0, the child has a session of its own, `/` as
 * working directory, and `/dev/null` as standard input, output and error. Threads do not survive.
 *
 * @param foreground non-zero to stay in the foreground
 * @return 0, or -1
 */
int fuse_daemonize(int foreground);

/**
 * The version of the library that runs, in the form of FUSE_VERSION.
 *
 * @return the number, 314 for 3.14
 */
int fuse_version(void);

/**
 * The full version of the library that runs.
 *
 * @return a constant string
 */
const char *fuse_pkgversion(void);

/**
 * Frees the handle that a `poll` handler was given. It can be called from every thread.
 *
 * @param ph the handle
 */
void fuse_pollhandle_destroy(struct fuse_pollhandle *ph);

/** What a segment of a buffer vector is. */
enum fuse_buf_flags {
    /** Its data is in fuse_buf::fd, not in fuse_buf::mem. */
    FUSE_BUF_IS_FD = (1 << 1),

    /** Its data is at fuse_buf::pos in the file, not where the descriptor stands. */
    FUSE_BUF_FD_SEEK = (1 << 2),

    /** After a short transfer, go on until all is moved, or end of file, or an error. */
    FUSE_BUF_FD_RETRY = (1 << 3)
};

/** How data goes from one buffer vector to another. */
enum fuse_buf_copy_flags {
    /** Never by splice(2), but by read(2) and write(2). */
    FUSE_BUF_NO_SPLICE = (1 << 1),

    /** Only by splice(2) between descriptors, even where that fails. */
    FUSE_BUF_FORCE_SPLICE = (1 << 2),

    /** Let splice(2) move pages. */
    FUSE_BUF_SPLICE_MOVE = (1 << 3),

    /** Let splice(2) not wait. */
    FUSE_BUF_SPLICE_NONBLOCK = (1 << 4)
};

/** A segment of data: a piece of memory, or of what a descriptor reads or writes. */
struct fuse_buf {
    /** Length in bytes. */
    size_t size;

    /** What it is. */
    enum fuse_buf_flags flags;

    /** The memory, unless FUSE_BUF_IS_FD. */
    void *mem;

    /** The descriptor, if FUSE_BUF_IS_FD. */
    int fd;

    /** Position in the file, if FUSE_BUF_FD_SEEK. */
    off_t pos;

#if FUSE_MINOR_VERSION > 14
    /** Size of `mem`, if the library has allocated it. */
    size_t mem_size;
#endif
};

/**
 * Segments of data in a row, and a position within them.
 *
 * A vector of more than one segment is allocated longer than this struct.
 */
struct fuse_bufvec {
    /** Number of segments. */
    size_t count;

    /** Index of the current segment. */
    size_t idx;

    /** Bytes of the current segment that are behind the position. */
    size_t off;

    /** The segments, `count` of them. */
    struct fuse_buf buf[1];
};

/**
 * A buffer vector of one memory segment that has a size and no memory yet: for initialising and
 * for assigning.
 */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define FUSE_BUFVEC_INIT(size__) \
    (fuse_bufvec{ 1, 0, 0, { { static_cast<size_t>(size__), static_cast<fuse_buf_flags>(0), nullptr, -1, 0 FUSE_BUF_REST } } })
#else
#define FUSE_BUFVEC_INIT(size__) \
    ((struct fuse_bufvec){ 1, 0, 0, { { (size__), (enum fuse_buf_flags)0, 0, -1, 0 FUSE_BUF_REST } } })
#endif

/* The fields of fuse_buf after those of 3.14. Not for use elsewhere. */
#if FUSE_MINOR_VERSION > 14
#define FUSE_BUF_REST , 0
#else
#define FUSE_BUF_REST
#endif

/**
 * The length of a buffer vector, wherever its position.
 *
 * @param bufv the vector
 * @return the sum of the sizes, in bytes; SIZE_MAX if one segment has that size
 */
size_t fuse_buf_size(const struct fuse_bufvec *bufv);

/**
 * Moves data from one vector to another, and both positions forward.
 *
 * @param dst where to
 * @param src where from
 * @param flags how
 * @return the bytes moved, fewer than asked for at end of file and after a late error; -errno if
 * nothing was
 */
ssize_t fuse_buf_copy(struct fuse_bufvec *dst, struct fuse_bufvec *src,
                      enum fuse_buf_copy_flags flags);

/**
 * Lets SIGHUP, SIGINT and SIGTERM end the session, and ignores SIGPIPE.
 *
 * A signal that has a handler already keeps it. One session at a time can be ended by signals.
 *
 * @param se the session
 * @return 0, or -1 after a message
 */
int fuse_set_signal_handlers(struct fuse_session *se);

/**
 * Gives the signals of fuse_set_signal_handlers() their default action again.
 *
 * Call it before the session is destroyed.
 *
 * @param se the session given there
 */
void fuse_remove_signal_handlers(FUSE_CONST struct fuse_session *se);

#if FUSE_MINOR_VERSION > 14
/**
 * Has SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE and SIGSEGV show where the program was, and end it.
 *
 * A signal that has a handler already keeps it. fuse_remove_signal_handlers() takes them away.
 *
 * @param se the session
 * @return 0, or -1 after a message
 */
int fuse_set_fail_signal_handlers(struct fuse_session *se);
#endif

/**
 * Makes settings for the multi-threaded loops, all at their defaults.
 *
 * @return the settings, to be freed by fuse_loop_cfg_destroy(); NULL if memory ran out
 */
struct fuse_loop_config *fuse_loop_cfg_create(void);

/**
 * Frees settings.
 *
 * @param config from fuse_loop_cfg_create()
 */
void fuse_loop_cfg_destroy(struct fuse_loop_config *config);

/**
 * Sets how many workers may wait for work.
 *
 * @param config the settings
 * @param value the number; the default is no limit. Absurdly large ones are refused with a message.
 */
void fuse_loop_cfg_set_idle_threads(struct fuse_loop_config *config, unsigned int value);

/**
 * Sets how many workers there may be.
 *
 * @param config the settings
 * @param value the number; the default is 10
 */
void fuse_loop_cfg_set_max_threads(struct fuse_loop_config *config, unsigned int value);

/**
 * Sets whether every worker has a device descriptor of its own.
 *
 * @param config the settings
 * @param value non-zero for yes; the default is no
 */
void fuse_loop_cfg_set_clone_fd(struct fuse_loop_config *config, unsigned int value);

/**
 * Takes over what settings of the old form say.
 *
 * @param config the settings
 * @param v1_conf the old form; only read
 */
void fuse_loop_cfg_convert(struct fuse_loop_config *config,
                           FUSE_CONST struct fuse_loop_config_v1 *v1_conf);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_COMMON_H_ */
