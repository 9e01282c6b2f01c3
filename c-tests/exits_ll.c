/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Troubles of a daemon, on libfuse 3: see exits.h.
 *
 * Usage: exits_ll MOUNTPOINT -f [-s]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"
#include "exits.h"

static struct fuse_session *session;

static int session_fd(void)
{
	return fuse_session_fd(session);
}

static void session_exit(void)
{
	fuse_session_exit(session);
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	(void)userdata;
	session = se;
	act_before();
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .session_ready = session_ready,
	};

	if (argc == 2 && strcmp(argv[1], "--inherited") == 0)
		return inherited();
	prepare_data(argv[0]);
	return daemon_run(&args, &spec);
}
