/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A loop whose thread is cancelled (pthread_cancel) while it waits for requests, and what is
 * unmounted then: the thread ends, and it was cancelled. For cancelled.c and
 * fuse2/cancelled2.c.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fuse_session *session;

/* Only the root, which getattr of anything else than 1 can't be asked about. */
static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = { .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	(void)fi;
	fuse_reply_attr(req, &st, 0);
}

static const struct fuse_lowlevel_ops ops = { .getattr = do_getattr };

/* `loop` in a thread; `unmount` comes after the thread was cancelled. */
static int cancel(const char *mountpoint, void *(*loop)(void *), void (*unmount)(void))
{
	struct stat st;
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, loop, NULL) != 0)
		return 1;
	printf("served: %d\n", stat(mountpoint, &st));
	usleep(100000); /* it waits again */
	printf("cancel: %d\n", pthread_cancel(thread));
	unmount();
	printf("join: %d\n", pthread_join(thread, &result));
	printf("cancelled: %d\n", result == PTHREAD_CANCELED);
	return 0;
}
