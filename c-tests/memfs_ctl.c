/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The file "ctl": a program writes one command and reads its result back.
 *
 *   set NAME TEXT             change the file in memory, tell the kernel nothing
 *   hide NAME                 remove the name in memory, tell the kernel nothing
 *   fill N                    make N files in the directory "many"
 *   inval_inode NAME OFF LEN  the notifications, named as in the library
 *   inval_entry NAME | expire_entry NAME | delete NAME
 *   store NAME OFF TEXT | retrieve NAME OFF LEN | poll
 *
 * All names are names in the root directory. A notification must not be sent by
 * the thread that serves a request on the same inode, so each command runs in a
 * thread of its own, which answers the write when the result is there.
 */
#include "memfs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define RETRIEVE_SECONDS 5

struct job {
	fuse_req_t req;
	struct mem_fs *m;
	size_t written;
	char text[512];
};

static void set_result(struct mem_fs *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&m->lock);
	vsnprintf(m->result, sizeof(m->result), fmt, ap);
	pthread_mutex_unlock(&m->lock);
	va_end(ap);
}

static fuse_ino_t ino_of(struct mem_fs *m, const char *name)
{
	struct mem_child *c;
	fuse_ino_t ino;

	pthread_mutex_lock(&m->lock);
	c = mem_find(m, FUSE_ROOT_ID, name);
	ino = c ? c->ino : 0;
	pthread_mutex_unlock(&m->lock);
	return ino;
}

static int set_text(struct mem_fs *m, fuse_ino_t ino, const char *text)
{
	struct mem_node *n;
	int err;

	pthread_mutex_lock(&m->lock);
	n = mem_node(m, ino);
	err = mem_resize(n, strlen(text));
	if (err == 0)
		memcpy(n->data, text, strlen(text));
	pthread_mutex_unlock(&m->lock);
	return -err;
}

static int hide(struct mem_fs *m, const char *name)
{
	struct mem_child *c;

	pthread_mutex_lock(&m->lock);
	c = mem_find(m, FUSE_ROOT_ID, name);
	if (c)
		mem_remove(m, c);
	pthread_mutex_unlock(&m->lock);
	return c ? 0 : -ENOENT;
}

static int fill(struct mem_fs *m, unsigned int count)
{
	struct mem_child *many;
	int res = 0;

	pthread_mutex_lock(&m->lock);
	many = mem_find(m, FUSE_ROOT_ID, "many");
	if (!many)
		res = -ENOENT;
	for (unsigned int i = 0; many && res == 0 && i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "entry-%06u", i);
		if (!mem_add(m, many->ino, name, S_IFREG | 0644, MEM_PLAIN))
			res = -errno;
	}
	pthread_mutex_unlock(&m->lock);
	return res;
}

static int expire(struct fuse_session *se, const char *name)
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 16)
	return fuse_lowlevel_notify_expire_entry(se, FUSE_ROOT_ID, name, strlen(name));
#else
	return fuse_lowlevel_notify_expire_entry(se, FUSE_ROOT_ID, name, strlen(name),
						 FUSE_LL_EXPIRE_ONLY);
#endif
}

static int store(struct mem_fs *m, fuse_ino_t ino, long off, char *text)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(strlen(text));

	buf.buf[0].mem = text;
	return fuse_lowlevel_notify_store(m->se, ino, off, &buf, 0);
}

void mem_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset,
			struct fuse_bufvec *bufv)
{
	struct mem_fs *m = mem_fs(req);
	char data[1024] = "";
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(sizeof(data) - 1);
	size_t offered = fuse_buf_size(bufv);
	ssize_t n;

	(void)ino;
	out.buf[0].mem = data;
	n = fuse_buf_copy(&out, bufv, 0);
	pthread_mutex_lock(&m->lock);
	snprintf(m->retrieve_data, sizeof(m->retrieve_data),
		 "cookie=%s offset=%lld size=%zu copied=%zd data=%s",
		 cookie == &m->retrieved ? "same" : "other", (long long)offset, offered, n, data);
	m->retrieve_done = true;
	pthread_cond_broadcast(&m->retrieved);
	pthread_mutex_unlock(&m->lock);
	fuse_reply_none(req);
}

static void retrieve(struct mem_fs *m, fuse_ino_t ino, long off, long len)
{
	struct timespec until;
	int res, wait = 0;

	pthread_mutex_lock(&m->lock);
	m->retrieve_done = false;
	pthread_mutex_unlock(&m->lock);
	res = fuse_lowlevel_notify_retrieve(m->se, ino, (size_t)len, off, &m->retrieved);
	if (res != 0) {
		set_result(m, "retrieve: %d", res);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRIEVE_SECONDS;
	pthread_mutex_lock(&m->lock);
	while (!m->retrieve_done && wait == 0)
		wait = pthread_cond_timedwait(&m->retrieved, &m->lock, &until);
	if (m->retrieve_done)
		snprintf(m->result, sizeof(m->result), "retrieve: 0 %s", m->retrieve_data);
	else
		snprintf(m->result, sizeof(m->result), "retrieve: no answer");
	pthread_mutex_unlock(&m->lock);
}

static int wake_poll(struct mem_fs *m)
{
	struct fuse_pollhandle *ph;
	int res;

	pthread_mutex_lock(&m->lock);
	m->poll_ready = true;
	ph = m->poll_handle;
	m->poll_handle = NULL;
	pthread_mutex_unlock(&m->lock);
	if (!ph)
		return -ENOENT;
	res = fuse_lowlevel_notify_poll(ph);
	fuse_pollhandle_destroy(ph);
	return res;
}

static void run(struct job *j)
{
	struct mem_fs *m = j->m;
	char verb[32] = "", name[256] = "", text[256] = "";
	long off = 0, len = 0;
	fuse_ino_t ino;
	int res;

	sscanf(j->text, "%31s %255s", verb, name);
	ino = ino_of(m, name);
	if (strcmp(verb, "set") == 0 && sscanf(j->text, "%*s %*s %255s", text) == 1) {
		res = ino ? set_text(m, ino, text) : -ENOENT;
	} else if (strcmp(verb, "hide") == 0) {
		res = hide(m, name);
	} else if (strcmp(verb, "fill") == 0) {
		res = fill(m, (unsigned int)strtoul(name, NULL, 10));
	} else if (strcmp(verb, "inval_inode") == 0 &&
		   sscanf(j->text, "%*s %*s %ld %ld", &off, &len) == 2) {
		/* An unknown name stands for an inode that never was. */
		res = fuse_lowlevel_notify_inval_inode(m->se, ino ? ino : 999999, off, len);
	} else if (strcmp(verb, "inval_entry") == 0) {
		res = fuse_lowlevel_notify_inval_entry(m->se, FUSE_ROOT_ID, name, strlen(name));
	} else if (strcmp(verb, "expire_entry") == 0) {
		res = expire(m->se, name);
	} else if (strcmp(verb, "delete") == 0) {
		res = hide(m, name);
		if (res == 0)
			res = fuse_lowlevel_notify_delete(m->se, FUSE_ROOT_ID, ino, name,
							  strlen(name));
	} else if (strcmp(verb, "store") == 0 &&
		   sscanf(j->text, "%*s %*s %ld %255s", &off, text) == 2) {
		res = store(m, ino ? ino : 999999, off, text);
	} else if (strcmp(verb, "retrieve") == 0 &&
		   sscanf(j->text, "%*s %*s %ld %ld", &off, &len) == 2) {
		retrieve(m, ino ? ino : 999999, off, len);
		return;
	} else if (strcmp(verb, "poll") == 0) {
		res = wake_poll(m);
	} else {
		set_result(m, "unknown command");
		return;
	}
	set_result(m, "%s: %d", verb, res);
}

static void *job_main(void *arg)
{
	struct job *j = arg;

	run(j);
	fuse_reply_write(j->req, j->written);
	free(j);
	return NULL;
}

void mem_ctl_write(fuse_req_t req, const char *buf, size_t size)
{
	struct job *j = calloc(1, sizeof(*j));
	pthread_t thread;

	if (!j || size >= sizeof(j->text)) {
		free(j);
		fuse_reply_err(req, j ? EFBIG : ENOMEM);
		return;
	}
	j->req = req;
	j->m = mem_fs(req);
	j->written = size;
	memcpy(j->text, buf, size);
	if (pthread_create(&thread, NULL, job_main, j) != 0) {
		free(j);
		fuse_reply_err(req, EAGAIN);
		return;
	}
	pthread_detach(thread);
}
