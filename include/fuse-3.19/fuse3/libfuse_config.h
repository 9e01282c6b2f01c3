/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * Which library these headers belong to, and how it was built. Included by fuse_common.h.
 */

#ifndef LIBFUSE_CONFIG_H_
#define LIBFUSE_CONFIG_H_

/** Major version of the interface. */
#define FUSE_MAJOR_VERSION 3

/** Minor version of the interface. */
#define FUSE_MINOR_VERSION 19

/** Number of corrections to it. */
#define FUSE_HOTFIX_VERSION 0

/**
 * Public symbols carry versions, so that the plain name of a function that changed its signature
 * links to the newest one.
 */
#define LIBFUSE_BUILT_WITH_VERSIONED_SYMBOLS 1

#endif /* LIBFUSE_CONFIG_H_ */
