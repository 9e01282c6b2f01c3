/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Forked children that answer and notify, on libfuse 3: see children.h.
 *
 * Usage: children_ll MOUNTPOINT children=N [-s] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"
#include "children.h"

static struct fuse_session *session;

static int inval_inode(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_inval_inode(session, ino, 0, 0);
}

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(session, parent, name, strlen(name));
}

static int retrieve(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_retrieve(session, ino, 4096, 0, NULL);
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	(void)userdata;
	session = se;
}

static int serve(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .session_ready = session_ready,
	};

	/* Parsing gives a vector of its own, which may grow. */
	if (fuse_opt_parse(&args, NULL, NULL, NULL) != 0 || fuse_opt_add_arg(&args, "-f") != 0)
		return 1;
	return daemon_run(&args, &spec);
}
