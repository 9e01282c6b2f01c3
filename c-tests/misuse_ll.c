/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Misuse, on libfuse 3: see misuse.h.
 *
 * Usage: misuse_ll MOUNTPOINT -f [-s]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"
#include "misuse.h"

static struct fuse_session *session, *other;

static int inval_entry(fuse_ino_t parent, const char *name)
{
	return fuse_lowlevel_notify_inval_entry(session, parent, name, strlen(name));
}

static ssize_t other_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	ssize_t all = 0;

	(void)fd;
	(void)userdata;
	for (int i = 0; i < count; i++)
		all += (ssize_t)iov[i].iov_len;
	return all;
}

static ssize_t other_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)fd;
	(void)buf;
	(void)len;
	(void)userdata;
	return 0;
}

static void other_session(const void *message, size_t size)
{
	static const struct fuse_custom_io io = { .writev = other_writev, .read = other_read };
	char *words[] = { "other", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);
	struct fuse_buf buf = { .mem = (void *)(uintptr_t)message, .size = size };

	if (!other) {
		other = fuse_session_new(&args, &operations, sizeof(operations), NULL);
		if (!other || fuse_session_custom_io(other, &io, dup(0)) != 0)
			abort();
	}
	fuse_session_process_buf(other, &buf);
}

static void session_ready(struct fuse_session *se, void *userdata)
{
	(void)userdata;
	session = se;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .session_ready = session_ready,
	};
	int status = daemon_run(&args, &spec);

	too_late();
	if (other)
		fuse_session_destroy(other);
	return status;
}
