/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * How the library that these headers belong to was built. Included by fuse_common.h.
 */

#ifndef LIBFUSE_CONFIG_H_
#define LIBFUSE_CONFIG_H_

/**
 * Public symbols carry versions, so that the plain name of a function that changed its signature
 * links to the newest one.
 */
#define LIBFUSE_BUILT_WITH_VERSIONED_SYMBOLS 1

#endif /* LIBFUSE_CONFIG_H_ */
