/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem in memory, for what a passthrough can't show: replies from
 * buffers, notifications, interrupts, poll, ioctl, long directories, answers by
 * another thread. What it leaves out (access, statfs, opendir, ...) is left to
 * the library's defaults on purpose.
 *
 * Usage: memfs_ll MOUNTPOINT -f [-s] [-o async] [-o iov] [-o timeout=SECONDS]
 */
#include "memfs.h"
#include "daemon.h"

#include <errno.h>
#include <stddef.h>

static const struct fuse_opt options[] = {
	{ "async", offsetof(struct mem_fs, async), 1 },
	{ "iov", offsetof(struct mem_fs, iov), 1 },
	{ "timeout=%lf", offsetof(struct mem_fs, timeout), 0 },
	FUSE_OPT_END
};

static void fill_entry(struct mem_fs *m, fuse_ino_t ino, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = ino;
	e->generation = 1;
	e->attr_timeout = m->timeout;
	e->entry_timeout = m->timeout;
	mem_stat(m, ino, &e->attr);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct mem_fs *m = mem_fs(req);
	struct fuse_entry_param e;
	struct mem_child *c;

	pthread_mutex_lock(&m->lock);
	c = mem_find(m, parent, name);
	if (c)
		fill_entry(m, c->ino, &e);
	pthread_mutex_unlock(&m->lock);
	if (c)
		fuse_reply_entry(req, &e);
	else
		fuse_reply_err(req, ENOENT);
}

static void do_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	(void)ino;
	(void)nlookup;
	fuse_reply_none(req);
}

/* A reply that another thread sends; with `read` also one in several pieces. */
struct later {
	fuse_req_t req;
	bool read;
	size_t size;
	struct stat st;
	char data[];
};

static void send_later(struct later *l)
{
	struct mem_fs *m = mem_fs(l->req);

	if (!l->read) {
		fuse_reply_attr(l->req, &l->st, m->timeout);
	} else if (m->iov && l->size >= 3) {
		size_t third = l->size / 3;
		struct iovec iov[3] = {
			{ l->data, third },
			{ l->data + third, third },
			{ l->data + 2 * third, l->size - 2 * third },
		};

		fuse_reply_iov(l->req, iov, 3);
	} else {
		fuse_reply_buf(l->req, l->data, l->size);
	}
	free(l);
}

static void *later_main(void *arg)
{
	send_later(arg);
	return NULL;
}

static void reply(struct later *l)
{
	pthread_t thread;

	if (mem_fs(l->req)->async && pthread_create(&thread, NULL, later_main, l) == 0)
		pthread_detach(thread);
	else
		send_later(l);
}

static struct later *new_later(fuse_req_t req, size_t size)
{
	struct later *l = malloc(sizeof(*l) + size);

	if (!l) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	l->req = req;
	l->read = size > 0;
	l->size = size;
	return l;
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);
	struct later *l = new_later(req, 0);

	(void)fi;
	if (!l)
		return;
	pthread_mutex_lock(&m->lock);
	mem_stat(m, ino, &l->st);
	pthread_mutex_unlock(&m->lock);
	reply(l);
}

static void do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int valid,
		       struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);
	struct mem_node *n;
	struct stat st;
	int err = 0;

	(void)fi;
	pthread_mutex_lock(&m->lock);
	n = mem_node(m, ino);
	if (valid & FUSE_SET_ATTR_MODE)
		n->mode = attr->st_mode;
	if (valid & FUSE_SET_ATTR_UID)
		n->uid = attr->st_uid;
	if (valid & FUSE_SET_ATTR_GID)
		n->gid = attr->st_gid;
	if (valid & FUSE_SET_ATTR_SIZE)
		err = mem_resize(n, (size_t)attr->st_size);
	if ((valid & FUSE_SET_ATTR_MTIME) && !(valid & FUSE_SET_ATTR_MTIME_NOW))
		n->mtime = attr->st_mtim;
	mem_stat(m, ino, &st);
	pthread_mutex_unlock(&m->lock);
	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_attr(req, &st, m->timeout);
}

/* mkdir, mknod and create; fi only for the last. */
static void make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		 struct fuse_file_info *fi, const char *op)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct mem_fs *m = mem_fs(req);
	struct fuse_entry_param e;
	fuse_ino_t ino;
	int err = 0;

	pthread_mutex_lock(&m->lock);
	ino = mem_add(m, parent, name, mode, MEM_PLAIN);
	if (ino) {
		mem_node(m, ino)->uid = ctx->uid;
		mem_node(m, ino)->gid = ctx->gid;
		snprintf(m->maker, sizeof(m->maker), "%s uid=%u gid=%u umask=%03o", op, ctx->uid,
			 ctx->gid, ctx->umask);
		fill_entry(m, ino, &e);
	} else {
		err = errno;
	}
	pthread_mutex_unlock(&m->lock);
	if (err)
		fuse_reply_err(req, err);
	else if (fi)
		fuse_reply_create(req, &e, fi);
	else
		fuse_reply_entry(req, &e);
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make(req, parent, name, mode | S_IFDIR, NULL, "mkdir");
}

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)rdev;
	make(req, parent, name, mode, NULL, "mknod");
}

static void do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	make(req, parent, name, mode | S_IFREG, fi, "create");
}

static void drop(fuse_req_t req, fuse_ino_t parent, const char *name, bool dir)
{
	struct mem_fs *m = mem_fs(req);
	struct mem_child *c;
	int err = 0;

	pthread_mutex_lock(&m->lock);
	c = mem_find(m, parent, name);
	if (!c)
		err = ENOENT;
	for (size_t i = 0; c && dir && i < mem_node(m, c->ino)->nchild; i++)
		if (mem_node(m, c->ino)->child[i].name)
			err = ENOTEMPTY;
	if (err == 0)
		mem_remove(m, c);
	pthread_mutex_unlock(&m->lock);
	fuse_reply_err(req, err);
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	drop(req, parent, name, false);
}

static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	drop(req, parent, name, true);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);

	pthread_mutex_lock(&m->lock);
	/* Plain files live in the page cache until a notification says otherwise. */
	fi->keep_cache = mem_node(m, ino)->kind == MEM_PLAIN;
	fi->direct_io = !fi->keep_cache;
	pthread_mutex_unlock(&m->lock);
	fuse_reply_open(req, fi);
}

static void reply_text(fuse_req_t req, const char *text, size_t size, off_t off)
{
	size_t len = strlen(text);

	if ((size_t)off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, text + off, len - (size_t)off < size ? len - (size_t)off : size);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);
	struct later *l = NULL;
	enum mem_kind kind;
	char text[4096];

	(void)fi;
	pthread_mutex_lock(&m->lock);
	kind = mem_node(m, ino)->kind;
	if (kind == MEM_CTL) {
		memcpy(text, m->result, sizeof(text));
	} else if (kind == MEM_PLAIN) {
		const struct mem_node *n = mem_node(m, ino);
		size_t left = (size_t)off < n->size ? n->size - (size_t)off : 0;

		if (left > size)
			left = size;
		if (left > 0) {
			l = new_later(req, left);
			if (l)
				memcpy(l->data, n->data + off, left);
		} else {
			fuse_reply_buf(req, NULL, 0);
		}
	}
	pthread_mutex_unlock(&m->lock);
	if (l)
		reply(l);
	else if (kind == MEM_SLEEP || kind == MEM_SLEEP_POLL)
		mem_sleep(req, kind);
	else if (kind == MEM_CTX)
		mem_ctx_text(req, text, sizeof(text));
	if (kind == MEM_CTX || kind == MEM_CTL)
		reply_text(req, text, size, off);
	else if (kind == MEM_POLL)
		reply_text(req, "ready\n", size, off);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);
	struct mem_node *n;
	int err = 0;

	(void)fi;
	pthread_mutex_lock(&m->lock);
	n = mem_node(m, ino);
	if (n->kind == MEM_CTL) {
		pthread_mutex_unlock(&m->lock);
		mem_ctl_write(req, buf, size);
		return;
	}
	if ((size_t)off + size > n->size)
		err = mem_resize(n, (size_t)off + size);
	if (err == 0)
		memcpy(n->data + off, buf, size);
	pthread_mutex_unlock(&m->lock);
	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_write(req, size);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct mem_fs *m = mem_fs(req);
	char *buf = malloc(size);
	const struct mem_node *dir;
	size_t used = 0;

	(void)fi;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	pthread_mutex_lock(&m->lock);
	dir = mem_node(m, ino);
	for (size_t i = (size_t)off; i < dir->nchild + 2; i++) {
		const char *name = i == 0 ? "." : i == 1 ? ".." : dir->child[i - 2].name;
		fuse_ino_t child = i == 0 ? ino : i == 1 ? dir->parent : dir->child[i - 2].ino;
		struct stat st;
		size_t n;

		if (!name)
			continue;
		mem_stat(m, child, &st);
		n = fuse_add_direntry(req, buf + used, size - used, name, &st, (off_t)i + 1);
		if (n > size - used)
			break;
		used += n;
	}
	pthread_mutex_unlock(&m->lock);
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.forget = do_forget,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.mkdir = do_mkdir,
	.mknod = do_mknod,
	.create = do_create,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.readdir = do_readdir,
	.ioctl = mem_ioctl,
	.poll = mem_poll,
	.retrieve_reply = mem_retrieve_reply,
};

static void session_ready(struct fuse_session *se, void *userdata)
{
	struct mem_fs *m = userdata;

	m->se = se;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct mem_fs m = { .timeout = 1000 };
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .userdata = &m,
		.session_ready = session_ready,
	};
	int status = 1;

	if (fuse_opt_parse(&args, &m, options, NULL) == 0 && mem_tree_init(&m) == 0)
		status = daemon_run(&args, &spec);
	mem_tree_destroy(&m);
	if (m.poll_handle)
		fuse_pollhandle_destroy(m.poll_handle);
	return status;
}
