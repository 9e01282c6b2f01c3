/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Interruptible sleepers, the request context, ioctl and poll. */
#include "memfs.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A sleeper that nobody interrupts ends with EIO, so that no test can hang. */
#define SLEEP_SECONDS 20

struct sleeper {
	fuse_req_t req;
	enum mem_kind kind;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool interrupted;
};

static void on_interrupt(fuse_req_t req, void *data)
{
	struct sleeper *s = data;

	(void)req;
	pthread_mutex_lock(&s->lock);
	s->interrupted = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static bool sleep_by_callback(struct sleeper *s)
{
	struct timespec until;
	bool interrupted;
	int wait = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SLEEP_SECONDS;
	fuse_req_interrupt_func(s->req, on_interrupt, s);
	pthread_mutex_lock(&s->lock);
	while (!s->interrupted && wait == 0)
		wait = pthread_cond_timedwait(&s->wake, &s->lock, &until);
	interrupted = s->interrupted;
	pthread_mutex_unlock(&s->lock);
	/* From here on the callback can't run any more: s may go. */
	fuse_req_interrupt_func(s->req, NULL, NULL);
	return interrupted;
}

static bool sleep_by_asking(struct sleeper *s)
{
	for (int i = 0; i < SLEEP_SECONDS * 500; i++) {
		if (fuse_req_interrupted(s->req))
			return true;
		usleep(2000);
	}
	return false;
}

static void *sleeper_main(void *arg)
{
	static atomic_int count;
	struct sleeper *s = arg;
	char name[16];
	bool interrupted;

	/* So that the driver can see that the request is here. */
	snprintf(name, sizeof(name), "sleeper%d", atomic_fetch_add(&count, 1) + 1);
	pthread_setname_np(pthread_self(), name);
	interrupted = s->kind == MEM_SLEEP ? sleep_by_callback(s) : sleep_by_asking(s);
	fuse_reply_err(s->req, interrupted ? EINTR : EIO);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s);
	return NULL;
}

void mem_sleep(fuse_req_t req, enum mem_kind kind)
{
	struct sleeper *s = calloc(1, sizeof(*s));
	pthread_t thread;

	if (!s) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	s->req = req;
	s->kind = kind;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (pthread_create(&thread, NULL, sleeper_main, s) != 0) {
		free(s);
		fuse_reply_err(req, EAGAIN);
		return;
	}
	pthread_detach(thread);
}

void mem_ctx_text(fuse_req_t req, char *buf, size_t size)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct mem_fs *m = mem_fs(req);
	gid_t groups[32];
	int count = fuse_req_getgroups(req, 32, groups);
	/* A list that is too short still tells how many there are. */
	int probe = fuse_req_getgroups(req, 0, NULL);
	size_t used;

	used = (size_t)snprintf(buf, size, "uid=%u gid=%u pid=%d umask=%o ngroups=%d probe=%d groups=",
				ctx->uid, ctx->gid, (int)ctx->pid, ctx->umask, count, probe);
	for (int i = 0; i < count && i < 32 && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%u", i ? "," : "", groups[i]);
	pthread_mutex_lock(&m->lock);
	if (used < size)
		snprintf(buf + used, size - used, "\nmaker: %s\n", m->maker);
	pthread_mutex_unlock(&m->lock);
}

void mem_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	       struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	       size_t in_bufsz, size_t out_bufsz)
{
	struct mem_fs *m = mem_fs(req);
	struct mem_ioc_pair pair = { 0, 0 };
	uint32_t old;

	(void)fi;
	if (flags & FUSE_IOCTL_COMPAT) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	switch (cmd) {
	case MEM_IOC_INFO:
		pair = (struct mem_ioc_pair){ (uint32_t)ino, !!(flags & FUSE_IOCTL_DIR) };
		fuse_reply_ioctl(req, 0, &pair, out_bufsz < sizeof(pair) ? out_bufsz : sizeof(pair));
		break;
	case MEM_IOC_ADD:
		if (in_bufsz < sizeof(pair) || out_bufsz < sizeof(pair)) {
			fuse_reply_err(req, EINVAL);
			break;
		}
		memcpy(&pair, in_buf, sizeof(pair));
		pair = (struct mem_ioc_pair){ pair.a + pair.b, pair.a * pair.b };
		fuse_reply_ioctl_iov(req, 7,
				     (struct iovec[]){ { &pair.a, sizeof(pair.a) },
						       { &pair.b, sizeof(pair.b) } },
				     2);
		break;
	case MEM_IOC_TAG:
		if (in_bufsz < sizeof(uint32_t)) {
			fuse_reply_err(req, EINVAL);
			break;
		}
		pthread_mutex_lock(&m->lock);
		old = mem_node(m, ino)->tag;
		memcpy(&mem_node(m, ino)->tag, in_buf, sizeof(uint32_t));
		pthread_mutex_unlock(&m->lock);
		fuse_reply_ioctl(req, (int)old, NULL, 0);
		break;
	case MEM_IOC_VALUE:
		fuse_reply_ioctl(req, (int)((uintptr_t)arg & 0xff), NULL, 0);
		break;
	default:
		fuse_reply_err(req, ENOTTY);
	}
}

void mem_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	      struct fuse_pollhandle *ph)
{
	struct mem_fs *m = mem_fs(req);
	struct fuse_pollhandle *drop = ph;
	unsigned int ready = POLLIN | POLLOUT;

	(void)fi;
	pthread_mutex_lock(&m->lock);
	if (mem_node(m, ino)->kind == MEM_POLL) {
		/* Only the newest handle is kept: it is the same file each time. */
		if (ph) {
			drop = m->poll_handle;
			m->poll_handle = ph;
		}
		if (!m->poll_ready)
			ready = 0;
	}
	pthread_mutex_unlock(&m->lock);
	if (drop)
		fuse_pollhandle_destroy(drop);
	fuse_reply_poll(req, ready);
}
