/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * Going into the background before anything is made, with a parent that waits until the file system
 * can be used. fuse_main() does this by itself.
 */

#ifndef FUSE_DAEMONIZE_H_
#define FUSE_DAEMONIZE_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The working directory stays what it is. */
#define FUSE_DAEMONIZE_NO_CHDIR (1 << 0)

/** The process stays in the foreground. */
#define FUSE_DAEMONIZE_NO_BACKGROUND (1 << 1)

/**
 * Goes on as a daemon, whose parent waits for one of the functions below.
 *
 * The child has a session of its own, `/` as working directory, and `/dev/null` as standard input.
 * It ends if the parent does before it was told anything. To be called before any thread is started;
 * fuse_session_mount() then waits for the `init` handler where the kernel can do that.
 *
 * @param flags FUSE_DAEMONIZE_ bits
 * @return 0, or -errno after a message
 */
int fuse_daemonize_early_start(unsigned int flags);

/**
 * Has the parent exit with status 0, and standard output and error become `/dev/null`. Without
 * effect until the file system is mounted and `init` has run; it then happens by itself.
 */
void fuse_daemonize_early_success(void);

/**
 * Has the parent exit with another status.
 *
 * @param err the exit status
 */
void fuse_daemonize_early_fail(int err);

/**
 * Whether the parent still waits.
 *
 * @return true if so
 */
bool fuse_daemonize_early_is_active(void);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_DAEMONIZE_H_ */
