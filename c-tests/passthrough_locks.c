/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Record locks and flock. The source gets open-file-description locks, one set
 * per open file, so two processes that opened the file each exclude each other.
 * A lock that has to wait is tried again by a thread of its own: a handler that
 * waited would keep a single-threaded loop from ever seeing the unlock.
 */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RETRY_US 5000

struct waiter {
	fuse_req_t req;
	int fd;
	bool is_flock;
	int op;
	struct flock lock;
};

static int try_lock(const struct waiter *w)
{
	struct flock lock = w->lock;

	if (w->is_flock)
		return flock(w->fd, w->op | LOCK_NB) == 0 ? 0 : errno;
	lock.l_pid = 0; /* required of open-file-description locks */
	return fcntl(w->fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

static void *wait_for_lock(void *arg)
{
	struct waiter *w = arg;
	int err;

	while ((err = try_lock(w)) == EAGAIN || err == EACCES) {
		if (fuse_req_interrupted(w->req)) {
			err = EINTR;
			break;
		}
		usleep(RETRY_US);
	}
	fuse_reply_err(w->req, err);
	close(w->fd);
	free(w);
	return NULL;
}

static void start_waiter(const struct waiter *from)
{
	struct waiter *w = malloc(sizeof(*w));
	pthread_t thread;

	if (!w) {
		fuse_reply_err(from->req, ENOMEM);
		return;
	}
	*w = *from;
	/* A duplicate is the same open file description: the lock stays with it. */
	w->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	if (w->fd >= 0 && pthread_create(&thread, NULL, wait_for_lock, w) == 0) {
		pthread_detach(thread);
		return;
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	fuse_reply_err(from->req, EAGAIN);
}

static void set_lock(struct waiter *w, bool may_wait)
{
	int err = try_lock(w);

	if ((err == EAGAIN || err == EACCES) && may_wait)
		start_waiter(w);
	else
		fuse_reply_err(w->req, err);
}

static void do_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		     struct flock *lock)
{
	(void)ino;
	lock->l_pid = 0;
	if (fcntl((int)fi->fh, F_OFD_GETLK, lock) != 0) {
		fuse_reply_err(req, errno);
		return;
	}
	/* The holder of such a lock is no process; 0 says so to the caller. */
	if (lock->l_pid < 0)
		lock->l_pid = 0;
	fuse_reply_lock(req, lock);
}

static void do_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		     struct flock *lock, int sleep)
{
	struct waiter w = { .req = req, .fd = (int)fi->fh, .lock = *lock };

	(void)ino;
	atomic_store(&pt_fs(req)->locks_used, true);
	set_lock(&w, sleep && lock->l_type != F_UNLCK);
}

static void do_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)
{
	struct waiter w = {
		.req = req, .fd = (int)fi->fh, .is_flock = true, .op = op & ~LOCK_NB,
	};

	(void)ino;
	set_lock(&w, !(op & LOCK_NB));
}

/* close() drops the caller's record locks; the kernel leaves that to flush. */
void pt_release_locks(struct pt_fs *fs, int fd)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (atomic_load(&fs->locks_used))
		fcntl(fd, F_OFD_SETLK, &all);
}

void pt_ops_locks(struct fuse_lowlevel_ops *ops)
{
	ops->getlk = do_getlk;
	ops->setlk = do_setlk;
	ops->flock = do_flock;
}
