/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Forked children that answer and notify, on libfuse 2: see ../children.h.
 *
 * Usage: children2 MOUNTPOINT children=N [-s] [library options]
 */
#include <fuse_lowlevel.h>
#include "../children.h"

static struct fuse_session *session;
static struct fuse_chan *channel;

static int inval_inode(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_inval_inode(channel, ino, 0, 0);
}

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(channel, parent, name, strlen(name));
}

static int retrieve(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_retrieve(channel, ino, 4096, 0, NULL);
}

static int serve(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	int multithreaded, result;
	char *where;

	if (fuse_parse_cmdline(&args, &where, &multithreaded, NULL) != 0)
		return 2;
	channel = fuse_mount(where, &args);
	if (!channel)
		return 3;
	session = fuse_lowlevel_new(&args, &operations, sizeof(operations), NULL);
	if (!session)
		return 4;
	fuse_set_signal_handlers(session);
	fuse_session_add_chan(session, channel);
	puts("mounted");
	fflush(stdout);
	result = multithreaded ? fuse_session_loop_mt(session) : fuse_session_loop(session);
	printf("loop=%d\n", result);
	fuse_remove_signal_handlers(session);
	fuse_session_remove_chan(channel);
	fuse_session_destroy(session);
	fuse_unmount(where, channel);
	fuse_opt_free_args(&args);
	puts("end");
	return 0;
}
