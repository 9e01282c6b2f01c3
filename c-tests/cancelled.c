/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Loops of each kind whose thread is cancelled: cancelled.h.
 *
 * Usage: cancelled MOUNTPOINT [-s] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>

#include "cancelled.h"

static int singlethread;

static void *loop(void *unused)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (singlethread)
		fuse_session_loop(session);
	else
		fuse_session_loop_mt(session, config);
	pthread_testcancel();
	return unused;
}

static void unmount(void)
{
	fuse_session_unmount(session);
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts opts;
	int failed;

	if (fuse_parse_cmdline(&args, &opts) != 0 || !opts.mountpoint)
		return 2;
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_session_mount(session, opts.mountpoint) != 0)
		return 3;
	singlethread = opts.singlethread;
	alarm(20); /* a hang ends here */
	failed = cancel(opts.mountpoint, loop, unmount);
	fuse_session_destroy(session);
	free(opts.mountpoint);
	fuse_opt_free_args(&args);
	printf("end\n");
	return failed;
}
