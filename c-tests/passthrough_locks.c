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

static void remember_user(struct pt_lock_users *u, int fd, uint64_t owner)
{
	pthread_mutex_lock(&u->lock);
	atomic_store(&u->ever, true);
	for (size_t i = 0; i < u->count; i++) {
		if (u->user[i].fd == fd && u->user[i].owner == owner) {
			pthread_mutex_unlock(&u->lock);
			return;
		}
	}
	if (u->count == u->room) {
		size_t room = u->room ? u->room * 2 : 16;
		struct pt_lock_user *more = realloc(u->user, room * sizeof(*more));

		if (more) {
			u->user = more;
			u->room = room;
		}
	}
	if (u->count < u->room)
		u->user[u->count++] = (struct pt_lock_user){ fd, owner };
	pthread_mutex_unlock(&u->lock);
}

/* Removes the users of fd, of one owner or of all; true if there was one. */
static bool forget_users(struct pt_lock_users *u, int fd, const uint64_t *owner)
{
	bool found = false;

	if (!atomic_load(&u->ever))
		return false;
	pthread_mutex_lock(&u->lock);
	for (size_t i = 0; i < u->count;) {
		if (u->user[i].fd == fd && (!owner || u->user[i].owner == *owner)) {
			u->user[i] = u->user[--u->count];
			found = true;
		} else {
			i++;
		}
	}
	pthread_mutex_unlock(&u->lock);
	return found;
}

/*
 * The kernel leaves it to flush to drop a closing owner's record locks. Flush
 * also comes when a process that only inherited the descriptor closes it; that
 * one is another owner and must not take the locks along.
 */
void pt_locks_flush(struct pt_fs *fs, int fd, uint64_t owner)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (forget_users(&fs->lock_users, fd, &owner))
		fcntl(fd, F_OFD_SETLK, &all);
}

void pt_locks_forget(struct pt_fs *fs, int fd)
{
	forget_users(&fs->lock_users, fd, NULL);
}

static void do_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		     struct flock *lock, int sleep)
{
	struct waiter w = { .req = req, .fd = (int)fi->fh, .lock = *lock };

	(void)ino;
	if (lock->l_type != F_UNLCK)
		remember_user(&pt_fs(req)->lock_users, w.fd, fi->lock_owner);
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

void pt_ops_locks(struct fuse_lowlevel_ops *ops)
{
	ops->getlk = do_getlk;
	ops->setlk = do_setlk;
	ops->flock = do_flock;
}
