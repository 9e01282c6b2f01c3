/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The low-level interface: a file system answers the kernel's requests about nodes.
 *
 * Define FUSE_USE_VERSION before including this file, to the interface version the program was
 * written for: 24, 25, or 26 to 29. Without it that is 24.
 */

#ifndef _FUSE_LOWLEVEL_H_
#define _FUSE_LOWLEVEL_H_

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 24
#endif

#include "fuse_common.h"

#include <fcntl.h>
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
typedef unsigned long fuse_ino_t;

/** A request. It lives until it is replied to. */
typedef struct fuse_req *fuse_req_t;

/** A session: what serves the requests of one file system. */
struct fuse_session;

/** A channel: what the requests of a session come from, and its replies go to. */
struct fuse_chan;

/** A node, as fuse_reply_entry() and fuse_reply_create() tell of it. */
struct fuse_entry_param {
    /** Node number. 0 in a reply to `lookup`: no such name, which may be cached. */
    fuse_ino_t ino;

    /** With `ino` it must be unique for the life of the file system, if that is exported by NFS. */
    unsigned long generation;

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
    uint64_t ino;

    /** How many lookups to subtract. */
    uint64_t nlookup;
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
 * A reply that tells of a node (fuse_reply_entry(), fuse_reply_create()) adds one to the lookup count
 * of that node. The file system keeps the node until `forget` has taken the count back to zero, also
 * if it is removed meanwhile.
 */
struct fuse_lowlevel_ops {
    /**
     * The kernel says hello. No reply.
     *
     * @param userdata what fuse_lowlevel_new() was given
     * @param conn the connection; may be changed until the operation returns
     */
    void (*init)(void *userdata, struct fuse_conn_info *conn);

    /**
     * The session ends. No reply. The connection may be closed already.
     *
     * @param userdata what fuse_lowlevel_new() was given
     */
    void (*destroy)(void *userdata);

    /** Looks up a name in a directory. Reply: fuse_reply_entry(). */
    void (*lookup)(fuse_req_t req, fuse_ino_t parent, const char *name);

    /** Takes `nlookup` from the lookup count of a node. Reply: fuse_reply_none(). */
    void (*forget)(fuse_req_t req, fuse_ino_t ino, unsigned long nlookup);

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

    /** Renames. Reply: fuse_reply_err(), 0 for success. */
    void (*rename)(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
                   const char *newname);

    /** Gives a node another name. Reply: fuse_reply_entry(). */
    void (*link)(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);

    /**
     * Opens a file. Reply: fuse_reply_open().
     *
     * `fi->flags` has the flags without O_CREAT, O_EXCL, O_NOCTTY, and without O_TRUNC
     * unless FUSE_CAP_ATOMIC_O_TRUNC is on. `fi->fh` and the caching bits may be set. NULL: every open
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
     * @param cmd the command
     * @param arg the caller's argument
     * @param flags FUSE_IOCTL_ bits
     * @param in_buf what the caller passes in, `in_bufsz` bytes
     * @param out_bufsz how much the caller takes
     */
    void (*ioctl)(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg, struct fuse_file_info *fi,
                  unsigned flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz);

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
 * Answers with a number of bytes: `write`, `write_buf`.
 *
 * @param req the request
 * @param count the number
 */
int fuse_reply_write(fuse_req_t req, size_t count);

/**
 * Answers with data: `read`, `readdir`, `getxattr`, `listxattr`.
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
 * @name Notifications
 *
 * Messages to the kernel that answer no request. They return 0 or -errno: -ENOENT if the kernel does
 * not know the node or the name, -ENOSYS if it does not know the notification, -EINVAL
 * for no channel. They may be called
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
 * @param ch the channel of the file system
 * @param ino the node
 * @param off first byte of the data; negative: attributes only
 * @param len length of the data; 0 or less: to the end
 */
int fuse_lowlevel_notify_inval_inode(struct fuse_chan *ch, fuse_ino_t ino, off_t off, off_t len);

/**
 * Drops a cached name.
 *
 * @param ch the channel of the file system
 * @param parent the directory
 * @param name the name
 * @param namelen its length, as strlen(3)
 */
int fuse_lowlevel_notify_inval_entry(struct fuse_chan *ch, fuse_ino_t parent, const char *name,
                                     size_t namelen);

/**
 * Says that a name was removed: drops it, if it still stands for `child`, and tells those who watch.
 *
 * @param ch the channel of the file system
 * @param parent the directory
 * @param child the node it stood for
 * @param name the name
 * @param namelen its length, as strlen(3)
 */
int fuse_lowlevel_notify_delete(struct fuse_chan *ch, fuse_ino_t parent, fuse_ino_t child,
                                const char *name, size_t namelen);

/**
 * Puts data into the kernel's cache of a node.
 *
 * @param ch the channel of the file system
 * @param ino the node
 * @param offset where in the file
 * @param bufv the data
 * @param flags how it may be moved
 */
int fuse_lowlevel_notify_store(struct fuse_chan *ch, fuse_ino_t ino, off_t offset,
                               struct fuse_bufvec *bufv, enum fuse_buf_copy_flags flags);

/**
 * Asks for data from the kernel's cache of a node. It comes to `retrieve_reply`, as much as there is
 * from `offset` on without a gap.
 *
 * @param ch the channel of the file system
 * @param ino the node
 * @param size how much, in bytes
 * @param offset from where in the file
 * @param cookie handed to `retrieve_reply`
 */
int fuse_lowlevel_notify_retrieve(struct fuse_chan *ch, fuse_ino_t ino, size_t size,
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
 * @return what fuse_lowlevel_new() was given
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

/** @} */

/**
 * Makes a session. It serves nothing until it has a channel.
 *
 * @param args options, from which those that are known are removed; any that is left is an error.
 * `argv[0]` is skipped.
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_lowlevel_ops)
 * @param userdata handed to `init` and `destroy`, and by fuse_req_userdata()
 * @return the session, or NULL after a message
 */
struct fuse_session *fuse_lowlevel_new(struct fuse_args *args, const struct fuse_lowlevel_ops *op,
                                       size_t op_size, void *userdata);

/**
 * Whether the library knows an option.
 *
 * @param opt the option, without `-o`
 * @return 1 if so, else 0
 */
int fuse_lowlevel_is_lib_option(const char *opt);

/**
 * @name Sessions
 * @{
 */

/** What a session does with what its channel brings. */
struct fuse_session_ops {
    /** Serves a request. The channel is the one it came from. */
    void (*process)(void *data, const char *buf, size_t len, struct fuse_chan *ch);

    /** Sets whether the session is to end: 1 or 0. NULL: the session keeps that itself. */
    void (*exit)(void *data, int val);

    /** Whether it is to end. NULL: the session keeps that itself. */
    int (*exited)(void *data);

    /** Frees the data. May be NULL. */
    void (*destroy)(void *data);
};

/**
 * Makes a session with operations of the caller's own. That of fuse_lowlevel_new() has the library's.
 *
 * @param op the operations; copied
 * @param data handed to them
 * @return the session, or NULL if memory ran out
 */
struct fuse_session *fuse_session_new(struct fuse_session_ops *op, void *data);

/**
 * Gives a session a channel. It can have one at a time, and a channel one session.
 *
 * @param se the session
 * @param ch the channel; destroyed with the session
 */
void fuse_session_add_chan(struct fuse_session *se, struct fuse_chan *ch);

/**
 * Takes the channel away again.
 *
 * @param ch the channel, the caller's from now on
 */
void fuse_session_remove_chan(struct fuse_chan *ch);

/**
 * The channel of a session.
 *
 * @param se the session
 * @param ch NULL; or the one that was returned last
 * @return the channel; NULL if there is none, or no other
 */
struct fuse_chan *fuse_session_next_chan(struct fuse_session *se, struct fuse_chan *ch);

/**
 * Serves a request. Errors are answered to the kernel.
 *
 * @param se the session
 * @param buf the request; only read
 * @param len its length in bytes
 * @param ch the channel that it came from
 */
void fuse_session_process(struct fuse_session *se, const char *buf, size_t len,
                          struct fuse_chan *ch);

/**
 * Serves a request that may still be in a pipe.
 *
 * @param se the session
 * @param buf from fuse_session_receive_buf()
 * @param ch the channel that it came from
 */
void fuse_session_process_buf(struct fuse_session *se, const struct fuse_buf *buf,
                              struct fuse_chan *ch);

/**
 * Reads a request, perhaps into a pipe.
 *
 * @param se the session
 * @param buf with memory of the caller's and its size, at least fuse_chan_bufsize(). Becomes the
 * request, which is either in this memory or, without `mem`, in a pipe of the library's.
 * @param chp the channel; may be changed
 * @return its length in bytes; 0 if the session is to end; -EINTR, -EAGAIN or another -errno
 */
int fuse_session_receive_buf(struct fuse_session *se, struct fuse_buf *buf,
                             struct fuse_chan **chp);

/**
 * Frees a session, after a call of `destroy`, and destroys its channel.
 *
 * @param se the session
 */
void fuse_session_destroy(struct fuse_session *se);

/**
 * Makes the loops end, at the next request.
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
 * What the session's operations get.
 *
 * @param se the session
 * @return the user data of fuse_session_new()
 */
void *fuse_session_data(struct fuse_session *se);

/**
 * Serves requests one after the other, until the file system is unmounted or the session ended.
 *
 * @param se the session
 * @return 0, or -1
 */
int fuse_session_loop(struct fuse_session *se);

/**
 * Serves requests in several threads, until the file system is unmounted or the session ended.
 *
 * @param se the session
 * @return 0, or -1
 */
int fuse_session_loop_mt(struct fuse_session *se);

/** @} */

/**
 * @name Channels
 * @{
 */

/** How a channel reads and writes. */
struct fuse_chan_ops {
    /**
     * Reads a request.
     *
     * @param chp the channel; may be changed to the one that the request came from
     * @param buf where it goes
     * @param size the space
     * @return its length; 0 if the session is to end; -EINTR, -EAGAIN or another -errno
     */
    int (*receive)(struct fuse_chan **chp, char *buf, size_t size);

    /**
     * Writes a reply or a notification, whole.
     *
     * @param iov the pieces; NULL, with a `count` of 0: there will be no reply
     * @return 0, or -errno
     */
    int (*send)(struct fuse_chan *ch, const struct iovec iov[], size_t count);

    /** The channel is destroyed: closes the descriptor, frees the data. May be NULL. */
    void (*destroy)(struct fuse_chan *ch);
};

/**
 * Makes a channel with operations of the caller's own. That of fuse_mount() has the library's.
 *
 * @param op the operations; copied
 * @param fd returned by fuse_chan_fd(); may be -1
 * @param bufsize returned by fuse_chan_bufsize(): the space that a request may need
 * @param data returned by fuse_chan_data()
 * @return the channel, or NULL if memory ran out
 */
struct fuse_chan *fuse_chan_new(struct fuse_chan_ops *op, int fd, size_t bufsize, void *data);

/**
 * The descriptor that requests come from: for poll(2), and to splice whole replies to.
 *
 * @param ch the channel
 * @return the descriptor; it stays the channel's
 */
int fuse_chan_fd(struct fuse_chan *ch);

/**
 * The space that a request may need.
 *
 * @param ch the channel
 * @return the space in bytes
 */
size_t fuse_chan_bufsize(struct fuse_chan *ch);

/**
 * The data of a channel.
 *
 * @param ch the channel
 * @return what fuse_chan_new() was given
 */
void *fuse_chan_data(struct fuse_chan *ch);

/**
 * The session of a channel.
 *
 * @param ch the channel
 * @return the session, or NULL
 */
struct fuse_session *fuse_chan_session(struct fuse_chan *ch);

/**
 * Reads a request.
 *
 * @param ch the channel; may be changed
 * @param buf where it goes
 * @param size the space, at least fuse_chan_bufsize()
 * @return its length in bytes; 0 if the session is to end; -EINTR, -EAGAIN or another -errno
 */
int fuse_chan_recv(struct fuse_chan **ch, char *buf, size_t size);

/**
 * Writes a reply or a notification.
 *
 * @param ch the channel
 * @param iov the pieces
 * @param count how many
 * @return 0, or -errno
 */
int fuse_chan_send(struct fuse_chan *ch, const struct iovec iov[], size_t count);

/**
 * Destroys a channel. One that belongs to a session is taken away from it.
 *
 * @param ch the channel
 */
void fuse_chan_destroy(struct fuse_chan *ch);

/** @} */

#ifdef __cplusplus
}
#endif

/* Older interfaces: the names of today stand for the functions of then. */
#if FUSE_USE_VERSION < 26
#include "fuse_lowlevel_compat.h"
#define fuse_chan_ops fuse_chan_ops_compat24
#define fuse_chan_new fuse_chan_new_compat24
#if FUSE_USE_VERSION == 25
#define fuse_lowlevel_ops fuse_lowlevel_ops_compat25
#define fuse_lowlevel_new fuse_lowlevel_new_compat25
#elif FUSE_USE_VERSION == 24
#define fuse_lowlevel_ops fuse_lowlevel_ops_compat
#define fuse_lowlevel_new fuse_lowlevel_new_compat
#define fuse_file_info fuse_file_info_compat
#define fuse_reply_statfs fuse_reply_statfs_compat
#define fuse_reply_open fuse_reply_open_compat
#else
#error "the low-level interface is not older than FUSE_USE_VERSION 24"
#endif
#endif

#endif /* _FUSE_LOWLEVEL_H_ */
