/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cancelled.c for libfuse 2.
 *
 * Usage: cancelled2 MOUNTPOINT [-s] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 29

#include <fuse_lowlevel.h>

#include "../cancelled.h"

static int multithreaded;
static char *mountpoint;
static struct fuse_chan *chan;

static void *loop(void *unused)
{
	if (multithreaded)
		fuse_session_loop_mt(session);
	else
		fuse_session_loop(session);
	pthread_testcancel();
	return unused;
}

static void unmount(void)
{
	fuse_session_remove_chan(chan);
	fuse_unmount(mountpoint, chan);
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	int foreground, failed;

	if (fuse_parse_cmdline(&args, &mountpoint, &multithreaded, &foreground) != 0 || !mountpoint)
		return 2;
	chan = fuse_mount(mountpoint, &args);
	session = chan ? fuse_lowlevel_new(&args, &ops, sizeof(ops), NULL) : NULL;
	if (!session)
		return 3;
	fuse_session_add_chan(session, chan);
	alarm(20); /* a hang ends here */
	failed = cancel(mountpoint, loop, unmount);
	fuse_session_destroy(session);
	free(mountpoint);
	fuse_opt_free_args(&args);
	printf("end\n");
	return failed;
}
