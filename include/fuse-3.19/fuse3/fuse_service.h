/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * File systems that a service manager starts, and that a helper mounts for them.
 *
 * The library has no such helper: fuse_service_accept() finds no service, and the program goes on as
 * one that was started by hand. Everything else answers -EOPNOTSUPP.
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
 * Finds the service that the program was started as.
 *
 * @param sfp receives it, or NULL if there is none
 * @return 0
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

/** Lets go of the helper. */
void fuse_service_release(struct fuse_service *sf);

/** Frees a service; `*sfp` becomes NULL. */
void fuse_service_destroy(struct fuse_service **sfp);

/** Adds the arguments that the helper was called with. */
int fuse_service_append_args(struct fuse_service *sf, struct fuse_args *args);

/** The arguments as one string, from malloc(3). */
char *fuse_service_cmdline(int argc, const char *const *argv, struct fuse_args *args);

/** Parses the arguments as fuse_parse_cmdline(). */
int fuse_service_parse_cmdline_opts(struct fuse_args *args, struct fuse_cmdline_opts *opts);

/** Asks the helper to open a file. */
int fuse_service_request_file(const struct fuse_service *sf, const char *path, int open_flags,
                              mode_t create_mode, unsigned int request_flags);

/** Asks the helper to open a block device. */
int fuse_service_request_blockdev(const struct fuse_service *sf, const char *path, int open_flags,
                                  mode_t create_mode, unsigned int request_flags,
                                  unsigned int block_size);

/** Receives an open file. */
int fuse_service_receive_file(const struct fuse_service *sf, const char *path, int *fdp);

/** Says that no more files will be asked for. */
int fuse_service_finish_file_requests(const struct fuse_service *sf);

/** Says what the mount point must be. */
void fuse_service_expect_mount_format(struct fuse_service *sf, mode_t expected_fmt);

/** Has the helper mount a session. */
int fuse_service_session_mount(struct fuse_service *sf, struct fuse_session *se,
                               mode_t expected_fmt, struct fuse_cmdline_opts *opts);

/** Tells the helper how it ended. */
int fuse_service_send_goodbye(struct fuse_service *sf, int exitcode);

/**
 * The exit status of a service.
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
