/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * What interfaces before 2.6 had in fuse_lowlevel.h. Included there; a program uses the plain names,
 * which FUSE_USE_VERSION turns into these. The operations do what those of the same name do today,
 * with what is missing in their arguments.
 */

#ifndef _FUSE_LOWLEVEL_COMPAT_H_
#define _FUSE_LOWLEVEL_COMPAT_H_

#include <sys/statfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The operations of interface 2.5. */
struct fuse_lowlevel_ops_compat25 {
    void (*init)(void *userdata);
    void (*destroy)(void *userdata);
    void (*lookup)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*forget)(fuse_req_t req, fuse_ino_t ino, unsigned long nlookup);
    void (*getattr)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*setattr)(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                    struct fuse_file_info *fi);
    void (*readlink)(fuse_req_t req, fuse_ino_t ino);
    void (*mknod)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
    void (*mkdir)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
    void (*unlink)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*rmdir)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*symlink)(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);
    void (*rename)(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
                   const char *newname);
    void (*link)(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);
    void (*open)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*read)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
    void (*write)(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                  struct fuse_file_info *fi);
    void (*flush)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*release)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*fsync)(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
    void (*opendir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*readdir)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi);
    void (*releasedir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
    void (*fsyncdir)(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
    void (*statfs)(fuse_req_t req);
    void (*setxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                     size_t size, int flags);
    void (*getxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
    void (*listxattr)(fuse_req_t req, fuse_ino_t ino, size_t size);
    void (*removexattr)(fuse_req_t req, fuse_ino_t ino, const char *name);
    void (*access)(fuse_req_t req, fuse_ino_t ino, int mask);
    void (*create)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                   struct fuse_file_info *fi);
};

/** What fuse_lowlevel_new() is for interface 2.5. */
struct fuse_session *fuse_lowlevel_new_compat25(struct fuse_args *args,
                                                const struct fuse_lowlevel_ops_compat25 *op,
                                                size_t op_size, void *userdata);

/** The operations of interface 2.4. */
struct fuse_lowlevel_ops_compat {
    void (*init)(void *userdata);
    void (*destroy)(void *userdata);
    void (*lookup)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*forget)(fuse_req_t req, fuse_ino_t ino, unsigned long nlookup);
    void (*getattr)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*setattr)(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                    struct fuse_file_info_compat *fi);
    void (*readlink)(fuse_req_t req, fuse_ino_t ino);
    void (*mknod)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
    void (*mkdir)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
    void (*unlink)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*rmdir)(fuse_req_t req, fuse_ino_t parent, const char *name);
    void (*symlink)(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);
    void (*rename)(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
                   const char *newname);
    void (*link)(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname);
    void (*open)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*read)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                 struct fuse_file_info_compat *fi);
    void (*write)(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                  struct fuse_file_info_compat *fi);
    void (*flush)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*release)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*fsync)(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info_compat *fi);
    void (*opendir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*readdir)(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info_compat *fi);
    void (*releasedir)(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info_compat *fi);
    void (*fsyncdir)(fuse_req_t req, fuse_ino_t ino, int datasync,
                     struct fuse_file_info_compat *fi);
    void (*statfs)(fuse_req_t req);
    void (*setxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                     size_t size, int flags);
    void (*getxattr)(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
    void (*listxattr)(fuse_req_t req, fuse_ino_t ino, size_t size);
    void (*removexattr)(fuse_req_t req, fuse_ino_t ino, const char *name);
    void (*access)(fuse_req_t req, fuse_ino_t ino, int mask);
    void (*create)(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                   struct fuse_file_info_compat *fi);
};

/** What fuse_lowlevel_new() is for interface 2.4: the options have commas between them, or are NULL. */
struct fuse_session *fuse_lowlevel_new_compat(const char *opts,
                                              const struct fuse_lowlevel_ops_compat *op,
                                              size_t op_size, void *userdata);

/** What fuse_reply_open() is for interface 2.4. */
int fuse_reply_open_compat(fuse_req_t req, const struct fuse_file_info_compat *fi);

/** What fuse_reply_statfs() is for interface 2.4. */
int fuse_reply_statfs_compat(fuse_req_t req, const struct statfs *stbuf);

/**
 * The space that an entry needs.
 *
 * @param namelen length of the name, as strlen(3)
 * @return the space in bytes
 */
size_t fuse_dirent_size(size_t namelen);

/**
 * Adds an entry to a buffer that has the space for it.
 *
 * @param buf where it goes
 * @param name the name
 * @param stbuf `st_ino` and the type in `st_mode` are used
 * @param off the offset of the entry after this one
 * @return where the next entry goes
 */
char *fuse_add_dirent(char *buf, const char *name, const struct stat *stbuf, off_t off);

/** The operations of a channel, for interfaces before 2.6. */
struct fuse_chan_ops_compat24 {
    int (*receive)(struct fuse_chan *ch, char *buf, size_t size);
    int (*send)(struct fuse_chan *ch, const struct iovec iov[], size_t count);
    void (*destroy)(struct fuse_chan *ch);
};

/** What fuse_chan_new() is for interfaces before 2.6. */
struct fuse_chan *fuse_chan_new_compat24(struct fuse_chan_ops_compat24 *op, int fd, size_t bufsize,
                                         void *data);

/**
 * Reads a request.
 *
 * @param ch the channel
 * @param buf where it goes
 * @param size the space, at least fuse_chan_bufsize()
 * @return its length in bytes; 0 if there is none or the session is to end; -1 for an error
 */
int fuse_chan_receive(struct fuse_chan *ch, char *buf, size_t size);

/**
 * Makes a channel that reads and writes a device.
 *
 * @param fd the descriptor; closed with the channel
 * @return the channel, or NULL after a message
 */
struct fuse_chan *fuse_kern_chan_new(int fd);

#ifdef __cplusplus
}
#endif

#endif /* _FUSE_LOWLEVEL_COMPAT_H_ */
