/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * File systems that a service manager starts for a socket, and that a helper on its other end mounts for
 * them (libfuse's fuservicemount3). Functions that return int return 0 or a negative errno, with a message.
 */

#ifndef FUSE_SERVICE_H_
#define FUSE_SERVICE_H_

#ifndef FUSE_USE_VERSION
#error "FUSE_USE_VERSION is not defined: define it to the interface version this program was written for"
#endif

#if !defined(FUSE_H_) && !defined(FUSE_LOWLEVEL_H_)
#include "fuse_lowlevel.h"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 19)

/** A service. */
struct fuse_service;
struct fuse_session;
struct fuse_cmdline_opts;

/** Do not complain of a file that is not there. */
#define FUSE_SERVICE_REQUEST_FILE_QUIET (1U << 0)

/**
 * Greets the helper, if the program was started as a service.
 *
 * @param sfp receives the service, for fuse_service_destroy(), or NULL if there is none or this failed
 * @return 0 in both cases, or a negative errno
 */
int fuse_service_accept(struct fuse_service **sfp);

/** Whether there is one. */
static inline bool fuse_service_accepted(const struct fuse_service *sf)
{
    return sf != NULL;
}

/** Whether the helper may mount with `allow_other`. */
bool fuse_service_can_allow_other(const struct fuse_service *sf);

/** Whether the helper may mount block devices. */
bool fuse_service_can_fuseblk(const struct fuse_service *sf);

/** Hangs up, and closes what was not taken. */
void fuse_service_release(struct fuse_service *sf);

/** The same, and frees the service; `*sfp` becomes NULL, and may be so already. */
void fuse_service_destroy(struct fuse_service **sfp);

/** Adds the arguments that the helper was called with; the first becomes the type it was asked for. Once. */
int fuse_service_append_args(struct fuse_service *sf, struct fuse_args *args);

/** The arguments as one string, from malloc(3). */
char *fuse_service_cmdline(int argc, const char *const *argv, struct fuse_args *args);

/** Parses the arguments as fuse_parse_cmdline(), but leaves the mount point as it was given. Returns 0 or -1. */
int fuse_service_parse_cmdline_opts(struct fuse_args *args, struct fuse_cmdline_opts *opts);

/** Asks the helper to open a file, for fuse_service_receive_file(). */
int fuse_service_request_file(const struct fuse_service *sf, const char *path, int open_flags,
                              mode_t create_mode, unsigned int request_flags);

/** Asks the helper to open a block device. */
int fuse_service_request_blockdev(const struct fuse_service *sf, const char *path, int open_flags,
                                  mode_t create_mode, unsigned int request_flags,
                                  unsigned int block_size);

/**
 * Receives the file that was asked for last.
 *
 * @param fdp receives its descriptor, which is the caller's then, or the negative errno that the helper got
 * @return 0 in both cases, or a negative errno if the helper sent something else
 */
int fuse_service_receive_file(const struct fuse_service *sf, const char *path, int *fdp);

/** Says that no more files will be asked for. */
int fuse_service_finish_file_requests(const struct fuse_service *sf);

/** Says what the mount point must be: S_IFDIR, S_IFREG, or 0 for anything. */
void fuse_service_expect_mount_format(struct fuse_service *sf, mode_t expected_fmt);

/**
 * Gives the session the device, and has the helper mount it on `opts->mountpoint`. Changes to the directory
 * `/`, and sets `opts->foreground`.
 */
int fuse_service_session_mount(struct fuse_service *sf, struct fuse_session *se,
                               mode_t expected_fmt, struct fuse_cmdline_opts *opts);

/** Tells the helper how starting ended, and hangs up. Does nothing the second time. */
int fuse_service_send_goodbye(struct fuse_service *sf, int exitcode);

/**
 * The exit status of a service. Waits for two seconds if the program is one, so that the manager finds out
 * whose its last messages were.
 *
 * @param ret what the program would exit with
 * @return what it shall exit with
 */
int fuse_service_exit(int ret);

#endif

#ifdef __cplusplus
}
#endif

#endif /* FUSE_SERVICE_H_ */
