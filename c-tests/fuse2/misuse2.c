/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Misuse, on libfuse 2: see ../misuse.h.
 *
 * Usage: misuse2 MOUNTPOINT -f [-s]
 */
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include "../misuse.h"

static struct fuse_chan *channel, *other_channel;
static struct fuse_session *other;

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(channel, parent, name, strlen(name));
}

static int other_receive(struct fuse_chan **chan, char *buffer, size_t size)
{
	(void)chan;
	(void)buffer;
	(void)size;
	return 0;
}

static int other_send(struct fuse_chan *chan, const struct iovec iov[], size_t count)
{
	(void)chan;
	(void)iov;
	(void)count;
	return 0;
}

static void other_session(const void *message, size_t size)
{
	static struct fuse_chan_ops io = { .receive = other_receive, .send = other_send };
	char *words[] = { "other", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);

	if (!other) {
		other = fuse_lowlevel_new(&args, &operations, sizeof(operations), NULL);
		other_channel = fuse_chan_new(&io, -1, 8192, NULL);
		if (!other || !other_channel)
			abort();
		fuse_session_add_chan(other, other_channel);
	}
	fuse_session_process(other, message, size, other_channel);
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_session *se;
	int multithreaded, result;
	char *mountpoint;

	if (fuse_parse_cmdline(&args, &mountpoint, &multithreaded, NULL) != 0)
		return 2;
	channel = fuse_mount(mountpoint, &args);
	if (!channel)
		return 3;
	se = fuse_lowlevel_new(&args, &operations, sizeof(operations), NULL);
	if (!se)
		return 4;
	fuse_set_signal_handlers(se);
	fuse_session_add_chan(se, channel);
	puts("mounted");
	fflush(stdout);
	result = multithreaded ? fuse_session_loop_mt(se) : fuse_session_loop(se);
	printf("loop=%d\n", result);
	fflush(stdout);
	fuse_remove_signal_handlers(se);
	fuse_session_remove_chan(channel);
	fuse_session_destroy(se);
	fuse_unmount(mountpoint, channel);
	too_late();
	if (other)
		fuse_session_destroy(other);
	free(mountpoint);
	fuse_opt_free_args(&args);
	puts("end");
	return 0;
}
