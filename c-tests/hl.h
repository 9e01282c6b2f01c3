/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared between the parts of the path-based passthrough filesystem (hl_*.c). */
#ifndef FERRO_HL_H
#define FERRO_HL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 314

#include <fuse.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hl {
	/* Options. */
	char *source;
	int plain;    /* read and write instead of read_buf and write_buf */
	int trace;    /* every operation on stdout */
	int dirplus;  /* readdir gives attributes */
	int offsets;  /* readdir gives offsets */
	int nullpath;
	int no_use_ino;
	int writeback;
	int direct_io;
	int intr;
	int lock;     /* the lock operation, by locks of the open file description */
	int hard_remove;
	int no_create;
	int conn;     /* what init gets, on stdout */
};

extern struct hl hl;

/* The real path of a path; a new one may be asked for while two older ones are in use. */
const char *hl_real(const char *path);

/* Says what was called and what comes of it, and returns that. */
long hl_trace(long result, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline const char *hl_path(const char *path)
{
	return path ? path : "(none)";
}

/* -1 and errno as the API has it. */
static inline int hl_result(long result)
{
	return result == -1 ? -errno : (int)result;
}

void hl_ops_names(struct fuse_operations *ops);
void hl_ops_files(struct fuse_operations *ops);

#endif
