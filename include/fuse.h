/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The high-level interface of libfuse 2, for programs that include it without a folder and are
 * compiled without the flags of fuse.pc.
 */

#include "fuse/fuse.h"
