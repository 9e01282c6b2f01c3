/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Troubles of a daemon, on libfuse 2: see ../exits.h.
 *
 * Usage: exits2 MOUNTPOINT -f [-s]
 */
#include <fuse_lowlevel.h>
#include "../exits.h"

static struct fuse_session *session;
static struct fuse_chan *channel;

static int session_fd(void)
{
	return fuse_chan_fd(channel);
}

static void session_exit(void)
{
	fuse_session_exit(session);
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_args none = FUSE_ARGS_INIT(1, argv); /* the others are the mount's */
	int multithreaded, result;
	char *mountpoint;

	if (argc == 2 && strcmp(argv[1], "--inherited") == 0)
		return inherited();
	prepare_data(argv[0]);
	if (fuse_parse_cmdline(&args, &mountpoint, &multithreaded, NULL) != 0)
		return 2;
	session = fuse_lowlevel_new(&none, &operations, sizeof(operations), NULL);
	if (!session || fuse_set_signal_handlers(session) != 0)
		return 3;
	act_before();
	channel = fuse_mount(mountpoint, &args);
	if (!channel) {
		fuse_remove_signal_handlers(session);
		fuse_session_destroy(session);
		return 5;
	}
	fuse_session_add_chan(session, channel);
	puts("mounted");
	fflush(stdout);
	result = multithreaded ? fuse_session_loop_mt(session) : fuse_session_loop(session);
	printf("loop=%d\n", result);
	fflush(stdout);
	fuse_remove_signal_handlers(session);
	fuse_session_remove_chan(channel);
	fuse_session_destroy(session);
	fuse_unmount(mountpoint, channel);
	free(mountpoint);
	fuse_opt_free_args(&none);
	fuse_opt_free_args(&args);
	puts("end");
	return 0;
}
