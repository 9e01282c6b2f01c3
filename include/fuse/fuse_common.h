/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * What the low-level and the high-level interface have in common. Included by both; a program
 * includes fuse.h or fuse_lowlevel.h.
 */

#if !defined(_FUSE_H_) && !defined(_FUSE_LOWLEVEL_H_)
#error "fuse_common.h is not for direct use: include fuse.h or fuse_lowlevel.h"
#endif

#ifndef _FUSE_COMMON_H_
#define _FUSE_COMMON_H_

#include "fuse_opt.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Major version of the interface. */
#define FUSE_MAJOR_VERSION 2

/** Minor version of the interface. For programs that ask for an older one it is theirs. */
#define FUSE_MINOR_VERSION 9

/** A version as one number, for comparison: FUSE_MAKE_VERSION(2, 9) is 29. */
#define FUSE_MAKE_VERSION(maj, min) ((maj) * 10 + (min))

/** The version of the interface. */
#define FUSE_VERSION FUSE_MAKE_VERSION(FUSE_MAJOR_VERSION, FUSE_MINOR_VERSION)

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

    /** The handle as programs for interfaces before 2.5 know it. The library keeps it equal to `fh`. */
    unsigned long fh_old;

    /** In `write`: not 0 if the page cache writes, perhaps for a process that is gone. */
    int writepage;

    /** Set by `open` and `create`: no page cache for this open file. Since 2.4. */
    unsigned int direct_io : 1;

    /** Set by `open` and `create`: what is cached of the file is still good. Since 2.4. */
    unsigned int keep_cache : 1;

    /** In `flush`: always set. In `release` (old kernels): also flush. Since 2.6. */
    unsigned int flush : 1;

    /** Set by `open` and `create`: the file has no position. Since 2.8. */
    unsigned int nonseekable : 1;

    /** In `release`: drop the flock(2) locks of `lock_owner`. Since 2.9. */
    unsigned int flock_release : 1;

    /** Unused; keep it as it is. */
    unsigned int padding : 27;

    /** File handle of the file system's choice. Set by `open`, `create`, `opendir`; read elsewhere. */
    uint64_t fh;

    /** Who holds or asks for a lock. Set in `lock`, `getlk`, `setlk`, `flock`, `flush`, `release`. */
    uint64_t lock_owner;
};

/**
 * @name Capabilities
 *
 * Bits of fuse_conn_info::capable, what kernel and library can do, and of fuse_conn_info::want, what
 * the file system asks for. Bits that the kernel does not know are not sent to it.
 * @{
 */

/** Reads of one file may arrive at the same time; see fuse_conn_info::async_read. */
#define FUSE_CAP_ASYNC_READ (1 << 0)

/** The file system keeps POSIX locks itself. Wanted if the lock operations are there. */
#define FUSE_CAP_POSIX_LOCKS (1 << 1)

/** `open` truncates the file itself when it sees O_TRUNC. */
#define FUSE_CAP_ATOMIC_O_TRUNC (1 << 3)

/** `lookup` answers "." and "..", which exporting by NFS needs. */
#define FUSE_CAP_EXPORT_SUPPORT (1 << 4)

/** Writes may be longer than 4 KiB. */
#define FUSE_CAP_BIG_WRITES (1 << 5)

/** The creating operations get a mode that the umask was not yet applied to. */
#define FUSE_CAP_DONT_MASK (1 << 6)

/** Replies may be spliced to the device. */
#define FUSE_CAP_SPLICE_WRITE (1 << 7)

/** Spliced pages may be moved instead of copied. */
#define FUSE_CAP_SPLICE_MOVE (1 << 8)

/** Requests may be spliced from the device. */
#define FUSE_CAP_SPLICE_READ (1 << 9)

/** The file system keeps flock(2) locks itself. Wanted if `flock` is there. */
#define FUSE_CAP_FLOCK_LOCKS (1 << 10)

/** `ioctl` works on directories. */
#define FUSE_CAP_IOCTL_DIR (1 << 11)

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

    /** Whether reads of one file may arrive at the same time. May be set. */
    unsigned async_read;

    /** Largest write in bytes; may be lowered. */
    unsigned max_write;

    /** How far the kernel reads ahead, in bytes; may be lowered. */
    unsigned max_readahead;

    /** FUSE_CAP_ bits that kernel and library know. */
    unsigned capable;

    /** FUSE_CAP_ bits that are asked for. May be set. */
    unsigned want;

    /** How many requests the kernel may keep waiting in the background; 0: its default. May be set. */
    unsigned max_background;

    /** At how many of them the kernel calls itself congested; 0: 3/4 of `max_background`. May be set. */
    unsigned congestion_threshold;

    /** Zero. */
    unsigned reserved[23];
};

struct fuse_session;
struct fuse_chan;
struct fuse_pollhandle;

/**
 * Mounts a file system, without anything that serves it yet.
 *
 * @param mountpoint where
 * @param args options, from which those about mounting are removed
 * @return the channel that its requests come from, to be ended by fuse_unmount(); NULL after a
 * message
 */
struct fuse_chan *fuse_mount(const char *mountpoint, struct fuse_args *args);

/**
 * Unmounts a file system, and destroys its channel.
 *
 * @param mountpoint where; NULL: only the channel is destroyed
 * @param ch from fuse_mount(); NULL if it is destroyed already
 */
void fuse_unmount(const char *mountpoint, struct fuse_chan *ch);

/**
 * Takes the options that most file systems share: `-s`, `-f`, `-d`, `-h`, `-V`, and the mount point.
 *
 * `-h` and `-V` print their text to standard error or output; then -1 is returned for `-h`. Without
 * `fsname` or `subtype` the latter becomes the name of the program.
 *
 * @param args the arguments, from which those that are known are removed; debug and subtype stay
 * @param mountpoint receives a string from malloc(3), the caller's to free; NULL if there is none.
 * May be NULL: then no mount point is looked for.
 * @param multithreaded receives 0 if `-s` was given, else 1; may be NULL
 * @param foreground receives 1 if `-f` or `-d` was given, else 0; may be NULL
 * @return 0, or -1
 */
int fuse_parse_cmdline(struct fuse_args *args, char **mountpoint, int *multithreaded,
                       int *foreground);

/**
 * Goes on as a daemon.
 *
 * The parent exits with status 0, the child has a session of its own, `/` as working directory, and
 * `/dev/null` as standard input, output and error. Threads do not survive.
 *
 * @param foreground non-zero: nothing is done
 * @return 0, or -1 after a message
 */
int fuse_daemonize(int foreground);

/**
 * The version of the library that runs, in the form of FUSE_VERSION.
 *
 * @return the number, 29 for 2.9
 */
int fuse_version(void);

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
    (fuse_bufvec{ 1, 0, 0, { { static_cast<size_t>(size__), static_cast<fuse_buf_flags>(0), nullptr, -1, 0 } } })
#else
#define FUSE_BUFVEC_INIT(size__) \
    ((struct fuse_bufvec){ 1, 0, 0, { { (size__), (enum fuse_buf_flags)0, 0, -1, 0 } } })
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
void fuse_remove_signal_handlers(struct fuse_session *se);

#ifdef __cplusplus
}
#endif

/* Older interfaces: the names of today stand for the functions of then. */
#if FUSE_USE_VERSION < 26
#include "fuse_common_compat.h"
#undef FUSE_MINOR_VERSION
#define fuse_unmount fuse_unmount_compat22
#if FUSE_USE_VERSION == 25
#define FUSE_MINOR_VERSION 5
#define fuse_mount fuse_mount_compat25
#elif FUSE_USE_VERSION == 24 || FUSE_USE_VERSION == 22
#define FUSE_MINOR_VERSION 4
#define fuse_mount fuse_mount_compat22
#elif FUSE_USE_VERSION == 21
#define FUSE_MINOR_VERSION 1
#define fuse_mount fuse_mount_compat22
#elif FUSE_USE_VERSION == 11
#undef FUSE_MAJOR_VERSION
#define FUSE_MAJOR_VERSION 1
#define FUSE_MINOR_VERSION 1
#define fuse_mount fuse_mount_compat1
#else
#error "FUSE_USE_VERSION must be 11, 21, 22, 24, 25 or at least 26"
#endif
#endif

#endif /* _FUSE_COMMON_H_ */
