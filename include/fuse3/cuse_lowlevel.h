/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * Character devices in user space: the low-level interface with a device in place of a mount point.
 *
 * Define FUSE_USE_VERSION before including this file, as for fuse_lowlevel.h.
 */

#ifndef CUSE_LOWLEVEL_H_
#define CUSE_LOWLEVEL_H_

#include "fuse_lowlevel.h"

#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flag in cuse_info::flags: `ioctl` may reach any memory of the caller. */
#define CUSE_UNRESTRICTED_IOCTL (1 << 0)

struct fuse_session;

/** The device. */
struct cuse_info {
    /** Major number; 0: the kernel chooses. */
    unsigned dev_major;

    /** Minor number. */
    unsigned dev_minor;

    /** How many strings `dev_info_argv` has. */
    unsigned dev_info_argc;

    /** What the kernel is told of the device, as "DEVNAME=name". */
    const char **dev_info_argv;

    /** CUSE_ flags. */
    unsigned flags;
};

/**
 * The operations of a device. They are those of `struct fuse_lowlevel_ops`, with the same replies,
 * but know no node.
 */
struct cuse_lowlevel_ops {
    /** As in a file system. */
    void (*init)(void *userdata, struct fuse_conn_info *conn);

    /** The device is there. No reply. */
    void (*init_done)(void *userdata);

    /** As in a file system. */
    void (*destroy)(void *userdata);

    /** Reply: fuse_reply_open(). */
    void (*open)(fuse_req_t req, struct fuse_file_info *fi);

    /** Reply: fuse_reply_buf(). The position has no meaning. */
    void (*read)(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi);

    /** Reply: fuse_reply_write(). The position has no meaning. */
    void (*write)(fuse_req_t req, const char *buf, size_t size, off_t off,
                  struct fuse_file_info *fi);

    /** Reply: fuse_reply_err(). */
    void (*flush)(fuse_req_t req, struct fuse_file_info *fi);

    /** Reply: fuse_reply_err(). */
    void (*release)(fuse_req_t req, struct fuse_file_info *fi);

    /** Reply: fuse_reply_err(). */
    void (*fsync)(fuse_req_t req, int datasync, struct fuse_file_info *fi);

    /** Reply: fuse_reply_ioctl(), fuse_reply_ioctl_retry(). */
#if FUSE_MINOR_VERSION > 14 && FUSE_USE_VERSION >= 319
    void (*ioctl)(fuse_req_t req, unsigned int cmd, void *arg, struct fuse_file_info *fi,
                  unsigned int flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#else
    void (*ioctl)(fuse_req_t req, int cmd, void *arg, struct fuse_file_info *fi,
                  unsigned int flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz);
#endif

    /** Reply: fuse_reply_poll(). */
    void (*poll)(fuse_req_t req, struct fuse_file_info *fi, struct fuse_pollhandle *ph);
};

/**
 * Makes the session of a device.
 *
 * @param args options, from which those that are known are removed
 * @param ci the device; copied
 * @param clop the operations; copied
 * @param userdata handed to `init`, `init_done` and `destroy`
 * @return the session, or NULL after a message
 */
#if FUSE_MINOR_VERSION > 14
struct fuse_session *cuse_lowlevel_new_319(struct fuse_args *args, const struct cuse_info *ci,
                                           const struct cuse_lowlevel_ops *clop, size_t clop_size,
                                           const struct libfuse_version *version, void *userdata);

static inline struct fuse_session *cuse_lowlevel_new_fn(struct fuse_args *args,
                                                        const struct cuse_info *ci,
                                                        const struct cuse_lowlevel_ops *clop,
                                                        void *userdata)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return cuse_lowlevel_new_319(args, ci, clop, sizeof(*clop), &version, userdata);
}
#define cuse_lowlevel_new(args, ci, clop, userdata) cuse_lowlevel_new_fn(args, ci, clop, userdata)
#else
struct fuse_session *cuse_lowlevel_new(struct fuse_args *args, const struct cuse_info *ci,
                                       const struct cuse_lowlevel_ops *clop, void *userdata);
#endif

/**
 * Parses a command line, makes the session, creates the device and becomes a daemon.
 *
 * @param argc,argv from main()
 * @param ci the device
 * @param clop the operations
 * @param multithreaded receives 0 if `-s` was given, else 1
 * @param userdata handed to the operations
 * @return the session, or NULL after a message
 */
#if FUSE_MINOR_VERSION > 14
struct fuse_session *cuse_lowlevel_setup_319(int argc, char *argv[], const struct cuse_info *ci,
                                             const struct cuse_lowlevel_ops *clop,
                                             size_t clop_size,
                                             const struct libfuse_version *version,
                                             int *multithreaded, void *userdata);

static inline struct fuse_session *cuse_lowlevel_setup_fn(int argc, char *argv[],
                                                          const struct cuse_info *ci,
                                                          const struct cuse_lowlevel_ops *clop,
                                                          int *multithreaded, void *userdata)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return cuse_lowlevel_setup_319(argc, argv, ci, clop, sizeof(*clop), &version, multithreaded,
                                   userdata);
}
#define cuse_lowlevel_setup(argc, argv, ci, clop, multithreaded, userdata) \
    cuse_lowlevel_setup_fn(argc, argv, ci, clop, multithreaded, userdata)
#else
struct fuse_session *cuse_lowlevel_setup(int argc, char *argv[], const struct cuse_info *ci,
                                         const struct cuse_lowlevel_ops *clop, int *multithreaded,
                                         void *userdata);
#endif

/**
 * Ends what cuse_lowlevel_setup() began.
 *
 * @param se the session
 */
void cuse_lowlevel_teardown(struct fuse_session *se);

/**
 * Does all that a device's main() has to do.
 *
 * @param argc,argv from main()
 * @param ci the device
 * @param clop the operations
 * @param userdata handed to the operations
 * @return an exit status
 */
#if FUSE_MINOR_VERSION > 14
int cuse_lowlevel_main_319(int argc, char *argv[], const struct cuse_info *ci,
                           const struct cuse_lowlevel_ops *clop, size_t clop_size,
                           const struct libfuse_version *version, void *userdata);

static inline int cuse_lowlevel_main_fn(int argc, char *argv[], const struct cuse_info *ci,
                                        const struct cuse_lowlevel_ops *clop, void *userdata)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return cuse_lowlevel_main_319(argc, argv, ci, clop, sizeof(*clop), &version, userdata);
}
#define cuse_lowlevel_main(argc, argv, ci, clop, userdata) \
    cuse_lowlevel_main_fn(argc, argv, ci, clop, userdata)
#else
int cuse_lowlevel_main(int argc, char *argv[], const struct cuse_info *ci,
                       const struct cuse_lowlevel_ops *clop, void *userdata);
#endif

#ifdef __cplusplus
}
#endif

#endif /* CUSE_LOWLEVEL_H_ */
