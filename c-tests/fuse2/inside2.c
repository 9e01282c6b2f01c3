/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Notifications from inside handlers, on libfuse 2: see ../inside.h.
 *
 * Usage: inside2 MOUNTPOINT -f [-s]
 */
#include <fuse_lowlevel.h>
#include "../inside.h"

static struct fuse_chan *channel;

static int inval_inode(fuse_ino_t ino)
{
	return fuse_lowlevel_notify_inval_inode(channel, ino, 0, 0);
}

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(channel, parent, name, strlen(name));
}

/* Libfuse 2 has no notification of its own for this. */
static int expire_entry(fuse_ino_t parent, const char *name)
{
	return inval_entry(parent, name);
}

static int delete_entry(fuse_ino_t parent, fuse_ino_t child, const char *name)
{
	return fuse_lowlevel_notify_delete(channel, parent, child, name, strlen(name));
}

static int store(fuse_ino_t ino, char *page)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(PAGE);

	buf.buf[0].mem = page;
	return fuse_lowlevel_notify_store(channel, ino, 0, &buf, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = ll_lookup,
	.getattr = ll_getattr,
	.setattr = ll_setattr,
	.open = ll_open,
	.read = ll_read,
	.write = ll_write,
	.mkdir = ll_mkdir,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_session *se;
	int multithreaded, result;
	char *mountpoint;

	prepare_data();
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
	fuse_remove_signal_handlers(se);
	fuse_session_remove_chan(channel);
	fuse_session_destroy(se);
	fuse_unmount(mountpoint, channel);
	fuse_opt_free_args(&args);
	puts("end");
	return 0;
}
