/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The low-level interface: a file system answers the kernel's requests about nodes.
 *
 * Define FUSE_USE_VERSION before including this file, to the interface version the program was
 * written for: 30 to 39, or FUSE_MAKE_VERSION(3, 10) and up.
 */

#ifndef FUSE_LOWLEVEL_H_
#define FUSE_LOWLEVEL_H_

#ifndef FUSE_USE_VERSION
#error "FUSE_USE_VERSION is not defined: define it to the interface version this program was written for"
#endif

#include "fuse_common.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utime.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The node number of the root directory. */
#define FUSE_ROOT_ID 1

/** A node number. */
typedef uint64_t fuse_ino_t;

/** A request. It lives until it is replied to. */
typedef struct fuse_req *fuse_req_t;

/** A session: the connection between the file system and the kernel. */
struct fuse_session;

struct statx;

/** A node, as fuse_reply_entry(), fuse_reply_create() and fuse_add_direntry_plus() tell of it. */
struct fuse_entry_param {
    /** Node number. 0 in a reply to `lookup`: no such name, which may be cached. */
    fuse_ino_t ino;

    /** With `ino` it must be unique for the life of the file system, if that is exported by NFS. */
    uint64_t generation;

    /** Attributes. `attr.st_ino` is what programs see as inode number. */
    struct stat attr;

    /** How long the attributes stay valid, in seconds. */
    double attr_timeout;

    /** How long the name stays valid, in seconds. */
    double entry_timeout;
};

/** Who a request comes from. All zero if it comes from the kernel itself. */
struct fuse_ctx {
    /** User ID. */
    uid_t uid;

    /** Group ID. */
    gid_t gid;

    /** Thread ID. */
    pid_t pid;

    /** umask; set for the operations that create something. */
    mode_t umask;
};

/** An entry of `forget_multi`. */
struct fuse_forget_data {
    /** The node. */
    fuse_ino_t ino;

    /** How many lookups to subtract. */
    uint64_t nlookup;
};

/** Functions that read and write messages in place of the library, see fuse_session_custom_io(). */
struct fuse_custom_io {
    /** Writes one message, like writev(2). Required. */
    ssize_t (*writev)(int fd, struct iovec *iov, int count, void *userdata);

    /** Reads one message, like read(2). Required. */
    ssize_t (*read)(int fd, void *buf, size_t buf_len, void *userdata);

    /** Reads one message into a pipe, like splice(2). NULL: requests are not spliced. */
    ssize_t (*splice_receive)(int fdin, off_t *offin, int fdout, off_t *offout, size_t len,
                              unsigned int flags, void *userdata);

    /** Writes one message from a pipe, like splice(2). NULL: replies are not spliced. */
    ssize_t (*splice_send)(int fdin, off_t *offin, int fdout, off_t *offout, size_t len,
                           unsigned int flags, void *userdata);

#if FUSE_MINOR_VERSION > 14
    /**
     * Opens another descriptor for the same messages, for workers with one each. NULL: they share one.
     * Returns it, or -1 with errno set.
     */
    int (*clone_fd)(int master_fd);
#endif
};

/** Whether an entry goes away or only has to be looked up again. */
#if FUSE_MINOR_VERSION > 14
enum fuse_notify_entry_flags {
    /** It goes away. */
    FUSE_LL_INVALIDATE = 0,

#else
enum fuse_expire_flags {
#endif
    /** Look it up again. */
    FUSE_LL_EXPIRE_ONLY = (1 << 0)
};

/**
 * @name What setattr is to set
 * @{
 */
#define FUSE_SET_ATTR_MODE (1 << 0)       /**< st_mode */
#define FUSE_SET_ATTR_UID (1 << 1)        /**< st_uid */
#define FUSE_SET_ATTR_GID (1 << 2)        /**< st_gid */
#define FUSE_SET_ATTR_SIZE (1 << 3)       /**< st_size */
#define FUSE_SET_ATTR_ATIME (1 << 4)      /**< st_atim */
#define FUSE_SET_ATTR_MTIME (1 << 5)      /**< st_mtim */
#define FUSE_SET_ATTR_ATIME_NOW (1 << 7)  /**< the access time, to the current time */
#define FUSE_SET_ATTR_MTIME_NOW (1 << 8)  /**< the modification time, to the current time */
#define FUSE_SET_ATTR_FORCE (1 << 9)      /**< it must be done (kernel's own use) */
#define FUSE_SET_ATTR_CTIME (1 << 10)     /**< st_ctim */
#define FUSE_SET_ATTR_KILL_SUID (1 << 11) /**< the set-user-ID bit goes */
#define FUSE_SET_ATTR_KILL_SGID (1 << 12) /**< the set-group-ID bit goes */
#define FUSE_SET_ATTR_FILE (1 << 13)      /**< an open file is meant */
#define FUSE_SET_ATTR_KILL_PRIV (1 << 14) /**< file capabilities go */
#define FUSE_SET_ATTR_OPEN (1 << 15)      /**< truncation by open(2) */
#define FUSE_SET_ATTR_TIMES_SET (1 << 16) /**< the times are given, not current */
#define FUSE_SET_ATTR_TOUCH (1 << 17)     /**< both times, to the current time */
/** @} */

/**
 * The operations of a file system.
 *
 * Every operation but `init` and `destroy` gets a request and must reply to it exactly once: by the
 * function named here, or by fuse_reply_err() with an errno value. It may do so after it has
 * returned and from any other thread. Arguments that are pointers are valid until the operation
 * returns, no longer.
 *
 * An operation that is NULL is answered by ENOSYS, if nothing else is said; for many the kernel
 * then stops asking, and makes do without.
 *
 * A reply that tells of a node (fuse_reply_entry(), fuse_reply_create(), and the entries of
 * `readdirplus` except "." and "..") adds one to the lookup count of that node. The file system
 * keeps the node until `forget` has taken the count back to zero, also if it is removed meanwhile.
 */
struct fuse_lowlevel_ops {
    /**
     * The kernel says hello. No reply.
     *
     * @param userdata what fuse_session_new() was given
     * @param conn the connection; may be changed until the operation returns
     */
    void (*init)(void *userdata, struct fuse_conn_info *conn);

    /**
     * The session ends. No reply. The connection may be closed already.
     *
     * @param userdata what fuse_session_new() was given
     */
    void (*destroy)(void *userdata);

    /** Looks up a name in a directory. Reply: fuse_reply_entry(). */
    void (*lookup)(fuse_req_t req, fuse_ino_t parent, const char *name);

    /** Takes `nlookup` from the lookup count of a node. Reply: fuse_reply_none(). */
    void (*forget)(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup);

    /** Gets attributes. `fi` is NULL, or an open file. Reply: fuse_reply_attr(). */
    void (*getattr)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /**
     * Sets attributes. Reply: fuse_reply_attr(), with all of them.
     *
     * @param attr the new values
     * @param to_set FUSE_SET_ATTR_ bits: which fields of `attr` hold
     * @param fi NULL, or an open file, as by ftruncate(2)
     */
    void (*setattr)(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                    struct fuse_file_info *fi);

    /** Gets the target of a symbolic link. Reply: fuse_reply_readlink(). */
    void (*readlink)(fuse_req_t req, fuse_ino_t ino);

    /** Creates a file, device, FIFO or socket. Reply: fuse_reply_entry(). */
    void (*mknod)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);

    /** Creates a directory. Reply: fuse_reply_entry(). */
    void (*mkdir)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);

    /** Removes a name that is no directory. Reply: fuse_reply_err(), 0 for success. */
    void (*unlink)(fuse_req_t req, fuse_ino_t parent, const char *name);

    /** Removes a directory. Reply: fuse_reply_err(), 0 for success. */
    void (*rmdir)(fuse_req_t req, fuse_ino_t parent, const char *name);

    /** Creates a symbolic link with target `link`. Reply: fuse_reply_entry(). */
    void (*symlink)(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);

    /**
     * Renames. Reply: fuse_reply_err(), 0 for success.
     *
     * @param flags those of renameat2(2); refuse by EINVAL what is not supported
     */
    void (*rename)(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
                   const char *newname, unsigned int flags);

    /** Gives a node another name. Reply: fuse_reply_entry(). */
    void (*link)(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);

    /**
     * Opens a file. Reply: fuse_reply_open().
     *
     * `fi->flags` has the flags without O_CREAT, O_EXCL, O_NOCTTY, and without O_TRUNC if
     * FUSE_CAP_ATOMIC_O_TRUNC is off. `fi->fh` and the caching bits may be set. NULL: every open
     * succeeds.
     */
    void (*open)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /**
     * Reads. Reply: fuse_reply_buf(), fuse_reply_data() or fuse_reply_iov(), with all bytes asked
     * for, or fewer at end of file.
     */
    void (*read)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

    /** Writes. Reply: fuse_reply_write(). Not used if `write_buf` is there. */
    void (*write)(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                  struct fuse_file_info *fi);

    /**
     * A descriptor of an open file was closed, which can be the chance to report a late error; it
     * may come any number of times. Reply: fuse_reply_err(), 0 for success.
     */
    void (*flush)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /**
     * An open file is no longer used; comes once for each `open`. Reply: fuse_reply_err(), which no
     * program sees. NULL: answered by success.
     */
    void (*release)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /** Makes a file permanent; `datasync`: its data only. Reply: fuse_reply_err(). */
    void (*fsync)(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

    /** Opens a directory. Reply: fuse_reply_open(). NULL: every open succeeds. */
    void (*opendir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /**
     * Reads entries. Reply: fuse_reply_buf(), filled by fuse_add_direntry(), with no more than
     * `size` bytes; empty at the end.
     *
     * @param off 0, or the offset that an entry was added with: go on after that one
     */
    void (*readdir)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi);

    /** An open directory is no longer used. Like `release`. */
    void (*releasedir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

    /** Makes a directory permanent. Reply: fuse_reply_err(). */
    void (*fsyncdir)(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

    /** Gets statistics. `ino` can be 0. Reply: fuse_reply_statfs(). NULL: fixed values. */
    void (*statfs)(fuse_req_t req, fuse_ino_t ino);

    /** Sets an extended attribute. Reply: fuse_reply_err(). */
    void (*setxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                     size_t size, int flags);

    /**
     * Gets an extended attribute. Reply: fuse_reply_xattr() with its length if `size` is 0, else
     * fuse_reply_buf() with the value, or ERANGE if that is longer than `size`.
     */
    void (*getxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);

    /** Gets the names of all extended attributes, each with its NUL. Replies as in `getxattr`. */
    void (*listxattr)(fuse_req_t req, fuse_ino_t ino, size_t size);

    /** Removes an extended attribute. Reply: fuse_reply_err(). */
    void (*removexattr)(fuse_req_t req, fuse_ino_t ino, const char *name);

    /** Checks permission as access(2). Not called with `default_permissions`. Reply: fuse_reply_err(). */
    void (*access)(fuse_req_t req, fuse_ino_t ino, int mask);

    /** Creates a file and opens it. Reply: fuse_reply_create(). NULL: `mknod` and `open` are used. */
    void (*create)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                   struct fuse_file_info *fi);

    /** Tests for a POSIX lock. Reply: fuse_reply_lock(). NULL, with `setlk`: the kernel locks. */
    void (*getlk)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock);

    /** Takes or drops a POSIX lock; `sleep`: waits for it. Reply: fuse_reply_err(). */
    void (*setlk)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock,
                  int sleep);

    /** Finds the device block of block `idx`. Only for block devices. Reply: fuse_reply_bmap(). */
    void (*bmap)(fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t idx);

    /**
     * Does an ioctl. Reply: fuse_reply_ioctl(), fuse_reply_ioctl_iov() or, only if
     * FUSE_IOCTL_UNRESTRICTED is set, fuse_reply_ioctl_retry().
     *
     * @param cmd the command; an `int` before FUSE_USE_VERSION 35
     * @param arg the caller's argument
     * @param flags FUSE_IOCTL_ bits
     * @param in_buf what the caller passes in, `in_bufsz` bytes
     * @param out_bufsz how much the caller takes
     */
#if FUSE_USE_VERSION < 35
    void (*ioctl)(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg, struct fuse_file_info *fi,
                  unsigned flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#else
    void (*ioctl)(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
                  struct fuse_file_info *fi, unsigned flags, const void *in_buf, size_t in_bufsz,
                  size_t out_bufsz);
#endif

    /**
     * Says which events are ready. Reply: fuse_reply_poll().
     *
     * @param ph NULL, or the file system's from now on: when an event may have happened, pass it
     * to fuse_lowlevel_notify_poll(), then to fuse_pollhandle_destroy()
     */
    void (*poll)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
                 struct fuse_pollhandle *ph);

    /**
     * Writes, from a buffer vector that may hold a pipe. Reply: fuse_reply_write().
     *
     * @param bufv the data, to be taken by fuse_buf_copy(); valid until the operation returns
     */
    void (*write_buf)(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *bufv, off_t off,
                      struct fuse_file_info *fi);

    /**
     * Brings what fuse_lowlevel_notify_retrieve() asked for. Reply: fuse_reply_none().
     *
     * @param cookie what was given there
     * @param bufv the data, valid until the operation returns
     */
    void (*retrieve_reply)(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset,
                           struct fuse_bufvec *bufv);

    /** Does many `forget`. Reply: fuse_reply_none(). NULL: `forget` is called for each. */
    void (*forget_multi)(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);

    /** Takes or drops a flock(2) lock. Reply: fuse_reply_err(). NULL: the kernel locks. */
    void (*flock)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op);

    /** Allocates or frees space, as fallocate(2). Reply: fuse_reply_err(). */
    void (*fallocate)(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                      struct fuse_file_info *fi);

    /** Like `readdir`, with attributes. Reply: fuse_reply_buf(), filled by fuse_add_direntry_plus(). */
    void (*readdirplus)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                        struct fuse_file_info *fi);

    /** Copies from file to file, as copy_file_range(2). Reply: fuse_reply_write(). */
    void (*copy_file_range)(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
                            struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
                            struct fuse_file_info *fi_out, size_t len, int flags);

    /** Finds data or a hole. Reply: fuse_reply_lseek(). NULL: the whole file counts as data. */
    void (*lseek)(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
                  struct fuse_file_info *fi);

#if FUSE_MINOR_VERSION > 14
    /** Creates a file without a name and opens it. Reply: fuse_reply_create(). */
    void (*tmpfile)(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info *fi);

    /**
     * Gets attributes as statx(2): its flags, its mask. `fi` is NULL, or an open file. Reply:
     * fuse_reply_statx(). NULL: the kernel makes do with `getattr`.
     */
    void (*statx)(fuse_req_t req, fuse_ino_t ino, int flags, int mask, struct fuse_file_info *fi);

    /** Makes everything permanent, as syncfs(2). Reply: fuse_reply_err(). */
    void (*syncfs)(fuse_req_t req, fuse_ino_t ino);
#endif
};

/**
 * @name Replies
 *
 * Each of these ends the request, whatever it returns: the request must not be used again. They may
 * be called from every thread, and return 0, or -errno if the message could not be sent; -ENOENT
 * then means that nobody waits for it any more.
 * @{
 */

/**
 * Answers with an error, or with success where there is nothing else to say.
 *
 * @param req the request
 * @param err an errno value, positive; or 0
 */
int fuse_reply_err(fuse_req_t req, int err);

/**
 * Ends a request that has no answer: `forget`, `forget_multi`, `retrieve_reply`.
 *
 * @param req the request
 */
void fuse_reply_none(fuse_req_t req);

/**
 * Answers with a node: `lookup`, `mknod`, `mkdir`, `symlink`, `link`. If it fails with -ENOENT the
 * lookup does not count.
 *
 * @param req the request
 * @param e the node
 */
int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e);

/**
 * Answers with a node and an open file: `create`. If it fails with -ENOENT neither the lookup nor
 * the open file counts.
 *
 * @param req the request
 * @param e the node
 * @param fi the open file
 */
int fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *e,
                      const struct fuse_file_info *fi);

/**
 * Answers with attributes: `getattr`, `setattr`.
 *
 * @param req the request
 * @param attr the attributes
 * @param attr_timeout how long they stay valid, in seconds
 */
int fuse_reply_attr(fuse_req_t req, const struct stat *attr, double attr_timeout);

#if FUSE_MINOR_VERSION > 14
/**
 * Answers with attributes as statx(2) has them: `statx`.
 *
 * @param req the request
 * @param flags 0
 * @param statx the attributes
 * @param attr_timeout how long they stay valid, in seconds
 */
int fuse_reply_statx(fuse_req_t req, int flags, const struct statx *statx, double attr_timeout);
#endif

/**
 * Answers with the target of a symbolic link: `readlink`.
 *
 * @param req the request
 * @param link the target, NUL-terminated
 */
int fuse_reply_readlink(fuse_req_t req, const char *link);

/**
 * Answers with an open file: `open`, `opendir`. If it fails with -ENOENT the open file does not
 * count, and `release` will not come.
 *
 * @param req the request
 * @param fi the open file
 */
int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi);

/**
 * Answers with a number of bytes: `write`, `write_buf`, `copy_file_range`.
 *
 * @param req the request
 * @param count the number
 */
int fuse_reply_write(fuse_req_t req, size_t count);

/**
 * Answers with data: `read`, `readdir`, `readdirplus`, `getxattr`, `listxattr`.
 *
 * @param req the request
 * @param buf the data
 * @param size its length in bytes
 */
int fuse_reply_buf(fuse_req_t req, const char *buf, size_t size);

/**
 * Answers with data that may be in files, which are spliced where that can be done.
 *
 * The descriptors and the memory stay the caller's, and are not used after the call.
 *
 * @param req the request
 * @param bufv the data, from its position on
 * @param flags how it may be moved
 */
int fuse_reply_data(fuse_req_t req, struct fuse_bufvec *bufv, enum fuse_buf_copy_flags flags);

/**
 * Answers with data in several pieces.
 *
 * @param req the request
 * @param iov the pieces
 * @param count how many
 */
int fuse_reply_iov(fuse_req_t req, const struct iovec *iov, int count);

/**
 * Answers with statistics: `statfs`.
 *
 * @param req the request
 * @param stbuf the statistics
 */
int fuse_reply_statfs(fuse_req_t req, const struct statvfs *stbuf);

/**
 * Answers with the length of an extended attribute, or of their names: `getxattr`, `listxattr`.
 *
 * @param req the request
 * @param count the length in bytes
 */
int fuse_reply_xattr(fuse_req_t req, size_t count);

/**
 * Answers with a lock that is in the way, or with type F_UNLCK if none is: `getlk`.
 *
 * @param req the request
 * @param lock the lock
 */
int fuse_reply_lock(fuse_req_t req, const struct flock *lock);

/**
 * Answers with a block number: `bmap`.
 *
 * @param req the request
 * @param idx the block on the device
 */
int fuse_reply_bmap(fuse_req_t req, uint64_t idx);

/**
 * Asks for an ioctl to be repeated with the caller's memory at these places: `ioctl`.
 *
 * @param req the request
 * @param in_iov what to pass in
 * @param in_count how many pieces, up to FUSE_IOCTL_MAX_IOV
 * @param out_iov what can be written to
 * @param out_count how many pieces, up to FUSE_IOCTL_MAX_IOV
 */
int fuse_reply_ioctl_retry(fuse_req_t req, const struct iovec *in_iov, size_t in_count,
                           const struct iovec *out_iov, size_t out_count);

/**
 * Answers an ioctl: `ioctl`.
 *
 * @param req the request
 * @param result what ioctl(2) returns
 * @param buf data for the caller
 * @param size its length in bytes
 */
int fuse_reply_ioctl(fuse_req_t req, int result, const void *buf, size_t size);

/**
 * Answers an ioctl with data in several pieces: `ioctl`.
 *
 * @param req the request
 * @param result what ioctl(2) returns
 * @param iov the pieces
 * @param count how many
 */
int fuse_reply_ioctl_iov(fuse_req_t req, int result, const struct iovec *iov, int count);

/**
 * Answers with events: `poll`.
 *
 * @param req the request
 * @param revents POLL bits of those that are ready
 */
int fuse_reply_poll(fuse_req_t req, unsigned revents);

/**
 * Answers with a position: `lseek`.
 *
 * @param req the request
 * @param off the position
 */
int fuse_reply_lseek(fuse_req_t req, off_t off);

/** @} */

/**
 * Adds an entry to the answer to `readdir`.
 *
 * @param req the request
 * @param buf where it goes; may be NULL if `bufsize` is 0
 * @param bufsize the space left
 * @param name the name
 * @param stbuf `st_ino` and the type in `st_mode` are used
 * @param off the offset of the entry after this one
 * @return the space that the entry needs; if that is more than `bufsize` it was not added
 */
size_t fuse_add_direntry(fuse_req_t req, char *buf, size_t bufsize, const char *name,
                         const struct stat *stbuf, off_t off);

/**
 * Adds an entry to the answer to `readdirplus`.
 *
 * @param req the request
 * @param buf where it goes; may be NULL if `bufsize` is 0
 * @param bufsize the space left
 * @param name the name
 * @param e the node; with `ino` 0 the kernel looks it up by itself if need be
 * @param off the offset of the entry after this one
 * @return the space that the entry needs; if that is more than `bufsize` it was not added
 */
size_t fuse_add_direntry_plus(fuse_req_t req, char *buf, size_t bufsize, const char *name,
                              const struct fuse_entry_param *e, off_t off);

/**
 * @name Notifications
 *
 * Messages to the kernel that answer no request. They return 0 or -errno: -ENOENT if the kernel does
 * not know the node or the name, -ENOSYS if it does not know the notification. They may be called
 * from every thread, but not by a handler that is to answer a request about the same node or
 * directory: the kernel may hold a lock until it is answered.
 * @{
 */

/**
 * Says that the events of a `poll` may have happened.
 *
 * @param ph the handle; stays the caller's
 */
int fuse_lowlevel_notify_poll(struct fuse_pollhandle *ph);

/**
 * Drops cached attributes and data of a node.
 *
 * @param se the session
 * @param ino the node
 * @param off first byte of the data; negative: attributes only
 * @param len length of the data; 0 or less: to the end
 */
int fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len);

/**
 * Drops a cached name.
 *
 * @param se the session
 * @param parent the directory
 * @param name the name
 * @param namelen its length, as strlen(3)
 */
int fuse_lowlevel_notify_inval_entry(struct fuse_session *se, fuse_ino_t parent, const char *name,
                                     size_t namelen);

/**
 * Makes a cached name expire: it is looked up again when it is next used, and mounts below it stay.
 *
 * @param se the session
 * @param parent the directory
 * @param name the name
 * @param namelen its length, as strlen(3)
 *
 * Older headers have another parameter, `flags`: FUSE_LL_EXPIRE_ONLY; with 0 it does what
 * fuse_lowlevel_notify_inval_entry() does.
 */
#if FUSE_MINOR_VERSION > 14
int fuse_lowlevel_notify_expire_entry(struct fuse_session *se, fuse_ino_t parent, const char *name,
                                      size_t namelen);
#else
int fuse_lowlevel_notify_expire_entry(struct fuse_session *se, fuse_ino_t parent, const char *name,
                                      size_t namelen, enum fuse_expire_flags flags);
#endif

#if FUSE_MINOR_VERSION > 14
/**
 * Makes every name that is cached now expire.
 *
 * @param se the session
 */
int fuse_lowlevel_notify_increment_epoch(struct fuse_session *se);

/**
 * Asks the kernel to drop nodes from its cache, as far as they are not in use.
 *
 * @param se the session
 * @param nodeids the nodes
 * @param count how many
 */
int fuse_lowlevel_notify_prune(struct fuse_session *se, fuse_ino_t *nodeids, uint32_t count);
#endif

/**
 * Says that a name was removed: drops it, if it still stands for `child`, and tells those who watch.
 *
 * @param se the session
 * @param parent the directory
 * @param child the node it stood for
 * @param name the name
 * @param namelen its length, as strlen(3)
 */
int fuse_lowlevel_notify_delete(struct fuse_session *se, fuse_ino_t parent, fuse_ino_t child,
                                const char *name, size_t namelen);

/**
 * Puts data into the kernel's cache of a node.
 *
 * @param se the session
 * @param ino the node
 * @param offset where in the file
 * @param bufv the data
 * @param flags how it may be moved
 */
int fuse_lowlevel_notify_store(struct fuse_session *se, fuse_ino_t ino, off_t offset,
                               struct fuse_bufvec *bufv, enum fuse_buf_copy_flags flags);

/**
 * Asks for data from the kernel's cache of a node. It comes to `retrieve_reply`, as much as there is
 * from `offset` on without a gap.
 *
 * @param se the session
 * @param ino the node
 * @param size how much, in bytes
 * @param offset from where in the file
 * @param cookie handed to `retrieve_reply`
 */
int fuse_lowlevel_notify_retrieve(struct fuse_session *se, fuse_ino_t ino, size_t size,
                                  off_t offset, void *cookie);

/** @} */

/**
 * @name About a request
 *
 * Valid until the request is replied to.
 * @{
 */

/**
 * The session's user data.
 *
 * @param req the request
 * @return what fuse_session_new() was given
 */
void *fuse_req_userdata(fuse_req_t req);

/**
 * Who asks.
 *
 * @param req the request
 * @return owned by the request
 */
const struct fuse_ctx *fuse_req_ctx(fuse_req_t req);

/**
 * The supplementary groups of who asks, as they are now.
 *
 * @param req the request
 * @param size how many IDs fit into `list`
 * @param list receives the IDs
 * @return how many groups there are, which may be more than `size`; or -errno
 */
int fuse_req_getgroups(fuse_req_t req, int size, gid_t list[]);

/** Is told of an interrupt. It must not reply to the request, but can make the handler do so. */
typedef void (*fuse_interrupt_func_t)(fuse_req_t req, void *data);

/**
 * Has a function called when the request is interrupted, perhaps at once. It runs in any thread,
 * and never after the reply.
 *
 * @param req the request
 * @param func the function; NULL: none
 * @param data handed to it
 */
void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data);

/**
 * Whether the request was interrupted.
 *
 * @param req the request
 * @return 1 if so, else 0
 */
int fuse_req_interrupted(fuse_req_t req);

#if FUSE_MINOR_VERSION > 14
/**
 * How many security contexts the kernel sent with a request that creates a node.
 *
 * @param req the request
 * @return the number; 0 without FUSE_CAP_SECURITY_CTX
 */
uint32_t fuse_req_secctx_count(fuse_req_t req);

/**
 * Has fuse_req_secctx_next() begin again.
 *
 * @param req the request
 */
void fuse_req_secctx_reset(fuse_req_t req);

/**
 * The next security context: an extended attribute that the node is to have.
 *
 * @param req the request
 * @param name receives the name, which is the request's
 * @param value receives the value, which is the request's
 * @param value_len receives its length in bytes
 * @return 0; -ENOENT after the last; -EIO if the kernel sent nonsense
 */
int fuse_req_secctx_next(fuse_req_t req, const char **name, const char **value,
                         uint32_t *value_len);

/**
 * Whether the request came by io_uring.
 *
 * @param req the request
 * @return true if so
 */
bool fuse_req_is_uring(fuse_req_t req);

/**
 * Where the answer's data goes to. Who puts it there, and gives that address to the reply function,
 * spares a copy.
 *
 * @param req the request
 * @param payload receives the address
 * @param payload_sz receives how much fits there, in bytes
 * @param mr receives NULL
 * @return 0, or -EINVAL if there is no such place
 */
int fuse_req_get_payload(fuse_req_t req, char **payload, size_t *payload_sz, void **mr);

/**
 * Has the kernel read and write a file by itself: makes an open file one that
 * fuse_file_info::backing_id can name.
 *
 * It takes FUSE_CAP_PASSTHROUGH and CAP_SYS_ADMIN.
 *
 * @param req the request
 * @param fd the file; stays the caller's, and may be closed
 * @return the number, or 0 after a message
 */
int fuse_passthrough_open(fuse_req_t req, int fd);

/**
 * Gives such a number back. Files opened with it go on.
 *
 * @param req the request
 * @param backing_id the number
 * @return 0, or -1 after a message
 */
int fuse_passthrough_close(fuse_req_t req, int backing_id);
#endif

/** @} */

/**
 * @name Command line
 * @{
 */

/** Prints the library's version to standard output. */
void fuse_lowlevel_version(void);

/** Prints the options of fuse_session_new() to standard output. */
void fuse_lowlevel_help(void);

/** Prints the options of fuse_parse_cmdline() to standard output. */
void fuse_cmdline_help(void);

/** What fuse_parse_cmdline() finds. */
struct fuse_cmdline_opts {
    /** `-s`: one thread. */
    int singlethread;

    /** `-f`, or implied by `-d`: no daemon. */
    int foreground;

    /** `-d`, `-o debug`: debug output. */
    int debug;

    /** `fsname=` or `subtype=` was given. */
    int nodefault_subtype;

    /** Where to mount, from malloc(3), the caller's to free; NULL if not given. */
    char *mountpoint;

    /** `-V`, `--version`. */
    int show_version;

    /** `-h`, `--help`. */
    int show_help;

    /** `-o clone_fd`. */
    int clone_fd;

    /** `-o max_idle_threads=N`. */
    unsigned int max_idle_threads;

    /** `-o max_threads=N`. */
    unsigned int max_threads;
};

/**
 * Parses the options that most file systems share.
 *
 * `-h` and `-V` are only reported, for the caller to act on. Options of others stay.
 *
 * @param args the arguments, from which those that are known are removed
 * @param opts receives what was found
 * @return 0, or -1 after a message
 */
int fuse_parse_cmdline(struct fuse_args *args, struct fuse_cmdline_opts *opts);

/** @} */

/**
 * @name Sessions
 * @{
 */

/**
 * Makes a session.
 *
 * @param args options, from which those that are known are removed; any that is left is an error.
 * `argv[0]` is skipped.
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_lowlevel_ops)
 * @param userdata handed to `init` and `destroy`, and by fuse_req_userdata()
 * @return the session, or NULL after a message
 */
#if FUSE_MINOR_VERSION > 14
struct fuse_session *fuse_session_new_versioned(struct fuse_args *args,
                                                const struct fuse_lowlevel_ops *op, size_t op_size,
                                                const struct libfuse_version *version,
                                                void *userdata);

static inline struct fuse_session *fuse_session_new_fn(struct fuse_args *args,
                                                       const struct fuse_lowlevel_ops *op,
                                                       size_t op_size, void *userdata)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return fuse_session_new_versioned(args, op, op_size, &version, userdata);
}
#define fuse_session_new(args, op, op_size, userdata) \
    fuse_session_new_fn(args, op, op_size, userdata)
#else
struct fuse_session *fuse_session_new(struct fuse_args *args, const struct fuse_lowlevel_ops *op,
                                      size_t op_size, void *userdata);
#endif

/**
 * Lets the caller read and write the messages, instead of mounting.
 *
 * @param se the session
 * @param io the functions; copied. From FUSE_USE_VERSION 317 on, `op_size` follows:
 * sizeof(struct fuse_custom_io)
 * @param fd the descriptor they are called with, which belongs to the session from now on
 * @return 0, or -errno: -EBADF for a bad descriptor, -EINVAL for a missing function
 */
#if FUSE_MINOR_VERSION > 14
int fuse_session_custom_io_317(struct fuse_session *se, const struct fuse_custom_io *io,
                               size_t op_size, int fd);

#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 17)
static inline int fuse_session_custom_io(struct fuse_session *se, const struct fuse_custom_io *io,
                                         size_t op_size, int fd)
{
    return fuse_session_custom_io_317(se, io, op_size, fd);
}
#else
static inline int fuse_session_custom_io(struct fuse_session *se, const struct fuse_custom_io *io,
                                         int fd)
{
    return fuse_session_custom_io_317(se, io, offsetof(struct fuse_custom_io, clone_fd), fd);
}
#endif
#else
int fuse_session_custom_io(struct fuse_session *se, const struct fuse_custom_io *io, int fd);
#endif

/**
 * Mounts the file system.
 *
 * @param se the session
 * @param mountpoint where; "/dev/fd/N" stands for a descriptor that is mounted already
 * @return 0, or -1 after a message
 */
int fuse_session_mount(struct fuse_session *se, const char *mountpoint);

/**
 * Serves requests one after the other, until the file system is unmounted or the session ended.
 *
 * @param se the session
 * @return 0; the number of the signal that ended it; or -errno
 */
int fuse_session_loop(struct fuse_session *se);

/**
 * @fn fuse_session_loop_mt
 * Serves requests in several threads, until the file system is unmounted or the session ended.
 *
 * The second argument is, by FUSE_USE_VERSION: below 32 `int clone_fd`; below 312 a struct that the
 * caller fills; from 312 on one from fuse_loop_cfg_create(), or NULL for the defaults.
 *
 * @return 0; the number of the signal that ended it; or -errno
 */
#if FUSE_USE_VERSION < 32
int fuse_session_loop_mt_31(struct fuse_session *se, int clone_fd);
#define fuse_session_loop_mt(se, clone_fd) fuse_session_loop_mt_31(se, clone_fd)
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
int fuse_session_loop_mt_32(struct fuse_session *se, struct fuse_loop_config *config);
#define fuse_session_loop_mt(se, config) fuse_session_loop_mt_32(se, config)
#else
int fuse_session_loop_mt(struct fuse_session *se, struct fuse_loop_config *config);
#endif

/**
 * Makes the loops end. Safe to call from a signal handler and from every thread.
 *
 * @param se the session
 */
void fuse_session_exit(struct fuse_session *se);

/**
 * Takes back fuse_session_exit().
 *
 * @param se the session
 */
void fuse_session_reset(struct fuse_session *se);

/**
 * Whether the loops are to end.
 *
 * @param se the session
 * @return non-zero if so
 */
int fuse_session_exited(struct fuse_session *se);

/**
 * Unmounts the file system, if it is mounted. Requests under way fail.
 *
 * @param se the session
 */
void fuse_session_unmount(struct fuse_session *se);

/**
 * Frees a session that is not mounted, after a call of `destroy`.
 *
 * @param se the session
 */
void fuse_session_destroy(struct fuse_session *se);

#if FUSE_MINOR_VERSION > 14
/**
 * Shows every request and reply from now on.
 *
 * @param se the session
 */
void fuse_session_set_debug(struct fuse_session *se);

/**
 * Whether fuse_session_mount() waits for the `init` handler, where the kernel can do that. Without
 * this call it does so after fuse_daemonize_early_start() went into the background.
 *
 * @param se the session, not mounted yet
 * @param enable whether it waits
 */
void fuse_session_set_sync_init(struct fuse_session *se, bool enable);

/** Called when the time of a watchdog is over. */
typedef void (*fuse_timeout_cb)(void *data);

/**
 * Ends the process if it does not end by itself once the kernel has closed the connection.
 *
 * @param se the session, mounted
 * @param timeout_sec how long to wait after that
 * @param cb called then, in a thread of the library's; NULL: the process exits with status 1
 * @param cb_data handed to it
 * @return for fuse_session_stop_teardown_watchdog(); NULL after a message
 */
void *fuse_session_start_teardown_watchdog(struct fuse_session *se, int timeout_sec,
                                           fuse_timeout_cb cb, void *cb_data);

/**
 * Stops a watchdog, before or after its session is destroyed.
 *
 * @param data from fuse_session_start_teardown_watchdog(), or NULL
 */
void fuse_session_stop_teardown_watchdog(void *data);
#endif

/** @} */

/**
 * @name Loops of the caller's own
 * @{
 */

/**
 * The descriptor that requests come from: for poll(2), not for reading.
 *
 * @param se the session
 * @return the descriptor; it stays the session's
 */
int fuse_session_fd(FUSE_CONST struct fuse_session *se);

/**
 * Serves a request. Errors are answered to the kernel.
 *
 * @param se the session
 * @param buf from fuse_session_receive_buf()
 */
void fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf);

/**
 * Reads a request.
 *
 * @param se the session
 * @param buf set to zero before the first call. Memory that the library puts there is used again by
 * later calls and is the caller's to free by free(3).
 * @return its length in bytes; 0 if the session is to end; -EINTR, -EAGAIN or another -errno
 */
int fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* FUSE_LOWLEVEL_H_ */
